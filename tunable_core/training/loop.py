"""One training loop for every control method; a killed run goes on exactly where it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from study.images.datasets import crops
from tunable_core.checks import check
from tunable_core.controls.base import Control, Stage, check_stages
from tunable_core.omega import OmegaSampling
from tunable_core.training import processes
from tunable_core.training.state import State

LOG_EVERY = 100
"""Steps averaged into one row of the history."""
CHECKPOINT_SECONDS = 60


@dataclass(frozen=True)
class Training:
    """Settings of a training, for one stage of share 1."""

    steps: int = 20_000
    """Optimizer steps."""
    batch: int = 8
    """Patches a step."""
    patch: int = 48
    """Side of a square patch, pixels."""
    lr: float = 1e-3
    """Peak learning rate."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """cosine: linear warm-up, then cosine to zero; constant: the paper's fixed rate."""
    warmup: int = 500
    """Steps of linear warm-up of the cosine schedule."""
    clip: float = 1.0
    """Largest gradient norm."""
    weight_decay: float = 0.0
    """Of AdamW; 0 makes it Adam."""
    ema: float = 0.999
    """Decay of the moving average of the weights, which is what a run keeps; 0 turns it off."""
    omega: OmegaSampling = field(default_factory=OmegaSampling)
    """How omegas are drawn in stages that do not fix them."""
    fidelity_first: int = 0
    """Steps at (1, 0, ...) before any omega is drawn in such a stage: the rest then starts from a
    network for the first objective."""
    precision: Literal["bf16", "float32"] = "bf16"
    """bf16: autocast of the network; losses, kernels' mixing and weights stay float32."""
    seed: int = 0
    """Of initialisation, crops, noise and omegas."""

    def __post_init__(self) -> None:
        rules = {
            "steps must be at least 1": self.steps >= 1,
            "batch must be at least 1": self.batch >= 1,
            "patch must be at least 8 pixels": self.patch >= 8,
            "lr must be positive and finite": 0 < self.lr < math.inf,
            "warmup must not be negative": self.warmup >= 0,
            "fidelity_first must not be negative": self.fidelity_first >= 0,
            "clip must be positive": self.clip > 0,
            "weight_decay must not be negative": self.weight_decay >= 0,
            "ema must lie in [0, 1)": 0 <= self.ema < 1,
            "schedule must be 'cosine' or 'constant'": self.schedule in ("cosine", "constant"),
            "precision must be 'bf16' or 'float32'": self.precision in ("bf16", "float32"),
            "batch must be a multiple of omega.groups": self.batch % self.omega.groups == 0,
        }
        check(self, rules)


class TrainingDiverged(ArithmeticError):
    """A loss or gradient stopped being a number; the message says where and what is kept."""


def learning_rate(step: int, steps: int, settings: Training) -> float:
    """Rate at a step in [0, steps): a pure function, so there is nothing to save."""
    if settings.schedule == "constant":
        return settings.lr
    warmup = min(settings.warmup, steps // 10)
    if step < warmup:
        return settings.lr * (step + 1) / warmup
    return settings.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def train(
    control: Control,
    task,
    images: Sequence[Tensor],
    settings: Training,
    *,
    checkpoint: Path | None = None,
    label: str = "",
    progress: bool = True,
    on_log: Callable[[pd.DataFrame], None] | None = None,
    on_row: Callable[[dict[str, float]], dict[str, float]] | None = None,
) -> pd.DataFrame:
    """Train control in place, stage by stage, and return its history.

    task: has pair(patches, generator) and loss, see tasks.py; images: uint8 [C, H, W] each.
    checkpoint: where the state is kept while training; a state found there is resumed, and the
        result is bit for bit that of an undisturbed run on the same machine. It is removed by the
        caller, who knows when the result is safe. label: of the training, held in the checkpoint.
    on_log: called with the history so far at each of its rows.
    on_row: called with each row before it is written; what it returns becomes further columns.
    The history's attrs hold the seconds and devices of training, of all sessions.
    Raises TrainingDiverged when a loss or gradient becomes NaN or infinite: the control then holds
    its last good weights. Raises DamagedFile for a checkpoint that is not whole or has another label.
    """
    check_stages(control)
    loss = task.loss
    state = State(control, getattr(loss, "adversary", None), settings, checkpoint, label)
    for index, stage in enumerate(control.stages()):
        if index >= state.stage:
            state.enter(index, stage)
            _run_stage(state, stage, task, loss, images, progress, on_log, on_row)
    return state.frame()


def _run_stage(state: State, stage: Stage, task, loss, images, progress, on_log, on_row) -> None:
    settings, control = state.settings, state.control
    device = next(control.parameters()).device
    hidden = not progress or processes.rank() > 0
    bar = tqdm(total=state.steps, initial=state.step, desc=stage.name, disable=hidden)
    for step in range(state.step, state.steps):
        batch = _batch(task, images, stage, control, settings, step)
        batch = [x if x.ndim == 1 else processes.share(x) for x in batch]  # one omega is for all
        clean, degraded = (x.to(device) for x in batch[:2])
        omega, dials = batch[2:]  # on the CPU, where checking them does not wait for the device
        bf16 = settings.precision == "bf16"
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            output = control(degraded, dials)
        total, parts = loss(output, clean, degraded, omega)
        total.backward()
        processes.gradients(state.parameters)
        norm = nn.utils.clip_grad_norm_(state.parameters, settings.clip)
        if not torch.isfinite(total.detach() + norm):
            raise TrainingDiverged(
                f"the loss or its gradient became {(total.detach() + norm).item()} at step {step} "
                f"of stage '{stage.name}'; the weights of the step before are kept (lower lr = "
                f"{settings.lr:g}, or use precision='float32')"
            )
        rate = learning_rate(step, state.steps, settings)
        if state.adversary is not None:
            parts |= loss.learn(output, clean, omega, rate / settings.lr)
        state.update(step, rate, [total.detach(), norm, *parts.values()], list(parts))
        bar.update()
        if (step + 1) % LOG_EVERY == 0 or step + 1 == state.steps:
            state.log(on_row)
            bar.set_postfix(loss=f"{state.rows[-1][3]:.4f}")
            if on_log is not None:
                on_log(state.frame())
            state.save_now_and_then(CHECKPOINT_SECONDS)
    bar.close()
    state.leave()


def _batch(task, images, stage, control, settings, step):
    """Of one step, a pure function of seed and step: patches, their degraded twins, the omegas that
    weigh the objectives, and what the network is given: the same, but in stages that are told."""
    # torch's generator on the CPU takes 32 bits of its seed: keep seeds far apart within them
    generator = torch.Generator().manual_seed((settings.seed * 0x9E3779B1 + step) % 2**32)
    patches = crops(images, settings.patch, settings.batch, generator).float() / 255
    patches = patches.contiguous(memory_format=torch.channels_last)
    clean, degraded, levels = task.pair(patches, generator)
    omega = stage.omegas(settings.omega, control.num_objectives, generator)
    if (stage.omega, stage.sampling) == (None, None) and step < settings.fidelity_first:
        omega = torch.eye(control.num_objectives)[:1]
    omega = omega[0] if len(omega) == 1 else omega.repeat_interleave(settings.batch // len(omega), 0)
    if not stage.told:
        return clean, degraded, omega, omega
    if levels is None:
        raise ValueError(
            f"stage '{stage.name}' is told how strongly samples are degraded; {type(task).__name__} "
            f"does not say"
        )
    return clean, degraded, omega, levels
