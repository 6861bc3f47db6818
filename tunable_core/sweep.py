"""Sweeps: any control x omegas x noise levels x images to a tidy table, kept and found again."""

from __future__ import annotations

import hashlib
import io
import json
import time
import warnings
from collections.abc import Iterator, Sequence
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
class Case:
    """One test image."""

    image: str
    """Its id."""
    sigma: float | None
    """Its noise level, grey levels of 255; None for noise of its own."""
    clean: torch.Tensor
    """[3, H, W] in [0, 1]."""
    degraded: torch.Tensor
    """[3, H, W], not clipped."""


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

    def __len__(self) -> int:
        """Number of cases."""
        return len(datasets.describe(self.images).ids[:: self.every]) * len(self.sigmas)

    def cases(self) -> Iterator[Case]:
        """Each test image at each noise level; raises datasets.MissingData without the images."""
        pictures = datasets.load(self.images)
        for name in pictures.ids[:: self.every]:
            clean = self._cut(pictures[name])
            for sigma in self.sigmas:
                yield Case(name, sigma, clean, test_noise(clean, sigma))

    def _cut(self, image: torch.Tensor) -> torch.Tensor:
        image = image.float() / 255
        if self.crop is None:
            return image
        top, left = ((side - self.crop) // 2 for side in image.shape[-2:])
        if min(top, left) < 0:
            raise ValueError(f"a crop of {self.crop} does not fit in {list(image.shape[-2:])}")
        return image[:, top : top + self.crop, left : left + self.crop]


@dataclass(frozen=True)
class RealSweep:
    """The same for pairs of photographs with noise of their own; adds SSIM."""

    images: str = "nam-test"
    """Test pairs, a name of datasets.py."""
    omegas: tuple[tuple[float, float], ...] = ((1.0, 0.0), (0.0, 1.0))
    """Positions of the dials; the default are those of Table 2b."""
    nu: float = NU
    """Share of the noise in y_eta at omega_2 = 1."""

    def __len__(self) -> int:
        """Number of cases."""
        return len(datasets.describe(self.images).ids)

    def cases(self) -> Iterator[Case]:
        """Each pair; raises datasets.MissingData without them."""
        pairs = datasets.load(self.images)
        for name in pairs.ids:
            clean, noisy = (pairs[name].float() / 255).chunk(2)
            yield Case(name, None, clean, noisy)


def sweep(
    control: Control, what: DenoisingSweep | RealSweep, name: str, *, progress: bool = True
) -> pd.DataFrame:
    """One row per image, sigma and omega; read from the store when it was measured before.

    The key is a hash of the control's weights, of the images' checksums and of the settings, so a
    kept table is found again without the images; without both, the embedded samples are measured, with
    a warning, and the record says so. Columns: image, sigma, omega_1, omega_2; psnr and
    psnr_eta in dB, both sides clipped, not rounded; psnr_8bit of the output rounded to 8 bits; kept,
    the kept-noise fraction. The frame's attrs hold the record of the measurement.
    """
    path = _path(control, what, name)
    if not path.exists() and not datasets.available(what.images) and isinstance(what, DenoisingSweep):
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
    control: Control, what: DenoisingSweep | RealSweep, *, progress: bool = True, label: str = "sweep"
) -> pd.DataFrame:
    """The measurement itself, in float32, one image at a time."""
    rows = []
    control = control.eval()
    for case in tqdm(what.cases(), desc=label, total=len(what), disable=not progress):
        clean = case.clean[None]
        degraded = case.degraded[None].contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            outputs = control.outputs(degraded, torch.tensor(what.omegas))
            for omega, output in zip(what.omegas, outputs, strict=True):
                target = noise_target(clean, degraded, omega[1], what.nu)
                rounded = (output.clamp(0, 1) * 255).round() / 255
                row = {
                    "psnr": metrics.psnr(output, clean),
                    "psnr_eta": metrics.psnr(output, target),
                    "psnr_8bit": metrics.psnr(rounded, clean),
                    "kept": None if case.sigma == 0 else metrics.kept_fraction(output, clean, degraded),
                }
                if isinstance(what, RealSweep):
                    row["ssim"] = metrics.ssim(output, clean)
                    row["ssim_eta"] = metrics.ssim(output, target)
                dials = {f"omega_{i}": value for i, value in enumerate(omega, start=1)}
                numbers = {k: None if v is None else v.item() for k, v in row.items()}
                rows.append({"image": case.image, "sigma": case.sigma, **dials, **numbers})
    return pd.DataFrame(rows)


def average(frame: pd.DataFrame, by: Sequence[str] = ("omega_1", "omega_2")) -> pd.DataFrame:
    """Means over images, then over noise levels, as Table 1 averages."""
    values = [c for c in ("psnr", "psnr_eta", "psnr_8bit", "kept", "ssim", "ssim_eta") if c in frame]
    by = list(by)
    if frame.sigma.isna().all():  # noise of its own: no levels
        return frame.groupby(by)[values].mean()
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
