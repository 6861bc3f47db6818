"""The objectives of joint denoising and deblurring (Sec. 4.1.2), in three readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from study.images.degradations import GAMMA, high_pass
from tunable_core.checks import check, is_number
from tunable_core.objectives import NU, l1, noise_target

Reading = Literal["adapted", "clean", "literal"]
"""How the joint objectives of Sec. 4.1.2 are read; see Joint."""


@dataclass(frozen=True)
class Joint:
    """The targets of joint denoising and deblurring (Sec. 4.1.2), omega_1 for noise, omega_2 for blur.

    y_r = y + r (z - y) is the image with a share r of its degradation, and the sharpened target adds
    the high pass of an unsharp mask, y_r + omega_2 gamma (h - g * h). reading:
    "adapted": r = (1 - omega_1) nu, h = y: noise is kept and never amplified. The study's own reading.
    "clean": r = 0, h = y. The closest to the paper's formulas.
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

        omega_2 is this objective's dial and omega_1 the other dial. Raises ValueError unless p = 2.
        """
        if omega.shape[-1] != 2:
            raise ValueError(
                f"Joint.blur needs two dials, its own and that of the noise; got {omega.shape[-1]} "
                f"(combine it with Joint.noise only)"
            )
        return l1(output, self.sharpened(clean, degraded, omega[..., [1 - dial, dial]]))


def joint_rules(reading: str, nu: float, gamma: float) -> dict[str, bool]:
    """The rules for settings of Joint, each with whether it holds; see checks.check."""
    return {
        f"reading must be one of {', '.join(get_args(Reading))}": reading in get_args(Reading),
        "nu is a share of the noise in [0, 1]": is_number(nu, 0, 1),
        "gamma must be finite and not negative": is_number(gamma, 0),
    }
