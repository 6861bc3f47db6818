"""Pictures of three dials: a triangle of mixtures, one picture in which the dial turns, an animation."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from study.figures.plots import to_picture

LARGEST = 2_000_000
"""Bytes of an animation on a page."""


def triangle(images: Sequence[Tensor], corners: Sequence[str], width: float = 7.4) -> Figure:
    """Images [3, H, W] of the omegas of simplex_grid(3, n), in its order, as a triangle.

    corners: names for the top, the left and the right corner, of omega_1, omega_2 and omega_3.
    Raises ValueError for a number of images that makes no triangle.
    """
    rows = round((2 * len(images)) ** 0.5 - 0.5)
    if rows < 2 or rows * (rows + 1) // 2 != len(images) or len(corners) != 3:
        raise ValueError(f"{len(images)} images and {len(corners)} corners make no triangle")
    aspect = images[0].shape[-2] / images[0].shape[-1]
    cell, gap = 1 / rows, 0.006
    extra = 0.34  # inches below, for the names
    height = width * aspect + extra
    figure = plt.figure(figsize=(width, height), layout="none")
    tall, base = (1 - extra / height) / rows, extra / height
    for position, image in enumerate(images):
        row = int(((8 * position + 1) ** 0.5 - 1) / 2)
        column = position - row * (row + 1) // 2
        left, bottom = 0.5 + (column - (row + 1) / 2) * cell, base + (rows - 1 - row) * tall
        axis = figure.add_axes((left + gap, bottom + gap, cell - 2 * gap, tall - 2 * gap))
        axis.imshow(to_picture(image), aspect="auto")
        axis.axis("off")
    for name, x, y, side in (
        (corners[0], 0.5 - cell / 2 - 0.02, 1 - tall / 2, "right"),
        (corners[1], cell / 2, base / 2, "center"),
        (corners[2], 1 - cell / 2, base / 2, "center"),
    ):
        figure.text(x, y, name, ha=side, va="center", fontsize=11, fontweight="bold")
    return figure


def turning(outputs: Sequence[Tensor]) -> Tensor:
    """One picture made of upright strips, the first from the first output and so on: [3, H, W]."""
    width = outputs[0].shape[-1]
    bounds = torch.linspace(0, width, len(outputs) + 1).round().int().tolist()
    pairs = zip(outputs, bounds[:-1], bounds[1:], strict=True)
    return torch.cat([output[..., a:b].reshape(3, -1, b - a) for output, a, b in pairs], 2)


def animation(frames: Sequence[Tensor], alt: str, *, seconds: float = 6.0) -> str:
    """HTML of an endless animated WebP of frames [3, H, W], of at most LARGEST bytes.

    alt: for those who do not see it. The quality is the best of a few that the size allows.
    Raises ValueError when none does.
    """
    pictures = [Image.fromarray((255 * to_picture(f)).round().astype(np.uint8)) for f in frames]
    for quality in (80, 65, 50, 35, 20):
        content = io.BytesIO()
        duration = round(1000 * seconds / len(pictures))
        settings = {"save_all": True, "append_images": pictures[1:], "duration": duration, "loop": 0}
        pictures[0].save(content, "WEBP", quality=quality, method=4, **settings)
        if content.tell() <= LARGEST:
            encoded = base64.b64encode(content.getvalue()).decode()
            source = f"data:image/webp;base64,{encoded}"
            return f'<img alt="{html.escape(alt, quote=True)}" src="{source}" style="width: 100%">'
    raise ValueError(f"{len(pictures)} frames of {pictures[0].size} pixels are over {LARGEST} bytes")
