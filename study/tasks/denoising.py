"""Denoising strength: added Gaussian noise and real camera noise (Sec. 4.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from study.images.degradations import add_noise, standard_noise
from study.tasks.base import RANGE, Pair, Task, is_range, uniform
from tunable_core.checks import check
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import NU, NoisePreservation, noise_rules, reconstruction


@dataclass(frozen=True)
class Denoising(Task):
    """Denoising strength: omega_1 for fidelity, omega_2 for noise preservation (Sec. 4.1.1)."""

    sigma: tuple[float, float] = (5.0, 30.0)
    """Range of the noise level, uniform, in grey levels of 255."""
    noise_target: Literal["fixed", "eq9"] = "fixed"
    """Reading of Eq. 9 in training; see objectives.NoisePreservation."""
    nu: float = NU
    """Share of the noise that omega_2 = 1 keeps."""

    def __post_init__(self) -> None:
        sigma = {f"sigma {RANGE}, in grey levels": is_range(self.sigma)}
        check(self, sigma | noise_rules(self.noise_target, self.nu))

    @property
    def loss(self) -> MultiLoss:
        """The multi-loss of Eq. 7 for this task."""
        noise = NoisePreservation(self.noise_target, self.nu)
        return MultiLoss({"reconstruction": reconstruction, "noise": noise})

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """See Task.ranges."""
        return {"sigma": self.sigma}

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Sigma [B], in grey levels of 255, and the noise of standard deviation 1, [B, 3, H, W]."""
        return uniform(self.sigma, shape[0], generator), standard_noise(shape, generator)

    def apply(self, patches: Tensor, sigma: Tensor, noise: Tensor) -> Pair:
        """Clean patches [B, 3, H, W] and the same with noise, each with a sigma of its own."""
        return Pair(patches, add_noise(patches, sigma, noise))


@dataclass(frozen=True)
class RealDenoising(Task):
    """Denoising strength for real camera noise (Table 2b); trained on pairs of photographs."""

    noise_target: Literal["fixed", "eq9"] = "fixed"
    """Reading of Eq. 9 in training; see objectives.NoisePreservation."""
    nu: float = NU
    """Share of the noise that omega_2 = 1 keeps."""

    def __post_init__(self) -> None:
        check(self, noise_rules(self.noise_target, self.nu))

    @property
    def loss(self) -> MultiLoss:
        """The multi-loss of Eq. 7 for this task."""
        return Denoising(noise_target=self.noise_target, nu=self.nu).loss

    def apply(self, patches: Tensor) -> Pair:
        """Clean and noisy patches [B, 3, H, W] of pairs [B, 6, H, W]; see pairs.py.

        Raises ValueError for images that are not pairs.
        """
        if patches.shape[1] != 6:
            raise ValueError(
                f"RealDenoising trains on pairs of photographs, [B, 6, H, W]; got {list(patches.shape)} "
                f"(use data='nam-train', or Denoising for single images)"
            )
        return Pair(*patches.chunk(2, 1))
