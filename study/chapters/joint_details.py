"""The details of chapter 5: sizes, NIQE, the second set, CResMD's own form, single degradations."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd

from study.chapters import joint_results as compute
from study.chapters.beside import over_seeds
from study.chapters.findings import Either
from study.chapters.joint import DIGITS, HEADINGS, TwoDials, not_measured
from study.chapters.joint_data import BOTH, NAMES, RESTORE, SHARPEN
from study.chapters.shown import Said, Shown
from study.claims.printed import printed
from study.controls import complexity
from study.figures import panels, plots, tables
from study.measuring.protocols import CORNERS
from study.measuring.sweep import average, sweep
from study.tasks import DenoisingDeblurring

TRUTH = "given the true levels"
OWN = Either(
    above="At (1, 0) the own form is {value:.2f} dB above the one in our backbone, and {truth} where "
    "both are given the true levels. At (0, 1), where the levels are most wrong, it is {wrong}.",
    otherwise="At (1, 0) the own form is {size:.2f} dB below the one in our backbone, and {truth} where "
    "both are given the true levels. At (0, 1), where the levels are most wrong, it is {wrong}.",
)
"""value: PSNR of the own form at (1, 0) above that of CResMD in our backbone, in dB."""
FIXED = Either(
    above="Against the fixed network Tunable is between {low} and {high}: never below it.",
    otherwise="Against the fixed network Tunable is between {low} and {high}, depending on the "
    "degradation.",
)
"""value: the least PSNR of Tunable above the fixed network, over the degradations, in dB."""
BLUR = Either(
    above="At the least noise the gain in PSNR at (1, 0) grows with the blur, from {sharp:.2f} to "
    "{blurred:.2f} dB, as the error of the given levels does.",
    otherwise="At the least noise the gain in PSNR at (1, 0) falls with the blur, from {sharp:.2f} to "
    "{blurred:.2f} dB, while the error of the given levels grows: that error does not explain it.",
)
"""value: the gain at the strongest blur less that without blur, in dB."""
ROUNDING = Either(
    threshold=0.05,
    above="In bfloat16 PSNR is up to {off:.3f} dB off what float32 gives.",
    otherwise="In bfloat16 PSNR is within {off:.3f} dB of what float32 gives.",
)
"""value: the largest difference, dB."""
BEYOND = Either(
    above="At {level} the input has {before:.2f} dB, and the best output {after:.2f} dB ({best}).",
    otherwise="At {level} the input has {before:.2f} dB, and no network improves it (the best, {best}, "
    "has {after:.2f} dB).",
)
"""value: PSNR of the best output above that of the input, in dB."""


def sided(value: float) -> str:
    """ "0.20 dB above" or "0.20 dB below"."""
    return f"{abs(value):.2f} dB {'above' if value > 0 else 'below'}"


class Details(TwoDials):
    """Tables for the appendix, from the same parameters as the chapter."""

    @property
    def last(self) -> str:
        """The last set of images that was really used."""
        return list(self.data.frames)[-1]

    def networks(self) -> Shown:
        """What each network stores and costs."""
        rows = {}
        for method, run in self.data.runs.items():
            cost = complexity(run.control, RESTORE)
            rows[NAMES[method]] = {
                "parameters": cost["parameters"],
                "multiply-adds per pixel": round(cost["multiply_adds"]),
                "steps": run.config.training.steps,
                "minutes": plots.minutes(run.record),
            }
        table = pd.DataFrame.from_dict(rows, orient="index")
        return Shown(tables.tidy(table), self.data.run_records())

    def rounding(self) -> Said:
        """What bfloat16 changes, on the squares of both dials."""
        what = replace(self.data.grid, omegas=CORNERS)
        single, half = (
            sweep(self.data.runs["tunable"], replace(what, bf16=bf16), progress=False)
            for bf16 in (False, True)
        )
        off = (single.psnr - half.psnr).abs().max()
        return Said(ROUNDING(off, off=off))

    def seeds(self, metric: str) -> Shown:
        """Mean and half the range over seeds at the corners of the dials, on squares."""
        means = self.data.seed_means
        if metric not in means["tunable"][0]:
            return Shown(not_measured(metric))
        table = over_seeds(means, CORNERS, {metric: HEADINGS[metric]}, NAMES, DIGITS[metric])
        return Shown(table, self.data.seed_records, self.data.first)

    # CResMD in its own form.

    @cached_property
    def _own(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        what = replace(self.data.whole(self.data.images[0]), every=4)
        run = self.data.runs["cresmd-own"]
        at_corners, at_truth = (
            sweep(run, replace(what, true_levels=true), progress=False) for true in (False, True)
        )
        return at_corners, at_truth

    @cached_property
    def forms(self) -> pd.DataFrame:
        """PSNR on every fourth image: networks x the corners and the truth."""
        corners, at_truth = self._own
        frames = self.data.frames[self.data.first]
        pairs = {
            "tunable": (frames["tunable"], None),
            "cresmd": (frames["cresmd"], frames["truth"]),
            "cresmd-own": (corners, at_truth),
        }
        rows = {}
        for method, (at_corners, truth) in pairs.items():
            mean = average(at_corners[at_corners.image.isin(corners.image)]).psnr
            rows[NAMES[method]] = {plots.dials(w): mean.loc[w] for w in CORNERS}
            if truth is not None:
                same = truth[truth.image.isin(corners.image)]
                rows[NAMES[method]][TRUTH] = self._mean(same, "truth").psnr
        return pd.DataFrame.from_dict(rows, orient="index")

    def own_form(self) -> Shown:
        """Tunable, and CResMD in our backbone and in its own form; below, what the paper prints."""
        cells = {c: v for c, v in printed("table3").items() if (c.images, c.metric) == ("kodak", "psnr")}
        theirs = {plots.dials(c.omega): v for c, v in cells.items() if c.method == "CResMD"}
        table = pd.concat([self.forms, pd.DataFrame({"the paper's CResMD, Kodak": theirs}).T])
        records = [frame.attrs["record"] for frame in self._own]
        return Shown(tables.tidy(table), self.data.run_records("cresmd-own") + records, self.data.first)

    def own_form_said(self) -> Said:
        """Whether our backbone holds CResMD back."""
        gain = self.forms.loc[NAMES["cresmd-own"]] - self.forms.loc[NAMES["cresmd"]]
        value = gain[plots.dials(RESTORE)]
        numbers = {"truth": sided(gain[TRUTH]), "wrong": sided(gain[plots.dials(SHARPEN)])}
        return Said(OWN(value, size=abs(value), **numbers))

    # Degradation by degradation.

    def by_degradation(self) -> Shown:
        """PSNR of restoration for each noise and blur."""
        frames = self.data.frames[self.data.first]
        maps = {
            "Tunable at (1, 0)": compute.at(frames["tunable"], RESTORE),
            "CResMD at (1, 0)": compute.at(frames["cresmd"], RESTORE),
            "CResMD, given the true levels": frames["truth"],
            "Fixed": frames["fixed"],
        }
        found = {name: compute.by_degradation(frame) for name, frame in maps.items()}
        return Shown(
            panels.heat_maps(found, "PSNR, dB", columns=2), self.data.records(), self.data.first
        )

    def gain_maps(self) -> Shown:
        """How much better Tunable is than CResMD at the same dials, for each noise and blur."""
        frames = self.data.frames[self.data.first]
        maps = {}
        for metric, scale in {"psnr": 1, "lpips": -20}.items():
            if metric not in frames["tunable"]:
                continue
            for omega in (RESTORE, BOTH):
                ours, rival = (
                    compute.by_degradation(compute.at(frames[m], omega), metric)
                    for m in ("tunable", "cresmd")
                )
                name = "PSNR, dB" if metric == "psnr" else "LPIPS, decrease x 20"
                maps[f"{name} at {plots.dials(omega)}"] = scale * (ours - rival)
        figure = panels.heat_maps(maps, "Tunable better by", centred=True, columns=2)
        return Shown(figure, self.data.records("tunable", "cresmd"), self.data.first)

    def gains_said(self) -> Said:
        """How the gain changes with blur, and how Tunable stands to the fixed network."""
        frames = self.data.frames[self.data.first]
        fixed = compute.by_degradation(compute.at(frames["tunable"], RESTORE)) - compute.by_degradation(
            frames["fixed"]
        )
        ends = {"low": sided(fixed.min().min()), "high": sided(fixed.max().max())}
        sharp, blurred = (float(self.gains.iloc[row, 0]) for row in (0, -1))
        said = BLUR(blurred - sharp, sharp=sharp, blurred=blurred)
        return Said(f"{said} {FIXED(fixed.min().min(), **ends)}")

    # Beyond what was trained.

    def warned(self, *levels: Sequence[float]) -> Said:
        """What the library says of levels beyond those of training."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for sigma, rho in levels:
                DenoisingDeblurring().warn_outside(sigma=[sigma], rho=[rho])
        return Said("\n".join(f"- {warning.message}" for warning in caught))

    def outside_said(self, *levels: Sequence[float]) -> Said:
        """Which network is best on each window beyond training."""
        names, columns, rows = self.photo.beyond(levels)
        said = []
        for name, row in zip(names, rows, strict=True):
            before, *after = (self.photo.decibels(output) for output in row)
            best = columns[1 + int(np.argmax(after))]
            numbers = {"level": name, "before": before, "best": best, "after": max(after)}
            said.append(BEYOND(max(after) - before, **numbers))
        return Said(" ".join(said))
