"""Chapter 12: which method to use, in one table computed from the others' runs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from study import configs
from study.chapters import which_one_words as words
from study.chapters.denoising import Denoising
from study.chapters.denoising_data import BEYOND, DIALS, NAMES, UNTRAINED
from study.chapters.shown import Shown
from study.chapters.which_one_results import Properties, goes_on, properties
from study.controls import BlendConfig, WaveletBlendConfig
from study.figures import tables
from study.measuring.sweep import average, by_seed

COLUMNS = {
    "objectives": "objectives",
    "memory": "memory",
    "training": "training",
    "fidelity": "PSNR at (1, 0)",
    "preservation": "PSNR η at (0, 1)",
    "largest_step": "largest step, %",
    "beyond": "beyond its end",
    "exports": "export",
}


class WhichOne(Denoising):
    """The chapter, from the parameters of its notebook, which are those of chapter 3."""

    asked = "Which method gives the dial you need, and what do you pay for it?"
    words = words

    @cached_property
    def properties(self) -> dict[str, Properties]:
        """What each method of chapter 3 asks for and gives."""
        network = self.data.budget.network.build()
        kinds = {"blend": BlendConfig(), "wavelets": WaveletBlendConfig()}
        found = {}
        for method in self.rows:
            name = "tunable" if method.startswith("tunable") else method
            config = kinds.get(name) or configs.METHODS[name]
            found[method] = properties(config.build, network)
        return found

    def beyond(self, method: str) -> float:
        """goes_on() of a method, from the seeds that can be measured; NaN without any."""
        frames = by_seed(self.data.repetitions[method], self.data.beyond)
        if not frames:
            return float("nan")
        kept = average(pd.concat(frames.values()))["kept"]
        before, end, past = (kept[omega] for omega in BEYOND)
        return goes_on((before, end, past))

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Every cell of the table: methods x the keys of COLUMNS."""
        psnr, psnr_eta = self.table("psnr"), self.table("psnr_eta")
        rows: dict[str, dict[str, Any]] = {}
        for method, known in self.properties.items():
            rows[method] = {
                "objectives": known.objectives,
                "memory": known.memory,
                "training": known.training,
                "fidelity": psnr.at[method, DIALS[-1]],
                "preservation": psnr_eta.at[method, DIALS[0]],
                "largest_step": 100 * self.evenness[method].largest_step,
                "beyond": self.beyond(method),
                "exports": ", ".join(known.exports) or "its own code",
            }
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))

    @property
    def dials(self) -> pd.DataFrame:
        """The rows of answers whose dial is trained."""
        return self.answers.drop(index=[m for m in UNTRAINED if m in self.answers.index])

    def which(self) -> Shown:
        """The table."""
        shown = self.answers.rename(index=NAMES, columns=COLUMNS)
        digits = {COLUMNS["largest_step"]: 0}
        table = tables.sortable(tables.tidy(shown, digits))
        wrapped = {"text-align": "left", "white-space": "normal", "min-width": "10em"}
        table.set_properties(subset=["export"], **wrapped)
        return Shown(table, self.data.records, self.data.first)
