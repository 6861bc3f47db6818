"""Figures of the chapter on real photographs."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from study.figures import plots


def even_dial(kinds: Mapping[str, pd.DataFrame], switch: pd.DataFrame | None) -> Figure:
    """The share of the noise that is kept along the dial, a line for each kind of photograph.

    kinds: name to rows with omega_1 and kept. switch: those of the paper's denoiser, dotted, or None.
    """
    figure, axis = plt.subplots(figsize=(7.2, 4.2))
    plots.curves(axis, kinds, "omega_1", "kept")
    if switch is not None:
        axis.plot(switch.omega_1, switch.kept, "k:", label="the paper's denoiser, colour")
    axis.set(
        xlabel=r"$\omega_1$ (fidelity), with $\omega_2 = 1 - \omega_1$",
        ylabel="kept-noise fraction $f$",
        xlim=(0, 1),
    )
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure
