"""The state of a training: all that changes while it runs, and its way to disk and back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from tunable_core.controls.base import Control, Stage
from tunable_core.files import DamagedFile, load_tensors, save_tensors
from tunable_core.training import processes
from tunable_core.training.settings import Training


class State:
    """Everything that changes while training, and its way to disk and back."""

    def __init__(
        self, control: Control, adversary, settings: Training, checkpoint: Path | None, label: str
    ) -> None:
        self.control, self.adversary, self.label = control, adversary, label
        self.settings, self.path = settings, checkpoint
        self.began, self.before = time.monotonic(), 0.0
        self.stage, self.step, self.rows, self.columns = 0, 0, [], []
        self.sums, self.count, self.saved = 0, 0, time.monotonic()
        self.resumed: dict[str, Tensor] = {}
        self.devices = [processes.device_name(self._device.type)]
        self._start_adversary()
        if checkpoint is not None and checkpoint.exists():
            self.resumed, metadata = load_tensors(checkpoint)
            if metadata.get("label") != label:
                raise DamagedFile(
                    f"{checkpoint} is the state of another training ('{metadata.get('label')}', not "
                    f"'{label}'); delete it"
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
        """Begin a stage, or take it up again where the checkpoint left it."""
        settings = self.settings
        if not self.resumed:
            self.stage, self.step = index, 0
            stage.start()
            if stage.again:
                self._start_adversary()
        self.steps = max(1, round(settings.steps * stage.share))
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
        """From nothing; in a stage that goes on with what is trained, too: the old one may have won."""
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
        decay = min(self.settings.ema, self.step / (self.step + 9))  # short runs average less
        with torch.no_grad():
            for average, parameter in zip(self.average, self.parameters, strict=True):
                average.lerp_(parameter, 1 - decay if self.settings.ema else 1.0)
        self.columns = ["stage", "step", "lr", "loss", "gradient_norm", *names]
        values = torch.stack([v.double() for v in values])
        processes.average([values])
        self.sums = self.sums + values.nan_to_num()  # NaN: not computed at this step
        self.count, self.rate = self.count + ~values.isnan(), rate

    def log(self, on_row: Callable[[dict[str, float]], dict[str, float]] | None = None) -> None:
        """Close one row of the history: means since the row before, and what on_row makes of them."""
        means = (self.sums / self.count).tolist()
        row = dict(zip(self.columns, [self.stage, self.step, self.rate, *means], strict=True))
        row |= on_row(row) if on_row else {}
        self.columns = list(row)
        self.rows.append(list(row.values()))
        self.sums, self.count = 0, 0

    def frame(self) -> pd.DataFrame:
        """The history: one row per LOG_EVERY steps."""
        frame = pd.DataFrame(self.rows, columns=self.columns or None)
        frame = frame.astype({"stage": int, "step": int}) if self.rows else frame
        frame.attrs |= {"seconds": self.seconds, "devices": self.devices}
        return frame

    @property
    def seconds(self) -> float:
        """Of training so far, those of earlier sessions up to their last checkpoint included."""
        return self.before + time.monotonic() - self.began

    def leave(self) -> None:
        """End a stage: its averaged weights become the control's."""
        with torch.no_grad():
            for average, parameter in zip(self.average, self.parameters, strict=True):
                parameter.copy_(average)

    def save_now_and_then(self, seconds: float) -> None:
        """Write a checkpoint when the last one is so old."""
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
            i, name = key.split(".")
            state.setdefault(int(i), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        for i, average in enumerate(self.average):
            average.copy_(self.resumed[f"average.{i}"])
        self.resumed = {}
