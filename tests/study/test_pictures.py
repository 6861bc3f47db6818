"""A magnified square is computed without the rest of the photograph."""

import pytest
import torch

from study.chapters.pictures import through
from tunable_photo.resnet import ResNetConfig


@pytest.mark.parametrize("square", [(0, 0, 12), (20, 31, 12), (36, 52, 12)])
@torch.no_grad()
def test_a_square_equals_that_of_the_whole_picture(square):
    network, image = ResNetConfig(2, 4).build().eval(), torch.rand(1, 3, 48, 64)
    top, left, side = square
    (found,) = through(lambda x: [network(x)], image, square, margin=8)
    whole = network(image)[..., top : top + side, left : left + side]
    torch.testing.assert_close(found, whole)
    (seen,) = through(lambda x: [x], image, square, margin=0)
    torch.testing.assert_close(seen, image[..., top : top + side, left : left + side])


def test_only_the_square_and_its_margin_are_computed():
    sizes = []
    through(lambda x: [sizes.append(tuple(x.shape)) or x], torch.rand(3, 100, 100), (50, 5, 10), 20)
    assert sizes == [(3, 50, 35)]
