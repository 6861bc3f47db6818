"""Files of sweeps in the store: names, keys, and verified reads."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from study.controls.base import Control
from study.disk.records import seal, sealed, wrote
from study.disk.tensors import digest
from study.images import datasets
from study.measuring.image_sweep import ImageSweep
from study.runs import Run, store
from tunable_core.files import DamagedFile, write_atomically


def state(of: Control | Run) -> str:
    """Digest of the weights."""
    return of.state if isinstance(of, Run) else digest(of.state_dict())


def label_of(of: Control | Run, label: str = "") -> str:
    """The label given, or the run's name, or the control's class."""
    return label or (of.config.name if isinstance(of, Run) else type(of).__name__.lower())


def folder_of(what: ImageSweep) -> Path:
    """The folder of a sweep; those of the embedded samples are separate, since they are not released."""
    folder = store() / "sweeps"
    return folder / "samples" if datasets.is_sample(what.images) else folder


def found(of: Control | Run, what: ImageSweep) -> Path | None:
    """The stored file of this measurement, with any label; that of the teachers in use comes first."""
    for one in keys(of, what):
        for path in sorted(folder_of(what).glob(f"*-{what.images}-{one}.csv")):
            return path
    return None


def place_of(of: Control | Run, what: ImageSweep, label: str = "") -> Path:
    """The path of this measurement, stored or new."""
    name = f"{label_of(of, label)}-{what.images}-{key(of, what)}.csv"
    return found(of, what) or folder_of(what) / name


def key(of: Control | Run, what: ImageSweep) -> str:
    """The key of a new measurement: the first of keys()."""
    return keys(of, what)[0]


def keys(of: Control | Run, what: ImageSweep) -> list[str]:
    """The keys that this measurement can have, as runs.keys.keys() for a run.

    Each is the first 10 digits of a hash over everything that determines the numbers, except the
    machine. Weights alone do not identify a control: settings that are in no tensor are read from
    extra_repr() of the control, from the classes of its parts, and from the `config` attribute of the
    study's networks. A sweep whose metrics use a published network (`teachers`) has one key for each
    registered file of it; the key omits that of the small extract, with which the first released sweeps
    were measured.
    """
    control = of.structure if isinstance(of, Run) else of
    configs = [getattr(module, "config", None) for module in control.modules()]
    parts = dict(control.named_children())
    content = {
        "control": type(control).__name__ + control.extra_repr(),
        "parts": {name: type(part).__name__ + _settings(part) for name, part in parts.items()},
        "networks": sorted({_written(config) for config in configs if is_dataclass(config)}),
        "weights": state(of),
        "images": datasets.checksum(what.images),
        "settings": {"type": type(what).__name__, **_floats(what.settings())},
    }
    names = getattr(what, "teachers", ())
    found = []
    for digests in itertools.product(*(datasets.digests(name) for name in names)):
        chosen = dict(zip(names, digests, strict=True))
        named = {name: one for name, one in chosen.items() if one != datasets.EXTRACTS[name][2]}
        text = json.dumps(content | ({"teachers": named} if named else {}), sort_keys=True)
        found.append(hashlib.sha256(text.encode()).hexdigest()[:10])
    return found


def _written(config: Any) -> str:
    """A config as text, without later fields that still have their "before" value.

    Their metadata hold that value as "before"; so earlier sweeps are still found.
    """
    values = {field: getattr(config, field.name) for field in fields(config)}
    known = [f"{f.name}={v!r}" for f, v in values.items() if ("before", v) not in f.metadata.items()]
    return f"{type(config).__name__}({', '.join(known)})"


def _settings(part: nn.Module) -> str:
    return part.extra_repr() if isinstance(part, Control) else ""


def _floats(value: Any) -> Any:
    """Numbers as floats: 25 and 25.0 are the same setting."""
    if isinstance(value, dict):
        return {name: _floats(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def checked(path: Path, of: Control | Run, what: ImageSweep) -> pd.DataFrame:
    """The table of a file; raises DamagedFile if it has other weights or settings."""
    frame = read(path)
    record, settings = frame.attrs["record"], json.loads(json.dumps(what.settings()))
    if record["weights"] != state(of)[:16] or record["settings"] != settings:
        raise DamagedFile(
            f"{path} holds a sweep of other weights or settings; delete it to measure it again"
        )
    return frame


def write(path: Path, frame: pd.DataFrame, record: dict) -> None:
    """Write the sealed record and below it the table, with five digits."""
    table = frame.to_csv(index=False, float_format="%.5g")
    record = seal({**record, "table": hashlib.sha256(table.encode()).hexdigest()})
    write_atomically(path, f"# {json.dumps(record)}\n{table}")
    wrote(path)


def read(path: Path) -> pd.DataFrame:
    """The table of a file, with its record in attrs; raises DamagedFile."""
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
