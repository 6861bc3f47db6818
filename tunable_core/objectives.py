"""Objectives and the parametric multi-loss that the dials mix (Eqs. 7, 9; Sec. 4.1.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

NU = 0.9
"""Share of the noise that full noise preservation keeps (Sec. 4.1.1)."""


GAMMA = 8.0
"""Largest strength of the sharpening (Sec. 4.1.2)."""


class Objective(Protocol):
    """A loss of one behaviour: small when the output behaves so."""

    def __call__(self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] and dials [p] or [B, p] to a loss per sample, [B]."""
        ...


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference per sample, in float32: [B, ...] to [B]."""
    return (a.float() - b.float()).abs().flatten(1).mean(1)


def reconstruction(output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
    """L_rec: L1 distance to the clean image (Sec. 4.1.1)."""
    return l1(output, clean)


class NoisePreservation:
    """L_noise: L1 distance to y_eta, the clean image with part of its noise put back (Eq. 9).

    noise_target: "fixed" asks for y + nu (z - y) whatever the dials say, and leaves the dials to the
        loss weights; "eq9" is the printed formula, y + omega_2 nu (z - y). The paper's Table 1 fits
        "fixed" in training.
    nu: share of the noise kept, in [0, 1].
    dial: position of omega_2 in omega.
    """

    def __init__(
        self, noise_target: Literal["fixed", "eq9"] = "fixed", nu: float = NU, dial: int = 1
    ) -> None:
        if noise_target not in ("fixed", "eq9"):
            raise ValueError(f"noise_target must be 'fixed' or 'eq9'; got {noise_target!r}")
        if not 0 <= nu <= 1:
            raise ValueError(f"nu is a share of the noise in [0, 1]; got {nu}")
        self.noise_target, self.nu, self.dial = noise_target, nu, dial

    def __call__(self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """See Objective."""
        strength = omega[..., self.dial] if self.noise_target == "eq9" else omega.new_ones(())
        return l1(output, noise_target(clean, degraded, strength, self.nu))


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
        faults = []
        if self.reading not in get_args(Reading):
            faults.append(f"reading must be one of {', '.join(get_args(Reading))}; got {self.reading!r}")
        if not 0 <= self.nu <= 1:
            faults.append(f"nu is a share of the noise in [0, 1]; got {self.nu}")
        if not 0 <= self.gamma < float("inf"):
            faults.append(f"gamma must be finite and not negative; got {self.gamma}")
        if faults:
            raise ValueError("Joint: " + "; ".join(faults))

    def kept(self, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """y_r: [B, 3, H, W], not clipped."""
        if self.reading == "clean":
            return clean
        dial = omega[..., 0]
        return noise_target(clean, degraded, dial if self.reading == "literal" else 1 - dial, self.nu)

    def sharpened(self, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """y_r + omega_2 gamma (h - g * h): [B, 3, H, W], not clipped."""
        kept = self.kept(clean, degraded, omega)
        edges = high_pass(kept if self.reading == "literal" else clean)
        return kept + self.gamma * omega[..., 1].to(clean).view(-1, 1, 1, 1) * edges

    def noise(self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """L_noise: L1 distance to y_r; see Objective."""
        return l1(output, self.kept(clean, degraded, omega))

    def blur(self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """L_blur: L1 distance to the sharpened target; see Objective."""
        return l1(output, self.sharpened(clean, degraded, omega))


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


class MultiLoss:
    """L_omega = sum_i omega_i lambda_i L_i over named objectives (Eq. 7).

    objectives: name to objective, in the order of the dials.
    lambdas: fixed weights, one per objective, none negative; default 1 each.
    """

    def __init__(
        self, objectives: Mapping[str, Objective], lambdas: Sequence[float] | None = None
    ) -> None:
        self.objectives = dict(objectives)
        self.lambdas = tuple([1.0] * len(self.objectives) if lambdas is None else lambdas)
        if len(self.lambdas) != len(self.objectives):
            raise ValueError(
                f"one lambda per objective: got {len(self.lambdas)} for {list(self.objectives)}"
            )
        if not all(0 <= weight < float("inf") for weight in self.lambdas):
            raise ValueError(f"lambdas must be finite and not negative; got {self.lambdas}")

    @property
    def adversary(self) -> Any:
        """The objective that itself learns at each step, if there is one; see adversarial.py."""
        return next((f for f in self.objectives.values() if hasattr(f, "learn")), None)

    @property
    def p(self) -> int:
        """Number of objectives, and of dials."""
        return len(self.objectives)

    def __call__(
        self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The mixed loss [], averaged over the batch, and each objective's own mean, [].

        A costly objective whose dial is 0 for the whole batch is left out; its mean is then NaN.
        """
        if omega.shape[-1] != self.p:
            raise ValueError(
                f"omega has {omega.shape[-1]} dials for the {self.p} objectives {list(self.objectives)}"
            )
        if output.shape != clean.shape:
            raise ValueError(
                f"the network gives {list(output.shape)} for a target of {list(clean.shape)}: its scale "
                f"is not the task's"
            )
        idle = [
            getattr(f, "costly", False) and not omega[..., i].any()
            for i, f in enumerate(self.objectives.values())
        ]
        parts = [
            torch.zeros(len(output), device=omega.device) if out else f(output, clean, degraded, omega)
            for f, out in zip(self.objectives.values(), idle, strict=True)
        ]
        weights = omega.float() * torch.tensor(self.lambdas, device=omega.device)
        loss = (weights * torch.stack(parts, dim=1)).sum(1).mean()
        means = [part.mean() * (torch.nan if out else 1) for part, out in zip(parts, idle, strict=True)]
        return loss, dict(zip(self.objectives, means, strict=True))
