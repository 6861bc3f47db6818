"""The discriminator of super-resolution, for images of any size (Sec. 4.1.3)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from tunable_core.checks import check, is_count

SLOPE = 0.2
"""Negative slope of the leaky ReLUs."""


class Discriminator(nn.Module):
    """ESRGAN's discriminator with fewer scales, and global pooling before the fully-connected layers.

    Each scale has a 3 x 3 and a 4 x 4 convolution; the second has stride 2 and doubles the channels.
    Batch normalisation follows all but the first; then come the mean over the image, 100 units, one
    logit.
    channels, scales: 64 and 4 in the paper.
    """

    def __init__(self, channels: int = 64, scales: int = 4) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1), nn.LeakyReLU(SLOPE)]
        wide = channels
        for scale in range(scales):
            if scale:
                layers += _normalised(nn.Conv2d(wide, 2 * wide, 3, padding=1, bias=False))
                wide *= 2
            layers += _normalised(nn.Conv2d(wide, wide, 4, stride=2, padding=1, bias=False))
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(nn.Linear(wide, 100), nn.LeakyReLU(SLOPE), nn.Linear(100, 1))
        self.least = 2**scales

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, 3, H, W], RGB in [0, 1], to one logit per image, [B]: high for real images.

        Raises ValueError for anything but RGB images of at least 2^scales pixels a side.
        """
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[-2:]) < self.least:
            raise ValueError(
                f"the discriminator takes [B, 3, H, W] of at least {self.least} x {self.least} pixels; "
                f"got {list(x.shape)} (take larger patches)"
            )
        return self.judge(self.features(x).mean((-2, -1))).squeeze(1)


def _normalised(layer: nn.Conv2d) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(layer.out_channels), nn.LeakyReLU(SLOPE)]


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Size of the discriminator; the defaults are the paper's."""

    channels: int = 64
    """Channels at full resolution."""
    scales: int = 4
    """Number of halvings of the resolution; each but the first doubles the channels."""

    def __post_init__(self) -> None:
        rules = {
            "channels must be a whole number of at least 1": is_count(self.channels),
            "scales must be a whole number of at least 1": is_count(self.scales),
        }
        check(self, rules)

    def build(self) -> Discriminator:
        """A discriminator with fresh weights from torch's random state."""
        return Discriminator(self.channels, self.scales)
