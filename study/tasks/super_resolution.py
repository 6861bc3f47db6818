"""Super-resolution between distortion and perception (Sec. 4.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from study.images.resampling import low_resolution
from study.networks import DiscriminatorConfig
from study.tasks.adversarial import Adversarial, Features
from study.tasks.base import Pair, Task
from study.training.adversary import AdversarialLoss
from tunable_core.checks import check, is_count, is_number
from tunable_core.objectives import reconstruction
from tunable_photo.resampling import REACH


@dataclass(frozen=True)
class SuperResolution(Task):
    """Super-resolution: omega_1 for fidelity, omega_2 for perceptual quality (Sec. 4.1.3).

    The weights are those of L_gan, see adversarial.Adversarial.
    """

    scale: int = 4
    """Factor of enlargement."""
    pixel: float = 0.01
    """Weight of L_rec within L_gan."""
    vgg: float = 1.0
    """Weight of L_vgg; with 0 VGG-19 is not needed."""
    adversarial: float = 0.005
    """Weight of L_adv."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """Size of the discriminator."""
    discriminator_lr: float = 1e-4
    """Learning rate of its Adam, constant."""
    weighted: bool = False
    """Weight the discriminator's samples by omega_2. No run of the study uses it; the field stays since
    it is part of the keys of the released runs."""
    features: Features = field(default=(), metadata={"before": ()})
    """Layers of VGG-19 within L_vgg, with their weights; () is the paper's conv5_4 alone."""
    chroma: float = field(default=0.0, metadata={"before": 0.0})
    """Weight of L_chroma within L_gan."""

    def __post_init__(self) -> None:
        weights, lr = ("pixel", "vgg", "adversarial", "chroma"), self.discriminator_lr
        rules = {
            "scale must be a whole number of at least 1": is_count(self.scale),
            **{f"{w} must be finite and not negative": is_number(getattr(self, w), 0) for w in weights},
            "discriminator_lr must be positive and finite": is_number(lr, 0) and lr > 0,
        }
        check(self, rules)

    @property
    def loss(self) -> AdversarialLoss:
        """The multi-loss of Sec. 4.1.3; its discriminator is not started yet."""
        gan = Adversarial(
            self.pixel,
            self.vgg,
            self.adversarial,
            self.discriminator,
            self.discriminator_lr,
            self.weighted,
            features=self.features,
            chroma=self.chroma,
        )
        return AdversarialLoss({"reconstruction": reconstruction, "gan": gan}, "gan")

    @property
    def teachers(self) -> tuple[str, ...]:
        """See Task.teachers."""
        return ("vgg19",) if self.vgg else ()

    def degrade(self, clean: Tensor) -> Tensor:
        """Downscale images [B, 3, H, W] in [0, 1], whose sides are multiples of the scale."""
        return low_resolution(clean, self.scale)

    def apply(self, patches: Tensor) -> Pair:
        """Patches [B, 3, H, W] without a border of 2 scale pixels, and the same downscaled.

        The kernel of the downscaling extends into the border, so a patch is degraded exactly as within
        its whole image. Sides must be multiples of the scale.
        """
        margin = REACH * self.scale
        small = self.degrade(patches)[..., REACH:-REACH, REACH:-REACH]
        clean = patches[..., margin:-margin, margin:-margin]
        layout = torch.channels_last
        return Pair(clean.contiguous(memory_format=layout), small.contiguous(memory_format=layout))
