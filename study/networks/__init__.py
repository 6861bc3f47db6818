"""The backbones of the paper: ordinary PyTorch modules without any tuning."""

from study.networks.discriminator import Discriminator, DiscriminatorConfig
from study.networks.style import StyleNet, StyleNetConfig
from tunable_photo.resnet import ResNet, ResNetConfig

__all__ = [
    "Discriminator",
    "DiscriminatorConfig",
    "ResNet",
    "ResNetConfig",
    "StyleNet",
    "StyleNetConfig",
]
