"""The base of all sweeps: test images, their degraded cases, positions of the dials, and metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar

from torch import Tensor

from study.images import datasets
from tunable_core.checks import are_numbers, check, is_count

FIVE = ((0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1.0, 0.0))
"""The omegas of Table 1."""
LEVELS = ("kind", "sigma", "rho")
"""Columns of a table with the degradation of an image: see Case.levels."""


@dataclass(frozen=True)
class Case:
    """One degraded version of a test image."""

    image: str
    """Its id."""
    levels: dict[str, float | str]
    """Its degradation: kind of noise, sigma in grey levels of 255, rho in pixels; {} for real noise."""
    clean: Tensor
    """[3, H, W] in [0, 1]."""
    degraded: Tensor
    """[3, H, W], not clipped."""
    noiseless: Tensor | None = None
    """[3, H, W], degraded without the noise; None if that is clean."""
    omegas: tuple[tuple[float, ...], ...] | None = None
    """Positions of the dials for this case alone; None uses those of the sweep."""


def _plain(value: Any) -> Any:
    """A setting as plain data, without later fields that still have their "before" value.

    A field that was renamed has its first name, "stored as" in its metadata.
    """
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if not is_dataclass(value):
        return value
    values = {field: getattr(value, field.name) for field in fields(value)}
    return {
        f.metadata.get("stored as", f.name): _plain(v)
        for f, v in values.items()
        if ("before", v) not in f.metadata.items()
    }


@dataclass(frozen=True)
class ImageSweep(ABC):
    """The settings of a measurement apart from the control: images, positions of the dials, metrics.

    All fields are part of the key of a stored sweep. Subclasses add fields and define the cases of an
    image and the metrics of an output. A field that is added later declares in its metadata the value
    that earlier sweeps had, {"before": value}, so that their keys stay the same; one that is renamed
    declares its first name, {"stored as": name}.
    Raises ValueError that lists all invalid fields.
    """

    images: str = "kodak"
    """Test images: the name of a set in datasets.py."""
    omegas: tuple[tuple[float, ...], ...] = FIVE
    """Positions of the dials."""
    every: int = 1
    """Take every n-th image of the set."""
    crop: int | None = None
    """Side of a central square crop in pixels; None uses whole images."""
    extrapolate: bool = field(default=False, metadata={"before": False})
    """Allow positions outside [0, 1]."""

    replaceable: ClassVar[bool] = True
    """Whether the embedded samples can be used if the images are missing."""
    perceptual: ClassVar[bool] = False
    """Whether LPIPS and NIQE are measured, which need downloaded weights."""
    bf16: ClassVar[bool] = False
    """Whether the network runs in bfloat16."""

    def __post_init__(self) -> None:
        check(self, self.rules())

    def rules(self) -> dict[str, bool]:
        """The rules for the fields, each with whether it holds; see checks.check."""
        rows = self.omegas
        return {
            "omegas must be one or more rows of finite numbers": isinstance(rows, tuple | list)
            and len(rows) > 0
            and all(are_numbers(omega) for omega in rows),
            "every must be a whole number of at least 1": is_count(self.every),
            "crop must be None or a whole number of at least 1": self.crop is None
            or is_count(self.crop),
        }

    def settings(self) -> dict[str, Any]:
        """The fields as plain data, for keys and records."""
        return _plain(self)

    @property
    def cases_per_image(self) -> int:
        """Number of cases of one image."""
        return 1

    def __len__(self) -> int:
        """Number of cases."""
        return len(datasets.describe(self.images).ids[:: self.every]) * self.cases_per_image

    def cases(self) -> Iterator[Case]:
        """The cases of all test images; raises datasets.MissingData without the images."""
        pictures = datasets.load(self.images)
        for name in pictures.ids[:: self.every]:
            yield from self.cases_of(name, cut(pictures[name], self.crop))

    @abstractmethod
    def cases_of(self, name: str, clean: Tensor) -> Iterator[Case]:
        """The cases of one image [C, H, W] in [0, 1]."""

    @abstractmethod
    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, H, W]: each []."""


def cut(image: Tensor, crop: int | None) -> Tensor:
    """uint8 [3, H, W] to [0, 1]; crop: side of the central square that is cut, or None."""
    image = image.float() / 255
    if crop is None:
        return image
    top, left = ((side - crop) // 2 for side in image.shape[-2:])
    if min(top, left) < 0:
        raise ValueError(f"a crop of {crop} pixels is larger than the image, {list(image.shape[-2:])}")
    return image[:, top : top + crop, left : left + crop]
