"""Measures of style transfer: the error of colours, and the distance from the best objective."""

from __future__ import annotations

import pytest
import torch

from study.measuring.style_measures import chrominance_error, excess, objective, optimised_pixels
from study.tasks import style
from study.tasks.style import StyleLoss

MIDDLE = [0.5, 0.5]


@pytest.fixture
def loss(store):
    """Two embedded photographs as styles, seen as colours: no weights are needed."""
    return StyleLoss([style.style("china", size=64), style.style("flower", size=64)], "pixels")


@pytest.fixture
def photos():
    """[2, 3, 12, 10] in [0, 1]."""
    return torch.rand(2, 3, 12, 10)


def test_the_chrominance_error_is_the_root_mean_square_of_u_and_v(close):
    black, blue = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    blue[:, 2] = 0.5
    u, v = 0.492 * (0.5 - 0.057), 0.877 * (0 - 0.057)
    close(chrominance_error(blue, black), torch.tensor([((u**2 + v**2) / 2) ** 0.5]))


def test_a_change_of_grey_levels_alone_is_no_chrominance_error(photos, close):
    close(chrominance_error(photos + torch.rand(2, 1, 12, 10), photos), torch.zeros(2))


def test_each_image_of_a_batch_has_an_error_of_its_own(photos, close):
    output = torch.cat([photos[:1], photos[1:].flip(1)])
    found = chrominance_error(output, photos)
    assert found[0] == 0
    close(found[1:], chrominance_error(output[1:], photos[1:]))


def test_images_of_two_sizes_are_refused(photos):
    with pytest.raises(ValueError, match=r"the same size; got \[2, 3, 11, 10\] and \[2, 3, 12, 10\]"):
        chrominance_error(photos[:, :, 1:], photos)


def test_the_objective_mixes_those_of_the_styles(loss, photos, close):
    output = torch.rand_like(photos)
    one, two = (objective(loss, output, photos, corner) for corner in torch.eye(2))
    close(objective(loss, output, photos, [0.3, 0.7]), 0.3 * one + 0.7 * two)


def test_optimised_pixels_start_at_the_photograph(loss, photos):
    found = optimised_pixels(loss, photos, MIDDLE, steps=0, progress=False)
    assert torch.equal(found.images, photos)


def test_optimised_pixels_lower_the_objective(loss, photos):
    found = optimised_pixels(loss, photos, MIDDLE, steps=20, progress=False)
    assert (found.objective < 0.9 * objective(loss, photos, photos, MIDDLE)).all()


def test_the_objective_returned_is_that_of_the_images_returned(loss, photos, close):
    found = optimised_pixels(loss, photos, MIDDLE, steps=3, progress=False)
    close(found.objective, objective(loss, found.images, photos, MIDDLE))


def test_optimised_pixels_are_the_same_each_time(loss, photos):
    first, second = (optimised_pixels(loss, photos, MIDDLE, steps=3, progress=False) for _ in range(2))
    assert torch.equal(first.images, second.images)


def test_an_image_is_optimised_as_if_it_were_alone(loss, photos, close):
    omegas = torch.tensor([[1.0, 0.0], [0.2, 0.8]])
    both = optimised_pixels(loss, photos, omegas, steps=5, progress=False)
    for i in range(2):
        alone = optimised_pixels(loss, photos[i : i + 1], omegas[i], steps=5, progress=False)
        close(both.images[i], alone.images[0])
        close(both.objective[i], alone.objective[0])


def test_optimised_pixels_have_no_excess_and_the_photograph_has(loss, photos, close):
    found = optimised_pixels(loss, photos, MIDDLE, steps=20, progress=False)
    close(excess(loss, found.images, photos, MIDDLE, found), torch.ones(2))
    assert (excess(loss, photos, photos, MIDDLE, found) > 1.1).all()
