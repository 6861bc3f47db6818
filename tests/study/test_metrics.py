"""Metrics against scikit-image, against published values and against their definitions."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from study.images import datasets
from study.images.datasets import MissingData
from study.images.degradations import gaussian_blur
from study.measuring import metrics
from tunable_core.objectives import noise_target

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


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


def test_psnr_clips_both_images_by_default(patches, close):
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


# LPIPS


KERNELS = {
    "0": (64, 3, 11),
    "3": (192, 64, 5),
    "6": (384, 192, 3),
    "8": (256, 384, 3),
    "10": (256, 256, 3),
}
"""Layer of AlexNet: channels out, channels in, side of the kernel."""


def random_alexnet(name):
    """Convolutions of the right shapes, by name."""
    generator = torch.Generator().manual_seed(1)
    found = {}
    for layer, (wide, deep, side) in KERNELS.items():
        weight = torch.randn(wide, deep, side, side, generator=generator)
        found |= {f"{layer}.weight": weight / side / deep**0.5, f"{layer}.bias": torch.zeros(wide)}
    return found


@pytest.fixture(scope="module")
def network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics.weights, "load", random_alexnet)
        return metrics._lpips_network.__wrapped__(torch.device("cpu"))


@pytest.fixture
def alexnet(network, monkeypatch):
    """LPIPS with random convolutions, for properties that do not depend on their values."""
    monkeypatch.setattr(metrics, "_lpips_network", lambda device: network)


@pytest.fixture
def large():
    """Two batches [2, 3, 40, 36] in [0, 1]."""
    return torch.rand(2, 3, 40, 36), torch.rand(2, 3, 40, 36)


@pytest.mark.usefixtures("alexnet")
def test_lpips_is_a_distance_that_is_0_for_equal_images(large, close):
    a, b = large
    assert (metrics.lpips(a, b) > 0).all()
    close(metrics.lpips(a, b), metrics.lpips(b, a))
    close(metrics.lpips(a, a), torch.zeros(2))


@pytest.mark.usefixtures("alexnet")
def test_lpips_of_a_batch_is_that_of_each_image(large, close):
    each = [metrics.lpips(*(x[i : i + 1] for x in large)) for i in range(2)]
    close(metrics.lpips(*large), torch.cat(each))


@pytest.mark.usefixtures("alexnet")
def test_lpips_clips_to_what_can_be_shown(large, close):
    a, b = large[0] * 3 - 1, large[1] * 3 - 1
    close(metrics.lpips(a, b), metrics.lpips(a.clamp(0, 1), b.clamp(0, 1)))


def test_lpips_touches_no_seed_and_builds_its_network_once(large, monkeypatch):
    monkeypatch.setattr(metrics.weights, "load", random_alexnet)
    metrics._lpips_network.cache_clear()
    before = torch.get_rng_state()
    metrics.lpips(*large)
    metrics.lpips(*large)
    assert torch.equal(torch.get_rng_state(), before)
    assert metrics._lpips_network.cache_info().misses == 1
    metrics._lpips_network.cache_clear()


@pytest.mark.usefixtures("alexnet")
def test_lpips_is_the_same_under_autocast_and_after_inference_mode(large):
    with torch.inference_mode():
        expected = metrics.lpips(*large).clone()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(metrics.lpips(*large), expected)
    assert metrics.lpips(large[0].requires_grad_(), large[1]).requires_grad is False


@pytest.mark.usefixtures("alexnet")
def test_lpips_asks_for_what_alexnet_can_pool():
    least = torch.rand(1, 3, 31, 40)
    assert metrics.lpips(least, least).shape == (1,)
    with pytest.raises(ValueError, match=r"lpips needs images of at least 31 x 31; got \[30, 40\]"):
        metrics.lpips(least[..., :30, :], least[..., :30, :])


def test_lpips_gives_the_values_that_its_authors_print(monkeypatch):
    folder = Path(os.environ.get("TUNABLE_DATA") or SHARED)
    monkeypatch.setenv("TUNABLE_DATA", str(folder))
    names = [folder / "lpips_example" / f"ex_{name}.png" for name in ("ref", "p0", "p1")]
    if not all(name.is_file() for name in names) or not datasets.available("alexnet"):
        pytest.skip("the example images of LPIPS or AlexNet are not at hand (set TUNABLE_DATA)")
    metrics._lpips_network.cache_clear()
    reference, *others = (datasets.decode(name)[None] / 255 for name in names)
    found = metrics.lpips(torch.cat([reference, reference]), torch.cat(others))
    torch.testing.assert_close(found, torch.tensor([0.722, 0.138]), rtol=0, atol=5e-4)


# NIQE: see also test_niqe.py


@pytest.mark.parametrize(
    ("metric", "name", "side"),
    [(lambda x: metrics.lpips(x, x), "alexnet", 31), (metrics.niqe, "niqe", 192)],
)
def test_missing_weights_are_named_with_the_way_to_get_them(tmp_path, monkeypatch, metric, name, side):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    metrics._lpips_network.cache_clear()
    metrics._niqe_model.cache_clear()
    with pytest.raises(MissingData, match=rf"'{name}'.*{tmp_path}.*`make data DATASETS={name}`"):
        metric(torch.rand(1, 3, side, side))


@pytest.mark.parametrize("size", [(95, 200), (200, 95)])
def test_niqe_asks_for_whole_blocks(size):
    with pytest.raises(ValueError, match=r"niqe needs images of at least 96 x 96; got \[(95|200), "):
        metrics.niqe(torch.rand(1, 3, *size))


# What all metrics refuse


def kept(output, target):
    return metrics.kept_fraction(output, target, target + 0.1)


def kept_degraded(output, target):
    return metrics.kept_fraction(target, target, output + 0.1)


def niqe(output, target):
    return metrics.niqe(output) + metrics.niqe(target)


TWO = [metrics.psnr, metrics.ssim, metrics.lpips, kept, kept_degraded]
METRICS = [*TWO, niqe]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 1, 16, 16), (2, 16, 16, 3)])
def test_anything_but_a_batch_of_rgb_images_is_refused(metric, shape):
    images = torch.rand(shape)
    with pytest.raises(ValueError, match=r"must be \[B, 3, H, W\]; got shape"):
        metric(images, images)


@pytest.mark.parametrize("metric", TWO)
@pytest.mark.parametrize("shape", [(1, 3, 16, 16), (3, 3, 16, 15)])
def test_images_of_two_shapes_are_refused(patches, metric, shape):
    with pytest.raises(ValueError, match="images must have one shape"):
        metric(torch.rand(shape), patches)


@pytest.mark.parametrize("metric", TWO)
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


def test_niqe_refuses_nan(patches):
    with pytest.raises(ValueError, match="the output holds NaN"):
        metrics.niqe(patches / 0)


@pytest.mark.parametrize("metric", TWO)
@pytest.mark.parametrize("side", [0, 1])
def test_one_image_in_0_to_255_is_refused(patches, metric, side):
    images = [patches, patches]
    images[side] = patches * 255
    with pytest.raises(ValueError, match=r"images must be in \[0, 1\]; the \w+ reaches 255"):
        metric(*images)


# Images in [-1, 1], and strong noise


@pytest.fixture(scope="module")
def photographs():
    """Real photographs, [N, 3, 96, 96] in [0, 1]: of every one the middle and the darkest square."""
    squares = []
    for image in datasets.load("samples-test"):
        image = image.float() / 255
        top, left = ((side - 96) // 2 for side in image.shape[-2:])
        squares.append(image[:, top : top + 96, left : left + 96])
        means = torch.nn.functional.avg_pool2d(image.mean(0, keepdim=True), 96, 8)[0]
        row, column = divmod(means.argmin().item(), means.shape[1])
        squares.append(image[:, 8 * row : 8 * row + 96, 8 * column : 8 * column + 96])
    return torch.stack(squares)


KINDS = {
    "as it is": lambda x: x,
    "dark": lambda x: x**3,
    "night": lambda x: 0.1 * x,
    "bright": lambda x: 1 - 0.7 * (1 - x),
    "black and white": lambda x: (x > 0.5).float(),
    "black": torch.zeros_like,
    "white": torch.ones_like,
    "small": lambda x: x[..., :24, :24],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sigma", [5, 30, 75, 150])
def test_noise_is_measured_however_strong_and_dark_the_image(photographs, kind, sigma):
    clean = KINDS[kind](photographs)
    noisy, other = (clean + sigma / 255 * torch.randn_like(clean) for _ in range(2))
    for target in (clean, noisy):
        assert metrics.psnr(other, target).isfinite().all()
        assert metrics.ssim(other[:2], target[:2]).isfinite().all()
    assert metrics.kept_fraction(other, clean, noisy).isfinite().all()


@pytest.mark.parametrize("kind", ["as it is", "dark", "night", "black", "black and white"])
@pytest.mark.parametrize("sigma", [0, 30])
def test_photographs_in_minus_1_to_1_are_refused(photographs, kind, sigma):
    clean = KINDS[kind](photographs)
    noisy = clean + sigma / 255 * torch.randn_like(clean)
    for a, b in zip(noisy.split(1), clean.split(1), strict=True):
        if b.amin() > 0.4:
            continue  # nothing in it is below 0 in [-1, 1]
        for metric in (metrics.psnr, metrics.ssim, kept):
            with pytest.raises(
                ValueError, match=r"must be in \[0, 1\]; .*from \[-1, 1\]: \(x \+ 1\) / 2"
            ):
                metric(2 * a - 1, 2 * b - 1)


@pytest.mark.parametrize("side", [0, 1])
def test_one_photograph_in_minus_1_to_1_is_refused(photographs, side):
    images = [photographs, photographs]
    images[side] = 2 * photographs - 1
    name = ("output", "target")[side]
    with pytest.raises(ValueError, match=rf"the {name} .*from \[-1, 1\]"):
        metrics.psnr(*images)


def test_a_bright_photograph_in_minus_1_to_1_is_refused_for_its_dark_areas(photographs):
    means = photographs.mean((1, 2, 3))
    bright = KINDS["bright"](photographs[means.argmax()][None])
    assert bright.mean() > 0.6
    with pytest.raises(ValueError, match=r"from \[-1, 1\]"):
        metrics.psnr(2 * bright - 1, 2 * bright - 1)


def test_niqe_alone_refuses_a_photograph_in_minus_1_to_1(photographs):
    with pytest.raises(ValueError, match=r"the output lies in \[-1, 1\]"):
        metrics.niqe(2 * photographs - 1)


@pytest.mark.parametrize("value", [-3.0, -0.9, -0.3, 1.7])
def test_the_output_of_a_network_that_collapsed_is_measured(photographs, value):
    flat = torch.full_like(photographs, value)
    assert metrics.psnr(flat, photographs).isfinite().all()


def test_the_output_of_an_untrained_network_is_measured(photographs):
    for _ in range(20):
        output = torch.nn.Conv2d(3, 3, 3, padding=1)(photographs).detach()
        assert metrics.psnr(output, photographs).isfinite().all()


def test_the_undershoot_of_resampling_is_measured(photographs):
    small = torch.nn.functional.interpolate(KINDS["black and white"](photographs), scale_factor=0.5)
    large = torch.nn.functional.interpolate(small, scale_factor=2.0, mode="bicubic")
    assert large.min() < -0.05
    assert metrics.psnr(large, large.clamp(0, 1)).min() > 20
    assert metrics.psnr(large.clamp(0, 1), large).min() > 20


def test_an_output_that_overshoots_is_measured(patches, close):
    far = torch.where(patches > 0.5, 7.0, -7.0)
    close(metrics.psnr(far, patches), metrics.psnr(far.clamp(0, 1), patches))


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


# Detail


def test_the_clean_image_has_its_own_detail_and_one_of_more_contrast_more(patches, close):
    ones = torch.ones(len(patches))
    close(metrics.detail_gain(patches, patches), ones)
    sharper = patches + 3.0 * (patches - patches.mean((2, 3), keepdim=True))
    close(metrics.detail_gain(sharper, patches), 4 * ones)


def test_a_blurred_image_has_less_detail_and_noise_adds_none():
    clean = torch.rand(2, 3, 64, 64)
    blurred = gaussian_blur(clean, 1.0)
    assert (metrics.detail_gain(blurred, clean) < 0.5).all()
    noisy = clean + 0.1 * torch.randn_like(clean)
    assert metrics.detail_gain(noisy, clean).tolist() == pytest.approx([1, 1], abs=0.02)


def test_detail_of_a_flat_image_is_refused():
    with pytest.raises(ValueError, match="clean is flat"):
        metrics.detail_gain(torch.rand(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.5))
