"""Figures of the chapter on costs: time of a tunable layer beside a plain one."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from study.figures import plots

TICKS = (-10, 0, 5, 10, 20, 50, 100, 200, 400)


def overheads(layers: pd.DataFrame) -> Figure:
    """Overhead in per cent against the number of dials; a panel per kernel size, a line per channels.

    layers: rows with k, p, c and overhead. Dashed: the paper's bounds.
    """
    kernels = sorted(layers.k.unique())
    figure, axes = plt.subplots(1, len(kernels), figsize=(7.4, 3.6), sharey=True, squeeze=False)
    for axis, k in zip(axes[0], kernels, strict=True):
        groups = layers[layers.k == k].groupby("c")
        lines = {f"c = {c}": part.sort_values("p") for c, part in groups}
        plots.curves(axis, lines, "p", "overhead")
        axis.axhline(20, color="black", linestyle="--", linewidth=1)
        axis.plot([1, 4], [5, 5], color="black", linestyle="--", linewidth=1)
        axis.set(title=f"k = {k}", xlabel="dials p")
        axis.set_yscale("symlog", linthresh=20)
        axis.set_yticks(TICKS, [str(tick) for tick in TICKS])
    axes[0][0].set_ylabel("longer than plain, %")
    handles = axes[0][0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, fontsize=9)
    return figure


def milliseconds(layers: pd.DataFrame) -> Figure:
    """Time against channels, a panel per kernel size: plain, tunable with few and many dials, live.

    layers: rows with k, p, c, plain, tunable and live, all of one kind of work.
    """
    kernels, few, many = sorted(layers.k.unique()), layers.p.min(), layers.p.max()
    lines = {
        "plain": ("plain", few, "k--"),
        f"tunable, p = {few}": ("tunable", few, "C0-"),
        f"tunable, p = {many}": ("tunable", many, "C1-"),
        "live, dials unchanged": ("live", many, "C2:"),
    }
    figure, axes = plt.subplots(1, len(kernels), figsize=(7.4, 3.2), sharey=True, squeeze=False)
    for axis, k in zip(axes[0], kernels, strict=True):
        for name, (column, p, look) in lines.items():
            part = layers[(layers.k == k) & (layers.p == p)].sort_values("c")
            axis.plot(part.c, part[column], look, label=name, marker=".")
        axis.set(title=f"k = {k}", xlabel="channels c", xscale="log", yscale="log")
        axis.set_xticks([4, 16, 64, 256], ["4", "16", "64", "256"])
    ticks = [0.05, 0.1, 0.2, 0.5, 1.0]
    axes[0][0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[0][0].set_ylabel("forward, float32, ms")
    handles = axes[0][0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, fontsize=9)
    return figure
