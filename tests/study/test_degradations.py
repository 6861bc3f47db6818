"""Gaussian noise and blur (Eq. 8): their level, their seed, their input."""

import pytest
import scipy.ndimage
import torch

from study.images import degradations
from study.images.degradations import blur_then_noise, gaussian_blur, gaussian_noise
from study.tasks import Denoising


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
    weak, strong = (degradations.seeded_noise(clean, sigma) - clean for sigma in (5.0, 30.0))
    assert weak.shape == clean.shape
    torch.testing.assert_close(6 * weak, strong)


def test_a_training_pair_draws_its_level_from_the_range():
    clean, noisy, _ = Denoising(sigma=(5.0, 30.0)).pair(torch.zeros(400, 3, 16, 16), generator())
    levels = level(noisy, clean)
    assert 4.5 < levels.min() < 6
    assert 28 < levels.max() < 33
    assert levels.mean().item() == pytest.approx(17.5, abs=1.5)


# Blur


@pytest.fixture
def clean():
    """[3, 3, 24, 31] in [0, 1]."""
    return torch.rand(3, 3, 24, 31)


def gaussian(rho):
    """The 21 x 21 kernel by its formula."""
    y, x = torch.meshgrid(*[torch.arange(-10.0, 11, dtype=torch.float64)] * 2, indexing="ij")
    kernel = torch.exp(-(x**2 + y**2) / (2 * rho**2))
    return kernel / kernel.sum()


@pytest.mark.parametrize("rho", [0.3, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blur_is_correlation_with_the_kernel_and_a_replicated_border(clean, rho, dtype, close):
    clean, kernel = clean.to(dtype), gaussian(rho)[None, None].numpy()
    expected = scipy.ndimage.correlate(clean.double().numpy(), kernel, mode="nearest")
    close(gaussian_blur(clean, rho), torch.from_numpy(expected).to(dtype))


def test_blur_equals_that_of_kornia(clean, close):
    filters = pytest.importorskip("kornia.filters", reason="kornia, an oracle only, is not installed")
    rho = torch.tensor([0.5, 2.0, 4.0])
    expected = filters.gaussian_blur2d(clean, (21, 21), rho[:, None].expand(3, 2), "replicate")
    close(gaussian_blur(clean, rho), expected)


def test_blur_of_0_pixels_is_the_image_itself(clean):
    assert torch.equal(gaussian_blur(clean, 0), clean)
    assert torch.equal(gaussian_blur(clean, torch.tensor([0.0, 2.0, 1e-30]))[::2], clean[::2])


def test_each_sample_has_its_own_blur(clean, close):
    rho = torch.tensor([0.0, 1.5, 4.0])
    each = [gaussian_blur(x[None], r.item()) for x, r in zip(clean, rho, strict=True)]
    close(gaussian_blur(clean, rho), torch.cat(each))


def test_blur_spreads_a_point_by_rho_and_keeps_its_light():
    point = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    point[..., 20, 20] = 1
    place = torch.arange(41) - 20
    spread = gaussian_blur(point, 2.0).sum((0, 1, 2))
    assert spread.sum().item() == pytest.approx(1)
    assert (spread * place**2).sum().sqrt().item() == pytest.approx(2, abs=1e-3)


def test_blur_can_be_differentiated_by_image_and_by_rho():
    clean = torch.rand(2, 1, 21, 22, dtype=torch.float64, requires_grad=True)
    rho = torch.tensor([0.8, 2.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(gaussian_blur, (clean, rho), fast_mode=True)
    still = torch.zeros(2, requires_grad=True)
    gaussian_blur(clean.float(), still).sum().backward()
    assert still.grad.isfinite().all()


def test_blur_is_the_same_under_autocast(clean):
    with torch.autocast("cpu", torch.bfloat16):
        under = gaussian_blur(clean, 2.0)
    assert torch.equal(under, gaussian_blur(clean, 2.0))


@pytest.mark.parametrize("rho", [-0.1, float("nan"), float("inf"), [0.0, -5.0, 1.0]])
def test_a_blur_that_is_none_is_refused(clean, rho):
    with pytest.raises(ValueError, match=r"rho must be finite and not negative \(pixels\); got"):
        gaussian_blur(clean, torch.tensor(rho))


def test_a_blur_beyond_training_is_that_of_the_same_kernel(clean, close):
    expected = scipy.ndimage.correlate(clean.numpy(), gaussian(6.0)[None, None].numpy(), mode="nearest")
    close(gaussian_blur(clean, 6.0), torch.from_numpy(expected))


@pytest.mark.parametrize("number", [1, 2, 4])
def test_one_blur_per_sample_is_asked(clean, number):
    with pytest.raises(ValueError, match=rf"rho must be one .*; got \[{number}\] for 3 images"):
        gaussian_blur(clean, torch.ones(number))


@pytest.mark.parametrize("size", [(20, 21), (21, 20)])
def test_a_kernel_larger_than_the_image_is_refused(size):
    with pytest.raises(ValueError, match=rf"blur kernel of 21 x 21 .*; got \[{size[0]}, {size[1]}\]"):
        gaussian_blur(torch.rand(1, 3, *size), 1.0)
    assert gaussian_blur(torch.rand(1, 3, 21, 21), 1.0).shape == (1, 3, 21, 21)


def test_noise_comes_after_the_blur_and_is_not_blurred(clean):
    rho, sigma = torch.tensor([0.0, 1.0, 3.0]), torch.tensor([5.0, 15.0, 30.0])
    noisy = blur_then_noise(clean, rho, sigma, generator())
    assert torch.equal(noisy, gaussian_noise(gaussian_blur(clean, rho), sigma, generator()))
