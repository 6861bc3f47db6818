"""Sweeps: any control x omegas x noise levels x images to a tidy table, kept and found again."""

from __future__ import annotations

import hashlib
import io
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from tunable_core import datasets, runs
from tunable_core.controls.base import Control
from tunable_core.files import DamagedFile, digest, write_atomically
from tunable_core.protocols import (
    FIVE,
    DenoisingSweep,
    JointSweep,
    RealSweep,
    SuperResolutionSweep,
    Sweep,
)
from tunable_core.records import machine, seal, sealed, wrote
from tunable_core.runs import Run, RunConfig, store

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


def sweep(of: Control | Run, what: Sweep, *, label: str = "", progress: bool = True) -> pd.DataFrame:
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
        _keep(path, of, what, _label(of, label), progress)
    return _checked(path, of, what)


def _keep(path: Path, of: Control | Run, what: Sweep, name: str, progress: bool) -> None:
    clock, control = time.monotonic(), of.control if isinstance(of, Run) else of
    frame = measure(control, what, progress=progress, label=name)
    record = {
        "name": name,
        "weights": _state(of)[:16],
        "settings": asdict(what),
        "seconds": round(time.monotonic() - clock, 1),
        **machine(_device().type),
    }
    _write(path, frame, record)


def find(of: Control | Run | RunConfig, what: Sweep) -> pd.DataFrame:
    """The stored table of exactly this measurement; nothing is trained or measured.

    of: a control, a run, or the config of one. Raises FileNotFoundError, whose message names the run
    and the images, where the run or the sweep is not in the store.
    """
    if isinstance(of, RunConfig):
        if runs.find(of) is None:
            raise FileNotFoundError(f"run '{of.name}' is not in the store")
        of = runs.get(of, progress=False, weights=False)
    path = _found(of, what)
    if path is None:
        raise FileNotFoundError(f"'{_label(of)}' was not measured on '{what.images}' like this: {what}")
    return _checked(path, of, what)


def repeat(of: Run, what: Sweep, control: Control, *, progress: bool = True) -> pd.DataFrame:
    """Measure a control that was trained once more as a run was; stored for repeats() of that run."""
    name = f"again-{len(repeats(of, what)) + 1}-{_label(of)}-{key(of, what)}"
    path = _folder(what) / "again" / f"{name}-{what.images}-{key(control, what)}.csv"
    _keep(path, control, what, name, progress)
    return _checked(path, control, what)


def repeats(of: Control | Run, what: Sweep) -> list[pd.DataFrame]:
    """The stored tables of what was trained once more as a run was, in the order of measuring."""
    return [_read(path) for path in sorted(_folder(what).glob(f"again/again-*-{key(of, what)}-*.csv"))]


def measurable(of: Control | Run, what: Sweep) -> bool:
    """Whether sweep() can return a table: the weights are there, or this sweep is in the store."""
    if not isinstance(of, Run) or of.trained is not None:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _place(of, what)[0].exists()


def by_seed(repeated: Mapping[int, Control | Run], what: Sweep) -> dict[int, pd.DataFrame]:
    """The table of each seed, without those that cannot be measured (see measurable)."""
    return {
        seed: sweep(one, what, progress=False) for seed, one in repeated.items() if measurable(one, what)
    }


def _place(of: Control | Run, what: Sweep, label: str = "") -> tuple[Path, Sweep]:
    """The path, and the settings actually used: those of the embedded samples, or without LPIPS and
    NIQE, with a warning, where images or weights are missing."""
    path, name = _path(of, what, label), _label(of, label)
    if not path.exists() and not datasets.available(what.images) and not isinstance(what, RealSweep):
        warnings.warn(
            f"no stored sweep of '{name}' on '{what.images}', and the images are not in "
            f"{datasets.root()}: measuring on the embedded samples instead "
            f"(make data DATASETS={what.images} gets them)",
            stacklevel=3,
        )
        what = replace(what, images="samples-test")
        path = _path(of, what, label)
    if not path.exists() and getattr(what, "perceptual", False) and (missing := _missing_weights()):
        warnings.warn(
            f"no stored sweep of '{name}' with LPIPS and NIQE, and {' and '.join(missing)} are not in "
            f'{datasets.root()}: measuring without them (make data DATASETS="{" ".join(missing)}" '
            f"gets them)",
            stacklevel=3,
        )
        what = replace(what, perceptual=False)
        path = _path(of, what, label)
    return path, what


