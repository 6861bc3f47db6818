"""What the tables of the denoising chapter say, computed from averaged sweeps (Sec. 4.1.1).

In all functions a table is methods x the five dials of FIVE as headings, see denoising_data.at_five.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tunable_core.objectives import NU


def implied_kept(psnr: float, psnr_eta: float, omega_2: float, sigmas: Sequence[float]) -> float:
    """The kept-noise fraction that two mean PSNRs in dB imply, one of them against y_eta.

    sigmas: the noise levels of the means, grey levels of 255. At omega_2 = 0 it is the ratio of error
    and noise, which holds for the mean of the posterior.
    """
    noise = 10 ** (-np.mean([20 * np.log10(255 / sigma) for sigma in sigmas]) / 10)
    d, d_eta, c = 10 ** (-psnr / 10), 10 ** (-psnr_eta / 10), NU * omega_2
    return float(d / noise if c == 0 else (d - d_eta + c**2 * noise) / (2 * c * noise))


@dataclass(frozen=True)
class Reading:
    """Which training target the paper's table fits."""

    best: str
    """The nearest method."""
    distance: dict[str, float]
    """Mean distance of each method's kept fraction from the paper's, over the dials."""
    error: float
    """Mean error of the formula, measured on our own networks."""

    @property
    def margin(self) -> float:
        """How much farther the other reading is, beyond the error of the formula; positive is clear."""
        ordered = sorted(self.distance.values())
        return ordered[1] - ordered[0] - self.error


def reading(paper: Sequence[float], implied: pd.DataFrame, measured: pd.DataFrame) -> Reading:
    """Compare what the paper's PSNRs imply with what ours imply.

    paper: the implied kept fraction at the dials. implied, measured: two methods x the dials.
    """
    distance = (implied - list(paper)).abs().mean(axis=1)
    error = (implied - measured).abs().mean(axis=None)
    return Reading(str(distance.idxmin()), {str(k): float(v) for k, v in distance.items()}, float(error))


@dataclass(frozen=True)
class Gap:
    """How far one group of trainings is below another, in dB."""

    mean: float
    """Difference of the means; positive: the second is lower."""
    spread: float
    """Sum of half the ranges of both groups: smaller differences may be chance."""
    seeds: tuple[int, int]
    """Trainings in each group."""

    @property
    def beyond(self) -> float:
        """The size of the difference beyond the spread; positive is more than chance between seeds."""
        return abs(self.mean) - self.spread


def gap(plain: Sequence[float], dial: Sequence[float]) -> Gap:
    """The cost of a dial: a value of each training, in dB, without and with it."""
    spread = (np.ptp(plain) + np.ptp(dial)) / 2
    return Gap(float(np.mean(plain) - np.mean(dial)), float(spread), (len(plain), len(dial)))


def order(
    ours: pd.DataFrame, spreads: pd.DataFrame, paper: pd.DataFrame, one: str, rivals: Sequence[str]
) -> pd.DataFrame:
    """Who is ahead, `one` or a rival, here and in the paper: rivals x the columns of the paper.

    An entry is "same", "reversed", or "tied" where the difference is within the sum of both spreads.
    """
    verdicts, columns = {}, paper.columns
    for rival in rivals:
        here = ours.loc[one, columns] - ours.loc[rival, columns]
        there = np.sign(paper.loc[one] - paper.loc[rival])
        tied = here.abs() <= spreads.loc[one, columns] + spreads.loc[rival, columns]
        same = np.sign(here) == there
        words = np.where(tied, "tied", np.where(same, "same", "reversed"))
        verdicts[rival] = pd.Series(words, index=columns)
    return pd.DataFrame(verdicts).T


def above(equal: pd.DataFrame, oracle: str, names: Mapping[str, str]) -> list[str]:
    """Names of the methods that are above the oracle at every level of kept noise.

    equal: methods x levels, PSNR in dB where equal shares of the noise are kept; NaN is not above.
    """
    rest = equal.drop(index=oracle)
    return [names.get(m, m) for m in rest.index if (rest.loc[m] > equal.loc[oracle]).all()]
