"""Figures of the chapter on third-party networks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from study.figures import plots


def composition(parts: pd.DataFrame) -> Figure:
    """Bars of the share of parameters by kind of layer, per cent; a colour for each network.

    parts: kinds x networks.
    """
    parts = parts.loc[parts.max(axis=1).sort_values().index]
    figure, axis = plt.subplots(figsize=(7.2, 3.2))
    parts.plot.barh(ax=axis, color=list(plots.COLOURS[: parts.shape[1]]), width=0.8)
    axis.set(xlabel="share of all parameters, %")
    axis.legend(fontsize=9, loc="lower right")
    return figure
