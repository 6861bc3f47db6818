"""Gaussian noise (Eq. 8): its level, its seed, its input."""

import pytest
import torch

from tunable_core import degradations
from tunable_core.degradations import gaussian_noise
from tunable_core.tasks import Denoising


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def level(noisy, clean):
    """Standard deviation of the noise of each sample, grey levels of 255."""
    return 255 * (noisy - clean).flatten(1).std(1)


@pytest.mark.parametrize("sigma", [5.0, 30.0])
def test_noise_has_its_level_and_no_mean(sigma):
    clean = torch.rand(2, 3, 128, 128)
    noisy = gaussian_noise(clean, sigma, generator())
    torch.testing.assert_close(level(noisy, clean), torch.full((2,), sigma), rtol=0.02, atol=0)
    assert 255 * (noisy - clean).mean().abs() < 0.02 * sigma


def test_each_sample_has_its_own_level():
    clean, sigma = torch.rand(3, 3, 128, 128), torch.tensor([5.0, 15.0, 30.0])
    noisy = gaussian_noise(clean, sigma, generator())
    torch.testing.assert_close(level(noisy, clean), sigma, rtol=0.02, atol=0)


def test_a_level_per_sample_equals_one_level_where_they_agree(patches):
    together = gaussian_noise(patches, torch.tensor([15.0, 15.0, 15.0]), generator())
    assert torch.equal(together, gaussian_noise(patches, 15, generator()))


def test_noise_follows_its_generator_alone(patches):
    first = gaussian_noise(patches, 15, generator(1))
    torch.manual_seed(9)
    assert torch.equal(first, gaussian_noise(patches, 15, generator(1)))
    assert not torch.equal(first, gaussian_noise(patches, 15, generator(2)))


def test_noise_is_neither_clipped_nor_rounded(patches):
    noisy = gaussian_noise(patches, 50, generator())
    assert noisy.min() < 0
    assert noisy.max() > 1
    assert not torch.equal(noisy * 255, (noisy * 255).round())


def test_no_noise_is_the_image_itself(patches):
    assert torch.equal(gaussian_noise(patches, 0, generator()), patches)


@pytest.mark.parametrize("sigma", [-1.0, float("nan"), float("inf"), [5.0, -1.0, 5.0]])
def test_a_level_that_is_none_is_refused(patches, sigma):
    with pytest.raises(ValueError, match="sigma must be finite and not negative"):
        gaussian_noise(patches, torch.tensor(sigma), generator())


@pytest.mark.parametrize("number", [1, 2])
def test_one_level_per_sample_is_asked(patches, number):
    clean = patches[: 3 - number]
    with pytest.raises(ValueError, match="sigma"):
        gaussian_noise(clean, torch.full((3,), 5.0), generator())


def test_test_images_get_the_same_noise_scaled_by_the_level(patches):
    clean = patches[0]
    weak, strong = (degradations.test_noise(clean, sigma) - clean for sigma in (5.0, 30.0))
    assert weak.shape == clean.shape
    torch.testing.assert_close(6 * weak, strong)


def test_a_training_pair_draws_its_level_from_the_range():
    clean, noisy = Denoising(sigma=(5.0, 30.0)).pair(torch.zeros(400, 3, 16, 16), generator())
    levels = level(noisy, clean)
    assert 4.5 < levels.min() < 6
    assert 28 < levels.max() < 33
    assert levels.mean().item() == pytest.approx(17.5, abs=1.5)
