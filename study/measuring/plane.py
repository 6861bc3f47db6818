"""Curves in the perception-distortion plane: which lies below which."""

from __future__ import annotations

import numpy as np
import pandas as pd


def below(ours: pd.DataFrame, theirs: pd.DataFrame, x: str = "psnr", y: str = "lpips") -> pd.Series:
    """By how much the curve of ours lies below each point of theirs, at the same x: positive is better.

    Both: one row per position of the dials, in their order. y is a distance, less is better. Ours is
    taken to be straight between its points. Where a point of theirs has an x that ours does not reach,
    there is no answer, NaN, but for one: an x below all of ours is held against our nearest end, which
    is better in x, if it is better in y too.
    """
    curve = ours.sort_values(x)
    reached = np.interp(theirs[x], curve[x], curve[y], right=np.nan)
    gap = pd.Series(theirs[y].to_numpy() - reached, index=theirs.index)
    beyond = theirs[x] < curve[x].iloc[0]
    return gap.where(~beyond | (gap >= 0))
