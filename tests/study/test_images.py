"""Controls take images in [0, 1], and refuse anything else."""

import pytest
import torch

from study.controls import TunableControl
from tunable_photo.resnet import ResNetConfig


@pytest.fixture
def control():
    return TunableControl(ResNetConfig(blocks=1, channels=4).build(), 2).eval()


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (torch.rand(3, 8, 8), r"\[B, 3, H, W\]; got torch.float32 \[3, 8, 8\]"),
        (torch.rand(1, 1, 8, 8), r"\[1, 1, 8, 8\]"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "torch.uint8"),
        (255 * torch.ones(1, 3, 8, 8), "reaches 255"),
        (torch.full((1, 3, 8, 8), float("nan")), "reaches nan"),
    ],
)
def test_what_is_no_image_is_refused(control, image, said):
    with pytest.raises(ValueError, match=said):
        control(image, [0.5, 0.5])


def test_noise_beyond_the_range_is_welcome(control):
    assert control(torch.randn(1, 3, 8, 8), [0.5, 0.5]).shape == (1, 3, 8, 8)
