"""The paper's two drawings, drawn anew: the idea (Fig. 1) and the framework (Fig. 2).

Both are vector figures of matplotlib, laid out in inches at book width. Blue belongs to the first
objective and its kernel, orange to the second, green to the dials. The little pictures are schematic:
a synthetic scene with noise added to it, not the output of a network.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

WIDTH = 7.8
"""Inches: the book's column of about 750 pixels."""
FIRST, SECOND, DIAL, INK, PAPER = "#0072B2", "#D55E00", "#009E73", "#333333", "#f4f4f4"
"""Okabe and Ito's blue, orange and green; lines and text; boxes."""
SHADES = (0.25, 0.6, 0.35, 0.7, 1.0, 0.55, 0.3, 0.8, 0.4)
"""Of a kernel's nine weights, where nothing depends on them."""

Point = tuple[float, float]


def idea() -> Figure:
    """Fig. 1: left, one training per behaviour; right, one network with a dial."""
    figure, axis = canvas(3.75)
    rows = (2.72, 1.67, 0.62)
    shares, names = (0.9, 0.45, 0.0), ("grain kept", "in between", "clean")
    middle = rows[1]

    text(axis, (1.85, 3.5), "Fixed: one training per behaviour", weight="bold")
    picture(axis, (0.62, middle), 1.0)
    text(axis, (0.62, middle - 0.52), "noisy picture", size=10)
    mixed = between(FIRST, SECOND, 0.5)
    for y, share, name, colour in zip(rows, shares, names, (SECOND, mixed, FIRST), strict=True):
        arrow(axis, (1.06, middle), (1.44, y))
        box(axis, (1.9, y), 0.86, 0.5, "network", edge=colour)
        arrow(axis, (2.35, y), (2.64, y))
        picture(axis, (3.08, y), share)
        text(axis, (3.08, y - 0.52), name, size=10)

    axis.plot([3.78, 3.78], [0.1, 3.62], color="#bbbbbb", linewidth=0.8, linestyle=(0, (4, 4)))

    text(axis, (5.8, 3.5), "Tunable: one training, and a dial", weight="bold")
    picture(axis, (4.52, middle), 1.0)
    text(axis, (4.52, middle - 0.52), "noisy picture", size=10)
    arrow(axis, (4.96, middle), (5.2, middle))
    box(axis, (5.66, middle), 0.86, 0.84)
    text(axis, (5.66, middle + 0.24), "network")
    for x, colour in ((5.48, FIRST), (5.84, SECOND)):
        kernel(axis, (x, middle - 0.15), 0.26, colour)
    arrow(axis, (5.66, 0.86), (5.66, middle - 0.45), colour=DIAL)
    slider(axis, (5.66, 0.7), 0.8, 0.5)
    text(axis, (5.66, 0.42), "dial ω", colour=DIAL)
    for y, share, name, setting in zip(rows, shares, names, (0.0, 0.5, 1.0), strict=True):
        arrow(axis, (6.12, middle), (6.38, y))
        picture(axis, (6.81, y), share)
        text(axis, (6.81, y - 0.52), name, size=10)
        slider(axis, (7.5, y), 0.34, setting)
    return figure


