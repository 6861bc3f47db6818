"""A task: how training pairs are made and which objectives the dials mix."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from study.images.degradations import MAX_RHO, add_noise, gaussian_blur, standard_noise
from study.networks import DiscriminatorConfig
from study.tasks.adversarial import Adversarial, Features
from study.tasks.style import LAYER, Style, StyleLoss
from tunable_core.checks import check, is_count, is_number, is_positive, is_range
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import (
    GAMMA,
    NU,
    Joint,
    NoisePreservation,
    Reading,
    joint_rules,
    noise_rules,
    reconstruction,
)
from tunable_core.photo.resampling import REACH, low_resolution

RANGE = "must be a range (low, high) with 0 <= low <= high"


class Pair(NamedTuple):
    """What one training step sees."""

    clean: Tensor
    """[B, 3, H, W] in [0, 1]."""
    degraded: Tensor
    """[B, 3, H, W], not clipped."""
    levels: Tensor | None = None
    """[B, p] in [0, 1]: how strongly each sample was degraded, for controls that are told."""


class Drawn:
    """Makes pairs in two steps: random numbers for a whole batch, then arithmetic row by row.

    So one process of several can degrade its own rows and gets those that a single process makes.
    """

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """The random numbers for patches of shape [B, C, H, W], each tensor with B rows; none here."""
        return ()

    def apply(self, patches: Tensor, *drawn: Tensor) -> Pair:
        """Pairs of patches [B, C, H, W] in [0, 1] and the rows drawn for them; nothing is random."""
        raise NotImplementedError

    def pair(
        self,
        patches: Tensor,
        generator: torch.Generator,
        *,
        batch: int | None = None,
        rows: slice = slice(None),
    ) -> Pair:
        """Pairs of patches [B, C, H, W] in [0, 1]; see apply() of each task.

        batch, rows: patches are only these rows of a batch of that size; the pairs are then those rows
        of the pairs of the whole batch, and the generator ends in the same state.
        """
        drawn = self.draw((batch or len(patches), *patches.shape[1:]), generator)
        return self.apply(patches, *(numbers[rows] for numbers in drawn))


@dataclass(frozen=True)
class Denoising(Drawn):
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

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Sigma [B], in grey levels of 255, and the noise of standard deviation 1, [B, 3, H, W]."""
        return _uniform(self.sigma, shape[0], generator), standard_noise(shape, generator)

    def apply(self, patches: Tensor, sigma: Tensor, noise: Tensor) -> Pair:
        """Clean patches [B, 3, H, W] and the same with noise, each with a sigma of its own."""
        return Pair(patches, add_noise(patches, sigma, noise))


@dataclass(frozen=True)
class RealDenoising(Drawn):
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

        Raises ValueError for images that are no pairs.
        """
        if patches.shape[1] != 6:
            raise ValueError(
                f"RealDenoising trains on pairs of photographs, [B, 6, H, W]; got {list(patches.shape)} "
                f"(take data='nam-train', or Denoising for images without a noisy twin)"
            )
        return Pair(*patches.chunk(2, 1))


@dataclass(frozen=True)
class DenoisingDeblurring(Drawn):
    """Joint denoising and deblurring: omega_1, omega_2, how much to remove of each (Sec. 4.1.2)."""

    reading: Reading = "adapted"
    """Reading of the objectives; see objectives.Joint."""
    sigma: tuple[float, float] = (5.0, 30.0)
    """Range of the noise level, in grey levels of 255."""
    rho: tuple[float, float] = (0.0, MAX_RHO)
    """Range of the blur, standard deviation in pixels."""
    levels: Literal["uniform", "beta"] = "uniform"
    """How levels are drawn. uniform: both, over their ranges, as in the paper. beta: as CResMD's authors
    do, half of the samples with both, a quarter with noise alone, a quarter with blur alone, each level
    ~ Beta(0.5, 1) times the largest."""
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

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Sigma [B], in grey levels of 255, rho [B], in pixels, and the noise, [B, 3, H, W]."""
        count = shape[0]
        if self.levels == "uniform":
            sigma, rho = (_uniform(span, count, generator) for span in (self.sigma, self.rho))
        else:
            u = torch.rand(3, count, generator=generator, device=generator.device)
            strength = u[:2].square()  # Beta(0.5, 1): its distribution function is the square root
            sigma = self.sigma[1] * strength[0] * ~((u[2] >= 0.5) & (u[2] < 0.75))
            rho = self.rho[1] * strength[1] * (u[2] < 0.75)
        return sigma, rho, standard_noise(shape, generator)

    def apply(self, patches: Tensor, sigma: Tensor, rho: Tensor, noise: Tensor) -> Pair:
        """Clean patches [B, 3, H, W] and the same with blur, then noise; levels are sigma and rho over
        their largest values."""
        degraded = add_noise(gaussian_blur(patches, rho), sigma, noise)
        return Pair(patches, degraded, torch.stack([sigma / self.sigma[1], rho / self.rho[1]], 1))

    def told(self, sigma: float, rho: float) -> tuple[float, float]:
        """The levels of a degradation, as pair() tells them: 1 is the strongest of training."""
        return sigma / self.sigma[1], rho / self.rho[1]

    def warn_outside(self, **levels: Sequence[float]) -> None:
        """Warn, once for each of sigma and rho, of levels outside the range of training."""
        for name, values in levels.items():
            low, high = getattr(self, name)
            outside = [value for value in values if not low <= value <= high]
            if outside and (name, low, high) not in _warned:
                _warned.add((name, low, high))
                warnings.warn(
                    f"{name} = {outside[0]:g} lies outside [{low:g}, {high:g}], the range of training "
                    f"(said once)",
                    stacklevel=2,
                )


