"""Running statistics of BatchNorm for a network at one omega."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def calibrate(plain: Network, batches: Iterable[Tensor | tuple | list]) -> Network:
    """Estimate the running statistics of BatchNorm anew, in place, from batches; returns the network.

    plain: model.at(omega). A tunable network in training gathers one mean and variance over all omegas,
    while the features of the network at omega have others.
    batches: inputs of the network, x [B, ...] or a tuple of its inputs, as they come in use; some eight
    batches of training data will do. Each counts the same.
    Everything else stays as it is: parameters, training mode, and the momentum of BatchNorm. A network
    without running statistics is returned as it came.
    Raises ValueError where there is no batch; the statistics are then, as after any other error, the
    old ones.
    """
    norms = [m for m in plain.modules() if getattr(m, "running_mean", None) is not None]
    if not norms:
        return plain
    modes = [(m, m.training) for m in plain.modules()]
    momenta = [(m, m.momentum) for m in norms]
    old = [copy.deepcopy(m._buffers) for m in norms]
    count = 0
    try:
        plain.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a mean over all batches
            norm.train()
        for batch in batches:
            plain(*(batch if isinstance(batch, tuple | list) else (batch,)))
            count += 1
        if not count:
            raise ValueError("calibrate() needs at least one batch of inputs; got none")
    except BaseException:
        for norm, buffers in zip(norms, old, strict=True):
            for name, value in buffers.items():
                norm._buffers[name].copy_(value)
        raise
    finally:
        for module, mode in modes:
            module.training = mode
        for norm, momentum in momenta:
            norm.momentum = momentum
    return plain
