"""Metrics against scikit-image and against their definitions."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tunable_core import metrics
from tunable_core.objectives import noise_target


@pytest.fixture
def pair(patches):
    """Two batches [3, 3, 16, 16] in [0, 1], noise of three levels between them."""
    noise = torch.tensor([0.02, 0.1, 0.3]).view(3, 1, 1, 1) * torch.randn_like(patches)
    return (patches + noise).clamp(0, 1), patches


def each(function, *batches):
    """A function of numpy images, on every image of the batches."""
    values = [function(*(x.double().numpy() for x in images)) for images in zip(*batches, strict=True)]
    return torch.tensor(np.array(values), dtype=torch.float32)


def test_psnr_equals_that_of_scikit_image(pair, close):
    output, target = pair
    by_hand = each(lambda a, b: peak_signal_noise_ratio(b, a, data_range=1), output, target)
    close(metrics.psnr(output, target), by_hand)


def test_psnr_clips_both_images_unless_told_not_to(patches, close):
    output, target = patches + 0.5 * torch.randn_like(patches), patches - 0.2
    clipped = metrics.psnr(output.clamp(0, 1), target.clamp(0, 1))
    close(metrics.psnr(output, target), clipped)
    raw = each(lambda a, b: peak_signal_noise_ratio(b, a, data_range=1), output, target)
    close(metrics.psnr(output, target, clip=False), raw)
    assert (clipped > raw).all()


def test_psnr_of_equal_images_is_infinite(patches):
    assert (metrics.psnr(patches, patches) == float("inf")).all()


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
def test_a_crop_leaves_out_the_border(pair, metric, close):
    output, target = pair
    inside = output[..., 2:-2, 2:-2], target[..., 2:-2, 2:-2]
    close(metric(output, target, crop=2), metric(*inside))
    assert not torch.allclose(metric(*inside), metric(output, target))


def test_ssim_equals_that_of_scikit_image_by_channel(pair, close):
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}

    def by_channel(a, b):
        return np.mean(
            [structural_similarity(*ab, data_range=1, **settings) for ab in zip(a, b, strict=True)]
        )

    close(metrics.ssim(*pair), each(by_channel, *pair))


def test_ssim_of_equal_images_is_1(patches, close):
    close(metrics.ssim(patches, patches), torch.ones(3))


def test_ssim_falls_with_the_noise(pair):
    values = metrics.ssim(*pair)
    assert 1 > values[0] > values[1] > values[2]


def test_the_noisy_input_keeps_all_noise_and_the_clean_image_none(patches, close):
    noisy = patches + 0.1 * torch.randn_like(patches)
    close(metrics.kept_fraction(noisy, patches, noisy), torch.ones(3))
    close(metrics.kept_fraction(patches, patches, noisy), torch.zeros(3))


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_target_that_keeps_a_share_has_that_kept_fraction(patches, share, close):
    noisy = patches + 0.1 * torch.randn_like(patches)
    kept = noise_target(patches, noisy, 1.0, nu=share)
    close(metrics.kept_fraction(kept, patches, noisy), torch.full((3,), share))


def test_kept_fraction_is_blind_to_an_error_unlike_the_noise():
    clean, noise = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    error = torch.ones(8).index_fill(0, torch.arange(4), -1.0).expand(1, 3, 8, 8)
    output = clean + 0.4 * noise + error  # orthogonal to the noise
    assert metrics.kept_fraction(output, clean, clean + noise).item() == pytest.approx(0.4)


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
def test_a_metric_of_a_batch_is_that_of_each_image(pair, metric, close):
    output, target = pair
    for i in range(3):
        close(metric(*pair)[i : i + 1], metric(output[i : i + 1], target[i : i + 1]))


def kept(output, target):
    return metrics.kept_fraction(output, target, target + 0.1)


def kept_degraded(output, target):
    return metrics.kept_fraction(target, target, output + 0.1)


METRICS = [metrics.psnr, metrics.ssim, kept, kept_degraded]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 1, 16, 16), (2, 16, 16, 3)])
def test_what_is_no_batch_of_rgb_images_is_refused(metric, shape):
    images = torch.rand(shape)
    with pytest.raises(ValueError, match=r"must be \[B, 3, H, W\]; got shape"):
        metric(images, images)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", [(1, 3, 16, 16), (3, 3, 16, 15)])
def test_images_of_two_shapes_are_refused(patches, metric, shape):
    with pytest.raises(ValueError, match="images must have one shape"):
        metric(torch.rand(shape), patches)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_nan_and_infinity_are_refused(patches, metric, bad, side):
    images = [patches.clone(), patches.clone()]
    images[side][1, 2, 3, 4] = bad
    with pytest.raises(ValueError, match=r"NaN or infinity|images must be in"):
        metric(*images)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_images_in_0_to_255_are_refused(patches, metric, dtype):
    images = (patches * 255).to(dtype)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]; .* reaches 255 \(divide by 255\?\)"):
        metric(images, images)


def test_ssim_of_a_small_image_is_refused(patches):
    small = patches[..., :10]
    with pytest.raises(ValueError, match=r"at least 11 x 11; got \[16, 10\]"):
        metrics.ssim(small, small)


def test_a_crop_that_leaves_nothing_is_refused(patches):
    with pytest.raises(ValueError, match=r"a crop of 8 leaves nothing of \[16, 16\]"):
        metrics.psnr(patches, patches, crop=8)


def test_kept_fraction_without_noise_is_refused(patches):
    with pytest.raises(ValueError, match="needs a noisy input; degraded equals clean"):
        metrics.kept_fraction(patches, patches, patches)
