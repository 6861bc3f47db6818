"""What the style chapter computes from averaged sweeps (Sec. 4.2).

Means are a table with one row per position (omega_1, omega_2, omega_3); loss_i is the whole objective of
style i, and gram_i its distance in strokes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from torch import Tensor

from study.chapters.style_data import CORNERS, MIDDLE
from study.tasks.style import Style

EDGES = "middles of the edges"
CENTRE = "middle"


def mixed(means: pd.DataFrame, omega: Sequence[float], at: Sequence[float] | None = None) -> float:
    """The objective that the dials omega ask for, at the dials `at`, omega itself by default."""
    row = means.loc[tuple(omega if at is None else at)]
    return float(sum(w * row[f"loss_{i}"] for i, w in enumerate(omega, start=1) if w))


def halves(around: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """The middle of each edge of a ring."""
    edge = (len(around) - 1) // 3
    return [around[k * edge + edge // 2] for k in range(3)]


def objectives(
    means: Mapping[str, pd.DataFrame], names: Sequence[str], around: Sequence[tuple[float, ...]]
) -> pd.DataFrame:
    """The mixed objective: methods x the three corners, the mean of EDGES, and CENTRE."""
    rows = {
        method: {
            **{name: mixed(frame, corner) for name, corner in zip(names, CORNERS, strict=True)},
            EDGES: float(np.mean([mixed(frame, omega) for omega in halves(around)])),
            CENTRE: mixed(frame, MIDDLE),
        }
        for method, frame in means.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def shares(means: pd.DataFrame, untouched: pd.Series, styles: Sequence[Style]) -> pd.DataFrame:
    """At the corner of each style: what share of its objective each term has, and the strokes left.

    Rows: strokes, content, smoothness, colours, which add up to 1; and "strokes left", the distance in
    strokes over that of the untouched photograph. Columns: the styles.
    """
    columns = {}
    for i, (style, corner) in enumerate(zip(styles, CORNERS, strict=True), start=1):
        at = means.loc[corner]
        parts = {
            "strokes": style.gram * at[f"gram_{i}"],
            "content": style.vgg * at[f"vgg_{i}"],
            "smoothness": style.tv * at["tv"],
            "colours": style.uv * at["uv"],
        }
        whole = sum(parts.values())
        columns[style.name] = {name: part / whole for name, part in parts.items()} | {
            "strokes left": at[f"gram_{i}"] / untouched[f"gram_{i}"]
        }
    return pd.DataFrame(columns)


def idle(means: pd.DataFrame, around: Sequence[tuple[float, ...]]) -> list[float]:
    """On each edge, how far the objective whose dial stays at 0 bends, as a share of the turned one.

    The bend is the largest distance from the straight line between its ends; the share is of the range
    of the objective that is turned up.
    """
    edge, found = (len(around) - 1) // 3, []
    for k in range(3):
        points = list(around[k * edge : (k + 1) * edge + 1])
        turned, still = (means.loc[points, f"loss_{(k + j) % 3 + 1}"].to_numpy() for j in (1, 2))
        bend = np.abs(still - np.linspace(still[0], still[-1], edge + 1)).max()
        found.append(float(bend / np.ptp(turned)))
    return found


def outside(beyond: pd.DataFrame, means: pd.DataFrame) -> dict[tuple[float, ...], float]:
    """Dials with a sum over 1: their mixed objective over that of the same mixture in the triangle."""
    found = {}
    for at in beyond.index:
        total = sum(at)
        if total > 1:
            share = tuple(round(w / total, 5) for w in at)
            found[at] = mixed(beyond, share, at) / mixed(means, share)
    return found


def difference(a: Tensor, b: Tensor) -> float:
    """Mean difference of two pictures as shown, in grey levels of 255."""
    return 255 * (a.clamp(0, 1) - b.clamp(0, 1)).abs().mean().item()


def jump(pictures: Sequence[Tensor]) -> float:
    """The largest difference between neighbours of a closed round of pictures, over the mean one."""
    steps = [difference(a, b) for a, b in pairwise([*pictures, pictures[0]])]
    return max(steps) / float(np.mean(steps))


def apart(pictures: Sequence[Tensor]) -> tuple[float, float]:
    """The smallest and the largest difference between two of three pictures, in grey levels."""
    a, b, c = pictures
    found = [difference(*pair) for pair in ((a, b), (b, c), (c, a))]
    return min(found), max(found)
