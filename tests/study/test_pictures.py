"""A magnified square is computed without the rest of the photograph."""

import pytest
import torch

from study.chapters.pictures import through
from tunable_photo.resnet import ResNetConfig


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("square", [(0, 0, 12), (27, 31, 12), (36, 52, 12)])
@torch.no_grad()
def test_a_square_equals_that_of_the_whole_picture(square, stride):
    network, image = ResNetConfig(2, 4, stride=stride).build().eval(), torch.rand(1, 3, 48, 64)
    top, left, side = square
    (found,) = through(lambda x: [network(x)], image, square, margin=16)
    whole = network(image)[..., top : top + side, left : left + side]
    torch.testing.assert_close(found, whole)


def test_only_the_square_and_its_margin_are_computed():
    sizes = []
    through(lambda x: [sizes.append(tuple(x.shape)) or x], torch.rand(3, 100, 100), (50, 5, 10), 20)
    assert sizes == [(3, 52, 35)]
