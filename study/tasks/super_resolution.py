"""Super-resolution between distortion and perception (Sec. 4.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from study.networks import DiscriminatorConfig
from study.tasks.adversarial import Adversarial, Features
from study.tasks.base import Pair, Task
from tunable_core.checks import check, is_count, is_number, is_positive
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import reconstruction
from tunable_core.photo.resampling import REACH, low_resolution


@dataclass(frozen=True)
class SuperResolution(Task):
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
    """Weight the discriminator's samples by omega_2. No run of the study does; the field is part of the
    keys of the released runs."""
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
        return MultiLoss({"reconstruction": reconstruction, "gan": gan}, adversary="gan")

    @property
    def teachers(self) -> tuple[str, ...]:
        """See Task.teachers."""
        return ("vgg19",) if self.vgg else ()

    def degrade(self, clean: Tensor) -> Tensor:
        """Shrink images [B, 3, H, W] in [0, 1], whose sides are multiples of the scale."""
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
