"""Runs: a frozen config trained once, stored with its record, found again by its content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from study.disk import records
from study.images import datasets
from study.images.decoded import decoded
from study.runs import keys, locks
from study.runs.watch import SHEET, Watch
from study.tasks import Task
from tunable_core import files
from tunable_core.controls.base import Control, check_stages
from tunable_core.files import DamagedFile, digest, load_tensors, save_tensors, write_atomically
from tunable_core.training import Training, processes, train

HALF_FROM = 1024
"""Tensors of at least so many numbers are stored in float16, the few small ones in float32."""
PARTS = {"weights": "weights.safetensors", "history": "history.csv"}
"""Files of a run whose sha256 its record holds."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the weights of a run, but for the machine."""

    name: str
    """Label for people; not part of the key."""
    task: Task
    """Degradation and objectives, see tasks/."""
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
        return keys.plain(self)

    @property
    def key(self) -> str:
        """First 10 digits of a hash over everything that decides the weights of a run trained now.

        These are the config without its name and with all its defaults, the checksum of the training
        images, the digests of the teachers and the version of the task's meaning; see keys.py. The
        sampling of omegas is left out for a control that draws none.
        """
        return keys.keys(self)[0]

    def build(self) -> Control:
        """The control with fresh weights, drawn from the seed alone; its stages are checked."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            control = self.control.build(self.network.build(), self.task.loss.p)
        check_stages(control)
        return control


class WithoutWeights(FileNotFoundError):
    """The weights of a run are wanted, and it is stored without them."""


@dataclass(frozen=True)
class Run:
    """A finished run: its trained control, record and history."""

    config: RunConfig
    trained: Control | None
    """None where the run is stored without its weights: its sweeps remain readable."""
    record: dict[str, Any]
    history: pd.DataFrame
    folder: Path

    @property
    def control(self) -> Control:
        """The trained control; raises WithoutWeights."""
        if self.trained is None:
            raise WithoutWeights(
                f"run '{self.config.name}' is stored without its weights, for its measurements alone "
                f"(runs.get(config) trains it again)"
            )
        return self.trained

    @property
    def state(self) -> str:
        """Digest of the weights, by which stored sweeps are found."""
        return self.record["state"] if self.trained is None else digest(self.trained.state_dict())


def store() -> Path:
    """Folder of runs/ and sweeps/: $TUNABLE_RUNS, or data/ of this repository."""
    return files.folder("TUNABLE_RUNS", records.ROOT / "data")


def image_cache() -> Path:
    """Folder of the training images that are already decoded, a cache; see images/decoded.py."""
    return store() / ".decoded"


def find(config: RunConfig, *, weights: bool = False) -> Path | None:
    """The folder of a finished run of this config, whatever its name; weights: only one that has them.

    A run whose teacher was another registered file of the same network serves where there is none of the
    file in use: its record names the teacher.
    """
    for key in keys.keys(config):
        for record in sorted((store() / "runs").glob(f"*-{key}/run.json")):
            if not weights or "state" not in _record(record.parent):
                return record.parent
    return None


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

    weights: False accepts a run that is stored without them, whose sweeps remain readable.
    Only one job trains it: another waits for the result, or raises locks.Busy where wait is False. Under
    torchrun the first process decides for all of its job.
    Where its training images are missing too, the embedded samples take their place, with a warning, and
    the run returned says so in its config.
    Raises DamagedFile when the run in the store is not what was written, MissingData where its training
    needs pairs of photographs or the weights of a published network that are missing.
    """
    device = processes.join()
    processes.meet(f"{config.name}-{config.key}")
    folder, data = processes.first(lambda: _stored(config, weights))
    if data != config.data:
        warnings.warn(
            f"run '{config.name}' is not in {store() / 'runs'} and its training images "
            f"'{config.data}' are not in {datasets.root()}: using the embedded samples instead "
            f"({datasets.way_out(config.data)} gets the images)",
            stacklevel=2,
        )
        config = dataclasses.replace(config, data=data)
    if folder:
        return load(config, folder)
    place = store() / "runs" / f"{config.name}-{config.key}"
    with locks.alone(place, wait):
        folder = processes.first(lambda: find(config, weights=weights))  # trained meanwhile by another
        return load(config, folder) if folder else _train(config, place, device, progress, on_log)


def _stored(config: RunConfig, weights: bool) -> tuple[Path | None, str]:
    """The folder of the run, if there is one, and its images: the samples where its own are missing.

    Raises MissingData for pairs of photographs, which the samples cannot replace.
    """
    folder, data = find(config, weights=weights), config.data
    if folder is None and not datasets.available(data):
        if data in datasets.PAIRS:
            datasets.load(data)  # raises
        data = "samples-train"
        folder = find(dataclasses.replace(config, data=data), weights=weights)
    if folder is not None and "state" not in _record(folder):
        locks.tidy(
            folder
        )  # beside a run without weights, a checkpoint is of the training that makes them
    return folder, data


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


def load(config: RunConfig, folder: Path) -> Run:
    """The finished run in that folder, which find() has found for this config; nothing is trained.

    Raises DamagedFile when it is not what was written.
    """
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
    if not records.sealed(record) or record["key"] not in keys.keys(config):
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
    teachers = {n: datasets.load(n).files[0].sha256 for n in config.task.teachers}
    images = decoded(datasets.load(config.data), image_cache())
    control = config.build()
    control.to(device)
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    made_by = records.code()  # of now: the tree may change while training
    settings, watch = config.training, None
    if config.task.loss.adversary is not None and processes.rank() == 0:
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
    if processes.rank():
        processes.meet(folder.name)
        return load(config, folder)
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
        **({"processes": processes.count()} if processes.count() > 1 else {}),
        **made_by,
    }
    write_atomically(folder / "run.json", json.dumps(records.seal(record), indent=1))
    records.wrote(folder)
    shutil.rmtree(checkpoint.parent, ignore_errors=True)
    processes.meet(folder.name)
    return load(config, folder)


def _released(control: Control, fresh: Control) -> dict[str, torch.Tensor]:
    """What a file holds of a control: not the buffers that a fresh one has anyway, as tables are."""
    state, known = control.state_dict(), dict(fresh.named_buffers())
    return {
        n: v.half() if v.dtype == torch.float32 and v.numel() >= HALF_FROM else v
        for n, v in state.items()
        if n not in known or not torch.equal(v, known[n])
    }
