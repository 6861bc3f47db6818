"""The distance of patch statistics, and the least error at each distance."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import linalg
from torch.nn import functional as F

from study.images.artifacts import luma
from study.measuring.distributions import beyond_optimal, luma_error, optimal_error, patch_distance
from study.measuring.protocols import SuperResolutionSweep


@pytest.fixture
def clean():
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(2, 3, 40, 48, generator=generator)
    return F.avg_pool2d(F.pad(noise, (1,) * 4, mode="reflect"), 3, 1)


def test_equal_images_have_no_distance_and_no_error(clean):
    assert patch_distance(clean, clean).numpy() == pytest.approx([0, 0], abs=0.05)
    assert luma_error(clean, clean).tolist() == [0, 0]


def test_a_shift_of_the_grey_level_moves_every_patch_by_it(clean):
    inside = 0.2 + 0.5 * clean
    moved = inside + 10 / 255
    levels = 255 * (luma(moved) - luma(inside))[0, 0, 0, 0].item()
    assert patch_distance(moved, inside).numpy() == pytest.approx([levels] * 2, rel=1e-3)
    assert luma_error(moved, inside).numpy() == pytest.approx([levels**2] * 2, rel=1e-3)


def test_it_is_scipy_s_distance_of_two_gaussians(clean):
    output = 0.7 * clean + 0.1
    means, roots, covariances = [], [], []
    for image in (output, clean):
        patches = F.unfold(255 * luma(image[:1].double())[:, :1], 8, stride=2)[0].numpy()
        means.append(patches.mean(1))
        covariances.append(np.cov(patches, bias=True))
        roots.append(linalg.sqrtm(covariances[-1]).real)
    cross = linalg.sqrtm(roots[0] @ covariances[1] @ roots[0]).real
    squared = ((means[0] - means[1]) ** 2).sum() + np.trace(sum(covariances) - 2 * cross)
    assert patch_distance(output, clean)[0].item() == pytest.approx(np.sqrt(squared) / 8, rel=1e-4)


def test_other_noise_of_the_same_kind_is_near_and_blur_is_far(clean):
    generator = torch.Generator().manual_seed(1)
    grain = [clean + 0.1 * torch.randn(clean.shape, generator=generator) for _ in range(2)]
    blurred = F.avg_pool2d(F.pad(clean, (2,) * 4, mode="reflect"), 5, 1)
    assert (luma_error(grain[0], grain[1]) > luma_error(blurred, clean)).all()
    assert (patch_distance(grain[0], grain[1]) < patch_distance(blurred, clean)).all()


def test_images_smaller_than_a_patch_are_refused():
    small = torch.rand(1, 3, 6, 20)
    with pytest.raises(ValueError, match="patch_distance needs images of at least 8 x 8"):
        patch_distance(small, small)


def test_the_optimal_curve_is_that_of_gaussians_in_closed_form():
    """x = N(0, 1) seen through noise of variance v: x* = y / (1 + v) has error v / (1 + v)."""
    v = 3.0
    error, reach = v / (1 + v), 1 - (1 / (1 + v)) ** 0.5  # deviations 1 and sqrt(1 / (1 + v))
    for share in (0.0, 0.3, 1.0):  # of the straight line from x* to a x*, whose variance is 1
        gain = (1 - share) + share * (1 + v) ** 0.5
        distance = abs(1 - gain * (1 / (1 + v)) ** 0.5)
        mixed = 1 - 2 * gain / (1 + v) + gain**2 / (1 + v)  # E (x - gain x*)^2
        assert optimal_error(pd.Series([distance]), error, reach)[0] == pytest.approx(mixed)


def test_beyond_optimal_is_zero_on_the_curve_and_positive_above():
    curve = pd.DataFrame({"patch_distance": [4.0, 2.0, 0.0], "luma_error": [100.0, 104.0, 120.0]})
    assert beyond_optimal(curve).tolist() == [0.0, 0.0, 4.0]


def test_a_sweep_of_super_resolution_measures_them():
    what = SuperResolutionSweep("samples-test", every=3, crop=96, perceptual=False, statistics=True)
    case = next(what.cases())
    enlarged = F.interpolate(case.degraded[None], scale_factor=4, mode="bicubic")
    row = what.row(case, (1.0, 0.0), enlarged)
    assert all(row[name] > 0 for name in ("patch_distance", "luma_error", "grid_peak"))
    assert "statistics" not in SuperResolutionSweep("kodak").settings()
