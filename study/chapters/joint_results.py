"""What the tables of the chapter on two dials say, computed from averaged sweeps (Sec. 4.1.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.chapters.beside import LOWER
from study.figures import tables
from study.tasks import DenoisingDeblurring


@dataclass(frozen=True)
class Allowed:
    """PSNR in dB of an output that meets the loss exactly; inf where the target is the clean image."""

    low: float
    high: float

    def __str__(self) -> str:
        ends = [
            "∞" if np.isinf(end) else tables.number(end) for end in dict.fromkeys((self.low, self.high))
        ]
        return " to ".join(ends)


def allowed(noise: float, blur: float, omega: Sequence[float]) -> Allowed:
    """What the loss allows at omega, whose two targets have these PSNRs.

    L1 takes the target of the larger dial. At equal dials it takes either one, and all in between.
    """
    if omega[0] == omega[1]:
        return Allowed(min(noise, blur), max(noise, blur))
    value = noise if omega[0] > omega[1] else blur
    return Allowed(value, value)


def duels(cells: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """How much better `one` is than `other`: a row for each images, metric and omega.

    cells: of beside(). Columns images, metric, omega, ours and printed: positive where `one` is
    better, whichever way the metric runs; printed is NaN where the paper has no such pair. Pairs that
    were not measured are left out.
    """
    where = ["images", "metric", "omega"]
    table = cells.pivot(index=where, columns="method", values=["ours", "printed"])
    found = pd.DataFrame({of: table[of, one] - table[of, other] for of in ("ours", "printed")})
    found = found.dropna(subset="ours").reset_index()
    signs = np.where(found.metric.isin(LOWER), -1.0, 1.0)
    return found.assign(ours=signs * found.ours, printed=signs * found.printed)


@dataclass(frozen=True)
class Nearest:
    """Which of several rows is nearest to the paper's."""

    best: str
    """Its name."""
    distance: Mapping[str, float]
    """Mean distance of each row from the paper's."""

    @property
    def margin(self) -> float:
        """How much farther the second nearest is."""
        ordered = sorted(self.distance.values())
        return ordered[1] - ordered[0]

    @property
    def second(self) -> str:
        """The name of the second nearest."""
        return sorted(self.distance, key=self.distance.__getitem__)[1]


def nearest(paper: Sequence[float], rows: pd.DataFrame) -> Nearest:
    """Compare rows with the paper's; rows: names x the columns of the paper, same units."""
    distance = (rows - list(paper)).abs().mean(axis=1)
    return Nearest(str(distance.idxmin()), {str(k): float(v) for k, v in distance.items()})


def level_error(sigma: float, rho: float, given: Sequence[float] = (1.0, 0.0)) -> float:
    """Distance of the levels that CResMD is given from the true ones, in shares of the largest."""
    truth = DenoisingDeblurring().conditioning(sigma=sigma, rho=rho)
    return float(np.hypot(*(np.asarray(truth) - np.asarray(given))))


def follows(gains: pd.DataFrame, given: Sequence[float] = (1.0, 0.0)) -> float:
    """Rank correlation of a gain with the error of the levels, over all degradations; 1: always grows.

    gains: rho in pixels x sigma in grey levels.
    """
    values = gains.stack()
    errors = pd.Series([level_error(sigma, rho, given) for rho, sigma in values.index], values.index)
    return float(values.rank().corr(errors.rank()))


def by_degradation(frame: pd.DataFrame, metric: str = "psnr") -> pd.DataFrame:
    """A metric as rho x sigma, mean over the images; frame: a sweep at one position of the dials."""
    table = frame.pivot_table(index="rho", columns="sigma", values=metric)
    return table.rename_axis(index=r"$\rho$, pixels", columns=r"$\sigma$, grey levels")


def at(frame: pd.DataFrame, omega: Sequence[float]) -> pd.DataFrame:
    """The rows of a sweep at one position of the dials."""
    return frame[(frame.omega_1 == omega[0]) & (frame.omega_2 == omega[1])]
