"""Controls that are made of finished networks: the blend of two extremes, and no dial at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from tunable_core.controls.base import Control, Stage


class PixelBlend(Control):
    """sum_i omega_i y_i / sum_i omega_i over the images y_i that a control gives at its corners.

    The plainest rival in between: both ends are the control's own, and what it costs is a pass for each
    of them. Raises ValueError for omega = 0.
    """

    def __init__(self, control: Control) -> None:
        super().__init__()
        self.control, self.num_objectives = control, control.num_objectives

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self.outputs(x, omega[None])[0]

    def outputs(self, x: Tensor, omegas: Tensor) -> list[Tensor]:
        """See Control: the corners are computed once for all omegas."""
        omegas = self.checked(x, omegas)
        if (omegas.sum(1) <= 0).any():
            raise ValueError("a blend needs dials with a positive sum; got omega = 0")
        shares = omegas / omegas.sum(1, keepdim=True)
        corners = torch.stack(self.control.outputs(x, torch.eye(self.num_objectives, device=x.device)))
        return list(torch.einsum("np,p...->n...", shares, corners))


class Fixed(Control):
    """Any network from images to images behind the common interface; its dials do nothing.

    For tables that show published networks beside tunable ones, and for plain twins of these, which are
    trained for the first objective alone.
    """

    def __init__(self, network: nn.Module, p: int = 2) -> None:
        super().__init__()
        self.network, self.num_objectives = network, p

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self.network(x)

    def outputs(self, x: Tensor, omegas: Tensor) -> list[Tensor]:
        """See Control: one pass for all omegas."""
        omegas = self.checked(x, omegas)
        return [self.network(x)] * len(omegas)

    def stages(self) -> list[Stage]:
        """The network, at the first corner."""
        corner = torch.eye(self.num_objectives)[0].tolist()
        return [Stage("network", ("network.",), tuple(corner))]


@dataclass(frozen=True)
class FixedConfig:
    """A plain network, trained for the first objective alone."""

    draws_omegas: ClassVar[bool] = False
    """Every stage has its own omega, so the way omegas are drawn decides nothing."""

    def build(self, network: nn.Module, p: int) -> Fixed:
        """The untrained network without a dial."""
        return Fixed(network, p)
