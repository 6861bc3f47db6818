"""A task: how training pairs are made and which objectives the dials mix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tunable_core.degradations import gaussian_noise
from tunable_core.objectives import NU, MultiLoss, NoisePreservation, reconstruction


@dataclass(frozen=True)
class Denoising:
    """Denoising strength: omega_1 for fidelity, omega_2 for noise preservation (Sec. 4.1.1)."""

    sigma: tuple[float, float] = (5.0, 30.0)
    """Range of the noise level, uniform, in grey levels of 255."""
    noise_target: Literal["fixed", "eq9"] = "fixed"
    """Reading of Eq. 9 in training; see objectives.NoisePreservation."""
    nu: float = NU
    """Share of the noise that omega_2 = 1 keeps."""

    @property
    def loss(self) -> MultiLoss:
        """The multi-loss of Eq. 7 for this task."""
        noise = NoisePreservation(self.noise_target, self.nu)
        return MultiLoss({"reconstruction": reconstruction, "noise": noise})

    def pair(self, patches: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Clean patches [B, 3, H, W] in [0, 1] and their noisy twins, each with a sigma of its own."""
        low, high = self.sigma
        u = torch.rand(len(patches), generator=generator, device=generator.device)
        return patches, gaussian_noise(patches, low + (high - low) * u, generator)


@dataclass(frozen=True)
class RealDenoising:
    """Denoising strength for real camera noise (Table 2b); trained on pairs of photographs."""

    noise_target: Literal["fixed", "eq9"] = "fixed"
    """Reading of Eq. 9 in training; see objectives.NoisePreservation."""
    nu: float = NU
    """Share of the noise that omega_2 = 1 keeps."""

    @property
    def loss(self) -> MultiLoss:
        """The multi-loss of Eq. 7 for this task."""
        noise = NoisePreservation(self.noise_target, self.nu)
        return MultiLoss({"reconstruction": reconstruction, "noise": noise})

    def pair(self, patches: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Clean and noisy patches [B, 3, H, W] of pairs [B, 6, H, W]; see pairs.py."""
        clean, noisy = patches.chunk(2, 1)
        return clean, noisy
