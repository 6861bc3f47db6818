"""Figures of many panels: pictures in a grid, tables as heat maps."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from study.figures.plots import to_picture


def lattice(
    images: Sequence[Sequence[Tensor]],
    rows: Sequence[str],
    columns: Sequence[str],
    under: Sequence[Sequence[str]] | None = None,
    *,
    width: float = 7.4,
) -> Figure:
    """Images [rows][columns] in a grid, a name at each row and above each column, a line under each."""
    aspect = images[0][0].shape[-2] / images[0][0].shape[-1]
    side = (width - 0.4) / len(columns)
    line = 0.17 if under else 0.0
    figure, axes = plt.subplots(
        len(rows),
        len(columns),
        figsize=(width, len(rows) * (side * aspect + line + 0.05) + 0.2),
        squeeze=False,
    )
    for i, j in itertools.product(range(len(rows)), range(len(columns))):
        axis = axes[i, j]
        axis.imshow(to_picture(images[i][j]), interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
        if i == 0:
            axis.set_title(columns[j], fontsize=8)
        if j == 0:
            axis.set_ylabel(rows[i], fontsize=8)
        if under:
            axis.set_xlabel(under[i][j], fontsize=7, labelpad=2)
    return figure


def heat_maps(
    tables: Mapping[str, pd.DataFrame],
    label: str,
    *,
    digits: int = 1,
    centred: bool = False,
    columns: int = 3,
) -> Figure:
    """One panel per table with its numbers written in, all on one scale; index and columns are named.

    centred: colours from orange to blue around 0, for differences.
    """
    bands = -(-len(tables) // columns)
    figure, axes = plt.subplots(
        bands, columns, figsize=(7.4, 2.5 * bands), squeeze=False, sharex=True, sharey=True
    )
    values = np.concatenate([table.to_numpy().ravel() for table in tables.values()])
    low, high = np.nanmin(values), np.nanmax(values)
    if centred:
        high = max(abs(low), abs(high))
        low = -high
    colours = plt.get_cmap("PuOr" if centred else "cividis")
    for axis in axes.flat[len(tables) :]:
        axis.axis("off")
    for axis, (title, table) in zip(axes.flat, tables.items(), strict=False):
        shown = axis.imshow(table, vmin=low, vmax=high, cmap=colours, aspect="auto")
        axis.set_title(title)
        axis.set_xticks(range(table.shape[1]), [f"{v:g}" for v in table.columns])
        axis.set_yticks(range(table.shape[0]), [f"{v:g}" for v in table.index])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
        for (i, j), value in np.ndenumerate(table.to_numpy()):
            dark = np.dot(colours((value - low) / (high - low or 1))[:3], (0.3, 0.59, 0.11)) < 0.5
            text = f"{value:+.{digits}f}" if centred else f"{value:.{digits}f}"
            axis.text(j, i, text, ha="center", va="center", fontsize=8, color="w" if dark else "k")
    figure.supxlabel(table.columns.name, fontsize=10)
    figure.supylabel(table.index.name, fontsize=10)
    figure.colorbar(shown, ax=axes, label=label, shrink=0.9)
    return figure
