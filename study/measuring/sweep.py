"""Sweeps: any control x omegas x noise levels x images to a tidy table, stored and found again."""

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
from study.runs import Run, RunConfig
from tunable_core.controls.base import Control

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
    "sweep",
]


def sweep(
    of: Control | Run, what: ImageSweep, *, label: str = "", progress: bool = True
) -> pd.DataFrame:
    """One row per image, sigma and omega; read from the store when it was measured before.

    of: a control, or the run that trained it, which may be stored without its weights.
    label: for people, the beginning of the file's name; by default the run's name, or the control's
    class. It decides nothing: a sweep is found by its key, a hash of the control (class, settings,
    configs of its networks, weights), the images' checksums and the settings of the sweep. So a stored
    table is found again without the images. Without both, the embedded samples are measured, with a
    warning, and the record says so.

    Columns: image, sigma, omega_1, omega_2; psnr and psnr_eta in dB, both sides clipped, not rounded;
    psnr_8bit of the output rounded to 8 bits; kept, the kept-noise fraction; for those of a JointSweep
    see there, without LPIPS and NIQE, with a warning, where their weights are missing. The frame's attrs
    hold the record of the measurement.
    """
    path, what = _place(of, what, label)
    if not path.exists():
        _store(path, of, what, label_of(of, label), progress)
    return checked(path, of, what)


def _store(path: Path, of: Control | Run, what: ImageSweep, name: str, progress: bool) -> None:
    """Measure, and write the table with its record."""
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
    """The stored table of exactly this measurement; nothing is trained or measured.

    of: a control, a run, or the config of one. Raises FileNotFoundError, whose message names the run
    and the images, where the run or the sweep is not in the store.
    """
    if isinstance(of, RunConfig):
        if runs.find(of) is None:
            raise FileNotFoundError(f"run '{of.name}' is not in the store")
        of = runs.get(of, progress=False, weights=False)
    path = found(of, what)
    if path is None:
        raise FileNotFoundError(
            f"'{label_of(of)}' was not measured on '{what.images}' like this: {what}"
        )
    return checked(path, of, what)


def repeat(of: Run, what: ImageSweep, control: Control, *, progress: bool = True) -> pd.DataFrame:
    """Measure a control that was trained once more as a run was; stored for repeats() of that run."""
    name = f"again-{len(repeats(of, what)) + 1}-{label_of(of)}-{key(of, what)}"
    path = folder_of(what) / "again" / f"{name}-{what.images}-{key(control, what)}.csv"
    _store(path, control, what, name, progress)
    return checked(path, control, what)


def repeats(of: Control | Run, what: ImageSweep) -> list[pd.DataFrame]:
    """The stored tables of what was trained once more as a run was, in the order of measuring."""
    return [read(path) for path in sorted(folder_of(what).glob(f"again/again-*-{key(of, what)}-*.csv"))]


def measurable(of: Control | Run, what: ImageSweep) -> bool:
    """Whether sweep() can return a table: the weights are there, or this sweep is in the store."""
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
    """The path, and the settings actually used: those of the embedded samples, or without LPIPS and
    NIQE, with a warning, where images or weights are missing."""
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
    """The measurement itself, one image at a time, on a GPU where there is one.

    Networks run in float32, or in bfloat16 where the sweep says so; metrics are always float32. The
    control is given back as it was: in its mode, on its device.
    """
    rows, device = [], _device()
    home, modes = next(control.parameters(), torch.empty(0)).device, _modes(control)
    bf16 = torch.autocast(device.type, torch.bfloat16, enabled=what.bf16)
    control = control.eval().to(device)
    for case in tqdm(what.cases(), desc=label, total=len(what), disable=not progress):
        degraded = case.degraded[None].contiguous(memory_format=torch.channels_last)
        omegas = case.omegas or what.omegas
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            with bf16:
                outputs = control.outputs(degraded.to(device), torch.tensor(omegas))
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
    """Means over images, then over levels of degradation, as Tables 1 and 3 average."""
    levels = [c for c in LEVELS if c in frame]
    dials = [c for c in frame if c.startswith("omega_")]
    by = list(by)
    levels = [c for c in levels if c not in by]
    values = [c for c in frame if c not in ("image", *levels, *dials, *by)]
    return frame.groupby([*by, *levels])[values].mean().groupby(by).mean()


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


def _missing_weights() -> list[str]:
    return [name for name in ("alexnet", "niqe") if not datasets.available(name)]
