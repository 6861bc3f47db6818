"""Controls around trained networks: the pixel blend of the corners, and a network without a dial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from study.controls.base import Control, Stage
from tunable_core.omega import OmegaLike


class PixelBlend(Control):
    """sum_i omega_i y_i / sum_i omega_i, where y_i are the outputs of a control at its corners.

    The simplest rival between the corners: it equals the control at the corners, and costs one forward
    pass for each. Raises ValueError for omega = 0.
    """

    def __init__(self, control: Control) -> None:
        super().__init__()
        self.control, self.num_objectives = control, control.num_objectives

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self.outputs(x, omega[None], extrapolate=True)[0]

    def outputs(self, x: Tensor, omegas: OmegaLike, *, extrapolate: bool = False) -> list[Tensor]:
        """See Control: the corners are computed once for all omegas."""
        omegas = self.checked(x, omegas, extrapolate=extrapolate)
        if (omegas.sum(1) <= 0).any():
            raise ValueError("a blend needs dials with a positive sum; got omega = 0")
        shares = omegas / omegas.sum(1, keepdim=True)
        corners = torch.stack(self.control.outputs(x, torch.eye(self.num_objectives, device=x.device)))
        return list(torch.einsum("np,p...->n...", shares, corners))


class Fixed(Control):
    """Any image-to-image network behind the common interface; its dials have no effect.

    For tables that compare published with tunable networks, and for fixed baselines, which are trained
    for the first objective alone.
    """

    def __init__(self, network: nn.Module, p: int = 2) -> None:
        super().__init__()
        self.network, self.num_objectives = network, p

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self.network(x)

    def outputs(self, x: Tensor, omegas: OmegaLike, *, extrapolate: bool = False) -> list[Tensor]:
        """See Control: one pass for all omegas."""
        omegas = self.checked(x, omegas, extrapolate=extrapolate)
        return [self.network(x)] * len(omegas)

    def stages(self) -> list[Stage]:
        """One stage: the network, at the first corner."""
        corner = torch.eye(self.num_objectives)[0].tolist()
        return [Stage("network", ("network.",), tuple(corner))]


@dataclass(frozen=True)
class FixedConfig:
    """A plain network, trained for the first objective alone."""

    draws_omegas: ClassVar[bool] = False
    """Every stage fixes its omega, so the sampling of omegas has no effect."""

    def build(self, network: nn.Module, p: int) -> Fixed:
        """The untrained network without a dial."""
        return Fixed(network, p)
