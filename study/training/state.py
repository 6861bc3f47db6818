"""The state of a training: everything that changes during it, with saving and loading."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from study.controls.base import Control, Stage
from study.disk.records import device_name
from study.disk.tensors import load_tensors, save_tensors
from study.training import processes
from study.training.settings import Training
from tunable_core.files import DamagedFile


class State:
    """Everything that changes during training, with saving and loading."""

    def __init__(
        self, control: Control, adversary, settings: Training, checkpoint: Path | None, label: str
    ) -> None:
        self.control, self.adversary, self.label = control, adversary, label
        self.settings, self.path = settings, checkpoint
        self.began, self.before = time.monotonic(), 0.0
        self.stage, self.step, self.saved = 0, 0, time.monotonic()
        self.rows: list[list[float]] = []
        self.columns: list[str] = []
        self.sums = self.count = torch.zeros(())
        self.resumed: dict[str, Tensor] = {}
        self.devices = [device_name(self._device.type)]
        self._start_adversary()
        if checkpoint is not None and checkpoint.exists():
            self.resumed, metadata = load_tensors(checkpoint)
            if metadata.get("label") != label:
                raise DamagedFile(
                    f"{checkpoint} is the state of another training ('{metadata.get('label')}', not "
                    f"'{label}'); delete it to start again"
                )
            self.before = float(metadata["seconds"])
            before = metadata.get("devices", self.devices[0]).split(", ")
            self.devices = before if before[-1] == self.devices[0] else before + self.devices
            self.stage, self.step = int(metadata["stage"]), int(metadata["step"])
            self.columns = metadata["columns"].split(",")
            self.rows = self.resumed["history"].tolist()
            control.load_state_dict(self._resumed("model."))
            if adversary is not None:
                adversary.load(self._resumed("adversary."))

    def enter(self, index: int, stage: Stage) -> None:
        """Begin a stage, or resume it from the checkpoint."""
        settings = self.settings
        if not self.resumed:
            self.stage, self.step = index, 0
            stage.start()
            if stage.continues:
                self._start_adversary()
        self.steps = stage.steps(settings.steps)
        self.parameters = []
        for name, parameter in self.control.named_parameters():
            parameter.requires_grad_(name.startswith(stage.parameters))
            if parameter.requires_grad:
                self.parameters.append(parameter)
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=settings.lr, weight_decay=settings.weight_decay, fused=True
        )
        self.average = [p.detach().clone() for p in self.parameters]
        if self.resumed:
            self._restore()

    @property
    def _device(self) -> torch.device:
        return next(self.control.parameters()).device

    def _start_adversary(self) -> None:
        """Reset the discriminator, also in a stage that continues, since the old one may have won."""
        if self.adversary is not None:
            bf16 = self.settings.precision == "bf16"
            self.adversary.start(self.settings.seed, self._device, bf16=bf16)

    def update(self, step: int, rate: float, values: list[Tensor], names: list[str]) -> None:
        """One optimizer step, the moving average after it, and the sums for the history."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step = step + 1
        decay = min(self.settings.ema, self.step / (self.step + 9))  # shorter average in short runs
        get_ema_multi_avg_fn(decay)(self.average, self.parameters, self.step)
        self.columns = ["stage", "step", "lr", "loss", "gradient_norm", *names]
        row = torch.stack([v.double() for v in values])
        processes.average([row])
        self.sums = self.sums + row.nan_to_num()  # NaN: not computed at this step
        self.count, self.rate = self.count + ~row.isnan(), rate

    def log(self, on_row: Callable[[dict[str, float]], dict[str, float]] | None = None) -> None:
        """Close one row of the history: means since the previous row, and the columns of on_row."""
        means = (self.sums / self.count).tolist()
        row = dict(zip(self.columns, [self.stage, self.step, self.rate, *means], strict=True))
        row |= on_row(row) if on_row else {}
        self.columns = list(row)
        self.rows.append(list(row.values()))
        self.sums = self.count = torch.zeros(())

    def frame(self) -> pd.DataFrame:
        """The history: one row per LOG_EVERY steps."""
        frame = pd.DataFrame(self.rows, columns=self.columns or None)
        frame = frame.astype({"stage": int, "step": int}) if self.rows else frame
        frame.attrs |= {"seconds": self.seconds, "devices": self.devices}
        return frame

    @property
    def seconds(self) -> float:
        """Seconds of training so far, including earlier sessions up to their last checkpoint."""
        return self.before + time.monotonic() - self.began

    def leave(self) -> None:
        """End a stage: the averaged weights become the weights of the control."""
        with torch.no_grad():
            for average, parameter in zip(self.average, self.parameters, strict=True):
                parameter.copy_(average)

    def save_now_and_then(self, seconds: float) -> None:
        """Write a checkpoint if the last one is older than `seconds`."""
        if self.path is None or processes.rank() or time.monotonic() - self.saved < seconds:
            return
        tensors = {f"model.{k}": v for k, v in self.control.state_dict().items()}
        tensors |= {f"average.{i}": v for i, v in enumerate(self.average)}
        for i, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{k}": v for k, v in values.items()}
        if self.adversary is not None:
            tensors |= {f"adversary.{k}": v for k, v in self.adversary.state().items()}
        tensors["history"] = torch.tensor(self.rows, dtype=torch.float64)
        about = {"label": self.label, "stage": self.stage, "step": self.step, "seconds": self.seconds}
        about |= {"columns": ",".join(self.columns), "devices": ", ".join(self.devices)}
        save_tensors(self.path, tensors, **{name: str(value) for name, value in about.items()})
        self.saved = time.monotonic()

    def _resumed(self, prefix: str) -> dict[str, Tensor]:
        return {k[len(prefix) :]: v for k, v in self.resumed.items() if k.startswith(prefix)}

    def _restore(self) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in self._resumed("optimizer.").items():
            position, name = key.split(".")
            state.setdefault(int(position), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        for i, average in enumerate(self.average):
            average.copy_(self.resumed[f"average.{i}"])
        self.resumed = {}
