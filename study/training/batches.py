"""The batches of a training: pure functions of seed and step, made while the device works."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from study.controls.base import Stage
from study.training import processes
from study.training.crops import ALL, crops
from study.training.settings import Training

T = TypeVar("T")


class Batch(NamedTuple):
    """The rows of one step's batch for this process, on the CPU: B rows, all if there is one process."""

    clean: Tensor
    """[B, C, H, W] in [0, 1]."""
    degraded: Tensor
    """[B, C, h, w], the input of the network."""
    omega: Tensor
    """[p], or [B, p] if the step has several groups: the weights of the objectives."""
    dials: Tensor
    """Input of the network: omega, or in a conditioned stage the levels of degradation [B, p]."""


def batch(task, images: Sequence[Tensor], stage: Stage, p: int, settings: Training, step: int) -> Batch:
    """The batch of a step of a stage, a pure function of seed and step; see Batch.

    With several processes each makes only its own rows; together they equal the batch of one process.
    A task whose pair() takes `batch` and `rows` degrades only these rows; for any other task the whole
    batch is degraded, and these rows are kept.
    Raises ValueError for a batch that cannot be divided among the processes, or for a task without
    levels in a conditioned stage.
    """
    # torch's CPU generator uses 32 bits of the seed: spread the seeds over them
    generator = torch.Generator().manual_seed((settings.seed * 0x9E3779B1 + step) % 2**32)
    mine = processes.rows(settings.batch) if processes.count() > 1 else ALL
    part = mine if "rows" in inspect.signature(task.pair).parameters else ALL
    patches = crops(images, settings.patch, settings.batch, generator, part).float() / 255
    patches = patches.contiguous(memory_format=torch.channels_last)
    if part is ALL:
        clean, degraded, levels = task.pair(patches, generator)
        clean, degraded = clean[mine], degraded[mine]
        levels = levels if levels is None else levels[mine]
    else:
        clean, degraded, levels = task.pair(patches, generator, batch=settings.batch, rows=part)
    omega = stage.omegas(settings.omega, p, generator, step / stage.steps(settings.steps))
    if (stage.omega, stage.sampling) == (None, None) and step < settings.fidelity_first:
        omega = torch.eye(p)[:1]
    if len(omega) == 1:
        omega = omega[0]  # one omega for all processes
    else:
        omega = omega.repeat_interleave(settings.batch // len(omega), 0)[mine]
    if not stage.conditioned:
        return Batch(clean, degraded, omega, omega)
    if levels is None:
        raise ValueError(
            f"stage '{stage.name}' is conditioned on the strength of each sample's degradation, but the "
            f"pairs of {type(task).__name__} have no levels"
        )
    return Batch(clean, degraded, omega, levels)


def ahead(make: Callable[[int], T], steps: Iterable[int]) -> Generator[T, None, None]:
    """make(step) for each step, in order; a thread makes the next one while the caller uses the current.

    At most one is made in advance, and none after the last step. Errors of make are raised here, at
    their step. An interrupt loses nothing, since make depends on the step alone; closing the iterator
    waits for the one in progress.
    """
    with ThreadPoolExecutor(1, "batches") as maker:
        coming = None
        for step in steps:
            made, coming = coming, maker.submit(make, step)
            if made is not None:
                yield made.result()
        if coming is not None:
            yield coming.result()
