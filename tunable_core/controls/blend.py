"""Blending pixels: the oracle of the denoising dial, one line over any denoiser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from tunable_core.checks import check, is_number
from tunable_core.controls.base import Control, Stage
from tunable_core.objectives import NU


class Blend(Control):
    """y_dn + nu omega_2 (z - y_dn): the denoised image with part of what was taken off put back.

    Its error against y_eta is (1 - nu omega_2) times the denoiser's, so in PSNR_eta nothing that rests
    on the same denoiser can be better. omega_1 has no effect. It exists for denoising only.
    denoiser: a network trained for fidelity alone.
    """

    num_objectives = 2

    def __init__(self, denoiser: nn.Module, nu: float = NU) -> None:
        super().__init__()
        self.denoiser, self.nu = denoiser, nu

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self._mix(self.denoiser(x), x, omega)

    def outputs(self, x: Tensor, omegas: Tensor) -> list[Tensor]:
        """See Control: the denoiser runs once for all omegas."""
        omegas = self.checked(x, omegas)
        denoised = self.denoiser(x)
        return [self._mix(denoised, x, omega) for omega in omegas]

    def _mix(self, denoised: Tensor, x: Tensor, omega: Tensor) -> Tensor:
        return denoised + self.nu * omega[1] * (x - denoised)

    def extra_repr(self) -> str:
        """What is not in the weights; part of the key of a sweep."""
        return f"nu={self.nu}"

    def stages(self) -> list[Stage]:
        """The denoiser, for fidelity."""
        return [Stage("denoiser", ("denoiser.",), (1.0, 0.0))]


@dataclass(frozen=True)
class BlendConfig:
    """An ordinary denoiser, trained for fidelity alone, with a dial of pixels."""

    draws_omegas: ClassVar[bool] = False
    """Every stage has its own omega, so the way omegas are drawn decides nothing."""

    nu: float = NU
    """Share of the noise that omega_2 = 1 puts back."""

    def __post_init__(self) -> None:
        check(self, {"nu is a share of the noise in [0, 1]": is_number(self.nu, 0, 1)})

    def build(self, network: nn.Module, p: int) -> Blend:
        """The untrained control around a plain network."""
        if p != 2:
            raise ValueError(f"blending is for p = 2 objectives, fidelity and noise; got {p}")
        return Blend(network, self.nu)
