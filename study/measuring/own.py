"""Table 1 on your own photographs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from study.controls import Control
from study.images import datasets
from study.measuring.image_sweep import Case, cut
from study.measuring.protocols import DenoisingSweep
from study.measuring.sweep import average, measure

SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class OwnSweep(DenoisingSweep):
    """As DenoisingSweep, on every PNG and JPEG of a folder; for measure(), which stores nothing."""

    images: str = "own"
    """A name that is not in the registry."""
    folder: Path = field(kw_only=True)
    """Folder of the photographs. Raises FileNotFoundError if it has none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.paths:
            raise FileNotFoundError(f"{self.folder} has no photograph ({', '.join(SUFFIXES)})")

    @property
    def paths(self) -> list[Path]:
        """The files, sorted by name."""
        found = (path for path in self.folder.glob("*") if path.suffix.lower() in SUFFIXES)
        return sorted(found)[:: self.every]

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.paths) * self.cases_per_image

    def cases(self) -> Iterator[Case]:
        """The cases of each photograph; raises DamagedFile for a file that is not a photograph."""
        for path in self.paths:
            yield from self.cases_of(path.name, cut(datasets.decode(path), self.crop))


def frames(methods: Mapping[str, Control], what: OwnSweep) -> dict[str, pd.DataFrame]:
    """The table of measure() for each method."""
    return {name: measure(control, what, label=name) for name, control in methods.items()}


def table(found: Mapping[str, pd.DataFrame], metric: str) -> pd.DataFrame:
    """Mean over noise levels and photographs: methods x omegas."""
    return pd.DataFrame({name: average(frame)[metric] for name, frame in found.items()}).T
