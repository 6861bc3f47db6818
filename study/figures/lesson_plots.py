"""Figures of the first chapter: what the loss asks for, the training, the dial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from study.figures import plots
from study.figures.plots import dials


def choice(shares: Tensor, losses: Mapping[tuple[float, ...], Tensor]) -> Figure:
    """Losses [n] over the shares of the noise [n] that an answer keeps, one line for each omega."""
    figure, axis = plt.subplots(figsize=(6.9, 3.5))
    looks = zip(plots.COLOURS, plots.MARKERS, losses.items(), strict=False)
    for colour, marker, (omega, values) in looks:
        label = rf"$\omega$ = {dials(omega)}"
        axis.plot(shares, values, color=colour, marker=marker, markersize=4, markevery=2, label=label)
        lowest = values.argmin()
        axis.plot(shares[lowest], values[lowest], "o", color=colour, markersize=11, fillstyle="none")
    axis.set(xlabel="share $f$ of the noise that the answer keeps", ylabel="multi-loss", xlim=(0, 1))
    axis.set_ylim(bottom=0)
    figure.legend(loc="outside right center", fontsize=9)
    return figure


def training(history: pd.DataFrame, idle: float, knows: float) -> Figure:
    """The loss of a history over its steps, with that of the noisy picture and of the best answers."""
    figure, axis = plt.subplots(figsize=(6.9, 3.3))
    axis.axhline(idle, color="C1", ls="--", label="noisy picture returned")
    axis.axhline(knows, color="C2", ls=":", label="best answer, clean picture known")
    axis.plot(history.step, history.loss, "o-", ms=4, label="the network")
    axis.set(xlabel="step", ylabel="multi-loss", xlim=(0, 1.02 * history.step.max()))
    axis.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure


def pictures(
    whole: Tensor | None,
    square: tuple[int, int, int] | None,
    pieces: Sequence[Tensor],
    titles: Sequence[str],
) -> Figure:
    """A photograph with a square marked in it, if any, then pieces under their titles, three a row."""
    tiles = [*zip(pieces, titles, strict=True)]
    if whole is not None:
        tiles.insert(0, (whole, "the photograph"))
    columns = min(3, len(tiles))
    rows = -(-len(tiles) // columns)
    size = (7.4 * columns / 3, 2.75 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (tile, title) in zip(axes.flat, tiles, strict=False):
        axis.imshow(plots.to_picture(tile), interpolation="none")
        axis.set_title(title, fontsize=9.5)
    if square is not None:
        top, left, side = square
        box = Rectangle((left, top), side, side, fill=False, edgecolor="white", linewidth=1.5)
        axes[0, 0].add_patch(box)
    return figure


def kept(tables: Mapping[str, pd.DataFrame], nu: float | None) -> Figure:
    """Kept fraction along the dial, with the share that Eq. 9 asks for where nu is given.

    tables: name to rows with omega_1 and kept.
    """
    figure, axis = plt.subplots(figsize=(6.9, 3.5))
    if nu is not None:
        asked = {"color": "#666666", "linestyle": "--", "label": r"asked for: $\nu\,\omega_2$"}
        axis.plot([0, 1], [nu, 0], **asked)
    plots.curves(axis, tables, "omega_1", "kept")
    axis.set(xlabel=r"$\omega_1$ (and $\omega_2 = 1 - \omega_1$)", ylabel="kept fraction $f$")
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure
