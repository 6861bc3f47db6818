"""Objectives of restoration (Eq. 9; Sec. 4.1.2); see multi_loss.py for what an objective is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from tunable_core.checks import check, is_number

NU = 0.9
"""Share of the noise that full noise preservation keeps (Sec. 4.1.1)."""


GAMMA = 8.0
"""Largest strength of the sharpening (Sec. 4.1.2)."""


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference per sample, in float32: [B, ...] to [B]."""
    return (a.float() - b.float()).abs().flatten(1).mean(1)


def reconstruction(output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
    """L_rec: L1 distance to the clean image (Sec. 4.1.1)."""
    return l1(output, clean)


class NoisePreservation:
    """L_noise: L1 distance to y_eta, the clean image with part of its noise put back (Eq. 9).

    noise_target: "fixed" asks for y + nu (z - y) whatever the dials are, and leaves the dials to the
        loss weights; "eq9" is the printed formula, y + omega_2 nu (z - y), where omega_2 is the dial of
        this objective. The paper's Table 1 fits "fixed" in training.
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


Reading = Literal["adapted", "clean", "literal"]
"""How the joint objectives of Sec. 4.1.2 are read; see Joint."""


@dataclass(frozen=True)
class Joint:
    """The targets of joint denoising and deblurring (Sec. 4.1.2), omega_1 for noise, omega_2 for blur.

    y_r = y + r (z - y) is the image with a share r of what degraded it, and the sharpened target adds
    the high pass of an unsharp mask, y_r + omega_2 gamma (h - g * h). reading:
    "adapted": r = (1 - omega_1) nu, h = y: noise is kept as asked and never amplified. The study's own.
    "clean": r = 0, h = y. The nearest to what the paper prints.
    "literal": r = omega_1 nu, h = y_r: the printed formulas, where more omega_1 keeps *more* noise.
    """

    reading: Reading = "adapted"
    """One of "adapted", "clean", "literal"."""
    nu: float = NU
    """Largest share of the noise that is kept."""
    gamma: float = GAMMA
    """Strength of the sharpening at omega_2 = 1."""

    def __post_init__(self) -> None:
        check(self, joint_rules(self.reading, self.nu, self.gamma))

    def kept(self, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """y_r: [B, 3, H, W], not clipped; omega: omega_1 and omega_2 in the last axis."""
        if self.reading == "clean":
            return clean
        dial = omega[..., 0]
        return noise_target(clean, degraded, dial if self.reading == "literal" else 1 - dial, self.nu)

    def sharpened(self, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """y_r + omega_2 gamma (h - g * h): [B, 3, H, W], not clipped; omega as in kept()."""
        kept = self.kept(clean, degraded, omega)
        edges = high_pass(kept if self.reading == "literal" else clean)
        return kept + self.gamma * omega[..., 1].to(clean).view(-1, 1, 1, 1) * edges

    def noise(
        self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor, dial: int = 0
    ) -> Tensor:
        """L_noise: L1 distance to y_r, omega_1 being this objective's dial; see multi_loss.Objective."""
        return l1(output, self.kept(clean, degraded, omega[..., [dial]]))

    def blur(
        self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor, dial: int = 1
    ) -> Tensor:
        """L_blur: L1 distance to the sharpened target; see multi_loss.Objective.

        omega_2 is this objective's dial and omega_1 the other one. Raises ValueError unless p = 2.
        """
        if omega.shape[-1] != 2:
            raise ValueError(
                f"Joint.blur needs two dials, its own and that of the noise; got {omega.shape[-1]} "
                f"(mix it with Joint.noise alone)"
            )
        return l1(output, self.sharpened(clean, degraded, omega[..., [1 - dial, dial]]))


def joint_rules(reading: str, nu: float, gamma: float) -> dict[str, bool]:
    """The rules for settings of Joint, each with whether it holds; see checks.check."""
    return {
        f"reading must be one of {', '.join(get_args(Reading))}": reading in get_args(Reading),
        "nu is a share of the noise in [0, 1]": is_number(nu, 0, 1),
        "gamma must be finite and not negative": is_number(gamma, 0),
    }


def high_pass(image: Tensor) -> Tensor:
    """Y - g * y with the paper's Gaussian of 9 x 9 pixels and std 2.5, borders reflected.

    image: [B, C, H, W] of at least 5 x 5 pixels.
    """
    if min(image.shape[-2:]) < 5:
        raise ValueError(f"the 9 x 9 mask needs images of 5 x 5 pixels or more; got {list(image.shape)}")
    x = torch.arange(-4, 5, dtype=image.dtype, device=image.device)
    g = torch.exp(-(x**2) / (2 * 2.5**2))
    g = (g / g.sum()).expand(image.shape[1], 1, -1)
    padded = F.pad(image, (4, 4, 4, 4), mode="reflect")
    rows = F.conv2d(padded, g[:, :, None], groups=image.shape[1])
    return image - F.conv2d(rows, g[:, :, :, None], groups=image.shape[1])
