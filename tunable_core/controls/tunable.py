"""The paper's method: a tunable network trained at random omegas (Sec. 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from tunable_core.controls.base import Control, Stage
from tunable_core.omega import OmegaLike
from tunable_core.tunable import Tunable


class TunableControl(Control):
    """Tunable behind the common interface: one stage, omegas as the training settings draw them."""

    def __init__(self, network: nn.Module, p: int, **options) -> None:
        super().__init__()
        self.num_objectives = p
        self.network = Tunable(network, p, **options)

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self.network(x, omega, extrapolate=True)  # checked by the caller

    def at(self, omega: OmegaLike) -> nn.Module:
        """The ordinary network with its kernels fixed at omega [p]."""
        return self.network.at(omega)

    def stages(self) -> list[Stage]:
        """One: everything, at random omegas."""
        return [Stage("tunable", ("network.",))]


@dataclass(frozen=True)
class TunableConfig:
    """Settings of the paper's method."""

    phi: Literal["affine", "identity", "se"] = "affine"
    """Aggregation function."""
    kernels: int | None = None
    """Kernels per layer; None is one per dial, as in the paper."""

    def build(self, network: nn.Module, p: int) -> TunableControl:
        """The untrained control around a plain network."""
        return TunableControl(network, p, phi=self.phi, kernels=self.kernels)