def framework() -> Figure:
    """Fig. 2: the same dials mix the kernels of a layer and the objectives of the loss."""
    figure, axis = canvas(4.1)
    box(axis, (2.35, 1.88), 3.05, 2.36)
    text(axis, (0.98, 2.77), "tunable\nconvolution", weight="bold", align="left")
    box(axis, (6.42, 1.88), 2.6, 2.36)
    text(axis, (5.27, 2.85), "multi-loss", weight="bold", align="left")

    box(axis, (4.48, 3.65), 1.7, 0.72, edge=DIAL)
    for x, setting, name in ((4.08, 0.75, "$\\omega_1$"), (4.88, 0.25, "$\\omega_2$")):
        slider(axis, (x, 3.5), 0.6, setting)
        text(axis, (x, 3.79), name, size=12, colour=DIAL)
    elbow(axis, (3.61, 3.65), (2.8, 2.94), colour=DIAL)
    elbow(axis, (5.35, 3.65), (6.98, 2.29), colour=DIAL)
    text(axis, (3.19, 3.8), "dials $\\omega$", colour=DIAL)
    text(axis, (6.0, 3.8), "the same $\\omega$", colour=DIAL)

    box(axis, (2.8, 2.74), 0.62, 0.36, "$\\phi$", size=13, edge=DIAL)
    arrow(axis, (2.8, 2.55), (2.8, 2.29), colour=DIAL)
    text(axis, (3.0, 2.42), "$\\alpha$", size=13, colour=DIAL)
    mix = "$\\hat{\\mathbf{k}}_\\omega = \\sum_i \\alpha_i \\mathbf{k}_i$"
    box(axis, (2.8, 2.0), 1.34, 0.54, mix, size=11)
    arrow(axis, (2.8, 1.72), (2.8, 1.27))
    kernel(axis, (3.1, 1.49), 0.3, between(FIRST, SECOND, 0.35))

    text(axis, (0.3, 1.05), "$\\mathbf{x}$", size=14)
    arrow(axis, (0.45, 1.05), (2.6, 1.05))
    node(axis, (2.8, 1.05), "$\\circledast$")
    arrow(axis, (3.0, 1.05), (4.1, 1.05))
    text(axis, (3.5, 1.22), "$\\mathbf{y}$", size=14)
    box(axis, (4.48, 1.05), 0.72, 0.5, "further\nlayers", size=10.5)
    arrow(axis, (4.86, 1.05), (5.28, 1.05))
    text(axis, (5.42, 1.05), "$\\hat{\\mathbf{y}}$", size=14)

    axis.plot([5.42, 5.42], [1.24, 2.3], color=INK, linewidth=1.3)
    total = "$\\hat{\\mathcal{L}}_\\omega = \\sum_i \\omega_i \\lambda_i \\mathcal{L}_i$"
    box(axis, (6.98, 2.0), 1.26, 0.54, total, size=11)
    for i, (y, colour) in enumerate(((2.3, FIRST), (1.68, SECOND)), start=1):
        into = 2.1 if i == 1 else 1.9
        kernel(axis, (1.16, y), 0.36, colour)
        text(axis, (1.4, y), f"$\\mathbf{{k}}_{i}, \\mathbf{{b}}_{i}$", align="left", colour=colour)
        arrow(axis, (1.92, y), (2.11, into))
        arrow(axis, (5.42, y), (5.62, y))
        box(axis, (5.86, y), 0.46, 0.4, f"$\\mathcal{{L}}_{i}$", size=12, edge=colour)
        arrow(axis, (6.1, y), (6.33, into))

    back = {"color": INK, "linewidth": 1.2, "linestyle": (0, (4, 3))}
    axis.plot([6.98, 6.98, 1.7, 1.7], [1.72, 0.4, 0.4, 0.56], **back)
    arrow(axis, (1.7, 0.55), (1.7, 0.7))
    text(axis, (4.34, 0.2), "in training: gradients to kernels, biases and $\\phi$")
    return figure


def canvas(height: float) -> tuple[Figure, Axes]:
    """A figure of book width without axes, in inches; made without pyplot, so nothing stays open."""
    figure = Figure(figsize=(WIDTH, height), layout="none", facecolor="white")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, WIDTH), ylim=(0, height))
    axis.axis("off")
    return figure, axis


def text(axis, where: Point, words, *, size=11, colour=INK, weight="normal", align="center"):
    """Words, centred in height at a point."""
    axis.text(*where, words, fontsize=size, color=colour, weight=weight, ha=align, va="center")


def box(axis, centre: Point, width, height, words="", *, size=11, edge=INK) -> None:
    """A rounded box around words."""
    corner = (centre[0] - width / 2, centre[1] - height / 2)
    look = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": PAPER, "edgecolor": edge}
    axis.add_patch(FancyBboxPatch(corner, width, height, linewidth=1.4, **look))
    if words:
        text(axis, centre, words, size=size)


def node(axis, centre: Point, sign, *, radius=0.18, edge=INK) -> None:
    """A round operation: its sign in a circle."""
    axis.add_patch(Circle(centre, radius, facecolor=PAPER, edgecolor=edge, linewidth=1.4))
    text(axis, centre, sign, size=14)


def arrow(axis, start: Point, stop: Point, *, colour=INK, style="arc3") -> None:
    """An arrow with its tip at stop."""
    look = {"arrowstyle": "-|>", "mutation_scale": 11, "linewidth": 1.3, "color": colour}
    axis.add_patch(FancyArrowPatch(start, stop, connectionstyle=style, shrinkA=0, shrinkB=0, **look))


