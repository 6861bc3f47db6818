"""Figures of the chapter on two dials: what each dial moves."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from study.figures import plots

YLABELS = {"kept": "kept noise f", "detail": "detail s"}


def independence(grids: Mapping[str, pd.DataFrame]) -> Figure:
    """Kept noise along the first dial and detail along the second, a line for three positions each of
    the other.

    grids: name to a table with index (omega_1, omega_2) and columns kept and detail.
    """
    size = (7.4, 2.1 * len(grids) + 0.4)
    figure, axes = plt.subplots(len(grids), 2, figsize=size, sharex="col", squeeze=False)
    for row, (name, table) in zip(axes, grids.items(), strict=True):
        frame = table.reset_index()
        for axis, (value, dial, other) in zip(
            row, (("kept", "omega_1", "omega_2"), ("detail", "omega_2", "omega_1")), strict=True
        ):
            turns = sorted(frame[other].unique())
            shown = turns[:: max(1, (len(turns) - 1) // 2)]
            lines = {f"other dial at {v:g}": frame[frame[other] == v] for v in shown}
            plots.curves(axis, lines, dial, value)
            axis.set(ylabel=YLABELS[value], title=name)
    for axis, dial in zip(axes[-1], (1, 2), strict=True):
        axis.set_xlabel(rf"$\omega_{dial}$")
    handles = axes[0][0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, fontsize=9)
    return figure
