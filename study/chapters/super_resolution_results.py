"""What the super-resolution chapter computes from averaged sweeps (Sec. 4.1.3).

A curve is a table with one row per position of the dials; columns psnr and lpips.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from study.chapters.beside import LOWER
from study.measuring.distributions import beyond_optimal
from study.measuring.plane import below


@dataclass(frozen=True)
class Duel:
    """A curve against that of one rival, at equal PSNR."""

    points: int
    """Positions of the rival that can be compared."""
    won: int
    """Of these, where our LPIPS is lower or equal."""
    mean: float
    """Mean distance in LPIPS; positive: ours is lower. NaN without points."""


def duels(curves: Mapping[str, pd.DataFrame], ours: str) -> dict[str, Duel]:
    """The curve of ours against each other; {} where LPIPS was not measured."""
    if "lpips" not in curves[ours]:
        return {}
    found = {}
    for rival, curve in curves.items():
        if rival != ours:
            distance = below(curves[ours], curve).dropna()
            found[rival] = Duel(len(distance), int((distance >= 0).sum()), float(distance.mean()))
    return found


def strongest(found: Mapping[str, Duel]) -> str:
    """The rival with the smallest mean distance; "" where none can be compared."""
    known = {rival: duel.mean for rival, duel in found.items() if duel.points}
    return min(known, key=known.__getitem__) if known else ""


def firsts(cells: pd.DataFrame, ours: str, of: str) -> tuple[int, int]:
    """In how many cells of a table no other method is better than ours, and of how many.

    cells: of beside(), one row per method, metric, images and omega. of: "ours" or "printed". A cell
    without a number for our method, or for all others, does not count.
    """
    won = places = 0
    for (_, metric, _), place in cells.dropna(subset=of).groupby(["images", "metric", "dials"]):
        sign = -1 if metric in LOWER else 1
        values = sign * place.set_index("method")[of]
        if ours in values and len(values) > 1:
            places += 1
            won += bool(values[ours] >= values.drop(ours).max())
    return won, places


@dataclass(frozen=True)
class Middle:
    """The middle of a dial beside its two ends, in LPIPS."""

    middle: float
    """At (0.5, 0.5)."""
    worst_end: float
    """The higher of both ends."""

    @property
    def above(self) -> float:
        """How much worse the middle is than the worse end; positive: it collapses."""
        return self.middle - self.worst_end


def middle(means: pd.DataFrame, metric: str = "lpips") -> Middle:
    """The middle of a dial; means: rows by (omega_1, omega_2), lower is better."""
    ends = means.loc[[(0.0, 1.0), (1.0, 0.0)], metric]
    return Middle(float(means.loc[(0.5, 0.5), metric]), float(ends.max()))


def wasted(curves: Mapping[str, pd.DataFrame]) -> pd.Series:
    """The largest squared error that each dial spends beyond the optimal curve, in grey levels squared.

    curves: method to rows with luma_error and patch_distance; each dial has its own optimal curve, from
    its position of least error.
    """
    return pd.Series({method: beyond_optimal(curve).max() for method, curve in curves.items()})
