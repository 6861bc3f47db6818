"""Figures of three dials: a triangle of mixtures, a picture in which the dial turns, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from study.figures.plots import to_picture


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


def turned(picture: Tensor, names: Sequence[str]) -> Figure:
    """A picture of turning(), with the names of the first, the middle and the last style below it."""
    height, width = picture.shape[-2:]
    figure, axis = plt.subplots(figsize=(7.4, 7.4 * height / width + 0.3))
    axis.imshow(to_picture(picture), interpolation="nearest")
    axis.set_xticks([0, width / 2, width], names, fontsize=10)
    axis.set_yticks([])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    for label, side in zip(axis.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)
    return figure


def edges(strokes: pd.DataFrame, edge: int) -> Figure:
    """Distance to each style along the three edges of the triangle.

    strokes: one column per style, rows round the triangle with `edge` steps a side and the first corner
    again at the end.
    """
    names = [*strokes]
    figure, axes = plt.subplots(1, 3, figsize=(7.4, 3.2), sharey=True)
    for k, axis in enumerate(axes):
        part = strokes.iloc[k * edge : (k + 1) * edge + 1]
        for name, marker in zip(names, "os^", strict=True):
            axis.plot(np.linspace(0, 1, edge + 1), part[name], marker=marker, markersize=4, label=name)
        axis.set(xlabel=f"{names[k]} to {names[(k + 1) % 3]}", xticks=[0, 0.5, 1])
    axes[0].set_ylabel("distance in strokes")
    axes[0].set_ylim(bottom=0)
    _legend(figure)
    return figure


def training(histories: Mapping[str, pd.DataFrame], names: Sequence[str]) -> Figure:
    """The objective of each style while each method is trained, one panel per method."""
    figure, axes = plt.subplots(1, len(histories), figsize=(7.4, 3.0), sharey=True, squeeze=False)
    for axis, (method, history) in zip(axes[0], histories.items(), strict=True):
        done = np.arange(1, len(history) + 1) / len(history)
        for name, marker in zip(names, "os^", strict=True):
            values = history[f"style {name}"]
            axis.plot(
                done, values, label=name, linewidth=1.2, marker=marker if len(values) < 4 else None
            )
        axis.set(title=method, xlabel="share of the training", yscale="log")
    axes[0, 0].set_ylabel("objective, mean of 100 steps")
    _legend(figure)
    return figure


def _legend(figure: Figure) -> None:
    names = figure.axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=3, fontsize=9)
