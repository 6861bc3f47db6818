"""Chapter 3: the dial of denoising strength (the paper's Table 1 and Figure 4, Sec. 4.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from study import configs, runs
from study.chapters import denoising_results as compute
from study.chapters import denoising_words as words
from study.chapters.base import Chapter, Sure, network
from study.chapters.beside import beside, bold, versus, wide
from study.chapters.denoising_data import (
    DIALS,
    EVEN,
    NAMES,
    PRINTED_AS,
    SWITCH,
    Measured,
    at_five,
)
from study.chapters.denoising_photo import Photo
from study.chapters.shown import Shown
from study.configs import measurements
from study.figures import denoising_plots, tables
from study.measuring import dial
from study.measuring.behaviour import Evenness, evenness, miss
from study.measuring.sweep import FIVE, average, measurable, sweep
from tunable_core.objectives import NU

INTERIOR = DIALS[1:-1]
LEVELS = (0.25, 0.5, 0.75)
"""Shares of the noise at which pictures are compared."""
PERCENT = ("largest step, %", "off line, %", "miss, %")
"""Headings of what `feel` measures of a dial."""


class Denoising(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. images: test sets, the first of which the findings are about.
    sigmas: noise levels, grey levels of 255. crop: side of a central crop of each test image, None for
    whole images. rivals: methods beside Tunable, DNI and Blend. seeds: trainings of each method.
    positions: omegas along the dial.
    """

    asked = (
        "Can one network, trained once, have a dial that goes from keeping the noise of a photograph to "
        "removing it? Does it turn evenly, and is it as good at the end as a network without a dial?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        images: Sequence[str] = ("kodak", "cbsd68"),
        sigmas: Sequence[float] = (5.0, 15.0, 30.0),
        crop: int | None = None,
        rivals: Sequence[str] = ("dni-scratch", "dynet", "cfsnet", "film"),
        seeds: int = 5,
        positions: int = 21,
    ) -> None:
        super().__init__()
        self.data = Measured(profile, images, sigmas, rivals, seeds, crop, positions)
        self.show()

    def show(
        self, name: str = "kodim04", sigma: float = 30.0, zoom: Sequence[int] | None = None
    ) -> None:
        """Choose the photograph of the pictures, its noise in grey levels, and the magnified square.

        zoom: top, left and side in pixels; None takes the square with the most detail.
        """
        self.photo = Photo(self.data, name, sigma, zoom)

    # What the findings state.

    def table(self, metric: str) -> pd.DataFrame:
        """Methods x the five dials, means on the first set, of seed 0; metric: psnr, psnr_eta or
        kept."""
        return at_five(self.data.means[self.data.first], metric)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every number of Table 1, ours and the paper's, on all sets."""
        return beside(
            "table1", self.data.means, {m: PRINTED_AS[m] for m in self.rows if m in PRINTED_AS}
        )

    @property
    def rows(self) -> list[str]:
        """The methods, in the order of the tables."""
        return [*self.data.methods, *self.data.untrained]

    @property
    def trained(self) -> list[str]:
        """The methods whose dial was trained."""
        return [*self.data.methods]

    @cached_property
    def evenness(self) -> dict[str, Evenness]:
        """How evenly the kept fraction of each method moves along its dial."""
        return {method: evenness(frame.kept) for method, frame in self.data.along.items()}

    @cached_property
    def implied(self) -> pd.DataFrame:
        """Kept fraction that the PSNRs imply: the paper's network and both of ours x the five dials."""
        cells = self.cells.query("images == 'kodak' and method == @EVEN")
        rows = {"paper": wide(cells, "printed", ("metric",))} if len(cells) else {}
        frames = self.data.means[self.data.first]
        for method in (EVEN, SWITCH):
            rows[method] = pd.DataFrame(
                {d: frames[method].loc[w] for d, w in zip(DIALS, FIVE, strict=True)}
            )
        kept = {
            name: [
                compute.implied_kept(t.at["psnr", d], t.at["psnr_eta", d], w[1], self.data.sigmas)
                for d, w in zip(DIALS, FIVE, strict=True)
            ]
            for name, t in rows.items()
        }
        return pd.DataFrame.from_dict(kept, orient="index", columns=DIALS)

    @cached_property
    def reading(self) -> compute.Reading | None:
        """Which target the paper's table fits; None on other images than the paper's."""
        if "paper" not in self.implied.index:
            return None
        ours = self.implied.drop(index="paper")
        return compute.reading(self.implied.loc["paper"], ours, self.table("kept").loc[[EVEN, SWITCH]])

    def cost(self, method: str = EVEN) -> compute.Gap:
        """PSNR at fidelity below the plain network, which is DNI's first; both over seeds, on
        squares."""
        plain, ours = (
            [frame.loc[FIVE[-1], "psnr"] for frame in self.data.seed_means[m].values()]
            for m in ("dni", method)
        )
        return compute.gap(plain, ours)

    @cached_property
    def equal(self) -> pd.DataFrame:
        """PSNR in dB where equal shares of the noise are kept: methods x LEVELS."""
        rows = {
            method: [dial.at_equal_kept(frame, level) for level in LEVELS]
            for method, frame in self.data.along.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(LEVELS))

    def order(self, metric: str) -> pd.DataFrame:
        """Who is ahead, the fixed-target network or each rival of the paper, between the ends."""
        cells = self.cells.query("images == 'kodak' and metric == @metric")
        rivals = [m for m in ("dni-scratch", "dynet", "cfsnet") if m in self.rows]
        if not len(cells) or not rivals:
            return pd.DataFrame()
        paper = wide(cells, "printed", ("method",))[INTERIOR]
        return compute.order(self.table(metric), self.data.spreads(metric), paper, SWITCH, rivals)

    @cached_property
    def ablation_frames(self) -> dict[str, pd.DataFrame]:
        """Each ablation that the store has, to its sweep."""
        what = measurements.ablations(self.data.images[0])
        wanted = {name: configs.ablation(name, self.data.budget) for name in configs.ABLATIONS}
        found = {n: runs.get(c, weights=False) for n, c in wanted.items() if runs.find(c) is not None}
        return {n: sweep(r, what, progress=False) for n, r in found.items() if measurable(r, what)}

    def ends(self, ablation: str) -> float:
        """PSNR of an ablation at fidelity, in dB; NaN where it is not in the store."""
        frame = self.ablation_frames.get(ablation)
        return float("nan") if frame is None else float(average(frame).loc[FIVE[-1], "psnr"])

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        frames = self.data.frames
        return Sure(
            images={used: next(iter(f.values())).image.nunique() for used, f in frames.items()},
            seeds={NAMES.get(m, m): len(r) for m, r in self.data.runs.items()},
            networks=network(self.data.runs[EVEN][0].config),
            would_change=words.WOULD_CHANGE,
            missing=self.data.missing,
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        cost, kept = self.cost(), self.table("kept").loc[EVEN]
        return {
            "images": self.data.first,
            "seeds": cost.seeds[1],
            "cost": cost.mean,
            "cost_spread": cost.spread,
            "psnr_fidelity": float(self.table("psnr").at[EVEN, DIALS[-1]]),
            "psnr_plain": float(self.table("psnr").at["dni", DIALS[-1]]),
            "kept_keep": float(kept.iloc[0]),
            "kept_clean": float(kept.iloc[-1]),
            "largest_step": self.evenness[EVEN].largest_step,
            "largest_step_fixed": self.evenness[SWITCH].largest_step,
            "nu": NU,
        }

    # Tables and figures.

    def two_dials(self) -> Shown:
        """Kept fraction along the dial: both readings of Eq. 9, and what the paper's Table 1 implies."""
        along = {NAMES[method]: self.data.along[method] for method in (EVEN, SWITCH)}
        paper = self.implied.loc["paper"] if self.reading else None
        plain = float(self.data.along["blend"].kept.iloc[-1])  # Blend at (1, 0) is the plain network
        figure = denoising_plots.two_dials(along, paper, plain)
        return Shown(figure, self._along_records(EVEN, SWITCH), self.data.first)

    def _along_records(self, *methods: str) -> list[dict[str, Any]]:
        return [self.data.along_frames[m].attrs["record"] for m in methods or self.rows]

    def table_1(self, metric: str, images: str = "") -> Shown:
        """The paper's Table 1: ours, the paper's, the difference; bold: the best, and methods
        that differ from it by less than the spread of our seeds."""
        used = images or self.data.first
        cells = self.cells[self.cells.images == used]
        trained = at_five(self.data.means[used], metric).drop(index=self.data.untrained)
        best = bold(trained, self.data.spreads(metric))
        named = cells.assign(method=cells.method.map(lambda m: NAMES.get(m, m)))
        best = best.rename(index=NAMES)
        return Shown(versus(named, metric, rows=("method",), best=best), self.data.records, used)

    def costs(self) -> Shown:
        """The two ends of the dial over seeds, mean and half the range, beside the plain network."""
        rows = {"plain network": "dni", NAMES[EVEN]: EVEN, NAMES[SWITCH]: SWITCH}
        columns = {
            "PSNR at (1, 0)": (FIVE[-1], "psnr"),
            "PSNR η at (0, 1)": (FIVE[0], "psnr_eta"),
            "f at (0, 1)": (FIVE[0], "kept"),
        }
        found = {
            (name, column): [frame.loc[place] for frame in self.data.seed_means[method].values()]
            for name, method in rows.items()
            for column, place in columns.items()
            if method != "dni" or place[0] == FIVE[-1]
        }
        mean = pd.Series({k: np.mean(v) for k, v in found.items()}).unstack()
        half = pd.Series({k: np.ptp(v) / 2 for k, v in found.items()}).unstack()
        mean, half = (t.reindex(index=list(rows), columns=list(columns)) for t in (mean, half))
        return Shown(tables.with_spread(mean, half), self.data.seed_records, self.data.first)

    def along(self) -> Shown:
        """Kept fraction along the dial of every method."""
        named = {NAMES.get(method, method): frame for method, frame in self.data.along.items()}
        return Shown(
            denoising_plots.along(named, [NAMES["blend"]]), self._along_records(), self.data.first
        )

    def feel(self) -> Shown:
        """How evenly each dial moves, and PSNR where equal shares of the noise are kept."""
        rows = {
            NAMES.get(method, method): {
                PERCENT[0]: 100 * self.evenness[method].largest_step,
                PERCENT[1]: 100 * self.evenness[method].off_line,
                PERCENT[2]: 100 * miss(frame),
            }
            | {f"PSNR, f = {level:g}": self.equal.at[method, level] for level in LEVELS}
            for method, frame in self.data.along.items()
        }
        shown = tables.tidy(pd.DataFrame(rows).T, dict.fromkeys(PERCENT, 0))
        return Shown(shown, self._along_records(), self.data.first)
