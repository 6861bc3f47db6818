"""Several processes, on one machine or many, that train one run: torch.distributed, under torchrun.

A batch is a pure function of seed and step; every process makes its equal share of it, the same rows as
one process makes, and averages gradients with the others. So the number of processes changes only the
time: omegas differ between processes as the groups of a step do, and a checkpoint can be resumed with
any other number. The exception is training against an adversary: its relativistic loss and its batch
normalisation use the statistics of each process's own share. Only the first process decides and writes;
all must see the same store.
Gradients are averaged here and not by DistributedDataParallel, because it would replace only
gradients(), 7 lines, while it must be wrapped anew for the parameters of each stage, told of those
without a gradient, and cannot carry a discriminator that learns in some steps only.
Without torchrun there is one process, and every function here does nothing.
"""

from __future__ import annotations

import atexit
import os
import platform
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")
PATIENCE = timedelta(minutes=10)
"""How long the processes wait for each other."""


class RankLost(RuntimeError):
    """Another process of this training has stopped."""


def join() -> torch.device:
    """Meet the other processes, if torchrun started any; the device of this one."""
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
        atexit.register(_leave)  # a process that ends inside its group may abort
    return device


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def device_name(device: str) -> str:
    """The device in words, as records name it: the GPU's model, or the kind of CPU."""
    return torch.cuda.get_device_name() if device == "cuda" else f"CPU {platform.machine()}"


def count() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; 0 is the one that writes."""
    return dist.get_rank() if dist.is_initialized() else 0


def rows(batch: int) -> slice:
    """The rows of a batch of that size that are this process's: an equal share, B / count of them.

    Raises ValueError for a batch that cannot be divided.
    """
    if batch % count():
        raise ValueError(
            f"a batch of {batch} cannot be divided among {count()} processes (make it a multiple)"
        )
    size = batch // count()
    return slice(rank() * size, (rank() + 1) * size)


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the processes; raises RankLost when one of them is gone."""
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
        if parameter.grad is None:  # another process may have one
            parameter.grad = torch.zeros_like(parameter)
    with torch.no_grad():
        average([parameter.grad for parameter in parameters])


def meet(at: str = "") -> None:
    """Wait until every process is here.

    at: what each of them is working on, in a word. Raises ValueError in all processes when they are not
    at the same, RankLost when one of them is gone.
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
    """What decide() returns or raises in the first process, for all of them; no other one calls it."""
    if count() == 1:
        return decide()
    verdict: list = [None]
    if rank() == 0:
        try:
            verdict = [(decide(), None)]
        except Exception as error:  # every process raises it, so that none waits for the others
            verdict = [(None, error)]
    with _together():
        dist.broadcast_object_list(verdict, 0)
    value, error = verdict[0]
    if error is not None:
        raise error
    return value


class _together:
    """Turns what the backends say of a lost process into one sentence."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, RuntimeError):
            reason = str(error).splitlines()[0]
            raise RankLost(
                f"process {rank()} of {count()} has lost another ({reason}); the last checkpoint is "
                f"kept: start the same command again, with any number of processes"
            ) from error
