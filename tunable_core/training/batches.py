"""The batches of a training: each a pure function of seed and step, made while the device works."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from tunable_core.controls.base import Stage
from tunable_core.training import processes
from tunable_core.training.crops import ALL, crops
from tunable_core.training.settings import Training

T = TypeVar("T")


class Batch(NamedTuple):
    """One step's share of this process, on the CPU; B rows, all of the batch in a single process."""

    clean: Tensor
    """[B, C, H, W] in [0, 1]."""
    degraded: Tensor
    """[B, C, h, w], the input of the network."""
    omega: Tensor
    """[p], or [B, p] where the step has several groups: it weighs the objectives."""
    dials: Tensor
    """What the network is given: omega, or the levels of degradation [B, p] in a conditioned stage."""


def batch(task, images: Sequence[Tensor], stage: Stage, p: int, settings: Training, step: int) -> Batch:
    """The batch of a step of a stage, a pure function of seed and step; see Batch.

    With several processes each makes only its own rows, and they are the rows that one process makes.
    A task whose pair() takes `batch` and `rows` degrades only these rows; any other task is given the
    whole batch, of which these rows are kept.
    Raises ValueError for a batch that cannot be divided among the processes, or for a task without
    levels in a conditioned stage.
    """
    # torch's generator on the CPU takes 32 bits of its seed: keep seeds far apart within them
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
    omega = stage.omegas(settings.omega, p, generator)
    if (stage.omega, stage.sampling) == (None, None) and step < settings.fidelity_first:
        omega = torch.eye(p)[:1]
    if len(omega) == 1:
        omega = omega[0]  # for all rows of all processes
    else:
        omega = omega.repeat_interleave(settings.batch // len(omega), 0)[mine]
    if not stage.told:
        return Batch(clean, degraded, omega, omega)
    if levels is None:
        raise ValueError(
            f"stage '{stage.name}' is told how strongly samples are degraded; {type(task).__name__} "
            f"does not say"
        )
    return Batch(clean, degraded, omega, levels)


def ahead(make: Callable[[int], T], steps: Iterable[int]) -> Generator[T, None, None]:
    """make(step) of each step, in order; a thread makes the next one while the caller uses this one.

    At most one is made before it is asked for, and none after the last step. What make raises is raised
    here, at its step. An interrupt loses nothing, as make depends on the step alone; closing the
    iterator waits for the one being made.
    """
    with ThreadPoolExecutor(1, "batches") as maker:
        coming = None
        for step in steps:
            made, coming = coming, maker.submit(make, step)
            if made is not None:
                yield made.result()
        if coming is not None:
            yield coming.result()
