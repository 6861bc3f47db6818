"""Figures of the chapter of kernel manifolds: maps, principal components, kernels as tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

LABEL = r"$\omega_1$ (fidelity)"


def maps(points: Mapping[str, np.ndarray], shares: Sequence[float]) -> Figure:
    """One row per network: its map [blocks, positions, 2], and its first block magnified.

    shares: omega_1 at each position.
    """
    figure, axes = plt.subplots(
        len(points), 2, figsize=(7.4, 3.4 * len(points)), width_ratios=(3, 2), squeeze=False
    )
    for (whole, one), (task, chains) in zip(axes, points.items(), strict=True):
        _numbered(whole, chains, shares)
        dots = _chain(one, chains[0], shares, size=60)
        whole.set(xlabel="t-SNE 1", ylabel="t-SNE 2", title=task)
        one.set(xlabel="t-SNE 1", title=f"{task}, block 1 magnified")
    figure.colorbar(dots, ax=axes, label=LABEL, shrink=0.6)
    return figure


def plane(chains: np.ndarray, explained: np.ndarray, shares: Sequence[float]) -> Figure:
    """Principal components: the first two [blocks, positions, 2], and the variance of each."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.6), width_ratios=(3, 2))
    dots = _numbered(left, chains, shares)
    left.set(
        xlabel=f"component 1 ({100 * explained[0]:.0f} % of variance)",
        ylabel=f"component 2 ({100 * explained[1]:.0f} %)",
    )
    figure.colorbar(dots, ax=left, label=LABEL)
    count = min(2 * len(chains), len(explained))
    right.bar(range(1, count + 1), 100 * explained[:count])
    right.set(xlabel="principal component", ylabel="variance explained, %")
    return figure


def lengths(moved: Mapping[str, pd.Series]) -> Figure:
    """How far each block moves: one panel per network."""
    figure, axes = plt.subplots(1, len(moved), figsize=(7.4, 2.8), sharey=True, squeeze=False)
    for axis, (task, values) in zip(axes[0], moved.items(), strict=True):
        axis.bar(values.index, values)
        axis.set(xlabel="block", title=task, xticks=values.index)
    axes[0, 0].set_ylabel("path length / norm of the kernels")
    return figure


def tiles(pictures: Mapping[str, np.ndarray], shares: Sequence[float]) -> Figure:
    """Kernels [positions, 3, k, k] in [0, 1] as colour tiles, one row per layer."""
    size = (7.4, 0.4 + 1.15 * len(pictures))
    figure, axes = plt.subplots(len(pictures), len(shares), figsize=size, squeeze=False)
    for row, (name, shown) in zip(axes, pictures.items(), strict=True):
        for axis, picture, share in zip(row, shown, shares, strict=True):
            axis.imshow(picture.transpose(1, 2, 0))
            axis.set(xticks=[], yticks=[])
            if axis in axes[0]:
                axis.set_title(rf"$\omega_1$ = {share:g}", fontsize=9)
        label = name.replace(", ", "\n")
        row[0].set_ylabel(label, fontsize=9, rotation=0, ha="right", va="center")
    return figure


def _numbered(axis: Axes, chains: np.ndarray, shares: Sequence[float]) -> PathCollection:
    """Every chain, its number on the side that faces away from the middle of all."""
    middle = chains.reshape(-1, 2).mean(0)
    spread = chains.reshape(-1, 2).std(0)
    for i, chain in enumerate(chains, start=1):
        dots = _chain(axis, chain, shares, size=24)
        away = (chain.mean(0) - middle) / spread
        end = chain[[0, -1]][np.argmax((chain[[0, -1]] - middle) / spread @ away)]
        shift = 11 * away / max(float(np.linalg.norm(away)), 1e-9)
        axis.annotate(
            f"{i}", end, xytext=shift, textcoords="offset points", fontsize=9, ha="center", va="center"
        )
    axis.margins(0.12)
    return dots


def _chain(axis: Axes, chain: np.ndarray, shares: Sequence[float], size: float) -> PathCollection:
    axis.plot(*chain.T, color="#bbbbbb", linewidth=1, zorder=1)
    return axis.scatter(*chain.T, c=list(shares), cmap="cividis", s=size, zorder=2, vmin=0, vmax=1)
