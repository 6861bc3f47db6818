"""The cells of the paper's Tables 1 to 5, and our number for each."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from study.claims.verdicts import CLEAN
from study.disk import records

PAPER = records.ROOT / "data" / "paper"
MEASURED_AS = {"table5": {"psnr": "psnr_y", "ssim": "ssim_y"}}
"""Our names of the metrics, where a table means another one by the same name: Table 5 is of the luma."""


class Cell(NamedTuple):
    """One number of a table."""

    images: str
    """Test images, a name of datasets.py."""
    method: str
    """Of the paper or of ours."""
    metric: str
    """As the table calls it."""
    omega: tuple[float, ...]
    """Position of the dials; CLEAN for a network without dials."""
    sigma: float | None = None
    """Noise level in grey levels of 255; None for the mean over levels."""


def printed(table: str) -> dict[Cell, float]:
    """Every cell of a table as the paper prints it; table: table1, table2a, table2b, table3, ..."""
    frame = pd.read_csv(PAPER / f"{table}.csv")
    cells = {}
    for row in frame.itertuples():
        omega = CLEAN if pd.isna(row.omega_1) else (row.omega_1, row.omega_2)
        sigma = row.sigma if "sigma" in frame else None
        cells[Cell(row.images, row.method, row.metric, omega, sigma)] = row.value
    return cells


def value(table: str, cell: Cell, means: pd.DataFrame | None) -> float:
    """Our number for a cell; NaN where it was not measured.

    means: sweep.average() of the cell's images and method, by (omega_1, omega_2), or by (sigma, omega_1,
    omega_2) where the cell has a noise level; None where there is no sweep.
    """
    place = cell.omega if cell.sigma is None else (cell.sigma, *cell.omega)
    metric = MEASURED_AS.get(table, {}).get(cell.metric, cell.metric)
    if means is None or metric not in means or place not in means.index:
        return float("nan")
    return float(means.loc[place, metric])
