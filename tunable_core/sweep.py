"""Sweeps: any control x omegas x noise levels x images to a tidy table, kept and found again."""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import torch
from tqdm.auto import tqdm

from tunable_core import datasets
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
from tunable_core.records import machine, seal, sealed
from tunable_core.runs import Run, store

__all__ = [
    "FIVE",
    "DenoisingSweep",
    "JointSweep",
    "RealSweep",
    "SeveralSweeps",
    "SuperResolutionSweep",
    "average",
    "kept",
    "leaders",
    "measurable",
    "measure",
    "spread",
    "sweep",
]


def sweep(of: Control | Run, what: Sweep, name: str, *, progress: bool = True) -> pd.DataFrame:
    """One row per image, sigma and omega; read from the store when it was measured before.

    of: a control, or the run that trained it, which may have been kept without its weights.
    The key is a hash of the control's weights, of the images' checksums and of the settings, so a
    kept table is found again without the images; without both, the embedded samples are measured,
    with a warning, and the record says so. Columns: image, sigma, omega_1, omega_2; psnr and
    psnr_eta in dB, both sides clipped, not rounded; psnr_8bit of the output rounded to 8 bits; kept,
    the kept-noise fraction; those of a JointSweep see there, without LPIPS and NIQE, with a warning,
    where their weights are missing. The frame's attrs hold the record of the measurement.
    """
    path, what = _place(of, what, name)
    if not path.exists():
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
    frame = _read(path)
    record, settings = frame.attrs["record"], json.loads(json.dumps(asdict(what)))
    if record["weights"] != _state(of)[:16] or record["settings"] != settings:
        raise DamagedFile(
            f"{path} holds a sweep of other weights or settings; delete it to measure it again"
        )
    return frame


def measurable(of: Control | Run, what: Sweep, name: str) -> bool:
    """Whether sweep() has an answer: not where it was never asked of a run kept without its weights."""
    if not isinstance(of, Run) or of.trained is not None:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _place(of, what, name)[0].exists()


def _place(of: Control | Run, what: Sweep, name: str) -> tuple[Path, Sweep]:
    """The file of a sweep, and what it measures: less or other than asked for, with a warning, where
    what that takes is missing."""
    path = _path(of, what, name)
    if not path.exists() and not datasets.available(what.images) and not isinstance(what, RealSweep):
        warnings.warn(
            f"no kept sweep of '{name}' on '{what.images}', and the images are not in "
            f"{datasets.root()}: measuring on the embedded samples instead "
            f"(make data DATASETS={what.images} gets them)",
            stacklevel=3,
        )
        what = replace(what, images="samples-test")
        path = _path(of, what, name)
    if not path.exists() and getattr(what, "perceptual", False) and (missing := _missing_weights()):
        warnings.warn(
            f"no kept sweep of '{name}' with LPIPS and NIQE, and {' and '.join(missing)} are not in "
            f'{datasets.root()}: measuring without them (make data DATASETS="{" ".join(missing)}" '
            f"gets them)",
            stacklevel=3,
        )
        what = replace(what, perceptual=False)
        path = _path(of, what, name)
    return path, what


class SeveralSweeps(ValueError):
    """The same was measured with several settings, as by a notebook whose parameters were changed."""


def kept(name: str, images: str) -> pd.DataFrame:
    """The sweep of that name on those images that is in the store, whatever its settings.

    Raises FileNotFoundError where there is none, SeveralSweeps where it was measured with several.
    """
    paths = sorted((store() / "sweeps").glob(f"{name}-{images}-*.csv"))
    paths = [path for path in paths if re.fullmatch(r"[0-9a-f]{10}", path.stem.rpartition("-")[2])]
    if not paths:
        raise FileNotFoundError(f"no sweep '{name}' on '{images}' in {store() / 'sweeps'}")
    if len(paths) > 1:
        raise SeveralSweeps(
            f"{len(paths)} sweeps of '{name}' on '{images}', of several settings: keep one of "
            f"{', '.join(path.name for path in paths)}"
        )
    return _read(paths[0])


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


def _path(of: Control | Run, what: Sweep, name: str) -> Path:
    return store() / "sweeps" / f"{name}-{what.images}-{_key(of, what)}.csv"


def _key(of: Control | Run, what: Sweep) -> str:
    control = of if isinstance(of, Control) else of.trained or of.config.build()
    content = {
        "control": type(control).__name__ + control.extra_repr(),
        "weights": _state(of),
        "images": datasets.describe(what.images).checksum,
        "settings": asdict(what),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def _write(path: Path, frame: pd.DataFrame, record: dict) -> None:
    table = frame.to_csv(index=False, float_format="%.5g")
    record = seal({**record, "table": hashlib.sha256(table.encode()).hexdigest()})
    write_atomically(path, f"# {json.dumps(record)}\n{table}")


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
