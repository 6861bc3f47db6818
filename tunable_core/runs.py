"""Runs: a frozen config trained once, kept with its record, found again by its content."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from filelock import FileLock, Timeout

from tunable_core import datasets, ranks, records
from tunable_core.controls.base import Control, check_stages
from tunable_core.files import DamagedFile, digest, load_tensors, save_tensors, write_atomically
from tunable_core.training import Training, train
from tunable_core.watch import SHEET, Watch

HALF_FROM = 1024
"""Tensors of at least so many numbers are kept in float16, the few small ones in float32."""


PARTS = {"weights": "weights.safetensors", "history": "history.csv"}
"""Files of a run whose sha256 its record holds."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the weights of a run, but for the machine."""

    name: str
    """Label for people; not part of the key."""
    task: Any
    """Degradation and objectives, see tasks.py."""
    control: Any
    """Config of the control method, see controls/."""
    network: Any
    """Config of the backbone, see networks/."""
    training: Training
    """Steps, batch, schedule, omegas, precision, seed."""
    data: str = "bsds500"
    """Training images, a name of datasets.py."""

    def describe(self) -> dict[str, Any]:
        """The config as plain data, each part with the name of its class."""
        return _plain(self)

    @property
    def key(self) -> str:
        """First 10 digits of a hash over the config, without its name, and the images' checksums.

        Fields at their defaults are left out, so that a new option does not orphan old runs; so is the
        sampling of omegas for a control that draws none.
        """
        content = _plain(dataclasses.replace(self, name=""), defaults=False)
        if not getattr(self.control, "draws_omegas", True):
            content["training"].pop("omega", None)
        content["checksum"] = datasets.describe(self.data).checksum
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]

    def build(self) -> Control:
        """The control with fresh weights, drawn from the seed alone; its stages are checked."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            control = self.control.build(self.network.build(), self.task.loss.p)
        check_stages(control)
        return control


class WithoutWeights(FileNotFoundError):
    """The weights of a run are wanted, and it is kept without them."""


@dataclass(frozen=True)
class Run:
    """A finished run: its trained control, record and history."""

    config: RunConfig
    trained: Control | None
    """None where the run is kept without its weights: what was measured of it remains."""
    record: dict[str, Any]
    history: pd.DataFrame
    folder: Path

    @property
    def control(self) -> Control:
        """The trained control; raises WithoutWeights."""
        if self.trained is None:
            raise WithoutWeights(
                f"run '{self.config.name}' is kept without its weights, for what was measured of it "
                f"(runs.get(config) trains it again)"
            )
        return self.trained

    @property
    def state(self) -> str:
        """Digest of the weights, which kept sweeps are found by."""
        return self.record["state"] if self.trained is None else digest(self.trained.state_dict())


class Busy(RuntimeError):
    """Another process is training this run."""


def store() -> Path:
    """Folder of runs/ and sweeps/: $TUNABLE_RUNS, or data/ of this repository."""
    return Path(os.environ.get("TUNABLE_RUNS") or records.PACKAGE.parent / "data").resolve()


def find(config: RunConfig, *, weights: bool = False) -> Path | None:
    """The folder of a finished run of this config, whatever its name; weights: with them alone."""
    folders = sorted(path.parent for path in (store() / "runs").glob(f"*-{config.key}/run.json"))
    folders = [f for f in folders if not weights or "state" not in _record(f)]
    return folders[0] if folders else None


def _record(folder: Path) -> dict[str, Any]:
    """The record of a run as it is; {} where it cannot be read, which loading it will tell."""
    try:
        record = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def get(
    config: RunConfig,
    *,
    progress: bool = True,
    on_log: Callable[[pd.DataFrame], None] | None = None,
    wait: bool = True,
    weights: bool = True,
) -> Run:
    """The run of this config: loaded when it is in the store, trained otherwise.

    weights: False is content with a run that is kept without them, for the sweeps that were made of it.
    Only one process trains it: another waits for the result, or raises Busy where wait is False.
    Where its training images are not at hand either, the embedded samples take their place, with a
    warning, and the run returned says so in its config.
    Raises DamagedFile when the run in the store is not what was written.
    """
    device = ranks.join()
    folder = find(config, weights=weights)
    if folder is None and not datasets.available(config.data):
        warnings.warn(
            f"run '{config.name}' is not in {store() / 'runs'} and its training images "
            f"'{config.data}' are not in {datasets.root()}: training on the embedded samples instead "
            f"(make data DATASETS={config.data} gets them)",
            stacklevel=2,
        )
        config = dataclasses.replace(config, data="samples-train")
        folder = find(config, weights=weights)
    if folder:
        _clear(folder)
        return _load(config, folder)
    place = store() / "runs" / f"{config.name}-{config.key}"
    lock = Path(f"{place}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    own = FileLock(lock, timeout=-1 if wait else 0) if ranks.rank() == 0 else contextlib.nullcontext()
    try:
        with own:
            ranks.meet()
            folder = find(config, weights=weights)  # another process may have trained it meanwhile
            run = _load(config, folder) if folder else _train(config, place, device, progress, on_log)
            ranks.meet()
            lock.unlink(missing_ok=True)  # who still waits for it finds the run
            return run
    except Timeout:
        raise Busy(f"another process is training '{config.name}' ({lock})") from None


def drop_weights(run: Run) -> None:
    """Keep a finished run without its weights: its record, which says what they were, and its history.

    Kept sweeps of it are found as before; whoever wants the weights trains it again.
    """
    if run.trained is None:
        return
    record = {name: value for name, value in run.record.items() if name != "sha256"}
    record = records.seal({**record, "state": run.state})
    write_atomically(run.folder / "run.json", json.dumps(record, indent=1))
    (run.folder / PARTS["weights"]).unlink()


def _clear(folder: Path) -> None:
    """Remove what a process that was killed at the very end has left beside its finished run."""
    shutil.rmtree(f"{folder}.part", ignore_errors=True)
    with contextlib.suppress(OSError):  # a store may be for reading alone
        Path(f"{folder}.lock").unlink(missing_ok=True)


def check_comparable(found: Sequence[Run]) -> None:
    """Refuse runs that do not belong in one table: other backbones, training images or budgets.

    Raises ValueError naming the first two that differ and in what.
    """
    first = found[0].config
    for other in (run.config for run in found[1:]):
        for part in ("network", "data"):
            if getattr(other, part) != getattr(first, part):
                raise ValueError(
                    f"'{other.name}' and '{first.name}' do not belong in one table: their {part} is "
                    f"{getattr(other, part)} and {getattr(first, part)}"
                )
        for part in ("steps", "batch", "patch"):
            a, b = getattr(other.training, part), getattr(first.training, part)
            if a != b:
                raise ValueError(
                    f"'{other.name}' and '{first.name}' do not belong in one table: they were trained "
                    f"with {part} = {a} and {b}"
                )


def _load(config: RunConfig, folder: Path) -> Run:
    try:
        record = json.loads((folder / "run.json").read_text())
        whole = "state" not in record
        tensors = load_tensors(folder / PARTS["weights"])[0] if whole else {}
        history = pd.read_csv(folder / "history.csv")
    except (OSError, ValueError) as error:
        if isinstance(error, DamagedFile):
            raise
        raise DamagedFile(
            f"{folder} is not a whole run ({error}); delete it to train it again"
        ) from error
    if not records.sealed(record) or record["key"] != config.key:
        raise DamagedFile(
            f"{folder}: run.json is not the record of this run, or was changed; delete the folder to "
            f"train it again"
        )
    for part, name in (PARTS | ({"samples": SHEET} if "samples" in record else {})).items():
        if part == "weights" and not whole:
            continue
        if not (folder / name).is_file() or record.get(part) != _sha256(folder / name):
            raise DamagedFile(
                f"{folder}: {name} is not the file that run.json records; delete the folder to train it "
                f"again"
            )
    if not whole:
        return Run(config, None, record, history, folder)
    control = config.build()
    missing, unknown = control.load_state_dict(tensors, strict=False)
    if unknown or not {name for name, _ in control.named_buffers()}.issuperset(missing):
        raise DamagedFile(
            f"{folder}: the weights are not those of this control ({[*missing, *unknown][0]}); delete "
            f"the folder to train it again"
        )
    return Run(config, control.eval(), record, history, folder)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _train(config: RunConfig, folder: Path, device: torch.device, progress: bool, on_log) -> Run:
    checkpoint = folder.parent / f"{folder.name}.part" / "checkpoint.safetensors"
    teachers = {n: datasets.load(n).files[0].sha256 for n in getattr(config.task, "teachers", ())}
    images = list(datasets.load(config.data))
    control = config.build()
    control.to(device)
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    made_by = records.code()  # of now: the tree may change while training
    settings, watch = config.training, None
    if getattr(config.task.loss, "adversary", None) is not None and ranks.rank() == 0:
        samples = checkpoint.parent / "samples"
        watch = Watch(samples, control, config.task.degrade, settings.steps, on_log)
    history = train(
        control,
        config.task,
        images,
        settings,
        checkpoint=checkpoint,
        label=config.key,
        progress=progress,
        on_log=watch or on_log,
        on_row=watch.measure if watch else None,
    )
    control.cpu().eval()
    if ranks.rank():
        ranks.meet()
        return _load(config, folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(folder / PARTS["weights"], _released(control, config.build()))
    write_atomically(folder / "history.csv", history.to_csv(index=False, float_format="%.6g"))
    record = {
        "name": config.name,
        "key": config.key,
        "config": config.describe(),
        "data": {"name": config.data, "checksum": datasets.describe(config.data).checksum},
        **{part: _sha256(folder / file) for part, file in PARTS.items()},
        "parameters": sum(p.numel() for p in control.parameters()),
        "started": started,
        "seconds": round(history.attrs["seconds"], 1),
        "peak_memory_mb": records.peak_memory_mb(device.type),
        "final": history.iloc[-1].dropna().to_dict(),
        **({"teachers": teachers} if teachers else {}),
        **(watch.keep(folder, history) if watch else {}),
        **records.machine(device.type),
        "device": ", then ".join(history.attrs["devices"]),
        **({"processes": ranks.count()} if ranks.count() > 1 else {}),
        **made_by,
    }
    write_atomically(folder / "run.json", json.dumps(records.seal(record), indent=1))
    shutil.rmtree(checkpoint.parent, ignore_errors=True)
    ranks.meet()
    return _load(config, folder)


def _released(control: Control, fresh: Control) -> dict[str, torch.Tensor]:
    """What a file holds of a control: not the buffers that a fresh one has anyway, as tables are."""
    state, known = control.state_dict(), dict(fresh.named_buffers())
    return {
        n: v.half() if v.dtype == torch.float32 and v.numel() >= HALF_FROM else v
        for n, v in state.items()
        if n not in known or not torch.equal(v, known[n])
    }


def _plain(value: Any, defaults: bool = True) -> Any:
    if isinstance(value, tuple):
        return [_plain(item, defaults) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    fields = {}
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if defaults or content != default:
            fields[field.name] = _plain(content, defaults)
    return {"type": type(value).__name__, **fields}
