"""The training loop for all control methods; a killed training resumes exactly where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from study.controls.base import Control, Stage, check_stages
from study.networks.precision import bf16
from study.training import processes
from study.training.adversary import AdversarialLoss
from study.training.batches import Batch, ahead, batch
from study.training.crops import check_sizes
from study.training.settings import Training, learning_rate
from study.training.state import State

LOG_EVERY = 100
"""Steps averaged into one row of the history."""
CHECKPOINT_SECONDS = 60


class TrainingDiverged(ArithmeticError):
    """A loss or gradient became NaN or infinite; the message gives the step and the stage."""


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

    task: has loss, a MultiLoss, and pair(patches, generator); see batches.batch for its options.
    images: any sequence of [C, H, W] uint8 tensors of at least patch x patch pixels; a step reads only
        the images of its patches, so they may be memory-mapped.
    checkpoint: file of the state during training; a state found there is resumed, and the result is
        bitwise equal to that of an uninterrupted run on the same machine. The caller removes it once the
        result is stored. label: name of the training, stored in the checkpoint.
    on_log: called with the history so far after each new row.
    on_row: called with each new row; the returned columns are added to it.
    The history's attrs hold the seconds and devices of training, of all sessions.
    Raises ValueError for an image smaller than a patch.
    Raises TrainingDiverged when a loss or gradient becomes NaN or infinite: the control then has its
    last finite weights. Raises DamagedFile for a checkpoint that is damaged or has another label.
    """
    check_stages(control)
    check_sizes(images, settings.patch)
    loss = task.loss
    adversary = loss.adversary if isinstance(loss, AdversarialLoss) else None
    state = State(control, adversary, settings, checkpoint, label)
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
    make = partial(batch, task, images, stage, control.num_objectives, settings)
    steps = range(state.step, state.steps)
    with bar, closing(ahead(make, steps)) as batches:
        for step, made in zip(steps, batches, strict=True):
            _step(state, stage, loss, step, made, device)
            bar.update()
            if (step + 1) % LOG_EVERY == 0 or step + 1 == state.steps:
                state.log(on_row)
                bar.set_postfix(loss=f"{state.rows[-1][3]:.4f}")
                if on_log is not None:
                    on_log(state.frame())
                state.save_now_and_then(CHECKPOINT_SECONDS)
    state.leave()


def _step(state: State, stage: Stage, loss, step: int, made: Batch, device: torch.device) -> None:
    settings = state.settings
    clean, degraded = made.clean.to(device), made.degraded.to(device)
    omega = made.omega  # omega and dials stay on the CPU, where checks need no GPU sync
    with bf16(device, settings.precision == "bf16"):
        output = state.control(degraded, made.dials)
    total, parts = loss(output, clean, degraded, omega)
    total.backward()
    processes.gradients(state.parameters)
    norm = nn.utils.clip_grad_norm_(state.parameters, settings.clip)
    if not torch.isfinite(total.detach() + norm):
        raise TrainingDiverged(
            f"the loss or its gradient became {(total.detach() + norm).item()} at step {step} "
            f"of stage '{stage.name}'; the weights of the step before are kept (reduce lr = "
            f"{settings.lr:g}, or use precision='float32')"
        )
    rate = learning_rate(step, state.steps, settings)
    if isinstance(loss, AdversarialLoss):
        parts |= loss.learn(output, clean, omega, rate / settings.lr)
    state.update(step, rate, [total.detach(), norm, *parts.values()], list(parts))
