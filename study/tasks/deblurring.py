"""Joint denoising and deblurring (Sec. 4.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from study.images.degradations import GAMMA, MAX_RHO, add_noise, gaussian_blur, standard_noise
from study.tasks.base import RANGE, Pair, Task, is_range, uniform
from study.tasks.joint import Joint, Reading, joint_rules
from tunable_core.checks import check
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import NU


@dataclass(frozen=True)
class DenoisingDeblurring(Task):
    """Joint denoising (strength omega_1) and deblurring (strength omega_2), Sec. 4.1.2."""

    reading: Reading = "adapted"
    """Reading of the objectives; see joint.Joint."""
    sigma: tuple[float, float] = (5.0, 30.0)
    """Range of the noise level, in grey levels of 255."""
    rho: tuple[float, float] = (0.0, MAX_RHO)
    """Range of the blur, standard deviation in pixels."""
    levels: Literal["uniform", "beta"] = "uniform"
    """How levels are drawn. uniform: both, over their ranges, as in the paper. beta: as by CResMD's
    authors, half of the samples with both, a quarter with noise alone, a quarter with blur alone, each
    level ~ Beta(0.5, 1) times the largest."""
    nu: float = NU
    """Largest share of the noise that is kept."""
    gamma: float = GAMMA
    """Strength of the sharpening at omega_2 = 1."""

    def __post_init__(self) -> None:
        rules = {
            f"sigma {RANGE} and high > 0, in grey levels": is_range(self.sigma) and self.sigma[1] > 0,
            f"rho {RANGE} and high > 0, in pixels": is_range(self.rho) and self.rho[1] > 0,
            "levels must be 'uniform' or 'beta'": self.levels in ("uniform", "beta"),
        }
        check(self, rules | joint_rules(self.reading, self.nu, self.gamma))

    @property
    def loss(self) -> MultiLoss:
        """The multi-loss of Sec. 4.1.2 in the chosen reading."""
        joint = Joint(self.reading, self.nu, self.gamma)
        return MultiLoss({"noise": joint.noise, "blur": joint.blur})

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """See Task.ranges."""
        return {"sigma": self.sigma, "rho": self.rho}

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Sigma [B], in grey levels of 255, rho [B], in pixels, and the noise, [B, 3, H, W]."""
        count = shape[0]
        if self.levels == "uniform":
            sigma, rho = (uniform(span, count, generator) for span in (self.sigma, self.rho))
        else:
            u = torch.rand(3, count, generator=generator, device=generator.device)
            strength = u[:2].square()  # Beta(0.5, 1): its distribution function is the square root
            sigma = self.sigma[1] * strength[0] * ~((u[2] >= 0.5) & (u[2] < 0.75))
            rho = self.rho[1] * strength[1] * (u[2] < 0.75)
        return sigma, rho, standard_noise(shape, generator)

    def apply(self, patches: Tensor, sigma: Tensor, rho: Tensor, noise: Tensor) -> Pair:
        """Clean patches [B, 3, H, W] and the same with blur, then noise; levels are sigma and rho
        divided by their largest values."""
        degraded = add_noise(gaussian_blur(patches, rho), sigma, noise)
        return Pair(patches, degraded, torch.stack([sigma / self.sigma[1], rho / self.rho[1]], 1))
