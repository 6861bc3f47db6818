"""One training loop for every control method; a killed run goes on exactly where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from tunable_core.controls.base import Control, Stage, check_stages
from tunable_core.training import processes
from tunable_core.training.crops import crops
from tunable_core.training.settings import Training, learning_rate
from tunable_core.training.state import State

LOG_EVERY = 100
"""Steps averaged into one row of the history."""
CHECKPOINT_SECONDS = 60


class TrainingDiverged(ArithmeticError):
    """A loss or gradient stopped being a number; the message says where and what is kept."""


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

    task: has pair(patches, generator), which gives (clean, degraded, levels or None), and loss, a
        MultiLoss; images: uint8 [C, H, W] each.
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
    state = State(control, loss.adversary, settings, checkpoint, label)
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
