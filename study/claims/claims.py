"""Every claim of the paper judged on what was measured: data/paper/claims.yml says what, judges say how.

A judge reads stored sweeps (those of measurements.py), benchmarks and runs of one profile and compares
a number with thresholds that stand beside it. Nothing is measured or trained here: what was not measured
is "not tested".
"""

from __future__ import annotations

import pandas as pd
import yaml

from study.claims import judges_denoising, judges_restoration
from study.claims.verdicts import LEVELS, NotMeasured, Verdict
from study.configs.profiles import Profile
from study.disk import records

__all__ = ["CLAIMS", "JUDGES", "LEVELS", "judged"]

CLAIMS = records.ROOT / "data" / "paper" / "claims.yml"
JUDGES = judges_denoising.JUDGES | judges_restoration.JUDGES


def judged(budget: Profile) -> pd.DataFrame:
    """One row per claim of the paper: section, quote, statement, figure, verdict and evidence."""
    rows = {}
    for name, text in yaml.safe_load(CLAIMS.read_text(encoding="utf-8")).items():
        try:
            verdict = JUDGES[name](budget) if name in JUDGES else None
        except NotMeasured as missing:
            verdict = Verdict("not tested", f"Not measured at this profile: {missing}.")
        verdict = verdict or Verdict("not tested", "Not part of the study yet.")
        rows[name] = {**text, "verdict": verdict.level, "evidence": verdict.evidence}
    return pd.DataFrame.from_dict(rows, orient="index")
