"""What became of a claim, and what judges have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from study.measuring.image_sweep import FIVE, ImageSweep
from study.measuring.sweep import average, find
from study.runs import RunConfig
from tunable_core.controls import Control

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


def measured(config: RunConfig | Control, what: ImageSweep) -> pd.DataFrame:
    """The stored sweep of a run (or of a control that is not trained). Raises NotMeasured."""
    try:
        return find(config, what)
    except FileNotFoundError as error:
        name = config.name if isinstance(config, RunConfig) else type(config).__name__
        raise NotMeasured(f"{name} on {what.images}") from error


def table(config: RunConfig | Control, what: ImageSweep) -> pd.DataFrame:
    """As measured(), averaged: rows by omega."""
    return average(measured(config, what))
