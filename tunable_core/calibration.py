"""Running statistics of BatchNorm for a network at one omega."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def calibrate(plain: Network, batches: Iterable[Tensor | tuple | list]) -> Network:
    """Estimate the running statistics of BatchNorm again from batches, in place; returns the network.

    plain: model.at(omega). Training gathers one mean and one variance over all omegas, but those of
    the features at a single omega are different.
    batches: inputs as in use, x [B, ...] or a tuple of inputs; about eight batches of training data
    are enough. Each batch has the same weight.
    Everything else stays as it is: parameters, training mode, and the momentum of BatchNorm. A network
    without running statistics is returned unchanged.
    After an error the statistics are the old ones. Raises ValueError if there is no batch.
    """
    trial = copy.deepcopy(plain).eval()  # an error must leave the network unchanged
    norms: list[Any] = [m for m in trial.modules() if getattr(m, "running_mean", None) is not None]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # BatchNorm then averages over all batches
        norm.train()
    seen = False
    for batch in batches if norms else ():
        trial(*(batch if isinstance(batch, tuple | list) else (batch,)))
        seen = True
    if norms and not seen:
        raise ValueError("calibrate() needs at least one batch of inputs; got none")
    plain.load_state_dict(dict(trial.named_buffers()), strict=False)
    return plain
