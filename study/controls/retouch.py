"""Two dials of pixel arithmetic on the output of any restoring network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from study.controls.base import Control, Stage
from study.images.degradations import GAMMA, high_pass
from tunable_core.objectives import NU
from tunable_core.omega import OmegaLike


class Retouch(Control):
    """d + (1 - omega_1) nu (z - d) + omega_2 gamma (d - g * d), with d the restored image.

    The targets of tasks.joint.Joint in the adapted reading, with d in place of the clean image: part of
    the removed noise is added again, and the restored image is sharpened. The counterpart of Blend for
    denoising and deblurring.
    restorer: a network trained for restoration alone.
    """

    num_objectives = 2

    def __init__(self, restorer: nn.Module, nu: float = NU, gamma: float = GAMMA) -> None:
        super().__init__()
        self.restorer, self.nu, self.gamma = restorer, nu, gamma

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self._retouched(self.restorer(x), x, [omega])[0]

    def outputs(self, x: Tensor, omegas: OmegaLike, *, extrapolate: bool = False) -> list[Tensor]:
        """See Control: the network runs once for all omegas."""
        omegas = self.checked(x, omegas, extrapolate=extrapolate)
        return self._retouched(self.restorer(x), x, list(omegas))

    def _retouched(self, d: Tensor, x: Tensor, omegas: Sequence[Tensor]) -> list[Tensor]:
        edges = high_pass(d)
        return [d + (1 - a) * self.nu * (x - d) + b * self.gamma * edges for a, b in omegas]

    def extra_repr(self) -> str:
        """Settings that are not in the weights; part of the key of a sweep."""
        return f"nu={self.nu}, gamma={self.gamma}"

    def stages(self) -> list[Stage]:
        """The network, for restoration."""
        return [Stage("restorer", ("restorer.",), (1.0, 0.0))]
