"""What became of a claim, and what judges have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from tunable_core.study.profiles import Profile
from tunable_core.sweep import FIVE, SeveralSweeps, average, kept

Level = Literal["reproduced", "partly", "not reproduced", "not tested"]
LEVELS = get_args(Level)
KEEP, CLEAN = FIVE[0], FIVE[-1]


class NotMeasured(LookupError):
    """What a judge needs is not in the store; the message says what."""


@dataclass(frozen=True)
class Verdict:
    """What became of a claim."""

    level: Level
    evidence: str
    """The numbers, in a sentence."""


def graded(value: float, good: float, fair: float, evidence: str) -> Verdict:
    """Reproduced at good or beyond, partly at fair or beyond; good above fair asks for large values."""
    sign = 1 if good >= fair else -1
    level: Level = "not reproduced"
    if sign * value >= sign * fair:
        level = "partly"
    if sign * value >= sign * good:
        level = "reproduced"
    return Verdict(level, evidence)


def measured(name: str, budget: Profile, images: str = "kodak", *, named: bool = True) -> pd.DataFrame:
    """A kept sweep of that name. named: its name ends with the budget's. Raises NotMeasured."""
    try:
        return kept(f"{name}-{budget.name}" if named else name, images)
    except FileNotFoundError as error:
        raise NotMeasured(f"{name} on {images}") from error
    except SeveralSweeps as error:
        raise NotMeasured(str(error)) from error


def table(name: str, budget: Profile, images: str = "kodak", *, named: bool = True) -> pd.DataFrame:
    """As measured(), averaged: rows by omega."""
    return average(measured(name, budget, images, named=named))
