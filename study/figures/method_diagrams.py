"""Where in the network each control method acts: one drawing per method, in the look of diagrams.py.

Blue is what the first objective trains, orange what the second trains, a colour between them is mixed
of both, green is what the dials reach. The backbone is the study's ResNet, without its image skip.
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures.diagrams import (
    DIAL,
    FIRST,
    INK,
    SECOND,
    Point,
    arrow,
    between,
    box,
    canvas,
    chain,
    kernel,
    line,
    node,
    picture,
    skip,
    slider,
    text,
)

BOTH = between(FIRST, SECOND, 0.4)
LAYERS = (1.1, 2.5, 3.86, 6.64)
"""Where the drawings of single layers have head, two convolutions and tail."""
X, Y = "$\\mathbf{x}$", "$\\hat{\\mathbf{y}}$"


def tunable() -> Figure:
    """Every layer holds p kernels, which its own phi mixes as the dials say."""
    figure, axis = canvas(3.25)
    y = _layers(axis)
    _dials(axis, (3.18, 0.36))
    for x in LAYERS:
        text(axis, (x + 0.01, y - 0.13), "+", size=10)
        for i, dx, colour in ((1, -0.2, FIRST), (2, 0.4, SECOND)):
            text(axis, (x + dx - 0.21, y - 0.13), f"$\\alpha_{i}$", colour=DIAL)
            kernel(axis, (x + dx, y - 0.13), 0.24, colour)
        edge = 3.18 + (0.46 if x > 3.18 else -0.46)
        line(axis, (edge, 0.36), (x, 0.36), colour=DIAL)
        arrow(axis, (x, 0.36), (x, 0.76), colour=DIAL)
        box(axis, (x, 0.95), 0.5, 0.34, "$\\phi$", size=13, edge=DIAL)
        arrow(axis, (x, 1.14), (x, y - 0.41), colour=DIAL)
        text(axis, (x + 0.2, 1.38), "$\\alpha$", size=13, colour=DIAL)
    return figure


def film() -> Figure:
    """Every layer has one kernel, whose output channels the dials scale and shift."""
    figure, axis = canvas(3.4)
    y = _layers(axis)
    _dials(axis, (3.18, 0.36))
    arrow(axis, (3.18, 0.65), (3.18, 0.86), colour=DIAL)
    box(axis, (3.87, 1.08), 6.7, 0.4, "one small MLP for all layers", edge=DIAL)
    for x in LAYERS:
        text(axis, (x - 0.27, y - 0.13), "$(1+g)$", colour=DIAL)
        kernel(axis, (x + 0.12, y - 0.13), 0.24, INK)
        text(axis, (x + 0.41, y - 0.13), "$+\\;s$", colour=DIAL)
        arrow(axis, (x, 1.3), (x, y - 0.41), colour=DIAL)
        text(axis, (x + 0.27, 1.52), "$g, s$", size=13, colour=DIAL)
    return figure


def lowrank() -> Figure:
    """Every layer has one kernel, to which each dial adds a product of two thin matrices."""
    figure, axis = canvas(3.25)
    y = _layers(axis)
    _dials(axis, (3.18, 0.36))
    for x in LAYERS:
        kernel(axis, (x - 0.38, y - 0.13), 0.24, INK)
        for dx, colour in ((-0.04, FIRST), (0.34, SECOND)):
            text(axis, (x + dx - 0.15, y - 0.13), "+", size=10)
            for ends in (((0, 0), (0.0, -0.24)), ((0.06, 0.18), (-0.02, -0.02))):
                across, down = ([x + dx + d for d in ends[0]], [y - 0.02 + d for d in ends[1]])
                axis.plot(across, down, color=colour, linewidth=4, solid_capstyle="butt")
        edge = 3.18 + (0.46 if x > 3.18 else -0.46)
        line(axis, (edge, 0.36), (x, 0.36), colour=DIAL)
        arrow(axis, (x, 0.36), (x, y - 0.41), colour=DIAL)
    text(axis, (5.25, 1.05), "$B_i$: $r$ columns, $A_i$: $r$ rows", size=11)
    return figure


def dni() -> Figure:
    """Two networks of one form; the dials mix all their parameters alike into the one that runs."""
    figure, axis = canvas(3.6)
    top, middle, bottom = 3.1, 1.8, 0.5
    columns = {2.45: "head", 3.65: "block", 5.4: "tail"}
    for y, colour in ((top, FIRST), (middle, BOTH), (bottom, SECOND)):
        for x, name in columns.items():
            box(axis, (x, y), 0.94, 0.5, edge=colour)
            kernel(axis, (x - 0.26, y), 0.28, colour)
            text(axis, (x + 0.16, y), name, size=10)
        text(axis, (4.53, y), "…", size=14)
    for y, colour, name, how in (
        (top, FIRST, "network 1", "trained at (1, 0)"),
        (bottom, SECOND, "network 2", "trained at (0, 1)"),
    ):
        text(axis, (0.15, y + 0.11), name, weight="bold", colour=colour, align="left")
        text(axis, (0.15, y - 0.12), how, size=10, align="left")
    axis.plot((0.3, 0.3), (top - 0.35, bottom + 0.5), color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    arrow(axis, (0.3, bottom + 0.5), (0.3, bottom + 0.3))
    text(axis, (0.42, middle), "copied, then\nfine-tuned", size=10, align="left")
    head, block, tail = ((x, "", 0.94) for x in columns)
    chain(axis, middle, (1.62, X), head, block, (4.53, ""), tail, (6.2, Y))

    _dials(axis, (7.1, middle))
    for i, way in ((1, 1), (2, -1)):
        y = middle + 0.66 * way
        line(axis, (7.1, middle + 0.28 * way), (7.1, y), (2.45, y), colour=DIAL)
        text(axis, (6.3, y + 0.17 * way), f"$\\omega_{i}$", size=13, colour=DIAL)
        for x in columns:
            arrow(axis, (x, y + 0.37 * way), (x, y - 0.39 * way))
            node(axis, (x, y), "$\\times$", radius=0.14, edge=DIAL)
    return figure


def permutations() -> Figure:
    """Why the mean of networks trained apart means nothing: their channels come in other orders."""
    figure, axis = canvas(2.9)
    a, b = (0.1, 1.0, 0.1) * 3, (*(0.1,) * 3, *(1.0,) * 3, *(0.1,) * 3)
    kernels = {"a": a, "b": b, "c": (0.1, 0.3, 0.1, 0.3, 1.0, 0.3, 0.1, 0.3, 0.1)}
    panels = (
        ("network 1", "", FIRST, "abc", "abc"),
        ("network 2", "the same function", SECOND, "bca", "bca"),
        ("mean of their weights", "another function", BOTH, "abc", "bca"),
    )
    middle = 1.16
    for panel, (title, note, colour, first, second) in enumerate(panels):
        left = 0.12 + 2.65 * panel
        text(axis, (left + 1.15, 2.7), title, weight="bold", colour=colour)
        text(axis, (left + 1.15, 2.47), note, size=10)
        text(axis, (left + 0.1, middle), X, size=14)
        node(axis, (left + 2.1, middle), "+")
        rows = ((middle + 0.72, 0.16), (middle, 0.19), (middle - 0.72, -0.16))
        for (y, above), i, j in zip(rows, first, second, strict=True):
            shades = [(u + v) / 2 for u, v in zip(kernels[i], kernels[j], strict=True)]
            arrow(axis, (left + 0.24, middle + 0.1 * (y - middle)), (left + 0.62, y))
            kernel(axis, (left + 0.9, y), 0.46, colour, shades)
            arrow(axis, (left + 1.2, y), (left + 1.93, middle + 0.15 * (y - middle)))
            weight = f"${i}$" if i == j else f"$\\frac{{{i}+{j}}}{{2}}$"
            text(axis, (left + 1.42, y + above), weight, size=13 if i == j else 15)
    return figure


def dynet() -> Figure:
    """In front of each block of a frozen network the dial adds the output of a tuning block."""
    figure, axis = canvas(2.95)
    y, below = 1.95, 1.15
    first, second = (3.34, "$B_1$", 0.56, FIRST), (5.48, "$B_2$", 0.56, FIRST)
    ends = (6.06, "…"), (6.4, "+"), (7.0, "tail", 0.52, FIRST), (7.6, Y)
    chain(axis, y, (0.2, X), (0.92, "head", 0.64, FIRST), (2.76, "+"), first, (4.9, "+"), second, *ends)
    skip(axis, 1.4, 6.4, y, 2.55)
    for i, start, stop in ((1, 1.58, 2.76), (2, 3.72, 4.9)):
        block = (start + 0.55, f"$\\psi_{i}$", 0.56, SECOND)
        line(axis, (start, y), (start, below))
        chain(axis, below, (start - 0.14, ""), block, (stop, "$\\times$"))
        arrow(axis, (stop, below + 0.15), (stop, y - 0.16))
        arrow(axis, (stop, 0.42), (stop, below - 0.16), colour=DIAL)
        text(axis, (stop + 0.17, 0.74), "$\\alpha$", size=13, colour=DIAL)
    _dials(axis, (0.6, 0.42), "$\\omega_2 = \\alpha$")
    line(axis, (1.06, 0.42), (4.9, 0.42), colour=DIAL)
    _branches(axis, "tuning blocks")
    return figure


def cfsnet() -> Figure:
    """Beside each block of a frozen network a tuning block; the dial shares out their channels."""
    figure, axis = canvas(3.5)
    y, up, down = 2.3, 2.72, 1.88
    ends = (5.82, "…"), (6.22, "+"), (6.82, "tail", 0.56, FIRST), (7.55, Y)
    chain(axis, y, (0.2, X), (0.92, "head", 0.64, FIRST))
    node(axis, (3.2, y), "+", radius=0.14)
    for edge, split in ((1.24, 1.62), (3.34, 3.82)):
        line(axis, (edge, y), (split, y))
    chain(axis, y, (5.4, "+"), *ends)
    skip(axis, 1.4, 6.22, y, 3.22)
    for i, start in ((1, 1.62), (2, 3.82)):
        stop = start + 1.58
        line(axis, (start, up), (start, down))
        for row, name, colour in ((up, "R", FIRST), (down, "T", SECOND)):
            block = (start + 0.5, f"${name}_{i}$", 0.52, colour)
            chain(axis, row, (start - 0.14, ""), block, (start + 1.12, "$\\times$"))
            line(axis, (start + 1.26, row), (stop, row))
            arrow(axis, (stop, row), (stop, y + (0.16 if row > y else -0.16)))
        x = start + 1.12
        box(axis, (x, 1.12), 0.5, 0.36, f"$A_{i}$", size=12, edge=DIAL)
        arrow(axis, (x, 0.42), (x, 0.92), colour=DIAL)
        arrow(axis, (x, 1.32), (x, down - 0.16), colour=DIAL)
        arrow(axis, (x, down + 0.16), (x, up - 0.16), colour=DIAL)
        text(axis, (x + 0.19, 1.5), f"$a_{i}$", size=13, colour=DIAL)
        text(axis, (x - 0.34, y), f"$1-a_{i}$", size=12, colour=DIAL)
    _dials(axis, (0.6, 0.42), "$\\omega_2 = \\alpha$")
    box(axis, (1.75, 0.42), 0.5, 0.36, "$S$", size=12, edge=DIAL)
    arrow(axis, (1.06, 0.42), (1.48, 0.42), colour=DIAL)
    line(axis, (2.01, 0.42), (4.94, 0.42), colour=DIAL)
    _branches(axis, "tuning branch")
    return figure


def cresmd() -> Figure:
    """The dials, taken for the strengths of the degradations, weigh the blocks and the correction."""
    figure, axis = canvas(3.1)
    y, below, base = 2.1, 1.35, 0.4
    tail, ends = (5.68, "tail", 0.56, FIRST), ((6.36, "$\\times$"), (6.94, "+"), (7.58, Y))
    sums = (2.66, "+"), (4.14, "+"), (4.6, "…", 0.2), (5.04, "+")
    chain(axis, y, (0.18, X), (0.95, "head", 0.6, FIRST), *sums, tail, *ends)
    skip(axis, 1.36, 5.04, y, y + 0.46)
    skip(axis, 0.44, 6.94, y, y + 0.74)
    _dials(axis, (0.6, base))
    box(axis, (4.03, base), 5.26, 0.4, "a linear layer for each weight", edge=DIAL)
    arrow(axis, (1.06, base), (1.38, base), colour=DIAL)
    for i, start, stop in ((1, 1.5, 2.66), (2, 2.98, 4.14)):
        block = (start + 0.52, f"$R_{i}$", 0.54, FIRST)
        line(axis, (start, y), (start, below))
        chain(axis, below, (start - 0.14, ""), block, (stop, "$\\times$"))
        arrow(axis, (stop, below + 0.15), (stop, y - 0.16))
        text(axis, (stop + 0.22, 0.9), f"$s_{i}$", size=13, colour=DIAL)
        arrow(axis, (stop, base + 0.22), (stop, below - 0.16), colour=DIAL)
    arrow(axis, (6.36, base + 0.22), (6.36, y - 0.16), colour=DIAL)
    text(axis, (6.54, 0.9), "$g$", size=13, colour=DIAL)
    return figure


def blend() -> Figure:
    """Outside of the network: part of what a denoiser took off is put back, pixel by pixel."""
    figure, axis = canvas(2.75)
    y, up = 0.95, 2.1
    pictures = {0.6: (1.0, "$\\mathbf{z}$"), 3.3: (0.0, "$d(\\mathbf{z})$"), 6.9: (0.5, Y)}
    z, denoised, mixed = ((x, "", 0.8) for x in pictures)
    chain(axis, y, z, (1.95, "denoiser $d$", 1.1, FIRST), denoised, (5.2, "+"), mixed)
    for x, (share, name) in pictures.items():
        picture(axis, (x, y), share)
        text(axis, (x, 0.35), name, size=13)
    line(axis, (0.6, y + 0.42), (0.6, up))
    chain(axis, up, (0.46, ""), (3.3, "$-$"), (5.2, "$\\times$"))
    arrow(axis, (3.3, y + 0.42), (3.3, up - 0.16))
    arrow(axis, (5.2, up - 0.15), (5.2, y + 0.16))
    text(axis, (4.2, up + 0.2), "$\\mathbf{z} - d(\\mathbf{z})$", size=12)
    _dials(axis, (6.9, up), "$\\omega_2$")
    arrow(axis, (6.44, up), (5.36, up), colour=DIAL)
    text(axis, (5.9, up + 0.2), "$\\nu\\,\\omega_2$", size=13, colour=DIAL)
    return figure


def waveletblend() -> Figure:
    """Outside of the network: brightness that was taken off is put back, without its finest noise."""
    figure, axis = canvas(2.75)
    y, up = 0.95, 2.1
    pictures = {0.6: (1.0, "$\\mathbf{z}$"), 2.9: (0.0, "$d(\\mathbf{z})$"), 6.9: (0.4, Y)}
    z, denoised, mixed = ((x, "", 0.8) for x in pictures)
    chain(axis, y, z, (1.75, "denoiser $d$", 1.1, FIRST), denoised, (5.4, "+"), mixed)
    for x, (share, name) in pictures.items():
        picture(axis, (x, y), share)
        text(axis, (x, 0.35), name, size=13)
    line(axis, (0.6, y + 0.42), (0.6, up))
    bands = (4.15, "wavelets,\nshrunk", 1.1, INK)
    chain(axis, up, (0.46, ""), (2.9, "$-$"), bands, (5.4, "$\\times$"))
    arrow(axis, (2.9, y + 0.42), (2.9, up - 0.16))
    arrow(axis, (5.4, up - 0.15), (5.4, y + 0.16))
    _dials(axis, (6.9, up), "$\\omega_2$")
    arrow(axis, (6.44, up), (5.56, up), colour=DIAL)
    return figure


def transport() -> Figure:
    """Outside of the network: the luma of its image is filtered, and the dial adds what that changes."""
    figure, axis = canvas(2.75)
    y, up = 0.95, 2.1
    pictures = {0.6: (0.0, X), 3.0: (0.0, "$d(\\mathbf{x})$"), 6.9: (0.2, Y)}
    given, restored, moved = ((x, "", 0.8) for x in pictures)
    chain(axis, y, given, (1.8, "network $d$", 1.1, FIRST), restored, (5.4, "+"), moved)
    for x, (share, name) in pictures.items():
        picture(axis, (x, y), share)
        text(axis, (x, 0.35), name, size=13)
    line(axis, (3.0, y + 0.42), (3.0, up))
    chain(axis, up, (2.86, ""), (4.1, "$T - 1$", 0.9, INK), (5.4, "$\\times$"))
    text(axis, (2.2, up + 0.1), "patches of photographs,\nmeasured once", size=10)
    arrow(axis, (5.4, up - 0.15), (5.4, y + 0.16))
    _dials(axis, (6.9, up), "$\\omega_2$")
    arrow(axis, (6.44, up), (5.56, up), colour=DIAL)
    return figure


DRAWINGS = {
    "tunable": tunable,
    "dni": dni,
    "dni-permutations": permutations,
    "dynet": dynet,
    "cfsnet": cfsnet,
    "film": film,
    "cresmd": cresmd,
    "blend": blend,
    "lowrank": lowrank,
    "waveletblend": waveletblend,
    "transport": transport,
}
"""By the names of their files."""


def _layers(axis: Axes) -> float:
    """The backbone as single layers with room for their kernels; returns the height of its row."""
    y, (head, one, two, _) = axis.get_ylim()[1] - 1.15, LAYERS
    layers = [(x, "", 1.14, INK) for x in LAYERS]
    body = (4.82, "+"), (5.26, "…", 0.2), (5.7, "+")
    chain(axis, y, (0.16, X), *layers[:3], *body, layers[3], (7.62, Y))
    for x, name in zip(LAYERS, ("head", "conv", "conv", "tail"), strict=True):
        text(axis, (x, y + 0.2), name, size=10)
    text(axis, ((one + two) / 2, y + 0.53), "residual block: Conv2d, ReLU, Conv2d", size=10)
    for stop, height in ((4.82, y + 0.72), (5.7, y + 0.98)):
        skip(axis, (head + one) / 2 - 0.03, stop, y, height)
    return y


def _dials(axis: Axes, centre: Point, words: str = "$\\omega_1,\\ \\omega_2$") -> None:
    box(axis, centre, 0.88, 0.54, edge=DIAL)
    text(axis, (centre[0], centre[1] + 0.12), words, colour=DIAL)
    slider(axis, (centre[0], centre[1] - 0.13), 0.6, 0.35)


def _branches(axis: Axes, second: str) -> None:
    """Who is who, at the lower right."""
    text(axis, (5.25, 0.72), "main network, trained at (1, 0)", size=10, colour=FIRST, align="left")
    text(axis, (5.25, 0.46), f"{second}, trained at (0, 1)", size=10, colour=SECOND, align="left")
