"""The noise of a photograph is estimated from the photograph alone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tunable_photo.noise import noise_level

PHOTOS = Path(__file__).resolve().parents[2] / "data/photos"


def photo(name, mode="RGB"):
    with Image.open(PHOTOS / f"{name}.png") as opened:
        return np.asarray(opened.convert(mode)) / 255


def noisy(clean, sigma, channels=3):
    shape = (*clean.shape[:2], channels)
    noise = np.random.default_rng(0).normal(0, sigma / 255, shape)
    return np.clip(clean.reshape(*clean.shape[:2], -1) + noise, 0, 1)


@pytest.mark.parametrize("sigma", [5, 15, 30, 60])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_level_of_flat_noise_is_found(sigma, channels):
    found = noise_level(noisy(np.full((256, 256), 0.5), sigma, channels))
    assert found == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("sigma", [10, 20, 40])
def test_the_level_in_photographs_is_found(sigma):
    for picture in (photo("kodim04"), photo("kodim15", "L"), photo("kodim23")):
        found = noise_level(noisy(picture, sigma))
        assert found == pytest.approx(sigma, rel=0.35)


def test_a_clean_photograph_has_little():
    assert noise_level(photo("kodim15")) < 5


def test_white_sky_does_not_hide_the_noise_of_the_rest():
    picture = np.full((256, 256), 1.0)
    picture[:, :64] = 0.5
    assert noise_level(noisy(picture, 20)) == pytest.approx(20, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 9, 1), (5, 5, 3), (5, 200), (17, 40, 3)])
def test_small_photographs_have_a_level_too(shape):
    assert 0 <= noise_level(np.random.default_rng(0).random(shape)) < 255
