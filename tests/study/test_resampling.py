"""Bicubic resampling: agreement with MATLAB's, and with published numbers."""

from __future__ import annotations

import pytest
import torch
from bicubic_pytorch import imresize

from study.images import datasets
from study.images.resampling import cut_to_multiple, downscale, low_resolution
from study.measuring import metrics
from study.measuring.protocols import SuperResolutionSweep
from tunable_photo.resampling import Bicubic, upscale


@pytest.fixture
def image():
    """[2, 3, 24, 36] in [0, 1]: noise, so that every tap of the kernel counts."""
    return torch.rand(2, 3, 24, 36)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_downscaling_is_that_of_the_public_matlab_resampler(image, scale, close):
    close(downscale(image, scale), imresize(image, scale=1 / scale))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_upscaling_is_that_of_the_public_matlab_resampler(image, scale, close):
    close(upscale(image, scale), imresize(image, scale=float(scale)))


def test_an_image_smaller_than_the_kernel_is_mirrored_more_than_once():
    flat = torch.full((1, 3, 4, 8), 0.3)
    torch.testing.assert_close(downscale(flat), torch.full((1, 3, 1, 2), 0.3))
    torch.testing.assert_close(upscale(flat[..., :1, :1]), torch.full((1, 3, 4, 4), 0.3))


def test_the_low_resolution_is_in_whole_grey_levels(image):
    levels = low_resolution(image.round()) * 255
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)
    assert levels.min() >= 0
    assert levels.max() <= 255


def test_the_network_without_weights_is_that_function(image):
    assert torch.equal(Bicubic(2)(image), upscale(image, 2))


def test_a_scale_of_1_changes_nothing(image, close):
    close(downscale(image, 1), image)
    close(upscale(image, 1), image)


@pytest.mark.parametrize(("size", "scale"), [((23, 36), 4), ((24, 34), 4), ((24, 36), 0)])
def test_sides_that_the_scale_does_not_divide_are_refused(size, scale):
    with pytest.raises(ValueError, match=r"multiples of the scale; got \[.*cut_to_multiple"):
        downscale(torch.rand(1, 3, *size), scale)


def test_cutting_drops_what_is_over_at_the_right_and_below(image):
    assert torch.equal(cut_to_multiple(image[..., :23, :35]), image[..., :20, :32])
    with pytest.raises(ValueError, match=r"\[3, 36\] is smaller than the scale 4"):
        cut_to_multiple(image[..., :3, :])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kodak", {"psnr without crop": 25.47, "psnr": 25.90, "psnr_y": 27.23}),
        ("cbsd68", {"psnr without crop": 24.76, "psnr": 24.74, "psnr_y": 26.07}),
    ],
)
def test_bicubic_reaches_the_known_psnr(name, expected):
    """Results of bicubic x4 on the whole sets, measured once with another implementation."""
    if not datasets.available(name):
        pytest.skip(f"{name} is not at hand (set TUNABLE_DATA)")
    what = SuperResolutionSweep(name, perceptual=False, luma=True)
    rows = []
    for case in what.cases():
        output = upscale(case.degraded[None])
        output = (output.clamp(0, 1) * 255).round() / 255
        row = what.row(case, (1.0, 0.0), output)
        row["psnr without crop"] = metrics.psnr(output, case.clean[None])
        rows.append([row[key].item() for key in expected])
    found = torch.tensor(rows).mean(0)
    torch.testing.assert_close(found, torch.tensor(list(expected.values())), rtol=0, atol=0.006)
