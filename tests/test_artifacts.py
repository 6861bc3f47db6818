"""Checkerboards, and colours that flicker at borders."""

from __future__ import annotations

import pytest
import torch

from tunable_core.artifacts import border_flicker, checkerboard


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
    with pytest.raises(ValueError, match=r"a border of 8 leaves nothing of \[16, 40\] pixels"):
        border_flicker(torch.rand(3, 16, 40))
