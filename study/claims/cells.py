"""Every number that the paper prints in Tables 1 to 5 beside ours, from stored sweeps."""

from __future__ import annotations

from functools import cache

import pandas as pd

from study.claims.printed import printed, value
from study.claims.verdicts import NotMeasured, measured
from study.configs import measurements
from study.configs.profiles import Profile
from study.images import datasets
from study.measuring.image_sweep import ImageSweep
from study.measuring.sweep import average
from study.runs import RunConfig


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
        for cell, number in printed(table).items():
            if cell.method in configs:
                found = means(configs[cell.method], sweep_of(cell.images), cell.sigma is not None)
                rows.append(
                    {
                        "table": table,
                        "images": cell.images,
                        "method": cell.method,
                        "metric": cell.metric,
                        "omega_1": cell.omega[0],
                        "omega_2": cell.omega[1],
                        "printed": number,
                        "ours": value(table, cell, found),
                    }
                )
    made = pd.DataFrame(rows)
    made.attrs["records"] = sources
    return made
