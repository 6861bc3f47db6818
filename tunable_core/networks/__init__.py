"""The paper's own backbones, ordinary PyTorch modules that know nothing of tuning."""

from tunable_core.networks.discriminator import Discriminator, DiscriminatorConfig
from tunable_core.networks.resnet import ResNet, ResNetConfig
from tunable_core.networks.style import StyleNet, StyleNetConfig

__all__ = [
    "Discriminator",
    "DiscriminatorConfig",
    "ResNet",
    "ResNetConfig",
    "StyleNet",
    "StyleNetConfig",
]
