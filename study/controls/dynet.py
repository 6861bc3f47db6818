"""Dynamic-Net (Shoshan et al., ICCV 2019): tuning blocks added to the features of a frozen network."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, cast

from torch import Tensor, nn

from study.controls.base import Control, Stage, is_positive
from tunable_core.checks import check
from tunable_photo.resnet import ResidualBlock, ResNet


class DyNet(Control):
    """x_{i+1} = B_i(x_i + alpha psi_i(x_i)), alpha = omega_2: main blocks B_i, tuning blocks psi_i.

    The main network is trained at (1, 0) and frozen; then the tuning blocks learn at (0, 1). No
    omega in between is trained. omega_1 has no effect.
    network: divided between the branches, half of its blocks each (8 and 8 of 16 in the paper), so that
        both together are as large as the other methods' networks.
    second: length of the second training in units of the first.
    """

    num_objectives = 2

    def __init__(self, network: nn.Module, second: float = 1.0) -> None:
        super().__init__()
        self.second = second
        self.main, branches = divide(network)
        self.tuning = nn.ModuleList(branches)

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control. At alpha = 0 the output is the main network's."""
        alpha = omega[1]
        if alpha == 0:
            return self.main(x)
        steps = zip(self.main.body, self.tuning, strict=True)
        return self.main(x, lambda features: _through(steps, features, alpha))

    def stages(self) -> list[Stage]:
        """The main network for the first objective, then the tuning blocks for the second."""
        return [
            Stage("main network", ("main.",), (1.0, 0.0)),
            Stage("tuning blocks", ("tuning.",), (0.0, 1.0), share=self.second),
        ]


def _through(steps, x: Tensor, alpha: Tensor) -> Tensor:
    for block, psi in steps:
        x = block(x + alpha * psi(x))
    return x


def divide(network: nn.Module) -> tuple[ResNet, list[nn.Sequential]]:
    """A ResNet with the first half of the blocks, and the Conv-ReLU-Conv of each other block.

    Raises ValueError for anything but a ResNet with an even number of blocks.
    """
    if not isinstance(network, ResNet) or len(network.body) % 2:
        what = f"{len(network.body)} blocks" if isinstance(network, ResNet) else type(network).__name__
        raise ValueError(f"this method divides a ResNet with an even number of blocks; got {what}")
    network = copy.deepcopy(network)
    blocks = cast(list[ResidualBlock], list(network.body))
    half = len(blocks) // 2
    network.body = nn.Sequential(*blocks[:half])
    return network, [nn.Sequential(b.conv1, nn.ReLU(), b.conv2) for b in blocks[half:]]


def check_two(p: int, method: str) -> None:
    """Raise ValueError unless p = 2: one objective for the main branch and one for the tuning branch."""
    if p != 2:
        raise ValueError(f"{method} has one tuning branch and so needs p = 2 objectives; got {p}")


@dataclass(frozen=True)
class DyNetConfig:
    """Settings of Dynamic-Net, besides those of its backbone."""

    draws_omegas: ClassVar[bool] = False
    """Every stage fixes its omega, so the sampling of omegas has no effect."""

    second: float = 1.0
    """Length of the training of the tuning blocks in units of that of the main network."""

    def __post_init__(self) -> None:
        check(self, {"second must be positive and finite": is_positive(self.second)})

    def build(self, network: nn.Module, p: int) -> DyNet:
        """The untrained control, built from a ResNet's blocks."""
        check_two(p, "Dynamic-Net")
        return DyNet(network, self.second)
