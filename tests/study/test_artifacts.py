"""Grids, checkerboards, and colours that flicker at borders."""

from __future__ import annotations

import pytest
import torch

from study.images import datasets
from study.images.artifacts import (
    border_flicker,
    checkerboard,
    colours,
    fine_colours,
    grey_pattern,
    grid_peak,
)
from tunable_photo.resnet import ResNetConfig


@pytest.fixture(scope="module")
def photograph():
    """A clean square, [1, 3, 256, 256]."""
    return datasets.load("samples-test")["astronaut"][None, :, 128:384, 128:384].float() / 255


def pattern(period, strength, side=256):
    """Waves of that period on both axes, [1, 3, side, side]."""
    wave = torch.cos(2 * torch.pi * torch.arange(side) / period)
    return strength * (wave[:, None] * wave).expand(1, 3, -1, -1)


def test_clean_photographs_and_noise_have_no_grid(photograph):
    assert grid_peak(photograph).item() < 3
    assert grid_peak(torch.rand(4, 3, 256, 256)).max() < 2.5


@pytest.mark.parametrize("period", [2, 4])
def test_a_faint_grid_of_a_shuffle_s_period_is_found(photograph, period):
    assert grid_peak(photograph + pattern(period, period / 255)).item() > 10


def test_a_pattern_of_another_period_is_no_grid_of_two_shuffles(photograph):
    weave = photograph + pattern(16 / 3, 5 / 255)
    assert grid_peak(weave).item() < 3
    assert grid_peak(weave, period=16).item() > 2 * grid_peak(photograph, period=16).item()


def test_the_grid_of_shuffled_noise_is_found_and_smoothing_ends_it():
    noise = torch.randn(1, 12, 128, 128, generator=torch.Generator().manual_seed(0))
    gains = torch.tensor([1.0, 0.7, 1.3, 1.0]).repeat(3).view(1, 12, 1, 1)
    shuffled = torch.nn.functional.pixel_shuffle(0.05 * noise + 0.1 * gains, 2)
    assert grid_peak(shuffled).item() > 10
    assert grid_peak(torch.nn.functional.avg_pool2d(shuffled, 2, 1)).item() < 10


def test_the_grid_peak_ignores_brightness_and_contrast(photograph):
    gridded = photograph + pattern(4, 4 / 255)
    torch.testing.assert_close(grid_peak(0.5 * gridded + 0.2), grid_peak(gridded), rtol=1e-3, atol=0)


@pytest.mark.parametrize("shape", [(1, 3, 63, 80), (3, 80, 80), (1, 1, 80, 80)])
def test_images_too_small_for_a_window_are_refused(shape):
    with pytest.raises(ValueError, match=r"at least 64 x 64 pixels; got \["):
        grid_peak(torch.rand(shape))


@pytest.mark.parametrize("period", [0, 1, 5, 128])
def test_a_period_that_no_frequency_of_a_window_has_is_refused(period):
    with pytest.raises(ValueError, match=f"period must divide 64 .*; got {period}"):
        grid_peak(torch.rand(1, 3, 64, 64), period)


@pytest.mark.parametrize("enlargement", ["balanced", "mean", "nearest"])
def test_a_network_that_smooths_its_shuffles_draws_nothing_on_grey(enlargement):
    torch.manual_seed(0)
    smooth = ResNetConfig(1, 8, scale=4, enlargement=enlargement).build()
    shuffling = ResNetConfig(1, 8, scale=4).build()
    for network in (smooth, shuffling):
        torch.nn.init.normal_(network.tail.weight)
    assert grey_pattern(smooth) < 0.001
    assert grey_pattern(shuffling) > 1


def test_a_checkerboard_is_one_and_stripes_are_none():
    board = (torch.arange(16)[:, None] + torch.arange(20)).remainder(2).float()
    assert checkerboard(board.expand(3, -1, -1)) == pytest.approx(1)
    stripes = torch.arange(20).remainder(2).float().expand(3, 16, -1)
    assert checkerboard(stripes) == pytest.approx(0)
    assert checkerboard(torch.full((3, 16, 20), 0.4)) == pytest.approx(0)


def test_white_noise_is_a_third_checkerboard_and_does_not_flicker_at_its_border():
    noise = torch.randn(3, 256, 256)
    assert checkerboard(noise) == pytest.approx(1 / 3, abs=0.02)
    assert border_flicker(noise) == pytest.approx(1, abs=0.05)


def test_colours_that_vary_at_the_border_alone_are_found_and_grey_ones_are_not():
    image = torch.rand(3, 64, 64) * 0.01 + 0.5
    grey, coloured = image.clone(), image.clone()
    noise = torch.randn(3, 4, 64)
    grey[:, :4] += noise[:1]
    coloured[:, :4] += noise
    assert border_flicker(coloured) > 10
    assert border_flicker(grey) == pytest.approx(border_flicker(image), rel=0.1)


def test_an_image_that_is_all_border_is_refused():
    with pytest.raises(ValueError, match=r"a border of 8 covers the whole image of \[16, 40\] pixels"):
        border_flicker(torch.rand(3, 16, 40))


def test_grey_images_have_no_colours_and_an_even_colour_no_fine_ones():
    grey = torch.rand(2, 1, 16, 16).expand(-1, 3, -1, -1)
    assert colours(grey).abs().max() < 1e-6
    even = torch.tensor([0.9, 0.1, 0.2])[None, :, None, None].expand(1, 3, 16, 16)
    assert colours(even).abs().max() > 0.4
    assert fine_colours(torch.cat([grey, even])).max() < 1e-3


def test_a_coloured_fringe_along_an_edge_is_found_where_a_grey_edge_is_not(photograph):
    x = photograph
    edge = torch.zeros_like(x)
    edge[..., ::8] = 0.1
    fringed = torch.cat([x[:, :1] + edge[:, :1], x[:, 1:2], x[:, 2:] - edge[:, 2:]], 1)
    assert fine_colours(x + edge) == pytest.approx(fine_colours(x), abs=1e-3)
    assert fine_colours(fringed) > 1.5 * fine_colours(x)
