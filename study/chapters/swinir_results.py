"""What the tables of the chapter on SwinIR for super-resolution say (Table 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from torch import Tensor

PERCEPTUAL, FIDELITY, FIXED = "(0, 1)", "(1, 0)", "fixed"
"""Columns of the tables: both ends of the dial, and the network without one."""
RESNET = "ResNet"
"""The column of chapter 6's plain network, for fidelity alone."""


def arranged(cells: pd.DataFrame, others: Sequence[str]) -> pd.DataFrame:
    """The cells of beside() that the tables show, with their column, in the order of the columns.

    From the perceptual end to fidelity, the fixed network, then others: networks without a dial.
    """
    columns = {("tunable", (0.0, 1.0)): PERCEPTUAL, ("tunable", (1.0, 0.0)): FIDELITY}
    columns |= {(FIXED, (1.0, 0.0)): FIXED} | {(name, (1.0, 0.0)): name for name in others}
    keys = zip(cells.method, cells.omega, strict=True)
    found = pd.Series([columns.get(key, "") for key in keys], index=cells.index)
    order = {name: i for i, name in enumerate(columns.values())}
    shown = cells.assign(column=found)[found != ""]
    return shown.sort_values("column", key=lambda names: names.map(order), kind="stable")


def ours(cells: pd.DataFrame, metric: str = "psnr", of: str = "ours") -> pd.DataFrame:
    """Numbers of arranged() as sets of images x columns; of: ours or printed."""
    shown = cells[cells.metric == metric]
    table = shown.pivot(index="images", columns="column", values=of)
    return table.reindex(index=shown.images.unique(), columns=shown.column.unique())


def drift(output: Tensor, clean: Tensor) -> Tensor:
    """Mean difference of red, green and blue to the clean picture, grey levels of 255: [3].

    Both [3, H, W]; the output is clipped to [0, 1].
    """
    return 255 * (output.clamp(0, 1) - clean).mean((1, 2))


def drifts(pictures: Mapping[str, Tensor], clean: Tensor) -> pd.DataFrame:
    """drift() of each picture: names x red, green, blue."""
    rows = {name: drift(picture, clean).tolist() for name, picture in pictures.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["red", "green", "blue"])
