"""Figures of the super-resolution chapter: trainings, and the planes of perception and distortion.

A curve is a table with one row per position of the dials, from (0, 1) to (1, 0).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures import plots
from study.measuring.distributions import optimal_error

SIDES = {
    "discriminator": "loss of the discriminator",
    "vgg": "$\\mathcal{L}_{vgg}$ of the network",
    "detail": "detail, output over clean",
}
"""Columns of a history to the titles of their panels."""


def training(histories: Mapping[str, pd.DataFrame], won: float) -> Figure:
    """Both sides of adversarial trainings; dashed: a discriminator that guesses, dotted: that won."""
    figure, axes = plt.subplots(1, 3, figsize=(7.4, 3.0))
    for axis, (column, title) in zip(axes, SIDES.items(), strict=True):
        for (name, history), look in zip(histories.items(), plots.looks(), strict=False):
            rows = history[history["discriminator"].notna()]
            part = np.linspace(0, 1, len(rows))
            axis.plot(part, rows[column], label=name, linewidth=1, marker="." * (len(rows) < 2), **look)
        axis.set_title(title, fontsize=9)
        axis.set_ylim(bottom=0)
    axes[1].set_xlabel("share of the adversarial steps")
    axes[0].axhline(math.log(2), color="black", linewidth=0.8, linestyle="--")
    axes[0].axhline(won, color="black", linewidth=0.8, linestyle=":")
    _below(figure, axes[0], 4)
    return figure


def plane(curves: Mapping[str, pd.DataFrame], plain: pd.Series, black: str, outside: str) -> Figure:
    """LPIPS over PSNR: one curve for each dial, and a star for the network without one.

    black: the name drawn in black. outside: a name whose curve may leave the picture.
    """
    figure, axis = plt.subplots(figsize=(7.4, 4.4))
    plots.curves(axis, curves, "psnr", "lpips", black=[black])
    axis.plot(plain["psnr"], plain["lpips"], "k*", markersize=11, label="plain network")
    inside = pd.concat([curve for name, curve in curves.items() if name != outside])
    for column, limit in (("psnr", axis.set_xlim), ("lpips", axis.set_ylim)):
        low, high = inside[column].min(), inside[column].max()
        margin = 0.06 * (high - low)
        limit(low - margin, high + margin)
    axis.set(xlabel="PSNR, dB (right: fidelity)", ylabel="LPIPS (lower: perceptual)")
    _below(figure, axis, 4)
    return figure


def optimal(curves: Mapping[str, pd.DataFrame], ours: str, black: str) -> Figure:
    """Squared error over the distance of patch statistics, and the least error from our best point."""
    figure, axis = plt.subplots(figsize=(7.4, 4.2))
    plots.curves(axis, curves, "patch_distance", "luma_error", black=[black])
    best = curves[ours].loc[curves[ours]["luma_error"].idxmin()]
    reach = float(best["patch_distance"])
    distance = pd.Series(np.linspace(0, reach, 50))
    least = optimal_error(distance, float(best["luma_error"]), reach)
    axis.plot(distance, least, color="#777777", linestyle="--", linewidth=1.2, label="least error")
    axis.set(
        xlabel="distance of patch statistics, grey levels (left: perceptual)",
        ylabel="squared error, grey levels²",
    )
    _below(figure, axis, 4)
    return figure


def naturalness(curves: Mapping[str, pd.DataFrame], bicubic: float, black: str) -> Figure:
    """NIQE along the dial, from the perceptual end to fidelity."""
    figure, axis = plt.subplots(figsize=(7.4, 3.6))
    rows = {name: curve.reset_index() for name, curve in curves.items()}
    plots.curves(axis, rows, "omega_1", "niqe", black=[black])
    axis.axhline(bicubic, color="#777777", linewidth=0.9, linestyle="--", label="bicubic")
    axis.set(
        xlabel=r"$\omega_1$ (fidelity), with $\omega_2 = 1 - \omega_1$",
        ylabel="NIQE (lower: more natural)",
        xlim=(0, 1),
    )
    _below(figure, axis, 4)
    return figure


def _below(figure: Figure, axis: Axes, columns: int) -> None:
    """The legend of an axis below the figure."""
    names = axis.get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=columns, fontsize=9)
