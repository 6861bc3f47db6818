"""What the tables of the chapter on third-party networks say, computed from averaged sweeps (Table "
"2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import nn

FIXED, FIDELITY, KEEP = "fixed", "(1, 0)", "(0, 1), PSNR η"
"""Columns of the tables: preservation, fidelity, the fixed network."""
COLUMNS = {
    ("tunable", "psnr_eta", (0.0, 1.0)): KEEP,
    ("tunable", "psnr", (1.0, 0.0)): FIDELITY,
    ("fixed", "psnr", (1.0, 0.0)): FIXED,
}
"""Which number of which network stands in which column."""


def arranged(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of beside() that the tables show, with their column; in the order of COLUMNS.

    Every one counts as PSNR, also the one against the noisy target, whose column says so.
    """
    keys = zip(cells.method, cells.metric, cells.omega, strict=True)
    columns = pd.Series([COLUMNS.get(key, "") for key in keys], index=cells.index)
    shown = cells.assign(column=columns, metric="psnr")[columns != ""]
    order = {name: i for i, name in enumerate(COLUMNS.values())}
    return shown.sort_values("column", key=lambda names: names.map(order), kind="stable")


@dataclass(frozen=True)
class Spans:
    """A difference in dB over several cases or seeds."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def size(self) -> float:
        """The mean without its sign."""
        return abs(self.mean)

    @property
    def side(self) -> str:
        """ "above" or "below"."""
        return "above" if self.mean > 0 else "below"


def spans(differences: Sequence[float]) -> Spans | None:
    """Mean and range of differences in dB, without those that are missing; None without any."""
    values = np.asarray([v for v in differences if not np.isnan(v)], dtype=float)
    if not len(values):
        return None
    return Spans(float(values.mean()), float(values.min()), float(values.max()), len(values))


def by_seed(tunable: Mapping[int, pd.DataFrame], fixed: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Both networks of each seed: columns of the table, gap and lift, in dB.

    tunable, fixed: seed to averaged sweep with index (omega_1, omega_2). Seeds that only one of them
    has are left out.
    """
    rows = {}
    for seed in sorted({*tunable} & {*fixed}):
        ours, baseline = tunable[seed], fixed[seed].loc[(1.0, 0.0), "psnr"]
        keep, best = ours.loc[(0.0, 1.0), "psnr_eta"], ours.loc[(1.0, 0.0), "psnr"]
        rows[f"seed {seed}"] = {KEEP: keep, FIDELITY: best, FIXED: baseline}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.assign(gap=table[FIDELITY] - table[FIXED], lift=table[KEEP] - table[FIDELITY])


def composition(network: nn.Module) -> pd.Series:
    """Share of a network's parameters by kind of layer, per cent."""
    counts: dict[str, int] = {}
    for name, parameter in network.named_parameters():
        kind = kind_of(name, network.get_submodule(name.rpartition(".")[0]))
        counts[kind] = counts.get(kind, 0) + parameter.numel()
    return pd.Series(counts) * 100 / sum(counts.values())


def kind_of(name: str, layer: nn.Module) -> str:
    """What a parameter of SwinIR or NAFNet is for."""
    if "norm" in name:
        return "norms (shared)"
    if "bias_table" in name:
        return "position biases"
    if isinstance(layer, nn.Linear):
        return "attention" if "attn" in name else "linear layers"
    if isinstance(layer, nn.Conv2d):
        if layer.groups > 1:
            return "depth-wise convolutions"
        return "1 x 1 convolutions" if layer.kernel_size == (1, 1) else "convolutions"
    return "bare parameters"
