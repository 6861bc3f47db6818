"""Errors at the edge of a mask of the dials, for three ways to use two settings in one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from torch import Tensor

from study.images.degradations import seeded_noise
from study.measuring.metrics import kept_fraction
from tunable_core.tunable import Tunable

KERNELS, OUTPUTS, INPUTS = "a dial per pixel", "blended outputs", "blended inputs"
"""The three ways: kernels mixed at every pixel; two whole outputs mixed; or each part cut out of the
photograph, processed alone, and the results joined."""


def ellipse(height: int, width: int, box: Sequence[float]) -> Tensor:
    """A mask [height, width]: 1 inside the ellipse in a box (top, left, bottom, right), else 0."""
    top, left, bottom, right = box
    y = (torch.arange(height) + 0.5 - (top + bottom) / 2) / ((bottom - top) / 2)
    x = (torch.arange(width) + 0.5 - (left + right) / 2) / ((right - left) / 2)
    return (y.square()[:, None] + x.square() <= 1).float()


def feathered(mask: Tensor, pixels: float) -> Tensor:
    """The mask with its edge blurred by a Gaussian of that standard deviation; 0 does not blur."""
    if not pixels:
        return mask
    return torch.from_numpy(ndimage.gaussian_filter(mask.numpy(), pixels, mode="nearest"))


def as_map(mask: Tensor, inside: Sequence[float], outside: Sequence[float]) -> Tensor:
    """The map of dials [1, p, H, W] that mixes two omegas [p] by a mask [H, W]."""
    ends = [torch.tensor(omega)[None, :, None, None] for omega in (outside, inside)]
    return torch.lerp(*ends, mask)


@torch.inference_mode()
def ways(
    network: Tunable, image: Tensor, mask: Tensor, inside: Sequence[float], outside: Sequence[float]
) -> dict[str, Tensor]:
    """The image [3, H, W] with one setting inside a mask [H, W] and one outside, in each of the ways."""
    x = image[None]

    def alone(share: Tensor) -> Tensor:
        """The image with its mean colour everywhere except in one part."""
        colour = (share * x).sum((2, 3), keepdim=True) / share.sum()
        return share * x + (1 - share) * colour

    def put_together(here: Tensor, there: Tensor) -> Tensor:
        return torch.lerp(there, here, mask)[0]

    return {
        KERNELS: network(x, as_map(mask, inside, outside))[0],
        OUTPUTS: put_together(network(x, inside), network(x, outside)),
        INPUTS: put_together(network(alone(mask), inside), network(alone(1 - mask), outside)),
    }


def profile(
    network: Tunable,
    images: Mapping[str, Tensor],
    mask: Tensor,
    inside: Sequence[float],
    outside: Sequence[float],
    *,
    sigma: float,
    feather: float = 0.0,
    reach: int = 24,
) -> pd.DataFrame:
    """Errors near the edge of a mask, by distance from it.

    images: clean, [3, H, W] of the mask's size. Noise of sigma grey levels is added to each. An error is
    the difference from the clean image plus the share of the noise that the network keeps on the whole
    image at the omega of the pixel. Columns: the three ways; index: distance from the sharp mask's edge
    in pixels, positive inside, up to reach; values: root mean square error in grey levels of 255.
    """
    soft, away = feathered(mask, feather), signed_distance(mask)
    squares: dict[str, list[Tensor]] = {}
    for clean in images.values():
        noisy = seeded_noise(clean, sigma)
        with torch.inference_mode():
            ends = [network(noisy[None], omega) for omega in (inside, outside)]
        here, there = (kept_fraction(end, clean[None], noisy[None]) for end in ends)
        target = clean + torch.lerp(there, here, soft) * (noisy - clean)
        for way, output in ways(network, noisy, soft, inside, outside).items():
            squares.setdefault(way, []).append((output - target).square().mean(0))
    steps = [step for step in range(-reach, reach) if (away.floor() == step).any()]
    table = {
        way: [float(255 * torch.stack(found)[:, away.floor() == step].mean().sqrt()) for step in steps]
        for way, found in squares.items()
    }
    return pd.DataFrame(table, index=pd.Index([step + 0.5 for step in steps], name="distance"))


def signed_distance(mask: Tensor) -> Tensor:
    """Distance in pixels of every pixel of a sharp mask [H, W] from its edge; positive inside."""
    inside = mask.numpy() > 0.5
    within, beyond = (ndimage.distance_transform_edt(part) for part in (inside, ~inside))
    return torch.from_numpy(np.where(inside, within - 0.5, 0.5 - beyond)).float()


def fitted(
    network: Tunable,
    image: Tensor,
    target: Tensor,
    inside: Sequence[float],
    outside: Sequence[float],
    *,
    steps: int = 60,
    rate: float = 0.1,
) -> Tensor:
    """Fit a mask [H, W] in [0, 1] so that the output approximates a target, by gradient descent.

    image, target: [3, H, W]. Adam minimises the squared error over the mask, which starts at one half
    everywhere.
    """
    share = torch.full(image.shape[1:], 0.5, requires_grad=True)
    optimizer = torch.optim.Adam([share], lr=rate)
    for _ in range(steps):
        output = network(image[None], as_map(share, inside, outside))[0]
        (share.grad,) = torch.autograd.grad((output - target).square().sum(), [share])
        optimizer.step()
        with torch.no_grad():
            share.clamp_(0, 1)
    return share.detach()
