"""Every number that the paper prints in Tables 1 to 5 beside ours, from kept sweeps."""

from __future__ import annotations

from functools import cache

import pandas as pd

from tunable_core import records
from tunable_core.study.profiles import Profile
from tunable_core.study.verdicts import CLEAN, NotMeasured, measured
from tunable_core.sweep import average

PAPER = records.PACKAGE.parent / "data" / "paper"
SWEEPS = {
    "table1": {
        "Tunable": "denoising-tunable-fixed",
        "DNI": "denoising-dni-scratch",
        "DyNet": "denoising-dynet",
        "CFSNet": "denoising-cfsnet",
    },
    "table2a": {"SwinIR": "swinir-fixed", "Tunable SwinIR": "swinir-tunable"},
    "table2b": {"NAFNet": "nafnet-fixed", "Tunable NAFNet": "nafnet-tunable"},
    "table3": {"Tunable": "joint-tunable", "CResMD": "joint-cresmd"},
    "table4": {
        "Tunable": "sr-tunable",
        "DNI": "sr-dni-scratch",
        "DyNet": "sr-dynet",
        "CFSNet": "sr-cfsnet",
    },
    "table5": {"SwinIR": "sr-swinir-fixed", "Tunable SwinIR": "sr-swinir-tunable"},
}
"""For each table its methods, as printed, and the names of our sweeps; others' networks are left out."""
LUMA = {"psnr": "psnr_y", "ssim": "ssim_y"}
"""What Table 5 means by its metrics."""


def beside_printed(budget: Profile) -> pd.DataFrame:
    """One row per printed cell of a method that is rebuilt here.

    Columns: table, images, method, metric, omega_1, omega_2, printed, and ours: the mean that the sweeps
    of that budget have for it, NaN where none is kept.
    """

    sources: list[dict] = []

    @cache
    def means(name: str, images: str, by_sigma: bool) -> pd.DataFrame | None:
        by = ("sigma", "omega_1", "omega_2") if by_sigma else ("omega_1", "omega_2")
        try:
            frame = measured(name, budget, images)
        except NotMeasured:
            return None
        sources.append(frame.attrs["record"])
        return average(frame, by)

    rows = []
    for table, methods in SWEEPS.items():
        printed = pd.read_csv(PAPER / f"{table}.csv")
        for cell in printed[printed.method.isin(methods)].itertuples():
            omega = CLEAN if pd.isna(cell.omega_1) else (cell.omega_1, cell.omega_2)
            place = (cell.sigma, *omega) if "sigma" in printed else omega
            metric = LUMA[cell.metric] if table == "table5" else cell.metric
            found = means(methods[cell.method], cell.images, "sigma" in printed)
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
