"""Curves in the perception-distortion plane: which curve is below which."""

from __future__ import annotations

import numpy as np
import pandas as pd


def below(ours: pd.DataFrame, theirs: pd.DataFrame, x: str = "psnr", y: str = "lpips") -> pd.Series:
    """Distance of our curve below each point of theirs, at the same x: positive is better.

    Both: one row per position of the dials, in order. y is a distance, where lower is better. Our curve
    is linear between its points. A point of theirs at an x that ours does not reach gives NaN. Only an x
    below all of ours is compared with our nearest end, which is better in x, if that end is better in
    y, too.
    """
    curve = ours.sort_values(x)
    reached = np.interp(theirs[x], curve[x], curve[y], right=np.nan)
    gap = pd.Series(theirs[y].to_numpy() - reached, index=theirs.index)
    beyond = theirs[x] < curve[x].iloc[0]
    return gap.where(~beyond | (gap >= 0))
