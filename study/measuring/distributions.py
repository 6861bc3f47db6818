"""Perceptual quality as a distance between the distributions of patches of output and clean image.

Blau and Michaeli (2018) define perceptual quality as the distance between the distributions of restored
and of clean images. LPIPS compares each image with its own clean image, so it is a distortion as well.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from study.images.artifacts import luma
from study.measuring import metrics

SIDE = 8
"""Side of a patch, pixels."""
STEP = 2
"""Pixels between two patches."""


def patch_distance(output: Tensor, clean: Tensor) -> Tensor:
    """Distance of an image's patches from the clean image's, in grey levels of 255 per pixel: [B].

    The Wasserstein-2 distance of two Gaussians with the means and covariances of all luma patches of
    8 x 8 pixels (Bures), divided by 8, the side of a patch. It is a lower bound of the Wasserstein
    distance of the patches themselves, and 0 for equal statistics. output, clean: [B, 3, H, W] in
    [0, 1], clipped. Raises ValueError as the metrics do, and for images smaller than a patch.
    """
    output, clean = metrics.checked("patch_distance", least=SIDE, output=output, clean=clean)
    pairs = zip(_statistics(output), _statistics(clean), strict=True)
    return torch.stack([_bures(a, b) for a, b in pairs]).float() / SIDE


def luma_error(output: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error of the luma in squared grey levels of 255: [B]; the distortion to pair with
    patch_distance."""
    output, clean = metrics.checked("luma_error", output=output, clean=clean)
    return 255**2 * (_grey(output) - _grey(clean)).square().flatten(1).mean(1).float()


def optimal_error(distance: pd.Series, error: float, reach: float) -> pd.Series:
    """The smallest possible squared error at each distance, given the estimator of least error.

    Freirich, Michaeli and Meir (2021), Eq. 4: D(P) = D* + max(P* - P, 0)^2 for squared error D and
    Wasserstein-2 distance P. error: D*, and reach: P*, of the estimator of least error. The optimal
    estimators interpolate in pixels between it and the optimal estimator with P = 0.
    """
    return error + (reach - distance).clip(lower=0) ** 2


def beyond_optimal(curve: pd.DataFrame) -> pd.Series:
    """Excess of the squared error of each row of a dial over the optimal curve, in squared grey levels.

    curve: rows with columns luma_error and patch_distance; the row of least error gives D* and P*.
    """
    best = curve.loc[curve["luma_error"].idxmin()]
    least = optimal_error(curve["patch_distance"], best["luma_error"], best["patch_distance"])
    return curve["luma_error"] - least


def _grey(images: Tensor) -> Tensor:
    return luma(images.clamp(0, 1).double())[:, :1]


def _statistics(images: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Mean [64] and covariance [64, 64] of each image's patches, grey levels of 255."""
    patches = F.unfold(255 * _grey(images), SIDE, stride=STEP)  # [B, 64, N]
    return [(one.mean(1), torch.cov(one, correction=0)) for one in patches]


def _bures(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> Tensor:
    root = _root(a[1])
    cross = _root(root @ b[1] @ root)
    squared = (a[0] - b[0]).square().sum() + (a[1] + b[1] - 2 * cross).trace()
    return squared.clamp(min=0).sqrt()


def _root(matrix: Tensor) -> Tensor:
    """The square root of a symmetric positive matrix [n, n]."""
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
