"""Chapter 10: every claim of the paper with its verdict, and every printed number beside ours."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import pandas as pd

from study import configs
from study.chapters.base import Chapter, Sure, network
from study.chapters.beside import every_cell
from study.chapters.findings import TITLES, Either, listed, titled
from study.chapters.shown import Said, Shown
from study.claims import claims, page, summary
from study.figures import plots, tables

UNSURE = Either(
    "Cannot be told at this budget ({value:.0f}): {names}.",
    "No claim is left open by its interval.",
)
"""value: claims whose 95 % interval supports no verdict."""
UNMEASURED = Either("Not measured here ({value:.0f}): {names}.", "Every claim was measured.")
"""value: claims for which a measurement is missing."""
READINGS = Either(
    "The reading of Eq. 9 decides these verdicts ({value:.0f}): {names}.",
    "No verdict depends on how Eq. 9 is read.",
)
"""value: claims whose verdicts under the two readings of Eq. 9 differ."""
CELLS = Either(
    "The paper prints {cells} numbers of methods that are rebuilt here; {value:.0f} of them were "
    "measured. In PSNR the median distance to the printed value is {median:.2f} dB.",
    "The paper prints {cells} numbers of methods that are rebuilt here; none was measured at this "
    "budget.",
)
"""value: printed cells that have a number of ours."""
SEEDS = Either(
    "Claims that rest on several seeds: {several}. The intervals of the other {value:.0f} are over "
    "images alone, so more seeds could change them.",
    "Every claim rests on several seeds.",
)
"""value: claims with one seed, or without a network that is trained here."""


class Verdicts(Chapter):
    """The claims of the paper at a budget."""

    asked = "What does the paper say, and does it hold here?"

    def __init__(self, profile: str) -> None:
        super().__init__()
        self.budget = configs.profile(profile)

    @cached_property
    def judged(self) -> pd.DataFrame:
        """See claims.judged; sets of images are named as sentences name them."""
        found = claims.judged(self.budget)
        return found.assign(**{c: found[c].map(spelled) for c in ("evidence", "beside", "sure")})

    @cached_property
    def cells(self) -> pd.DataFrame:
        """See beside.every_cell."""
        return every_cell(self.budget)

    def named(self, verdict: str) -> list[str]:
        """The claims with a verdict."""
        return self.judged.index[self.judged.verdict == verdict].to_list()

    def findings(self) -> list[str]:
        """See Chapter."""
        unsure, unmeasured = map(self.named, claims.LEVELS[-2:])
        differ = self.judged.index[self.judged.readings_differ.astype(bool)].to_list()
        measured = self.cells.dropna(subset="ours")
        psnr = measured[measured.metric.isin(["psnr", "psnr_eta"])]
        return [
            f"Of the paper's {page.sentence(self.judged)}.",
            UNSURE(len(unsure), names=listed(unsure)),
            UNMEASURED(len(unmeasured), names=listed(unmeasured)),
            READINGS(len(differ), names=listed(differ)),
            CELLS(
                len(measured),
                cells=len(self.cells),
                median=(psnr.ours - psnr.printed).abs().median(),
            ),
        ]

    def advice(self) -> list[str]:
        """See Chapter."""
        return [
            "A claim that fails here may hold at the paper's size. A claim that holds here holds for "
            "small networks.",
            "Before you rely on a verdict, read how sure it is, and on which seeds it rests.",
        ]

    def how_sure(self) -> Sure:
        """See Chapter."""
        several = self.judged.sure.str.contains(r"\bseeds ").sum()
        return Sure(
            images={},
            seeds={},
            networks="Each claim names its images and seeds; intervals are 95 % bootstraps over both. "
            + network(configs.denoising("tunable", self.budget)),
            would_change=SEEDS(len(self.judged) - int(several), several=several)
            + " Some settings were chosen on test images; each claim names those.",
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        found: dict[str, Any] = {"failed": listed(self.named("not reproduced"))}
        for name, part in (
            ("bar", summary.bar),
            ("themes", summary.table),
            ("numbers", summary.number_list),
        ):
            found[name] = part(self.judged)
        return page.results(self.judged) | found

    def count(self) -> Shown:
        """How many claims have each verdict, as a bar."""
        counts = page.counts(self.judged)
        return Shown(plots.shares(counts, list(page.COLOURS.values())))

    def claims(self) -> Shown:
        """Every claim with its verdict."""
        return Shown(page.table(self.judged), self.cells.attrs["records"])

    def costs(self) -> Shown:
        """Command, time and memory of each verdict."""
        return Shown(tables.tidy(page.costs(self.judged)))

    def at_a_glance(self) -> Shown | Said:
        """Ours against the printed value of every cell but NIQE, whose scale is another one there."""
        measured = self.cells.dropna(subset="ours")
        groups = {"PSNR, dB": ["psnr", "psnr_eta"], "LPIPS": ["lpips"], "SSIM": ["ssim"]}
        groups = {title: names for title, names in groups.items() if measured.metric.isin(names).any()}
        if not groups:
            return Said("*Nothing was measured on the paper's images at this budget.*")
        return Shown(plots.against_printed(measured, groups), self.cells.attrs["records"])

    def evidence(self, verdict: str) -> Said:
        """The claims with a verdict, and their numbers."""
        found = self.judged[self.judged.verdict == verdict]
        lines = [f"- **{name}**: {claim.evidence}" for name, claim in found.iterrows()]
        return Said("\n".join(lines) or "*No claim has this verdict.*")


def spelled(text: str) -> str:
    """A text with the names of sets of images as sentences have them."""
    return re.sub(r"\b(" + "|".join(TITLES) + r")\b", lambda found: titled(found[0]), text)
