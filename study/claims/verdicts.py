"""What became of a claim, and what judges have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from study.controls import Control
from study.measuring.image_sweep import FIVE, ImageSweep
from study.measuring.intervals import Estimate
from study.measuring.sweep import average, find
from study.runs import Run, RunConfig

Level = Literal[
    "reproduced", "partly", "not reproduced", "cannot be told at this budget", "not measured here"
]
LEVELS = get_args(Level)
KEEP, CLEAN = FIVE[0], FIVE[-1]
ROUNDING = 1e-9
"""39.96 - 39.90 is 0.06."""


class NotMeasured(LookupError):
    """What a judge needs is not there; the message says what."""


@dataclass(frozen=True)
class Bounds:
    """The thresholds of a claim, from data/paper/claims.yml."""

    good: float
    """Reproduced at this value or beyond; beyond is upwards where good is above fair."""
    fair: float
    """Partly at this value or beyond."""

    def level(self, value: float) -> Level:
        """The verdict on a number that is known exactly."""
        sign = 1 if self.good >= self.fair else -1
        if sign * (value - self.good) >= -ROUNDING:
            return "reproduced"
        return "partly" if sign * (value - self.fair) >= -ROUNDING else "not reproduced"


@dataclass(frozen=True)
class Verdict:
    """What became of a claim."""

    level: Level
    evidence: str
    """The numbers, in a sentence."""
    beside: str = ""
    """What else is known: with a rival that the paper did not have, or on another device."""
    readings_differ: bool = False
    """Whether it joins different verdicts of the two readings of Eq. 9."""


def graded(value: Estimate, bounds: Bounds, evidence: str, beside: str = "") -> Verdict:
    """The verdict that the whole interval supports.

    Reproduced or partly where the worse end of the interval still is; not reproduced where the better
    end is not either; else it cannot be told.
    """
    ends = {bounds.level(end) for end in (value.low, value.high)}
    level: Level
    if pd.isna(value.value):
        level = "not measured here"
    elif "not reproduced" not in ends:
        level = "partly" if "partly" in ends else "reproduced"
    else:
        level = "not reproduced" if len(ends) == 1 else "cannot be told at this budget"
    return Verdict(level, evidence, beside)


def joined(verdicts: Sequence[tuple[str, Verdict]]) -> Verdict:
    """One verdict for several readings of a claim, each with its name.

    That of all where they agree; else partly where one of them holds at least in part.
    """
    if len(verdicts) == 1:
        return verdicts[0][1]
    levels = [verdict.level for _, verdict in verdicts]
    level: Level = levels[0]
    if len(set(levels)) > 1:
        holds = {"reproduced", "partly"} & set(levels)
        level = "partly" if holds else "cannot be told at this budget"
    differ = len(set(levels)) > 1
    named = [(f"{n}: {verdict.level}." if differ else f"{n}:", verdict) for n, verdict in verdicts]
    evidence = " ".join(f"{name} {verdict.evidence}" for name, verdict in named)
    if len({verdict.evidence for _, verdict in verdicts}) == 1:
        evidence = f"Under both readings of Eq. 9: {verdicts[0][1].evidence}"
    beside = " ".join(f"{n}: {verdict.beside}" for n, verdict in verdicts if verdict.beside)
    return Verdict(level, evidence, beside, differ)


def measured(of: RunConfig | Run | Control, what: ImageSweep) -> pd.DataFrame:
    """The stored sweep of a run (or of a control that is not trained). Raises NotMeasured."""
    try:
        return find(of, what)
    except FileNotFoundError as error:
        config = of.config if isinstance(of, Run) else of
        name = config.name if isinstance(config, RunConfig) else type(config).__name__
        raise NotMeasured(f"{name} on {what.images}") from error


def table(config: RunConfig | Control, what: ImageSweep) -> pd.DataFrame:
    """As measured(), averaged: rows by omega."""
    return average(measured(config, what))
