"""Estimate the noise level of a photograph from the photograph alone."""

from __future__ import annotations

import numpy as np

BLOCK = 16
"""Side of the squares whose noise is estimated separately, in pixels."""
SEEN = 1024
"""Side of the central part of a photograph that is used, in pixels."""
FLATTEST = 0.25
"""The share of the squares that are assumed to have little texture."""
CLIPPED = (0.02, 0.98)
"""Pixels outside this range may be clipped; squares with more than MANY of them are left out."""
MANY = 0.05


def noise_level(pixels: np.ndarray, full: float = 1) -> float:
    """Standard deviation of the noise, in grey levels of 255: a little low, higher in fine texture.

    pixels: [H, W, C] or [H, W], in [0, full], without alpha. Second differences along both axes, with
    weights 1 -2 1, remove the image and leave 36 times the variance of white noise (Immerkaer 1996,
    "Fast noise variance estimation"). The estimate is the lower quartile over squares of BLOCK pixels,
    then the median over channels. It is too low for noise that is correlated between pixels, as in a
    JPEG. Returns 0 for a photograph of fewer than 3 x 3 pixels.
    """
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    top, left = (max(0, (side - SEEN) // 2) for side in pixels.shape[:2])
    x = pixels[top : top + SEEN, left : left + SEEN].astype(np.float32) / full
    if min(x.shape[:2]) < 3:
        return 0.0
    rows = x[2:] - 2 * x[1:-1] + x[:-2]
    second = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
    power = _squares(second**2) / 36
    inner = x[1:-1, 1:-1]
    clipped = _squares(((inner < CLIPPED[0]) | (inner > CLIPPED[1])).astype(np.float32))
    levels = []
    for channel in range(x.shape[2]):
        inside = clipped[..., channel] <= MANY
        known = power[..., channel][inside] if inside.any() else power[..., channel]
        levels.append(np.quantile(known, FLATTEST))
    return float(255 * np.median(np.sqrt(levels)))


def _squares(values: np.ndarray) -> np.ndarray:
    """The mean of each whole square, [h, w, C]; of the whole image if it is smaller than a square."""
    height, width, channels = values.shape
    tall, wide = min(BLOCK, height), min(BLOCK, width)
    cut = values[: height // tall * tall, : width // wide * wide]
    return cut.reshape(height // tall, tall, width // wide, wide, channels).mean((1, 3))