def elbow(axis, start: Point, stop: Point, *, colour) -> None:
    """Sideways from start, then down to stop."""
    arrow(axis, start, stop, colour=colour, style="angle,angleA=0,angleB=90,rad=4")


def chain(axis: Axes, y: float, *parts: tuple) -> None:
    """Parts in a row and arrows between them: (x, words), (x, words, width) or (x, words, width, edge).

    With an edge it is a box; without, the sign of a node or plain words, and without words nothing is
    drawn but the arrows.
    """
    end = None
    for x, words, *look in parts:
        width = look[0] if look else 0.28
        if len(look) == 2:
            box(axis, (x, y), width, 0.46 if words else 0.78, words, edge=look[1])
        elif words in ("+", "$-$", "$\\times$"):
            node(axis, (x, y), words, radius=0.14, edge=DIAL if words == "$\\times$" else INK)
        elif words:
            text(axis, (x, y), words, size=14)
        if end is not None:
            arrow(axis, (end + 0.01, y), (x - width / 2 - 0.02, y))
        end = x + width / 2


def skip(axis: Axes, start: float, stop: float, y: float, height: float) -> None:
    """Up from the row, along, and down into a node of it."""
    line(axis, (start, y), (start, height), (stop, height))
    arrow(axis, (stop, height), (stop, y + 0.16))


def line(axis: Axes, *points: Point, colour=INK) -> None:
    """A line through points, below everything else."""
    axis.plot(*zip(*points, strict=True), color=colour, linewidth=1.3, zorder=0.5)


def slider(axis, centre: Point, width, setting) -> None:
    """A dial as a slider; setting 0 is its left end, 1 its right end."""
    left = centre[0] - width / 2
    axis.plot([left, left + width], [centre[1]] * 2, color=DIAL, linewidth=2, alpha=0.45)
    axis.add_patch(Circle((left + width * setting, centre[1]), 0.065, color=DIAL, zorder=3))


def kernel(axis, centre: Point, side, colour, shades=SHADES) -> None:
    """A 3 x 3 kernel in shades of one colour, row by row from 0 for white to 1."""
    cell = side / 3
    for index, shade in enumerate(shades):
        x = centre[0] - side / 2 + index % 3 * cell
        y = centre[1] + side / 2 - (index // 3 + 1) * cell
        face = between("white", colour, shade)
        axis.add_patch(Rectangle((x, y), cell, cell, facecolor=face, edgecolor="white", lw=0.4))


def picture(axis, centre: Point, share, side=0.8) -> None:
    """The scene with this share of its noise left."""
    x, y = centre
    extent = (x - side / 2, x + side / 2, y - side / 2, y + side / 2)
    axis.imshow(scene(share), extent=extent, aspect="auto", interpolation="none", zorder=2)
    axis.add_patch(Rectangle((extent[0], extent[2]), side, side, fill=False, edgecolor=INK, lw=0.8))
    axis.set(xlim=(0, WIDTH), ylim=(0, axis.figure.get_figheight()))


def scene(share: float, side: int = 56) -> np.ndarray:
    """A sun over striped hills with this share of its noise left: [side, side, 3] in [0, 1]."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1)
    picture = (1 - y)[..., None] * np.array([0.35, 0.6, 0.9]) + y[..., None] * np.array([0.9, 0.85, 0.7])
    picture[(x - 0.7) ** 2 + (y - 0.28) ** 2 < 0.018] = (1.0, 0.93, 0.55)
    hill = y > 0.62 + 0.12 * np.sin(2 * np.pi * (x + 0.1))
    stripes = 0.5 + 0.5 * np.sin(2 * np.pi * 7 * (x + 0.6 * y))
    grass = stripes[..., None] * np.array([0.45, 0.6, 0.3]) + np.array([0.1, 0.2, 0.12])
    picture = np.where(hill[..., None], grass, picture)
    noise = np.random.default_rng(0).normal(0, 0.22, picture.shape)
    return np.clip(picture + share * noise, 0, 1)


def between(first: str, second: str, share: float) -> Sequence[float]:
    """The colour at this share of the way from the first to the second."""
    a, b = np.array(to_rgb(first)), np.array(to_rgb(second))
    return tuple(a + share * (b - a))
