"""Train one run by several processes, on one or many machines: torch.distributed, under torchrun.

A batch is a pure function of seed and step; every process makes an equal share of it, with the same rows
as in a single process, and gradients are averaged over processes. So the number of processes changes
only the time, and a checkpoint can be resumed with any other number. Training with an adversary is an
exception: its relativistic loss and its batch normalisation use the statistics of each process's own
share. Only the first process decides and writes; all processes need the same store.
We do not use DistributedDataParallel: it would replace only gradients(), 7 lines, but must be wrapped
again for the parameters of each stage, needs a list of parameters without a gradient, and does not
support a discriminator that learns in some steps only.
Without torchrun there is one process, and the functions here do nothing.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")
PATIENCE = timedelta(minutes=10)
"""Longest time that the processes wait for each other."""


class RankLost(RuntimeError):
    """Another process of this training has stopped."""


def join() -> torch.device:
    """Join the other processes, if torchrun has started any; returns the device of this process."""
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
        atexit.register(_leave)  # a process that exits without leaving its group may abort
    return device


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def count() -> int:
    """The number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The index of this process; process 0 writes."""
    return dist.get_rank() if dist.is_initialized() else 0


def rows(batch: int) -> slice:
    """The rows of a batch that belong to this process: an equal share, B / count() of them.

    Raises ValueError for a batch that cannot be divided.
    """
    if batch % count():
        raise ValueError(
            f"a batch of {batch} cannot be divided among {count()} processes (make it a multiple)"
        )
    size = batch // count()
    return slice(rank() * size, (rank() + 1) * size)


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the processes; raises RankLost if one has stopped."""
    if count() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    with _together():
        dist.all_reduce(flat)
    flat /= count()
    for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def gradients(parameters: Sequence[Tensor]) -> None:
    """Average the gradients of parameters over the processes."""
    if count() == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:  # another process may have a gradient
            parameter.grad = torch.zeros_like(parameter)
    with torch.no_grad():
        average([p.grad for p in parameters if p.grad is not None])


def meet(at: str = "") -> None:
    """Wait until every process is here.

    at: name of the current work. Raises ValueError in all processes if their names differ, RankLost if
    one process has stopped.
    """
    if count() == 1:
        return
    found = [""] * count()
    with _together():
        dist.all_gather_object(found, at)
    if len(set(found)) > 1:
        places = ", ".join(f"process {i} is at '{place}'" for i, place in enumerate(found))
        raise ValueError(
            f"the processes of one job must work on the same run, but {places} (start all of them with "
            f"one torchrun command, on one store)"
        )


def first(decide: Callable[[], T]) -> T:
    """The result or error of decide() in the first process, for all; the others do not call it."""
    if count() == 1:
        return decide()
    verdict: list = [None]
    if rank() == 0:
        try:
            verdict = [(decide(), None)]
        except Exception as error:  # every process raises it, so none waits
            verdict = [(None, error)]
    with _together():
        dist.broadcast_object_list(verdict, 0)
    value, failure = verdict[0]
    if failure is not None:
        raise failure
    return value


class _together:
    """Turns the backends' errors about a lost process into RankLost."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, RuntimeError):
            reason = str(error).splitlines()[0]
            raise RankLost(
                f"process {rank()} of {count()} has lost contact with another ({reason}); the last "
                f"checkpoint is kept: start the same command again, with any number of processes"
            ) from error
