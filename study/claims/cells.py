"""Every number that the paper prints in Tables 1 to 5 beside ours, from stored sweeps."""

from __future__ import annotations

from functools import cache

import pandas as pd

from study.claims.verdicts import CLEAN, NotMeasured, measured
from study.configs import measurements
from study.configs.profiles import Profile
from study.disk import records
from study.images import datasets
from study.measuring.protocols import ImageSweep
from study.measuring.sweep import average
from study.runs import RunConfig

PAPER = records.ROOT / "data" / "paper"
LUMA = {"psnr": "psnr_y", "ssim": "ssim_y"}
"""What Table 5 means by its metrics."""


def beside_printed(budget: Profile) -> pd.DataFrame:
    """One row per printed cell of a method that is rebuilt here.

    Columns: table, images, method, metric, omega_1, omega_2, printed, and ours: the mean of the sweep
    that stands for the table (measurements.py), NaN where it is not in the store.
    """

    sources: list[dict] = []

    @cache
    def means(config: RunConfig, what: ImageSweep, by_sigma: bool) -> pd.DataFrame | None:
        by = ("sigma", "omega_1", "omega_2") if by_sigma else ("omega_1", "omega_2")
        if what.images not in datasets.names():
            return None  # a set of the paper that the registry does not have
        try:
            frame = measured(config, what)
        except NotMeasured:
            return None
        sources.append(frame.attrs["record"])
        return average(frame, by)

    rows = []
    for table, (configs, sweep_of) in measurements.tables(budget).items():
        printed = pd.read_csv(PAPER / f"{table}.csv")
        for cell in printed[printed.method.isin(configs)].itertuples():
            omega = CLEAN if pd.isna(cell.omega_1) else (cell.omega_1, cell.omega_2)
            place = (cell.sigma, *omega) if "sigma" in printed else omega
            metric = LUMA[cell.metric] if table == "table5" else cell.metric
            found = means(configs[cell.method], sweep_of(cell.images), "sigma" in printed)
            known = found is not None and metric in found and place in found.index
            rows.append(
                {
                    "table": table,
                    **{name: getattr(cell, name) for name in ("images", "method", "metric")},
                    "omega_1": omega[0],
                    "omega_2": omega[1],
                    "printed": cell.value,
                    "ours": found.loc[place, metric] if known else float("nan"),
                }
            )
    made = pd.DataFrame(rows)
    made.attrs["records"] = sources
    return made