def measure(
    control: Control, what: Sweep, *, progress: bool = True, label: str = "sweep"
) -> pd.DataFrame:
    """The measurement itself, one image at a time, on a GPU where there is one.

    Networks run in float32, or in bfloat16 where the sweep says so; metrics are always float32.
    """
    rows, device = [], _device()
    bf16 = torch.autocast(device.type, torch.bfloat16, enabled=getattr(what, "bf16", False))
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
    control.cpu()
    return pd.DataFrame(rows)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def average(frame: pd.DataFrame, by: Sequence[str] = ("omega_1", "omega_2")) -> pd.DataFrame:
    """Means over images, then over levels of degradation, as Tables 1 and 3 average."""
    levels = [c for c in ("sigma", "rho") if c in frame]
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


def _state(of: Control | Run) -> str:
    return of.state if isinstance(of, Run) else digest(of.state_dict())


def _label(of: Control | Run, label: str = "") -> str:
    return label or (of.config.name if isinstance(of, Run) else type(of).__name__.lower())


def _folder(what: Sweep) -> Path:
    """Sweeps of the embedded samples lie apart: they are not released."""
    folder = store() / "sweeps"
    return folder / "samples" if datasets.is_sample(what.images) else folder


def _found(of: Control | Run, what: Sweep) -> Path | None:
    """The stored file of this measurement, whatever its label."""
    return next(iter(sorted(_folder(what).glob(f"*-{what.images}-{key(of, what)}.csv"))), None)


def _path(of: Control | Run, what: Sweep, label: str = "") -> Path:
    """Where this measurement is, or will be."""
    name = f"{_label(of, label)}-{what.images}-{key(of, what)}.csv"
    return _found(of, what) or _folder(what) / name


def key(of: Control | Run, what: Sweep) -> str:
    """First 10 digits of a hash over everything that decides the numbers, but for the machine.

    Weights alone do not tell two controls apart: settings that are in no tensor are read from
    extra_repr() of the control, from the classes of its parts, and from the `config` that the study's
    networks carry.
    """
    control = of if isinstance(of, Control) else of.trained or of.config.build()
    configs = [getattr(module, "config", None) for module in control.modules()]
    parts = dict(control.named_children())
    content = {
        "control": type(control).__name__ + control.extra_repr(),
        "parts": {name: type(part).__name__ + _settings(part) for name, part in parts.items()},
        "networks": sorted({repr(config) for config in configs if is_dataclass(config)}),
        "weights": _state(of),
        "images": datasets.describe(what.images).checksum,
        "settings": {"type": type(what).__name__, **_floats(asdict(what))},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def _settings(part: nn.Module) -> str:
    return part.extra_repr() if isinstance(part, Control) else ""


def _floats(value: Any) -> Any:
    """25 and 25.0 are one setting."""
    if isinstance(value, dict):
        return {name: _floats(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _checked(path: Path, of: Control | Run, what: Sweep) -> pd.DataFrame:
    """The table of a file, when it holds these weights and settings."""
    frame = _read(path)
    record, settings = frame.attrs["record"], json.loads(json.dumps(asdict(what)))
    if record["weights"] != _state(of)[:16] or record["settings"] != settings:
        raise DamagedFile(
            f"{path} holds a sweep of other weights or settings; delete it to measure it again"
        )
    return frame


def _write(path: Path, frame: pd.DataFrame, record: dict) -> None:
    table = frame.to_csv(index=False, float_format="%.5g")
    record = seal({**record, "table": hashlib.sha256(table.encode()).hexdigest()})
    write_atomically(path, f"# {json.dumps(record)}\n{table}")
    wrote(path)


def _read(path: Path) -> pd.DataFrame:
    header, _, table = path.read_bytes().partition(b"\n")
    try:
        record = json.loads(header.removeprefix(b"# "))
    except ValueError:
        record = {}
    if not sealed(record) or record["table"] != hashlib.sha256(table).hexdigest():
        raise DamagedFile(f"{path} does not match its own sha256; delete it to measure it again")
    if path.stem.rpartition("-")[0] != f"{record['name']}-{record['settings']['images']}":
        raise DamagedFile(
            f"{path} holds the sweep of '{record['name']}' on '{record['settings']['images']}'; delete "
            f"it to measure it again"
        )
    frame = pd.read_csv(io.BytesIO(table), dtype={"image": str})
    frame.attrs["record"] = record
    return frame
