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

    def degrade(self, clean: Tensor, generator: torch.Generator) -> Tensor:
        """Training input for clean patches [B, 3, H, W], each with a sigma of its own."""
        low, high = self.sigma
        u = torch.rand(len(clean), generator=generator, device=generator.device)
        return gaussian_noise(clean, low + (high - low) * u, generator)
