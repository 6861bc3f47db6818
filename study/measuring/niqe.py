"""NIQE: distance of an image's statistics from those of pristine photographs (Mittal et al. 2013).

Y of BT.601 (16 to 235), rounded to whole grey levels, cropped at right and bottom to whole blocks of
96 x 96. At full and at half size the image is normalised by local mean and deviation (7 x 7 window,
borders replicated), and each block gives 18 features: the shapes of two-sided generalised Gaussians
fitted to the coefficients and to their products with four neighbours (wrapped around the block).
The index is the distance between Gaussians of these 36 features, here and in the published model.

Half size is MATLAB's imresize(y, 0.5): Keys' cubic with a = -0.5, stretched by 2 against aliasing,
so it has 8 taps; borders mirrored with the edge repeated. Nothing is rounded between the two sizes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from study.images.artifacts import LUMA

BLOCK = 96
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


def distance(images: Tensor, model: Mapping[str, Tensor]) -> Tensor:
    """NIQE of each image in float64, 0 or more, lower is more natural: [B].

    images: [B, 3, H, W], RGB, clipped to [0, 1], sides of 96 or more; model: weights.load("niqe").
    Raises ValueError for an image with fewer than two blocks that have any texture.
    """
    model = {key: value.to(images.device) for key, value in model.items()}
    weights = torch.tensor(LUMA, dtype=torch.float64, device=images.device)
    y = 16 + torch.einsum("bchw,c->bhw", images.double().clamp(0, 1), weights)[:, None]
    rows, columns = images.shape[-2] // BLOCK, images.shape[-1] // BLOCK
    y = y[..., : rows * BLOCK, : columns * BLOCK].round()
    scales = []
    for plane in (y, half_size(y)):
        normal = normalised(plane, model["gaussian_window"])
        blocks = normal.unflatten(-2, (rows, -1)).unflatten(-1, (columns, -1))  # [B, 1, R, h, C, w]
        scales.append(features(blocks.transpose(-3, -2).flatten(1, 3)))
    return _mahalanobis(torch.cat(scales, -1), model["mu_pris_param"], model["cov_pris_param"])


def half_size(y: Tensor) -> Tensor:
    """[B, 1, H, W] to [B, 1, H / 2, W / 2] for even sides, as MATLAB's imresize(y, 0.5)."""
    t = (torch.arange(8, dtype=y.dtype, device=y.device) - 3.5).abs() / 2
    taps = torch.where(t <= 1, (1.5 * t - 2.5) * t * t + 1, ((2.5 - 0.5 * t) * t - 4) * t + 2)
    taps = taps / taps.sum()
    y = torch.cat([y[..., :3].flip(-1), y, y[..., -3:].flip(-1)], -1)
    y = torch.cat([y[..., :3, :].flip(-2), y, y[..., -3:, :].flip(-2)], -2)
    y = F.conv2d(y, taps.view(1, 1, 1, 8), stride=(1, 2))
    return F.conv2d(y, taps.view(1, 1, 8, 1), stride=(2, 1))


def normalised(y: Tensor, window: Tensor) -> Tensor:
    """(y - mean) / (deviation + 1) with local moments under the window: [B, 1, H, W].

    Exactly 0 where the window is flat: the fits count signs, and rounding would make them random.
    """
    padded = F.pad(y, (window.shape[0] // 2,) * 4, mode="replicate")
    down, across = window.sum(1), window.sum(0)  # the window is their product
    both = F.conv2d(torch.cat([padded, padded.square()]), down[None, None, :, None])
    mean, square = F.conv2d(both, across[None, None, None]).chunk(2)
    gap = y - mean
    return gap.where(gap.abs() > 1e-9, 0) / ((square - mean.square()).abs().sqrt() + 1)


def features(blocks: Tensor) -> Tensor:
    """The 18 features of each block [B, N, h, w]: [B, N, 18]; some are NaN where a block is flat."""
    shape, left, right, _ = asymmetric_gaussian(blocks)
    found = [shape, (left + right) / 2]
    for shift in NEIGHBOURS:
        product = blocks * blocks.roll(shift, (-2, -1))
        shape, left, right, mean = asymmetric_gaussian(product)
        found += [shape, mean, left, right]
    return torch.stack(found, -1)


def asymmetric_gaussian(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Shape, left and right scale, and mean of the density fitted by moments to each [..., h, w].

    The shape is the nearest of 0.2, 0.201, ..., 10; where moments are 0 / 0 it is 0.2, as published.
    """
    x = x.flatten(-2)
    square = x.square()
    left = (square * (x < 0)).sum(-1).div((x < 0).sum(-1)).sqrt()
    right = (square * (x > 0)).sum(-1).div((x > 0).sum(-1)).sqrt()
    lean = left / right
    ratio = x.abs().mean(-1).square() / square.mean(-1)
    ratio = ratio * (lean**3 + 1) * (lean + 1) / (lean**2 + 1).square()

    grid = torch.arange(200, 10001, dtype=x.dtype, device=x.device) / 1000
    expected = _gamma(2 / grid).square() / (_gamma(1 / grid) * _gamma(3 / grid))  # grows with grid
    between = (expected[1:] + expected[:-1]) / 2
    shape = grid[torch.bucketize(ratio.nan_to_num(0), between)]
    scale = (_gamma(1 / shape) / _gamma(3 / shape)).sqrt()
    left, right = left * scale, right * scale
    return shape, left, right, (right - left) * _gamma(2 / shape) / _gamma(1 / shape)


def _gamma(x: Tensor) -> Tensor:
    return torch.lgamma(x).exp()


def _mahalanobis(found: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Distance of the features [B, N, 36] from the model: [B].

    Means ignore NaN; covariances are over the blocks without any NaN, as published.
    """
    whole = found.isfinite().all(-1, keepdim=True)  # [B, N, 1]
    number = whole.sum(1, keepdim=True)
    if (number < 2).any():
        raise ValueError(
            f"niqe needs two blocks of {BLOCK} x {BLOCK} that are not flat; got {number.min().item()} "
            f"of {found.shape[1]} in image {number.argmin().item()} (larger crops have more blocks)"
        )
    kept = found.where(whole, 0)
    centred = (kept - kept.sum(1, keepdim=True) / number).where(whole, 0)
    spread = centred.mT @ centred / (number - 1)
    gap = (mean - found.nanmean(1))[:, None]  # [B, 1, 36]
    return (gap @ torch.linalg.pinv((covariance + spread) / 2) @ gap.mT).sqrt().flatten()
