"""How a dial behaves: does it change its behaviour monotonically, evenly, and independently?"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from study.measuring.image_sweep import LEVELS
from study.measuring.sweep import average
from tunable_core.objectives import NU

Direction = Literal["up", "down"]
"""The direction in which a value should change along a dial."""
OWN = {"kept": "omega_1", "detail": "omega_2"}
"""The dial of each behaviour of joint denoising and deblurring: of the kept-noise fraction and of the
strength of the detail."""


def _moves(values: pd.Series, wanted: Direction) -> pd.Series:
    """The change in each step along the dial, positive in the wanted direction."""
    if wanted not in ("up", "down"):
        raise ValueError(f"wanted must be 'up' or 'down'; got {wanted!r}")
    return (values.diff() if wanted == "up" else -values.diff()).iloc[1:]


def right_steps(values: pd.Series, wanted: Direction) -> tuple[int, int]:
    """The number of steps in the wanted direction (no change does not count), and of all steps."""
    moves = _moves(values, wanted)
    return int((moves > 0).sum()), len(moves)


def steps_back(values: pd.Series, wanted: Direction, slack: float = 0.0) -> list:
    """Positions at which a series moves against the wanted direction by more than the slack."""
    moves = _moves(values, wanted)
    return list(moves.index[moves < -slack])


def right_steps_of_styles(frame: pd.DataFrame, p: int) -> tuple[int, int]:
    """Steps along the edges between p styles that lower the objective turned up, or raise the other.

    frame: of a StyleSweep over style_sweep.ring(p, steps). Returns their number, and that of all steps.
    """
    found = []
    for i in range(1, p + 1):
        j = i % p + 1
        edge = frame[np.isclose(frame[f"omega_{i}"] + frame[f"omega_{j}"], 1, atol=1e-4)]
        means = edge.groupby(f"omega_{j}")[[f"loss_{i}", f"loss_{j}"]].mean()
        found += [right_steps(means[f"loss_{j}"], "down"), right_steps(means[f"loss_{i}"], "up")]
    return sum(right for right, _ in found), sum(steps for _, steps in found)


class Evenness(NamedTuple):
    """How evenly a value changes along a dial; each number is 0 or small for an even dial."""

    largest_step: float
    """The largest step as a share of the total change: 1 / steps for an even dial."""
    off_line: float
    """The largest distance from the straight line between the ends, as a share of their distance: 0 for
    an even dial, near 1 for a switch."""
    backwards: float
    """The share of the total change that is against the dial: 0 for a monotonic dial."""


def evenness(values: ArrayLike) -> Evenness:
    """How evenly values change along a dial.

    values: [n], in the order of the dial, at even steps.
    Raises ValueError if the values at the two ends are equal.
    """
    values = np.asarray(values, dtype=float)
    steps, span = np.diff(values), values[-1] - values[0]
    if span == 0:
        raise ValueError("the values at both ends of the dial are equal, so evenness is undefined")
    moved = np.abs(steps).sum()
    line = np.linspace(values[0], values[-1], len(values))
    return Evenness(
        float(np.abs(steps).max() / moved),
        float(np.abs(values - line).max() / abs(span)),
        float(np.abs(steps[steps * span < 0]).sum() / moved),
    )


def miss(along: pd.DataFrame, nu: float = NU) -> float:
    """Mean distance of the kept-noise fraction from the target of Eq. 9, nu omega_2.

    along: one row per position of the dial; columns kept and omega_2.
    """
    return float(np.abs(along["kept"].to_numpy() - nu * along["omega_2"].to_numpy()).mean())


def disentanglement(frame: pd.DataFrame) -> pd.DataFrame:
    """How much each dial changes each behaviour: dials x behaviours of OWN, in the behaviour's units.

    frame: a JointSweep over a whole grid of dials, each from 0 to 1. An entry is the absolute change of
    the behaviour when the dial goes from 0 to 1, averaged over the positions of the other dial and the
    degradations; images are averaged first. The matrix of independent dials is diagonal.
    Raises ValueError if a corner of the grid is missing.
    """
    dials = ["omega_1", "omega_2"]
    levels = [c for c in LEVELS if c in frame]
    mean = average(frame, [*levels, *dials])[list(OWN)]
    rows = {}
    for dial in dials:
        ends = [mean.xs(end, level=dial) if end in frame[dial].to_numpy() else None for end in (0, 1)]
        if any(end is None for end in ends) or not ends[0].index.equals(ends[1].index):
            raise ValueError(f"disentanglement needs {dial} at 0 and 1 for every position of the other")
        rows[dial] = (ends[1] - ends[0]).abs().mean()
    return pd.DataFrame(rows).T


def leak(matrix: pd.DataFrame) -> pd.Series:
    """Share of the change of each behaviour that is caused by the other behaviour's dial.

    matrix: of disentanglement(). 0 for independent dials, 0.5 if both dials change it equally, NaN if
    neither does.
    """
    return pd.Series({b: 1 - matrix.loc[dial, b] / matrix[b].sum() for b, dial in OWN.items()})
