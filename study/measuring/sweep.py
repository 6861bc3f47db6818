"""Sweeps: measure a control at omegas x noise levels x images into a tidy table, which is stored."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from study import runs
from study.controls.base import Control
from study.disk.records import machine
from study.images import datasets
from study.measuring.image_sweep import FIVE, LEVELS, ImageSweep
from study.measuring.protocols import (
    DenoisingSweep,
    JointSweep,
    RealSweep,
    SuperResolutionSweep,
)
from study.measuring.sweep_files import (
    checked,
    folder_of,
    found,
    key,
    label_of,
    place_of,
    read,
    state,
    write,
)
from study.networks.precision import bf16
from study.runs import Run, RunConfig

__all__ = [
    "FIVE",
    "DenoisingSweep",
    "JointSweep",
    "RealSweep",
    "SuperResolutionSweep",
    "average",
    "by_seed",
    "find",
    "key",
    "leaders",
    "measurable",
    "measure",
    "repeat",
    "repeats",
    "spread",
    "stored",
    "sweep",
]


def sweep(
    of: Control | Run, what: ImageSweep, *, label: str = "", progress: bool = True
) -> pd.DataFrame:
    """A table with one row per image, sigma and omega; read from the store if it was measured before.

    of: a control, or the run that trained it, which may be stored without its weights.
    label: beginning of the file's name, for people; by default the run's name, or the control's class.
    It has no other effect: a sweep is found by its key, a hash of the control (class, settings, configs
    of its networks, weights), the images' checksums and the settings of the sweep. So a stored table is
    found even without the images. Without table and images the embedded samples are measured, with a
    warning, and the record states this.

    Columns: image, sigma, omega_1, omega_2; psnr and psnr_eta in dB, both sides clipped, not rounded;
    psnr_8bit of the output rounded to 8 bits; kept, the kept-noise fraction. For other sweeps see their
    row(). LPIPS and NIQE are left out, with a warning, if their weights are missing. The frame's attrs
    hold the record of the measurement.
    """
    path, what = _place(of, what, label)
    if not path.exists():
        _store(path, of, what, label_of(of, label), progress)
    return checked(path, of, what)


def _store(path: Path, of: Control | Run, what: ImageSweep, name: str, progress: bool) -> None:
    """Measure, and write the table and its record."""
    clock, control = time.monotonic(), of.control if isinstance(of, Run) else of
    frame = measure(control, what, progress=progress, label=name)
    teachers = {n: datasets.describe(n).files[0].sha256 for n in getattr(what, "teachers", ())}
    record = {
        "name": name,
        "weights": state(of)[:16],
        "settings": what.settings(),
        **({"teachers": teachers} if teachers else {}),
        "seconds": round(time.monotonic() - clock, 1),
        **machine(_device().type),
    }
    write(path, frame, record)


def find(of: Control | Run | RunConfig, what: ImageSweep) -> pd.DataFrame:
    """The stored table of a measurement; nothing is trained or measured.

    of: a control, a run, or its config. Raises FileNotFoundError, which names the run and the images, if
    the run or the sweep is not in the store.
    """
    if isinstance(of, RunConfig):
        if runs.find(of) is None:
            raise FileNotFoundError(f"run '{of.name}' is not in the store")
        of = runs.get(of, progress=False, weights=False)
    path = found(of, what)
    if path is None:
        raise FileNotFoundError(
            f"'{label_of(of)}' was not measured on '{what.images}' with these settings: {what}"
        )
    return checked(path, of, what)


def stored(of: Control | Run, what: ImageSweep) -> bool:
    """Whether the store has the table of this measurement."""
    return found(of, what) is not None


def repeat(of: Run, what: ImageSweep, control: Control, *, progress: bool = True) -> pd.DataFrame:
    """Measure a repeated training of a run; stored for repeats() of that run."""
    name = f"again-{len(repeats(of, what)) + 1}-{label_of(of)}-{key(of, what)}"
    path = folder_of(what) / "again" / f"{name}-{what.images}-{key(control, what)}.csv"
    _store(path, control, what, name, progress)
    return checked(path, control, what)


def repeats(of: Control | Run, what: ImageSweep) -> list[pd.DataFrame]:
    """The stored tables of repeated trainings of a run, in the order of measuring."""
    return [read(path) for path in sorted(folder_of(what).glob(f"again/again-*-{key(of, what)}-*.csv"))]


def measurable(of: Control | Run, what: ImageSweep) -> bool:
    """Whether sweep() can return a table: the run has weights, or this sweep is in the store."""
    if not isinstance(of, Run) or of.trained is not None:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _place(of, what)[0].exists()


def by_seed(repeated: Mapping[int, Control | Run], what: ImageSweep) -> dict[int, pd.DataFrame]:
    """The table of each seed, without those that cannot be measured (see measurable)."""
    return {
        seed: sweep(one, what, progress=False) for seed, one in repeated.items() if measurable(one, what)
    }


def _place(of: Control | Run, what: ImageSweep, label: str = "") -> tuple[Path, ImageSweep]:
    """The path, and the settings that are used: with a warning, the embedded samples if the images are
    missing, and no LPIPS and NIQE if their weights are."""
    path, name = place_of(of, what, label), label_of(of, label)
    if not path.exists() and not datasets.available(what.images) and what.replaceable:
        warnings.warn(
            f"no stored sweep of '{name}' on '{what.images}', and the images are not in "
            f"{datasets.root()}: measuring on the embedded samples instead "
            f"({datasets.way_out(what.images)} gets them)",
            stacklevel=3,
        )
        what = replace(what, images="samples-test")
        path = place_of(of, what, label)
    if not path.exists() and what.perceptual and (missing := _missing_weights()):
        warnings.warn(
            f"no stored sweep of '{name}' with LPIPS and NIQE, and {' and '.join(missing)} are not in "
            f"{datasets.root()}: measuring without them ({datasets.way_out(*missing)} gets them)",
            stacklevel=3,
        )
        what = replace(what, perceptual=False)
        path = place_of(of, what, label)
    return path, what


def measure(
    control: Control, what: ImageSweep, *, progress: bool = True, label: str = "sweep"
) -> pd.DataFrame:
    """The measurement itself, one image at a time, on a GPU if there is one.

    Networks run in float32, or in bfloat16 if the sweep sets it; metrics are always float32. Afterwards
    the control is in its old mode and on its old device.
    """
    rows, device = [], _device()
    home, modes = next(control.parameters(), torch.empty(0)).device, _modes(control)
    control = control.eval().to(device)
    for case in tqdm(what.cases(), desc=label, total=len(what), disable=not progress):
        degraded = case.degraded[None].contiguous(memory_format=torch.channels_last)
        omegas = case.omegas or what.omegas
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            with bf16(device, what.bf16):
                outputs = control.outputs(
                    degraded.to(device), torch.tensor(omegas), extrapolate=what.extrapolate
                )
            for omega, output in zip(omegas, outputs, strict=True):
                dials = {f"omega_{i}": value for i, value in enumerate(omega, start=1)}
                row = what.row(case, omega, output.float().cpu())
                numbers = {name: value.item() for name, value in row.items()}
                rows.append({"image": case.image, **case.levels, **dials, **numbers})
    control.to(home)
    for module, mode in modes.items():
        module.training = mode
    return pd.DataFrame(rows)


def _modes(control: Control) -> dict[nn.Module, bool]:
    return {module: module.training for module in control.modules()}


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def average(frame: pd.DataFrame, by: Sequence[str] = ("omega_1", "omega_2")) -> pd.DataFrame:
    """Means over images, then over levels of degradation, as in Tables 1 and 3."""
    levels = [c for c in LEVELS if c in frame]
    dials = [c for c in frame if c.startswith("omega_")]
    by = list(by)
    levels = [c for c in levels if c not in by]
    values = [c for c in frame if c not in ("image", *levels, *dials, *by)]
    return frame.groupby([*by, *levels])[values].mean().groupby(by).mean()


def spread(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Half the range over the averaged frames of one method's seeds."""
    stacked = pd.concat(dict(enumerate(frames)))
    groups = stacked.groupby(level=list(range(1, stacked.index.nlevels)))
    return (groups.max() - groups.min()) / 2


def leaders(values: pd.DataFrame, spreads: pd.DataFrame) -> pd.DataFrame:
    """Whether a row is the best of its column, or does not differ from the best.

    Both: methods x positions of the dials, larger is better. Two rows differ if their difference is
    larger than the sum of their spreads. A missing spread counts as 0.
    """
    best = values.idxmax()
    gap = values.max() - values
    allowed = spreads.reindex_like(values).fillna(0.0)
    return gap <= allowed + pd.Series({c: allowed.loc[best[c], c] for c in values})


def _missing_weights() -> list[str]:
    return [name for name in ("alexnet", "niqe") if not datasets.available(name)]
