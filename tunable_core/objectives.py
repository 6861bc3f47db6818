"""Objectives of restoration (Eq. 9); see multi_loss.py for what an objective is."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from tunable_core.checks import check, is_number

NU = 0.9
"""Share of the noise that full noise preservation keeps (Sec. 4.1.1)."""


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference per sample, in float32: [B, ...] to [B]."""
    return (a.float() - b.float()).abs().flatten(1).mean(1)


def reconstruction(output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
    """L_rec: L1 distance to the clean image (Sec. 4.1.1)."""
    return l1(output, clean)


class NoisePreservation:
    """L_noise: L1 distance to y_eta, the clean image with part of its noise put back (Eq. 9).

    noise_target: "fixed" is y + nu (z - y) at every omega, so the dials act through the loss weights
        alone; "eq9" is the printed formula, y + omega_2 nu (z - y), where omega_2 is the dial of this
        objective. The paper's Table 1 agrees with "fixed" in training.
    nu: share of the noise kept, in [0, 1].
    """

    def __init__(self, noise_target: Literal["fixed", "eq9"] = "fixed", nu: float = NU) -> None:
        self.noise_target, self.nu = noise_target, nu
        check(self, noise_rules(noise_target, nu), got=f"{noise_target!r} and {nu}")

    def __call__(
        self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor, dial: int = 1
    ) -> Tensor:
        """See multi_loss.Objective."""
        strength = omega[..., dial] if self.noise_target == "eq9" else omega.new_ones(())
        return l1(output, noise_target(clean, degraded, strength, self.nu))


def noise_rules(noise_target: str, nu: float) -> dict[str, bool]:
    """The rules for settings of NoisePreservation, each with whether it holds; see checks.check."""
    return {
        "noise_target must be 'fixed' or 'eq9'": noise_target in ("fixed", "eq9"),
        "nu is a share of the noise in [0, 1]": is_number(nu, 0, 1),
    }


def noise_target(clean: Tensor, degraded: Tensor, omega_2: Tensor | float, nu: float = NU) -> Tensor:
    """y_eta = y + omega_2 nu (z - y) of Eq. 9, not clipped.

    clean y, degraded z: [B, 3, H, W]; omega_2: a number, [] or [B].
    """
    strength = torch.as_tensor(omega_2, dtype=clean.dtype, device=clean.device) * nu
    return clean + strength.view(-1, 1, 1, 1) * (degraded - clean)
