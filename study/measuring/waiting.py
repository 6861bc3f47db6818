"""How long a training step waits for its batch, made on demand or ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd
import torch
from torch import nn

from study.controls import Stage
from study.networks.precision import bf16
from study.tasks import Denoising, DenoisingDeblurring, SuperResolution
from study.training import Training, batches
from study.training.batches import Batch
from tunable_core.tunable import Tunable

TASKS = (Denoising(), DenoisingDeblurring(), SuperResolution(scale=1, vgg=0.0))
"""The tasks of the batches; the last has scale 1, so that all can use the same network."""
STRETCH = 10
"""Consecutive steps of each way before the other way's turn."""


def waiting(
    plain: nn.Module, *, batch: int, patch: int, seconds: float = 20.0, device: str = "cpu"
) -> pd.DataFrame:
    """The share of a training step that is spent waiting for its batch, for each of TASKS.

    plain: a network for images [B, 3, H, W], which is made tunable with two dials. seconds: per task,
    but at least STRETCH steps of each way. Columns: task; asked and ahead, the share of a step's time in
    [0, 1] spent waiting if the batch is made on demand, and if a thread makes it ahead; speedup, the
    number of steps of ahead divided by that of asked in the same time.
    """
    rows = []
    for task in TASKS:
        step = _step(Tunable(plain, 2).to(device), device)
        times = _in_turns(partial(_make, task, _images(), batch, patch), step, seconds)
        shares = [waited / total for waited, total in times]
        rows.append([type(task).__name__, *shares, times[0][1] / times[1][1]])
    return pd.DataFrame(rows, columns=["task", "asked", "ahead", "speedup"])


def _images() -> list[torch.Tensor]:
    """Random images of the size of BSDS500's."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(256, (3, 321, 481), generator=generator).byte() for _ in range(20)]


def _make(task, images: list[torch.Tensor], size: int, patch: int, step: int) -> Batch:
    return batches.batch(task, images, Stage("", ("",)), 2, Training(batch=size, patch=patch), step)


def _step(model: Tunable, device: str) -> Callable[[Batch], None]:
    """A whole step as in the training loop: bf16 forward, backward, clip, fused AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.0, fused=True)

    def step(made: Batch) -> None:
        clean, degraded = made.clean.to(device), made.degraded.to(device)
        with bf16(clean.device):
            output = model(degraded, made.dials)
        (output.float() - clean).abs().mean().backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        norm.item()  # waits for the device, as the training's check for NaN does
        optimizer.step()
        optimizer.zero_grad()

    return step


def _in_turns(
    make: Callable[[int], Batch], step: Callable[[Batch], None], seconds: float
) -> list[tuple[float, float]]:
    """Seconds of waiting and in total, for the steps on demand and for those ahead."""
    sums, began = torch.zeros(2, 2), time.monotonic()
    while not sums[1, 1] or time.monotonic() - began < seconds:
        steps = range(STRETCH + 1)
        sums += torch.tensor(
            [_stretch(map(make, steps), step), _stretch(batches.ahead(make, steps), step)]
        )
    return [(waited, total) for waited, total in sums.tolist()]


def _stretch(coming: Iterator[Batch], step: Callable[[Batch], None]) -> tuple[float, float]:
    """Seconds of waiting and in total, for all steps after the first, which cannot be made ahead."""
    step(next(coming))
    waited, began = 0.0, time.perf_counter()
    for _ in range(STRETCH):
        clock = time.perf_counter()
        made = next(coming)
        waited += time.perf_counter() - clock
        step(made)
    return waited, time.perf_counter() - began
