"""NIQE against published values, and its parts against their formulas."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from study.images import datasets
from study.measuring import metrics, niqe

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def model(monkeypatch):
    """A random model, for properties that do not depend on the published values."""
    at = torch.arange(-3.0, 4, dtype=torch.float64).square()
    window = torch.exp(-(at[:, None] + at) / 2.7)
    covariance = torch.eye(36, dtype=torch.float64)
    model = {
        "mu_pris_param": torch.ones(1, 36, dtype=torch.float64),
        "cov_pris_param": covariance,
        "gaussian_window": window / window.sum(),
    }
    monkeypatch.setattr(metrics, "_niqe_model", lambda: model)


@pytest.fixture
def real(monkeypatch):
    """real(name): the images of that set, or a skip."""
    monkeypatch.setenv("TUNABLE_DATA", os.environ.get("TUNABLE_DATA") or str(SHARED))
    metrics._niqe_model.cache_clear()

    def images(name):
        for needed in (name, "niqe"):
            if not datasets.available(needed):
                pytest.skip(f"{needed} is not at hand (set TUNABLE_DATA)")
        return datasets.load(name)

    return images


# MATLAB's own value for the baboon, as BasicSR states it; BasicSR 1.4.2's for the others. Where an image
# has flat parts (kodim24), rounding makes each implementation differ a little.
@pytest.mark.parametrize(
    ("name", "image", "value", "tolerance"),
    [
        ("set14", "001", 5.72957338, 1e-4),
        ("kodak", "kodim01", 3.37149, 1e-3),
        ("kodak", "kodim13", 2.05681, 1e-3),
        ("kodak", "kodim19", 2.63530, 1e-3),
        ("kodak", "kodim24", 2.27253, 1e-2),
    ],
)
def test_a_photograph_has_its_published_value(real, name, image, value, tolerance):
    assert metrics.niqe(real(name)[image][None] / 255).item() == pytest.approx(value, abs=tolerance)


def test_blur_and_noise_are_less_natural(real):
    from study.images.degradations import gaussian_blur, seeded_noise

    clean = real("kodak")["kodim13"][None, :, :384, :384] / 255
    images = torch.cat([clean, gaussian_blur(clean, 2.0), seeded_noise(clean[0], 15.0)[None]])
    natural, blurred, noisy = metrics.niqe(images)
    assert blurred > natural + 1
    assert noisy > natural + 1


@pytest.mark.usefixtures("model")
def test_niqe_of_a_batch_is_that_of_each_image(close):
    images = torch.rand(2, 3, 96, 200) * torch.tensor([1.0, 0.3]).view(2, 1, 1, 1)
    found = metrics.niqe(images)
    close(found, torch.cat([metrics.niqe(images[:1]), metrics.niqe(images[1:])]))
    assert found[0] != found[1]


@pytest.mark.usefixtures("model")
def test_what_is_beyond_the_last_whole_block_does_not_count():
    images = torch.rand(1, 3, 130, 200)
    assert torch.equal(metrics.niqe(images), metrics.niqe(images[..., :96, :192]))


@pytest.mark.usefixtures("model")
def test_grey_levels_are_whole_and_clipped():
    images = torch.rand(1, 3, 96, 192)
    nearly = (images + torch.where(images > 0.5, 1.0, -1.0)).mul(3)
    assert torch.equal(metrics.niqe(nearly), metrics.niqe(nearly.clamp(0, 1)))
    grey = (torch.randint(2, 254, (1, 1, 96, 192)) - 16.0).clamp(0, 219).expand(1, 3, -1, -1) / 219
    assert torch.equal(metrics.niqe(grey), metrics.niqe((grey + 0.4 / 219).clamp(0, 1)))


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("width", "number"), [(96, 1), (191, 1), (288, 0)])
def test_fewer_than_two_blocks_with_texture_are_refused(width, number):
    images = torch.rand(1, 3, 96, width) if number else torch.full((1, 3, 96, width), 0.5)
    with pytest.raises(ValueError, match=rf"two blocks of 96 x 96 .*; got {number} of {width // 96} in"):
        metrics.niqe(images)


@pytest.mark.usefixtures("model")
def test_a_flat_block_is_left_out_of_the_covariance():
    images = torch.rand(1, 3, 96, 384)
    images[..., 192:288] = 0.5
    assert metrics.niqe(images).isfinite().all()


def imresize(row):
    """A row at half size by MATLAB's definition: mirrored, Keys' cubic with a = -0.5, stretched by 2."""

    def cubic(t):
        t = abs(t)
        near, far = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
        return near if t <= 1 else far if t <= 2 else 0.0

    mirrored = np.concatenate([row[::-1], row, row[::-1]])
    half = []
    for i in range(len(row) // 2):
        centre = 2 * i + 0.5
        at = np.arange(2 * i - 6, 2 * i + 8)
        taps = np.array([cubic((k - centre) / 2) for k in at])
        half.append((taps * mirrored[at + len(row)]).sum() / taps.sum())
    return np.array(half)


def test_half_size_is_that_of_matlab(close):
    y = torch.rand(10, 12, dtype=torch.float64)
    expected = np.apply_along_axis(imresize, 0, np.apply_along_axis(imresize, 1, y.numpy()))
    close(niqe.half_size(y[None, None])[0, 0], torch.from_numpy(expected))


@pytest.mark.parametrize(("power", "scale"), [(1.0, 0.7), (2.0, 1.3), (4.0, 0.5)])
def test_a_fit_finds_the_density_that_was_drawn(power, scale):
    """|x / scale|^power is Gamma(1 / power); the left side is drawn twice as wide, and as often."""
    gamma = torch.distributions.Gamma(torch.tensor(1 / power, dtype=torch.float64), 1.0)
    size = gamma.sample((300, 1000)) ** (1 / power) * scale
    left = torch.rand(300, 1000) < 2 / 3
    shape, low, high, mean = niqe.asymmetric_gaussian(torch.where(left, -2 * size, size)[None])
    assert shape.item() == pytest.approx(power, rel=0.02)
    assert low.item() == pytest.approx(2 * scale, rel=0.02)
    assert high.item() == pytest.approx(scale, rel=0.02)
    assert mean.item() == pytest.approx(torch.where(left, -2 * size, size).mean().item(), rel=0.02)


def test_a_flat_window_is_exactly_0():
    window = torch.rand(7, 7, dtype=torch.float64)
    y = torch.full((1, 1, 20, 30), 201.0, dtype=torch.float64)
    y[..., 20:] = 64
    normal = niqe.normalised(y, window / window.sum())
    assert (normal[..., :17] == 0).all()
    assert (normal[..., 17:23] != 0).all()
