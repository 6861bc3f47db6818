"""Low-rank adapters, one per objective, on shared kernels (PaLoRA, Dimitriadis et al., ICLR 2025)."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import Tensor, nn

from study.controls.base import Stage
from study.controls.mixed import Mixed
from study.controls.tunable import Apart
from tunable_core.checks import check, is_count
from tunable_core.exchange import Exchange
from tunable_core.omega import OmegaSampling

ADAPTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


class LowRank(Mixed):
    """W(omega) = W + 1/r sum_i omega_i B_i A_i in each layer: shared kernels W, an adapter per dial.

    A kernel [out, in, *k] is treated as a matrix [out, n] with n = in * prod(k); B_i is [out, r] and A_i
    is [r, n]. Biases are shared. Trained exactly as the tunable network, kernels and adapters together
    at random omegas. The two differ in what the dials change: whole kernels, or matrices of rank r.
    network: any network with convolutions or linear layers.
    rank: r; in a layer whose matrix has fewer rows or columns, their number.
    second: length and omegas of a second stage, as of the tunable network's, or None.
    """

    def __init__(self, network: nn.Module, p: int, rank: int = 4, second: Apart | None = None) -> None:
        super().__init__()
        self.num_objectives, self.rank, self.second = p, rank, second
        self.network = copy.deepcopy(network)
        layers = [name for name, layer in network.named_modules() if isinstance(layer, ADAPTED)]
        if not layers:
            raise ValueError(f"{type(network).__name__} has no convolution or linear layer")
        self.names = [f"{name}.weight".removeprefix(".") for name in layers]
        self._exchange = Exchange(self.network, self.names)
        up, down = [], []
        for name in self.names:
            rows, columns = self.network.get_parameter(name).flatten(1).shape
            r = min(rank, rows, columns)
            up.append(nn.Parameter(torch.zeros(p, rows, r)))
            down.append(nn.Parameter(torch.empty(p, r, columns).uniform_(-1, 1) / columns**0.5))
        self.adapters = nn.ModuleList([nn.ParameterList(up), nn.ParameterList(down)])

    def mix(self, omega: Tensor) -> dict[str, Tensor]:
        """Kernels by parameter name; float32 also under autocast."""
        mixed = {}
        ups, downs = cast(tuple[nn.ParameterList, nn.ParameterList], tuple(self.adapters))
        with torch.autocast(omega.device.type, enabled=False):
            for name, up, down in zip(self.names, ups, downs, strict=True):
                weight, r = self.network.get_parameter(name), up.shape[2]
                # [out, p r] @ [p r, n]: the sum over the dials is one product of matrices
                change = (omega[:, None, None] * up).transpose(0, 1).flatten(1) @ down.flatten(0, 1)
                mixed[name] = weight + change.view_as(weight) / r
        return mixed

    def stages(self) -> list[Stage]:
        """All parameters, at random omegas; then, if `second` is given, the same at its omegas."""
        first = Stage("network and adapters", ("network.", "adapters."))
        if self.second is None:
            return [first]
        sampling = OmegaSampling("simplex", self.second.corners)
        second = replace(
            first, name="second", sampling=sampling, share=self.second.share, continues=True
        )
        return [first, second]


@dataclass(frozen=True)
class LowRankConfig:
    """Settings of the low-rank adapters."""

    rank: int = 4
    """Rank of the matrix that a dial adds to the kernel of a layer."""
    second: Apart | None = field(default=None, metadata={"before": None})
    """Length and omegas of a second stage of training, or None."""

    def __post_init__(self) -> None:
        check(self, {"rank must be a whole number of at least 1": is_count(self.rank)})

    def build(self, network: nn.Module, p: int) -> LowRank:
        """The untrained control around a plain network."""
        return LowRank(network, p, self.rank, self.second)
