"""Figures of the denoising chapter: the kept-noise fraction along the dial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from study.figures import plots
from study.measuring.image_sweep import FIVE
from tunable_core.objectives import NU

XLABEL = r"$\omega_1$ (fidelity), with $\omega_2 = 1 - \omega_1$"
YLABEL = "kept-noise fraction $f$"


def two_dials(along: Mapping[str, pd.DataFrame], paper: pd.Series | None, plain: float) -> Figure:
    """Kept fraction of each method along the dial, what Eq. 9 asks for, and the paper's implied points.

    along: name to rows with omega_1 and kept. paper: kept fraction at the five dials, None without.
    plain: the kept fraction of a network without a dial.
    """
    figure, axis = plt.subplots(figsize=(7.2, 3.5))
    axis.plot(
        [0, 1], [NU, 0], color="#777777", linewidth=1, linestyle=":", label=r"asked for: $\nu\,\omega_2$"
    )
    axis.axhline(plain, color="#777777", linewidth=1, linestyle="--", label="a network without a dial")
    plots.curves(axis, along, "omega_1", "kept")
    if paper is not None:
        places = [omega[0] for omega in FIVE]
        axis.plot(places, paper, "k*", markersize=11, label="implied by the paper's Table 1")
    axis.set(xlabel=XLABEL, ylabel=YLABEL, xlim=(0, 1))
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure


def along(frames: Mapping[str, pd.DataFrame], black: Sequence[str]) -> Figure:
    """Kept fraction along the dial, one line per method; black: those drawn in black."""
    figure, axis = plt.subplots(figsize=(7.2, 3.5))
    plots.curves(axis, frames, "omega_1", "kept", black=black)
    axis.set(xlabel=XLABEL, ylabel=YLABEL, xlim=(0, 1))
    figure.legend(loc="outside lower center", ncols=4, fontsize=9)
    return figure
