"""Every claim of the paper judged: data/paper/claims.yml has words and thresholds, judges say how.

A judge reads stored sweeps (those of measurements.py), benchmarks and runs of one profile, or the
numbers that the paper prints, and compares one number with the thresholds beside the quote. Nothing is
measured or trained here: what was not measured is "not measured here".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from study.claims import judges_dials, judges_kernels, judges_tables
from study.claims.sources import Source
from study.claims.store import Store
from study.claims.verdicts import LEVELS, Bounds, NotMeasured, Verdict
from study.configs.profiles import Profile
from study.disk import records

__all__ = ["CLAIMS", "JUDGES", "LEVELS", "Claim", "claims", "judge", "judged"]

CLAIMS = records.ROOT / "data" / "paper" / "claims.yml"
JUDGES = judges_tables.JUDGES | judges_dials.JUDGES | judges_kernels.JUDGES


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, as data/paper/claims.yml has it."""

    name: str
    section: str
    """Where the paper makes it."""
    quote: str
    """In the paper's words."""
    statement: str
    """As it is tested, with its thresholds."""
    bounds: Bounds
    because: str
    """How the thresholds follow from the words."""
    figure: str
    """The chapter, and the anchor in it, that shows the numbers."""
    seen: str
    """Test images that were looked at while settings of our networks were chosen; "" for none."""


def claims() -> dict[str, Claim]:
    """Every claim, by name."""
    texts: dict[str, dict[str, Any]] = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    return {name: _claim(name, **text) for name, text in texts.items()}


def _claim(name: str, *, statement: str, good: float, fair: float, seen: str = "", **text: str) -> Claim:
    filled = statement.format(good=good, fair=fair)
    return Claim(name, statement=filled, bounds=Bounds(good, fair), seen=seen, **text)


def judge(claim: Claim, source: Source) -> Verdict:
    """The verdict on one claim by the numbers of a source."""
    try:
        return JUDGES[claim.name](source, claim.bounds)
    except NotMeasured as missing:
        return Verdict("not measured here", f"{source.lacks} {missing}.")


def judged(budget: Profile) -> pd.DataFrame:
    """One row per claim of the paper: what was claimed, the verdict, its evidence, how sure it is, and
    what its numbers cost to make."""
    rows, store = {}, Store(budget)
    for name, claim in claims().items():
        store = store.for_next()
        found = judge(claim, store)
        rows[name] = {
            "section": claim.section,
            "quote": claim.quote,
            "statement": claim.statement,
            "because": claim.because,
            "figure": claim.figure,
            "seen": claim.seen,
            "verdict": found.level,
            "evidence": found.evidence,
            "beside": found.beside,
            "readings_differ": found.readings_differ,
            "sure": store.sure(),
            **store.cost()._asdict(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")
