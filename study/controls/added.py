"""Controls that add a change to the image of an ordinary network: blends and transport."""

from __future__ import annotations

from torch import Tensor

from study.controls.base import Control
from tunable_core.omega import OmegaLike


class Added(Control):
    """d + omega_2 c: the output d of a network for fidelity, plus a change c; omega_1 has no effect.

    Subclasses implement parts().
    """

    num_objectives = 2

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """For an input, the output d [B, 3, H, W] and the change c, [B, 3, H, W] or [B, 1, H, W]."""
        raise NotImplementedError

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        image, change = self.parts(x)
        return image + omega[1] * change

    def outputs(self, x: Tensor, omegas: OmegaLike, *, extrapolate: bool = False) -> list[Tensor]:
        """See Control: the network runs once for all omegas."""
        omegas = self.checked(x, omegas, extrapolate=extrapolate)
        image, change = self.parts(x)
        return [image + omega[1] * change for omega in omegas]