_warned: set[tuple[str, float, float]] = set()
"""Ranges of which warn_outside has warned."""


@dataclass(frozen=True)
class SuperResolution(Drawn):
    """Perception and distortion: omega_1 for fidelity, omega_2 for vividness (Sec. 4.1.3).

    The weights are those of L_gan, see adversarial.Adversarial.
    """

    scale: int = 4
    """Enlargement."""
    pixel: float = 0.01
    """Weight of L_rec within L_gan."""
    vgg: float = 1.0
    """Weight of L_vgg; 0 does without VGG-19."""
    adversarial: float = 0.005
    """Weight of L_adv."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """Size of the discriminator."""
    discriminator_lr: float = 1e-4
    """Rate of its Adam, constant."""
    weighted: bool = False
    """Weight the discriminator's samples by omega_2. In 600 steps at laptop size it was no gain: LPIPS
    at (0, 1) 0.384 with it and 0.382 without, PSNR at (1, 0) 23.78 dB either way."""
    features: Features = field(default=(), metadata={"before": ()})
    """Layers of VGG-19 within L_vgg, with their weights; () is the paper's conv5_4 alone."""

    def __post_init__(self) -> None:
        weights = ("pixel", "vgg", "adversarial")
        rules = {
            "scale must be a whole number of at least 1": is_count(self.scale),
            **{f"{w} must be finite and not negative": is_number(getattr(self, w), 0) for w in weights},
            "discriminator_lr must be positive and finite": is_positive(self.discriminator_lr),
        }
        check(self, rules)

    @property
    def loss(self) -> MultiLoss:
        """The multi-loss of Sec. 4.1.3; its adversary has learnt nothing yet."""
        gan = Adversarial(
            self.pixel,
            self.vgg,
            self.adversarial,
            self.discriminator,
            self.discriminator_lr,
            self.weighted,
            features=self.features,
        )
        return MultiLoss({"reconstruction": reconstruction, "gan": gan})

    @property
    def teachers(self) -> tuple[str, ...]:
        """Weights of published networks, names of datasets.py, that the objectives look through."""
        return ("vgg19",) if self.vgg else ()

    def degrade(self, clean: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1], sides multiples of the scale, seen small."""
        return low_resolution(clean, self.scale)

    def apply(self, patches: Tensor) -> Pair:
        """Patches [B, 3, H, W] without their border of 2 scale pixels, and these seen small.

        The border is what the resampling of the rest reaches into, so that a patch is degraded as it is
        within its whole image. Sides must be multiples of the scale.
        """
        margin = REACH * self.scale
        small = self.degrade(patches)[..., REACH:-REACH, REACH:-REACH]
        clean = patches[..., margin:-margin, margin:-margin]
        layout = torch.channels_last
        return Pair(clean.contiguous(memory_format=layout), small.contiguous(memory_format=layout))


@dataclass(frozen=True)
class StyleTransfer(Drawn):
    """Style transfer: one dial per style (Sec. 4.2)."""

    styles: tuple[Style, ...]
    """In the order of the dials; style.style makes one of an image."""
    layer: str = LAYER
    """Of VGG-19, which images are looked at through; "pixels" does without it, see style.StyleLoss."""

    def __post_init__(self) -> None:
        StyleLoss(self.styles, self.layer)  # it refuses what cannot be trained

    @property
    def loss(self) -> StyleLoss:
        """The multi-loss of the styles. In training VGG-19 looks in bf16."""
        return StyleLoss(self.styles, self.layer, bf16=True)

    @property
    def teachers(self) -> tuple[str, ...]:
        """Weights of published networks, names of datasets.py, that the objectives look through."""
        return () if self.layer == "pixels" else ("vgg19",)

    def apply(self, patches: Tensor) -> Pair:
        """Patches [B, 3, H, W] in [0, 1]: the network is given what it is to keep the content of."""
        return Pair(patches, patches)


def _uniform(span: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    low, high = span
    return low + (high - low) * torch.rand(count, generator=generator, device=generator.device)
