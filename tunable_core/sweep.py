"""Sweeps: any control x omegas x noise levels x images to a tidy table, kept and found again."""

from __future__ import annotations

import hashlib
import io
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd
import torch
from tqdm.auto import tqdm

from tunable_core import datasets, metrics
from tunable_core.controls.base import Control
from tunable_core.degradations import test_noise
from tunable_core.files import DamagedFile, digest, write_atomically
from tunable_core.objectives import NU, noise_target
from tunable_core.runs import machine, store

FIVE = ((0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1.0, 0.0))
"""The omegas of Table 1."""


@dataclass(frozen=True)
class DenoisingSweep:
    """What is measured, but for the control; part of the key of a kept sweep."""

    images: str = "kodak"
    """Test images, a name of datasets.py."""
    sigmas: tuple[float, ...] = (5.0, 15.0, 30.0)
    """Noise levels, grey levels of 255."""
    omegas: tuple[tuple[float, float], ...] = FIVE
    """Positions of the dials."""
    every: int = 1
    """Take every n-th image of the set."""
    crop: int | None = None
    """Side of a central square crop, pixels; None takes whole images."""
    nu: float = NU
    """Share of the noise in y_eta at omega_2 = 1."""

    def pictures(self) -> list[tuple[str, torch.Tensor]]:
        """(id, [3, H, W] in [0, 1]) of each test image; raises datasets.MissingData without them."""
        pictures = datasets.load(self.images)
        return [(name, self._cut(pictures[name])) for name in pictures.ids[:: self.every]]

    def _cut(self, image: torch.Tensor) -> torch.Tensor:
        image = image.float() / 255
        if self.crop is None:
            return image
        top, left = ((side - self.crop) // 2 for side in image.shape[-2:])
        if min(top, left) < 0:
            raise ValueError(f"a crop of {self.crop} does not fit in {list(image.shape[-2:])}")
        return image[:, top : top + self.crop, left : left + self.crop]


def sweep(control: Control, what: DenoisingSweep, name: str, *, progress: bool = True) -> pd.DataFrame:
    """One row per image, sigma and omega; read from the store when it was measured before.

    The key is a hash of the control's weights, of the images' checksums and of the settings, so a
    kept table is found again without the images; without both, the embedded samples are measured, with
    a warning, and the record says so. Columns: image, sigma, omega_1, omega_2; psnr and
    psnr_eta in dB, both sides clipped, not rounded; psnr_8bit of the output rounded to 8 bits; kept,
    the kept-noise fraction. The frame's attrs hold the record of the measurement.
    """
    path = _path(control, what, name)
    if not path.exists() and not datasets.available(what.images):
        warnings.warn(
            f"no kept sweep of '{name}' on '{what.images}', and the images are not in "
            f"{datasets.root()}: measuring on the embedded samples instead "
            f"(make data DATASETS={what.images} gets them)",
            stacklevel=2,
        )
        what = replace(what, images="samples-test")
        path = _path(control, what, name)
    if not path.exists():
        clock = time.monotonic()
        frame = measure(control, what, progress=progress, label=name)
        record = {
            "name": name,
            "weights": digest(control.state_dict())[:16],
            "settings": asdict(what),
            "seconds": round(time.monotonic() - clock, 1),
            **machine("cpu"),
        }
        _write(path, frame, record)
    return _read(path)


def measure(
    control: Control, what: DenoisingSweep, *, progress: bool = True, label: str = "sweep"
) -> pd.DataFrame:
    """The measurement itself, in float32, one image at a time."""
    rows = []
    cases = [(n, y, s) for n, y in what.pictures() for s in what.sigmas]
    control = control.eval()
    for image, clean, sigma in tqdm(cases, desc=label, disable=not progress):
        degraded = test_noise(clean, sigma)[None].contiguous(memory_format=torch.channels_last)
        clean = clean[None]
        with torch.inference_mode():
            outputs = control.outputs(degraded, torch.tensor(what.omegas))
            for omega, output in zip(what.omegas, outputs, strict=True):
                target = noise_target(clean, degraded, omega[1], what.nu)
                rounded = (output.clamp(0, 1) * 255).round() / 255
                row = {
                    "psnr": metrics.psnr(output, clean),
                    "psnr_eta": metrics.psnr(output, target),
                    "psnr_8bit": metrics.psnr(rounded, clean),
                    "kept": metrics.kept_fraction(output, clean, degraded) if sigma else None,
                }
                dials = {f"omega_{i}": value for i, value in enumerate(omega, start=1)}
                numbers = {k: None if v is None else v.item() for k, v in row.items()}
                rows.append({"image": image, "sigma": sigma, **dials, **numbers})
    return pd.DataFrame(rows)


def average(frame: pd.DataFrame, by: Sequence[str] = ("omega_1", "omega_2")) -> pd.DataFrame:
    """Means over images, then over noise levels, as Table 1 averages."""
    values = [c for c in ("psnr", "psnr_eta", "psnr_8bit", "kept") if c in frame]
    by = list(by)
    return frame.groupby([*by, "sigma"])[values].mean().groupby(by).mean()


def spread(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Half the range over averaged frames of one method, one per seed."""
    stacked = pd.concat(dict(enumerate(frames)))
    groups = stacked.groupby(level=list(range(1, stacked.index.nlevels)))
    return (groups.max() - groups.min()) / 2


def leaders(values: pd.DataFrame, spreads: pd.DataFrame) -> pd.DataFrame:
    """Where a row is the best of its column, or not told apart from the best.

    Both: methods x positions of the dials, larger is better. Two rows are told apart when their
    difference is larger than the sum of their spreads. A missing spread counts as none.
    """
    best = values.idxmax()
    gap = values.max() - values
    allowed = spreads.reindex_like(values).fillna(0.0)
    return gap <= allowed + pd.Series({c: allowed.loc[best[c], c] for c in values})


def _path(control: Control, what: DenoisingSweep, name: str) -> Path:
    return store() / "sweeps" / f"{name}-{what.images}-{_key(control, what)}.csv"


def _key(control: Control, what: DenoisingSweep) -> str:
    content = {
        "control": type(control).__name__ + control.extra_repr(),
        "weights": digest(control.state_dict()),
        "images": datasets.describe(what.images).checksum,
        "settings": asdict(what),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def _write(path: Path, frame: pd.DataFrame, record: dict) -> None:
    table = frame.to_csv(index=False, float_format="%.5g")
    record["sha256"] = hashlib.sha256(table.encode()).hexdigest()
    write_atomically(path, f"# {json.dumps(record)}\n{table}")


def _read(path: Path) -> pd.DataFrame:
    header, _, table = path.read_bytes().partition(b"\n")
    try:
        record = json.loads(header.removeprefix(b"# "))
    except ValueError:
        record = {}
    if record.get("sha256") != hashlib.sha256(table).hexdigest():
        raise DamagedFile(f"{path} does not match its own sha256; delete it to measure it again")
    frame = pd.read_csv(io.BytesIO(table), dtype={"image": str})
    frame.attrs["record"] = record
    return frame
