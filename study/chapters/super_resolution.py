"""Chapter 6: the dial from perception to fidelity (the paper's Table 4 and Figure 6, Sec. 4.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from study.chapters import super_resolution_results as compute
from study.chapters import super_resolution_words as words
from study.chapters.base import Chapter, Sure, network
from study.chapters.beside import beside, over_seeds, versus
from study.chapters.shown import Said, Shown
from study.chapters.super_resolution_data import NAMES, OURS, PLAIN, PRINTED_AS, Measured
from study.chapters.super_resolution_photo import Photo
from study.controls import complexity
from study.figures import plots, super_resolution_plots, tables
from study.measuring.behaviour import steps_back
from study.runs import Run
from study.tasks.adversarial import WON

NOT_MEASURED = "<p>Not measured: the weights of LPIPS and NIQE are not available here.</p>"
ABLATION = {
    "enlargement": "enlargement",
    "features": "features",
    "norm": "discriminator",
    "rate": "rate",
    "steps": "steps",
    "patch": "of patch",
    "grid_peak": "grid peak",
    "psnr": "PSNR",
    "lpips": "LPIPS",
}
"""Columns of the ablation to their headings."""


class SuperResolution(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. images: test sets, the first of which the findings are about. crop:
    side of a central crop of each test image (NIQE needs 192 or more), None for whole images. rivals:
    names of SHOWN beside OURS. positions: omegas along the dial. figure_image, figure_rival: of the
    pictures.
    """

    asked = (
        "Can one network have a dial from an enlargement that is sharp and partly invented to one that "
        "is faithful and blurred? Is it as good as its rivals, at the ends and at every trade between "
        "them?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        images: Sequence[str] = ("kodak", "cbsd68"),
        crop: int | None = None,
        rivals: Sequence[str] = ("dni", "dni-scratch", "dynet", "cfsnet"),
        positions: int = 11,
        figure_image: str = "kodim04",
        figure_rival: str = "dni",
    ) -> None:
        super().__init__()
        self.data = Measured(profile, images, crop, rivals, positions)
        self.photo = Photo(self.data, figure_image, figure_rival)

    # What the findings state.

    @property
    def gap(self) -> float:
        """PSNR at (1, 0) of the plain network above ours, dB, on the first set."""
        means = self.data.means[self.data.first]
        plain, ours = (means[m].loc[(1.0, 0.0), "psnr"] for m in (PLAIN, OURS))
        return float(plain - ours)

    @property
    def steps_back(self) -> tuple[int, int]:
        """Steps from fidelity to perception at which LPIPS, or PSNR, does not fall; and all steps."""
        curve = self.data.curves[OURS].iloc[::-1]
        values = curve["lpips" if self.data.perceptual else "psnr"]
        return len(steps_back(values, "down")), len(values) - 1

    @cached_property
    def duels(self) -> dict[str, compute.Duel]:
        """Our curve against each other at equal PSNR."""
        return compute.duels(self.data.curves, OURS)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every number of the paper's Table 4, ours and the paper's, on all sets."""
        known = {m for frames in self.data.means.values() for m in frames}
        return beside("table4", self.data.means, {m: p for m, p in PRINTED_AS.items() if m in known})

    @property
    def firsts(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """compute.firsts: ours among the paper's methods, the same with DNI fine-tuned, the paper's."""
        printed = self.cells[self.cells.method.isin(PRINTED_AS)]
        fair = self.cells[self.cells.method.isin([*PRINTED_AS, PLAIN])]
        return (
            compute.firsts(printed, OURS, "ours"),
            compute.firsts(fair, OURS, "ours"),
            compute.firsts(printed, OURS, "printed"),
        )

    @property
    def waste(self) -> pd.Series:
        """compute.wasted of the dials that have a sweep with statistics."""
        return compute.wasted(self.data.statistic_curves)

    def won(self, run: Run) -> bool:
        """Whether the discriminator of a training won: its loss stayed below WON."""
        return any("discriminator wins" in warning for warning in run.record.get("warnings", []))

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        frames = self.data.frames
        config = self.data.runs[OURS].config
        return Sure(
            images={used: next(iter(f.values())).image.nunique() for used, f in frames.items()},
            seeds={NAMES[m]: len(self.data.repeated.get(m, (0,))) for m in self.data.runs},
            networks=network(config) if config.task.vgg else f"{words.NO_VGG} {network(config)}",
            would_change=f"Curves have {self.data.positions} positions, and are means over every third "
            f"image. {words.WOULD_CHANGE}",
            missing=self.data.missing,
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        means = self.data.means[self.data.first][OURS]
        return {
            "images": self.data.first,
            "gap_fidelity": self.gap,
            "psnr_fidelity": float(means.loc[(1.0, 0.0), "psnr"]),
            "psnr_perceptual": float(means.loc[(0.0, 1.0), "psnr"]),
            "grid_peak": self.photo.grids[OURS],
            "points_compared": sum(duel.points for duel in self.duels.values()),
            "points_won": sum(duel.won for duel in self.duels.values()),
        }

    # Tables and figures.

    def networks(self) -> Shown:
        """What each method stores and costs."""
        rows = {}
        for method, of in self.data.contestants.items():
            run = self.data.runs.get(method)
            cost = complexity(run.config.build() if run else of, (0.5, 0.5), size=64)
            rows[NAMES[method]] = {
                "parameters": cost["parameters"],
                "multiply-adds per input pixel": round(cost["multiply_adds"]),
                "minutes of training": plots.minutes(run.record) if run else "those of its networks",
            }
        table = pd.DataFrame.from_dict(rows, orient="index")
        return Shown(tables.tidy(table), self.data.run_records)

    def training(self) -> Shown:
        """Both sides of every adversarial training."""
        histories = {NAMES[m]: run.history for m, run in self.data.runs.items()}
        return Shown(super_resolution_plots.training(histories, WON), self.data.run_records)

    def warnings(self) -> Said:
        """What the trainings warned of."""
        return Said(words.warnings(self))

    def ablation(self) -> Shown:
        """What draws the grid and what ends it: a table of data/ablations."""
        path = tables.PAPER.parent / "ablations/super-resolution-grid.csv"
        table = pd.read_csv(path, comment="#", dtype={"rate": str})
        shown = table[[*ABLATION]].rename(columns=ABLATION)
        shown["discriminator"] += ", " + shown.pop("rate")
        sides = shown.pop("of patch").astype(str)
        shown["steps"] = shown["steps"].map("{:,}".format) + " at " + sides + " px"
        styler = tables.tidy(shown, {"grid peak": 1, "LPIPS": 3}).hide(axis="index")
        return Shown(styler, images="central 256 x 256 squares of kodim04, kodim15 and kodim23")

    def table_4(self, metric: str) -> Shown:
        """The paper's Table 4: ours, the paper's, the difference."""
        if metric not in self.data.means[self.data.first][OURS]:
            return Shown(NOT_MEASURED)
        named = self.cells.assign(method=self.cells.method.map(lambda m: NAMES.get(m, m)))
        digits = 3 if metric == "lpips" else 2
        return Shown(versus(named, metric, digits=digits), self.data.records)

    def seeds(self, metric: str) -> Shown:
        """Mean and half the range over seeds, at the positions of Table 4."""
        means = self.data.seed_means
        if metric not in means[OURS][0]:
            return Shown(NOT_MEASURED)
        digits = 3 if metric == "lpips" else 2
        table = over_seeds(means, [*means[OURS][0].index], {metric: metric.upper()}, NAMES, digits)
        return Shown(table, self.data.seed_records, self.data.first)

    def plane(self) -> Shown:
        """LPIPS over PSNR, one curve for each dial."""
        if not self.data.perceptual:
            return Shown(NOT_MEASURED)
        curves = {NAMES[m]: curve for m, curve in self.data.curves.items()}
        plain = self.data.curves[PLAIN].loc[(1.0, 0.0)]
        far = NAMES["dni-scratch"]
        figure = super_resolution_plots.plane(curves, plain, black=NAMES["blend"], outside=far)
        return Shown(figure, self.data.along_records, self._along_images)

    def duel(self) -> Shown:
        """Our curve against each point of each rival, at the same PSNR."""
        rows = {
            NAMES[rival]: {
                "points compared": duel.points,
                "ours at or below": duel.won,
                "mean distance": duel.mean,
            }
            for rival, duel in self.duels.items()
        }
        if not rows:
            return Shown(NOT_MEASURED)
        table = pd.DataFrame.from_dict(rows, orient="index")
        return Shown(tables.tidy(table, 3), self.data.along_records, self._along_images)

    def optimal(self) -> Shown:
        """Squared error against the distance of patch statistics, with the curve of least error."""
        curves = {NAMES[m]: curve for m, curve in self.data.statistic_curves.items()}
        if NAMES[OURS] not in curves:
            return Shown("<p>The store has no sweep with patch statistics of these networks yet.</p>")
        figure = super_resolution_plots.optimal(curves, NAMES[OURS], black=NAMES["blend"])
        records = [frame.attrs["record"] for frame in self.data.statistic_frames.values()]
        return Shown(figure, records, records[0]["settings"]["images"])

    def naturalness(self) -> Shown:
        """NIQE along the dial, judged without the original."""
        if not self.data.perceptual:
            return Shown(NOT_MEASURED)
        curves = {NAMES[m]: curve for m, curve in self.data.curves.items()}
        bicubic = float(self.data.bicubic["niqe"])
        figure = super_resolution_plots.naturalness(curves, bicubic, black=NAMES["blend"])
        return Shown(figure, self.data.along_records, self._along_images)

    @property
    def _along_images(self) -> str:
        return str(self.data.bicubic_frame.attrs["record"]["settings"]["images"])
