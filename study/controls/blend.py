"""Blending input and output of any denoiser: the oracle of the denoising dial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from study.controls.added import Added
from study.controls.base import Stage
from tunable_core.checks import check, is_number
from tunable_core.objectives import NU


class Blend(Added):
    """y_dn + nu omega_2 (z - y_dn): the denoised image, with part of the removed noise added again.

    Its error against y_eta is (1 - nu omega_2) times the denoiser's, so in PSNR_eta no method with the
    same denoiser can be better. omega_1 has no effect. It exists for denoising only.
    denoiser: a network trained for fidelity alone.
    """

    def __init__(self, denoiser: nn.Module, nu: float = NU) -> None:
        super().__init__()
        self.denoiser, self.nu = denoiser, nu

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See Added."""
        denoised = self.denoiser(x)
        return denoised, self.nu * (x - denoised)

    def extra_repr(self) -> str:
        """Settings that are not in the weights; part of the key of a sweep."""
        return f"nu={self.nu}"

    def stages(self) -> list[Stage]:
        """The denoiser, for fidelity."""
        return [Stage("denoiser", ("denoiser.",), (1.0, 0.0))]


@dataclass(frozen=True)
class BlendConfig:
    """An ordinary denoiser, trained for fidelity alone, with a dial that blends pixels."""

    draws_omegas: ClassVar[bool] = False
    """Every stage fixes its omega, so the sampling of omegas has no effect."""

    nu: float = NU
    """Share of the noise that omega_2 = 1 adds again."""

    def __post_init__(self) -> None:
        check(self, {"nu is a share of the noise in [0, 1]": is_number(self.nu, 0, 1)})

    def build(self, network: nn.Module, p: int) -> Blend:
        """The untrained control around a plain network."""
        if p != 2:
            raise ValueError(f"blending is for p = 2 objectives, fidelity and noise; got {p}")
        return Blend(network, self.nu)
