"""The paper's own backbones, ordinary PyTorch modules that know nothing of tuning."""

from study.networks.discriminator import Discriminator, DiscriminatorConfig
from study.networks.style import StyleNet, StyleNetConfig
from tunable_core.resnet import ResNet, ResNetConfig

__all__ = [
    "Discriminator",
    "DiscriminatorConfig",
    "ResNet",
    "ResNetConfig",
    "StyleNet",
    "StyleNetConfig",
]
