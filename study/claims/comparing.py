"""Comparisons of cells of the paper's tables, which the judges of tables share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from study.claims.sources import Source
from study.claims.verdicts import CLEAN, Bounds, Verdict, joined
from study.measuring.intervals import Block, Estimate, estimate, lead, sided

Judge = Callable[[Source, Bounds], Verdict]
SETS = ("kodak", "cbsd68")
RIVALS = ("DNI", "DyNet", "CFSNet")
"""Of Tables 1 and 4; DNI are two networks that are trained independently."""
BETTER = {"psnr": 1, "psnr_eta": 1, "lpips": -1, "niqe": -1}
"""Whether large or small values of a metric are good."""
Place = tuple[str, str, tuple[float, ...]]
"""A cell of a table: images, metric, omega."""


def each_reading(judge: Judge) -> Judge:
    """The claim judged under each reading of Eq. 9, see verdicts.joined."""

    def both(source: Source, bounds: Bounds) -> Verdict:
        return joined([(name, judge(one, bounds)) for name, one in source.readings().items()])

    return both


def places_of(metrics: Sequence[str], omegas: Sequence[tuple[float, ...]]) -> list[Place]:
    """Every cell of these metrics and omegas on both sets."""
    return [(images, metric, omega) for images in SETS for metric in metrics for omega in omegas]


def leads(
    source: Source, table: str, first: str, rivals: Sequence[str], places: Sequence[Place]
) -> list[list[Estimate]]:
    """How far a method is ahead of each rival in each cell."""
    cells = []
    for images, metric, omega in places:
        ours, *theirs = (source.cells(table, images, m, metric, [omega]) for m in (first, *rivals))
        cells.append([lead(ours, each, sign=BETTER[metric]) for each in theirs])
    return cells


def number(value: Estimate, of: int) -> str:
    """Such as "16 of 20 cells (by one-sided tests 14 to 18)"."""
    words = f"{value.value:.0f} of {of} cells"
    if value.low == value.high:
        return words
    return f"{words} (by one-sided tests {value.low:.0f} to {value.high:.0f})"


def gap(
    source: Source, table: str, plain_: str, ours: str, places: Sequence[tuple[str, str, float | None]]
) -> tuple[Estimate, str, list[Estimate]]:
    """The largest gap of a tunable network at (1, 0) below its plain rival, and all of them in words.

    places: images, metric, noise level.
    """
    pairs: list[Block] = []
    for images, metric, sigma in places:
        pairs += [source.cells(table, images, m, metric, [CLEAN], sigma) for m in (plain_, ours)]
    each = [lead(*pairs[i : i + 2]) for i in range(0, len(pairs), 2)]
    worst = estimate(lambda *means: differences(means).max(-1), *pairs)
    names = [f"{source.measured_on(i)}{f', sigma {s:g}' if s else ''}" for i, _, s in places]
    words = "; ".join(f"{sided(one)} on {name}" for one, name in zip(each, names, strict=True))
    return worst, f"Against the plain network: {words}.", each


def differences(means: Sequence[np.ndarray]) -> np.ndarray:
    """First less second of each pair: [..., pairs]."""
    return np.stack(
        [a[..., 0] - b[..., 0] for a, b in zip(means[::2], means[1::2], strict=True)], axis=-1
    )
