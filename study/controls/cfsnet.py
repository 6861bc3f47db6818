"""CFSNet (Wang et al., ICCV 2019): a tuning branch, mixed into a frozen network per channel."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from study.controls.base import Control, Stage, is_positive
from study.controls.dynet import check_two, divide
from tunable_core.checks import check

CONTROL = 512, 256, 128
"""Widths of the layers that all couplings share."""


class CFSNet(Control):
    """x_{m+1} = (1 - a_m) R_m(x_m) + a_m T_m(x_m): main blocks R_m, tuning blocks T_m, couplings a_m.

    a_m [C] = A_m S (alpha 1), alpha = omega_2, with linear layers without bias, so it is linear in
    alpha and zero at alpha = 0; it need not be 1 at alpha = 1. The main network is trained at (1, 0) and
    frozen, then tuning blocks and couplings learn at (0, 1). omega_1 has no effect.
    network: divided between the branches, half of its blocks each (8 and 8 of 16 in the paper).
    second: length of the second training in units of the first.
    """

    num_objectives = 2

    def __init__(self, network: nn.Module, second: float = 1.0) -> None:
        super().__init__()
        self.second = second
        self.main, blocks = divide(network)
        for block in blocks:
            block[0].register_parameter("bias", None)
            block[2].register_parameter("bias", None)
        channels = self.main.head.out_channels
        self.tuning = nn.ModuleDict(
            {
                "blocks": nn.ModuleList(blocks),
                "shared": _linear(*CONTROL, channels),
                "coupling": nn.ModuleList(_linear(*[channels] * 3) for _ in blocks),
            }
        )

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control. At alpha = 0 the output is the main network's."""
        alpha = omega[1]
        if alpha == 0:
            return self.main(x)
        couplings = self.couplings(alpha)
        blocks = cast(nn.ModuleList, self.tuning["blocks"])
        steps = zip(self.main.body, blocks, couplings, strict=True)
        return self.main(x, lambda features: _through(steps, features))

    def couplings(self, alpha: Tensor) -> list[Tensor]:
        """a_m [C, 1, 1] of every block; float32 also under autocast."""
        with torch.autocast(alpha.device.type, enabled=False):
            shared = self.tuning["shared"](alpha.expand(CONTROL[0]))
            coupling = cast(nn.ModuleList, self.tuning["coupling"])
            return [a(shared)[:, None, None] for a in coupling]

    def stages(self) -> list[Stage]:
        """The main network for the first objective, then the tuning branch for the second."""
        return [
            Stage("main network", ("main.",), (1.0, 0.0)),
            Stage("tuning branch", ("tuning.",), (0.0, 1.0), share=self.second),
        ]


def _through(steps, x: Tensor) -> Tensor:
    for main, tuning, a in steps:
        x = (1 - a) * main(x) + a * tuning(x)
    return x


def _linear(*widths: int) -> nn.Sequential:
    """Linear layers without bias, with the authors' small initialisation."""
    layers = [nn.Linear(i, o, bias=False) for i, o in itertools.pairwise(widths)]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight)
        with torch.no_grad():
            layer.weight.mul_(0.1)
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class CFSNetConfig:
    """Settings of CFSNet, besides those of its backbone."""

    draws_omegas: ClassVar[bool] = False
    """Every stage fixes its omega, so the sampling of omegas has no effect."""

    second: float = 1.0
    """Length of the training of the tuning branch in units of that of the main network."""

    def __post_init__(self) -> None:
        check(self, {"second must be positive and finite": is_positive(self.second)})

    def build(self, network: nn.Module, p: int) -> CFSNet:
        """The untrained control, built from a ResNet's blocks."""
        check_two(p, "CFSNet")
        return CFSNet(network, self.second)
