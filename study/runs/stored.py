"""Runs: a frozen config is trained once, stored with its record, and found by its content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from study.controls.base import Control, check_stages
from study.disk import records
from study.disk.tensors import digest, load_tensors, save_tensors
from study.images import datasets
from study.runs import keys, locks
from study.runs.watch import SHEET, Watch
from study.tasks import Task
from study.training import Training, processes, train
from study.training.adversary import AdversarialLoss
from study.training.decoded import decoded
from tunable_core.files import DamagedFile, write_atomically

HALF_FROM = 1024
"""Tensors of at least this many numbers are stored in float16, the few smaller ones in float32."""
PARTS = {"weights": "weights.safetensors", "history": "history.csv"}
"""Files of a run whose sha256 is in its record."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that determines the weights of a run, except the machine."""

    name: str
    """Label of the run; not part of the key."""
    task: Task
    """Degradation and objectives, see tasks/."""
    control: Any
    """Config of the control method, see controls/."""
    network: Any
    """Config of the backbone, see networks/."""
    training: Training
    """Steps, batch, schedule, omegas, precision, seed."""
    data: str = "bsds500"
    """Training images: the name of a set in datasets.py."""

    def describe(self) -> dict[str, Any]:
        """The config as plain data; each part includes the name of its class."""
        return keys.plain(self)

    @property
    def key(self) -> str:
        """First 10 digits of a hash over everything that determines the weights of a new run.

        This is the config without its name but with all defaults, the checksum of the training images,
        the digests of the teachers and Task.meaning; see keys.py. The sampling of omegas is left out for
        a control that draws none.
        """
        return keys.keys(self)[0]

    def build(self) -> Control:
        """The control with new weights, drawn from the seed alone; its stages are checked."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            control = self.control.build(self.network.build(), self.task.loss.p)
        check_stages(control)
        return control


class WithoutWeights(FileNotFoundError):
    """A run is stored without the weights that are needed."""


@dataclass(frozen=True)
class Run:
    """A finished run: its trained control, record and history."""

    config: RunConfig
    trained: Control | None
    """None if the run is stored without its weights: its sweeps remain readable."""
    record: dict[str, Any]
    history: pd.DataFrame
    folder: Path

    @property
    def control(self) -> Control:
        """The trained control; raises WithoutWeights."""
        if self.trained is None:
            raise WithoutWeights(
                f"run '{self.config.name}' is stored without its weights, for its measurements only "
                f"(runs.get(config) trains it again)"
            )
        return self.trained

    @cached_property
    def structure(self) -> Control:
        """The trained control, or one with new weights, for what does not depend on the weights."""
        return self.config.build() if self.trained is None else self.trained

    @property
    def state(self) -> str:
        """Digest of the weights, used to find stored sweeps."""
        return self.record["state"] if self.trained is None else digest(self.trained.state_dict())


def store() -> Path:
    """Folder of runs/ and sweeps/: $TUNABLE_RUNS, or data/ of this repository."""
    return records.folder("TUNABLE_RUNS", records.ROOT / "data")


def image_cache() -> Path:
    """Folder of the cache of decoded training images; see training/decoded.py."""
    return store() / ".decoded"


def find(config: RunConfig, *, weights: bool = False) -> Path | None:
    """The folder of a finished run of this config, under any name; weights: it must have weights.

    If no run has the teacher file in use, one with another registered file of the same network is
    returned; its record names the teacher.
    """
    for key in keys.keys(config):
        for record in sorted((store() / "runs").glob(f"*-{key}/run.json")):
            if not weights or "state" not in _record(record.parent):
                return record.parent
    return None


def _record(folder: Path) -> dict[str, Any]:
    """The record of a run; {} if it cannot be read (loading the run then raises an error)."""
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
    """The run of this config: loaded if it is in the store, trained otherwise.

    weights: False accepts a run without weights, whose sweeps remain readable.
    Only one job trains a run: others wait for the result, or raise locks.Busy if wait is False. Under
    torchrun the first process decides for all processes of its job.
    If the training images are missing as well, the embedded samples are used instead, with a warning and
    a note in the config of the returned run.
    Raises DamagedFile if the stored run is damaged, MissingData if its training needs missing pairs of
    photographs or missing weights of a published network.
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
        folder = processes.first(lambda: find(config, weights=weights))  # trained by another job
        return load(config, folder) if folder else _train(config, place, device, progress, on_log)


def _stored(config: RunConfig, weights: bool) -> tuple[Path | None, str]:
    """The folder of the run, if there is one, and its images: the samples if its own are missing.

    Raises MissingData for pairs of photographs, which the samples cannot replace.
    """
    folder, data = find(config, weights=weights), config.data
    if folder is None and not datasets.available(data):
        if data in datasets.PAIRS:
            datasets.load(data)  # raises
        data = "samples-train"
        folder = find(dataclasses.replace(config, data=data), weights=weights)
    if folder is not None and "state" not in _record(folder):
        locks.tidy(folder)  # only with weights: else the checkpoint is of a training in progress
    return folder, data


def drop_weights(run: Run) -> None:
    """Delete the weights of a finished run; its record, with their digest, and its history are kept.

    Its stored sweeps are found as before; to get the weights, train the run again.
    """
    if run.trained is None:
        return
    record = {name: value for name, value in run.record.items() if name != "sha256"}
    record = records.seal({**record, "state": run.state})
    write_atomically(run.folder / "run.json", json.dumps(record, indent=1))
    (run.folder / PARTS["weights"]).unlink()


def check_comparable(found: Sequence[Run]) -> None:
    """Refuse runs that cannot be compared in one table: other backbones, training images or budgets.

    Raises ValueError that names the first two that differ, and their difference.
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
    """Load the finished run in a folder that find() has returned for this config.

    Raises DamagedFile if it is damaged.
    """
    try:
        record = json.loads((folder / "run.json").read_text())
        whole = "state" not in record
        tensors = load_tensors(folder / PARTS["weights"])[0] if whole else {}
        history = pd.read_csv(folder / "history.csv")
    except (OSError, ValueError) as error:
        if isinstance(error, DamagedFile):
            raise
        raise DamagedFile(f"{folder} is a damaged run ({error}); delete it to train it again") from error
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
    made_by = records.code()  # read now, since the working tree may change during training
    settings, watch = config.training, None
    if isinstance(config.task.loss, AdversarialLoss) and processes.rank() == 0:
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
        "data": {"name": config.data, "checksum": datasets.checksum(config.data)},
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
    """The tensors of a control to store: all but the buffers that build() makes again."""
    state, known = control.state_dict(), dict(fresh.named_buffers())
    return {
        n: v.half() if v.dtype == torch.float32 and v.numel() >= HALF_FROM else v
        for n, v in state.items()
        if n not in known or not torch.equal(v, known[n])
    }
