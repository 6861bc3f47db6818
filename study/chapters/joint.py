"""Chapter 5: two dials at once (the paper's Table 3 and Figure 5, Sec. 4.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from study.chapters import joint_results as compute
from study.chapters import joint_words as words
from study.chapters.base import Chapter, Sure, network
from study.chapters.beside import beside, versus
from study.chapters.joint_data import (
    BOTH,
    NAMES,
    PRINTED_AS,
    READINGS,
    RESTORE,
    Measured,
)
from study.chapters.joint_photo import Photo
from study.chapters.shown import Shown
from study.claims.printed import printed
from study.figures import joint_plots, plots, tables
from study.measuring.behaviour import disentanglement, leak
from study.measuring.protocols import CORNERS
from study.measuring.sweep import average

DIGITS = {"psnr": 2, "lpips": 3, "niqe": 2}
HEADINGS = {"psnr": "PSNR", "lpips": "LPIPS", "niqe": "NIQE", "kept": "kept f", "detail": "detail s"}
"""Columns of the tables of means."""
WHO = {
    "input": "degraded input",
    "fixed": "Fixed",
    "tunable": "Tunable at (1, 0)",
    "cresmd": "CResMD at (1, 0)",
    "truth": "CResMD, given the true levels",
}
"""Rows of the table of restoration."""


def not_measured(metric: str) -> str:
    """What stands in the place of a table of LPIPS or NIQE without their weights."""
    return f"<p>{HEADINGS[metric]} was not measured: its weights are missing.</p>"


class TwoDials(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. images: test sets, the first of which the findings are about.
    sigmas: noise levels, grey levels of 255. rhos: blurs, standard deviation in pixels. crop: side of a
    central crop of each test image, None for whole images. positions: of each dial, where both turn.
    """

    asked = (
        "Can one network have two free dials, one for noise and one for blur? Is each dial independent "
        "of the other? And is it better than CResMD, a network that is given how noisy and how blurred "
        "its image is?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        images: Sequence[str] = ("kodak", "cbsd68"),
        sigmas: Sequence[float] = (5.0, 15.0, 30.0),
        rhos: Sequence[float] = (0.0, 1.0, 2.0, 3.0, 4.0),
        crop: int | None = None,
        positions: int = 5,
    ) -> None:
        super().__init__()
        self.data = Measured(profile, images, sigmas, rhos, crop, positions)
        self.show()

    def show(self, name: str = "kodim07", levels: Sequence[float] = (30.0, 2.0)) -> None:
        """Choose the photograph, and how it is degraded: sigma in grey levels, rho in pixels."""
        self.photo = Photo(self.data, name, levels)

    # What the findings state.

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every number of Table 3, ours and the paper's, on all sets."""
        found = beside("table3", self.data.means, PRINTED_AS)
        return found.assign(method=found.method.map(NAMES))

    @property
    def promised(self) -> pd.DataFrame:
        """Tunable against CResMD where the paper has it ahead: (1, 0) and (1, 1), PSNR and LPIPS."""
        found = compute.duels(self.cells, "Tunable", "CResMD")
        return found[found.omega.isin([RESTORE, BOTH]) & found.metric.isin(["psnr", "lpips"])]

    @cached_property
    def leaks(self) -> pd.DataFrame:
        """Share of all movement of the kept noise and of the detail that the wrong dial causes."""
        found = {method: leak(matrix) for method, matrix in self.matrices.items()}
        return pd.DataFrame.from_dict(found, orient="index")

    @cached_property
    def matrices(self) -> dict[str, pd.DataFrame]:
        """Method to how much each dial moves each behaviour."""
        return {method: disentanglement(frame) for method, frame in self.data.grids.items()}

    @cached_property
    def printed(self) -> pd.Series:
        """PSNR of the paper's network on Kodak at the corners."""
        cells = {cell: value for cell, value in printed("table3").items() if cell.images == "kodak"}
        ours = {c.omega: v for c, v in cells.items() if (c.method, c.metric) == ("Tunable", "psnr")}
        return pd.Series({corner: ours[corner] for corner in CORNERS})

    @cached_property
    def allowed(self) -> pd.DataFrame:
        """PSNR that an exactly met loss has: readings x corners, each an Allowed."""
        exact = self.data.targets.groupby(["reading", "omega_1", "omega_2"])[["psnr_noise", "psnr_blur"]]
        means = exact.mean()
        rows = {
            reading: [compute.allowed(*means.loc[(reading, *omega)], omega) for omega in CORNERS]
            for reading in READINGS
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=[plots.dials(w) for w in CORNERS])

    @property
    def bound(self) -> float:
        """PSNR of the literal target at (1, 0), dB."""
        return self.allowed.at["literal", plots.dials(RESTORE)].low

    @cached_property
    def nearest(self) -> compute.Nearest:
        """Which trained reading is nearest to the paper's row, of PSNR at the corners."""
        rows = {r: self.data.grid_means[m].psnr.loc[list(CORNERS)] for r, m in self._trained().items()}
        return compute.nearest(self.printed, pd.DataFrame(rows).T.drop(index="literal"))

    @staticmethod
    def _trained() -> dict[str, str]:
        return {reading: "tunable" if reading == "adapted" else reading for reading in READINGS}

    def restored(self, images: str = "") -> pd.DataFrame:
        """Restoration: rows of WHO, columns of HEADINGS that were measured; means on a set."""
        frames = self.data.frames[images or self.data.first]
        means = {who: self._mean(frames[who], who) for who in WHO}
        return pd.DataFrame(means).T[[c for c in HEADINGS if c in frames["input"]]]

    @staticmethod
    def _mean(frame: pd.DataFrame, who: str) -> pd.Series:
        rows = frame if who == "truth" else compute.at(frame, RESTORE)
        return average(rows.assign(all=0), ["all"]).loc[0]

    @cached_property
    def gains(self) -> pd.DataFrame:
        """PSNR of Tunable above CResMD at (1, 0), rho x sigma, dB."""
        frames = self.data.frames[self.data.first]
        ours, rival = (
            compute.by_degradation(compute.at(frames[m], RESTORE)) for m in ("tunable", "cresmd")
        )
        return ours - rival

    @property
    def follows(self) -> float:
        """Rank correlation of these gains with how wrong the levels are that CResMD is given."""
        return compute.follows(self.gains)

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        frames = self.data.frames
        return Sure(
            images={used: f["input"].image.nunique() for used, f in frames.items()},
            seeds={NAMES[m]: len(r) for m, r in self.data.repeated.items()} | {NAMES["fixed"]: 1},
            networks=network(self.data.runs["tunable"].config),
            would_change=words.WOULD_CHANGE,
            missing=self.data.missing,
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        psnr = self.restored().psnr
        return {
            "images": self.data.first,
            "better": int((self.promised.ours > 0).sum()),
            "comparisons": len(self.promised),
            "truth": float(psnr["truth"] - psnr["cresmd"]),
            "cost": float(psnr["fixed"] - psnr["tunable"]),
            "leak_kept": float(self.leaks.at["tunable", "kept"]),
            "leak_detail": float(self.leaks.at["tunable", "detail"]),
        }

    # Tables and figures.

    def targets(self) -> Shown:
        """PSNR of the targets in three readings, and what the paper prints."""
        table = self.allowed.map(str)
        table.loc["the paper, Kodak"] = [tables.number(v) for v in self.printed]
        squares = self.data.targets.image.unique()
        return Shown(table.style, (), f"central squares of {', '.join(squares)}")

    def table_3(self, metric: str, images: str = "") -> Shown:
        """The paper's Table 3: ours, the paper's and the difference."""
        used = images or self.data.first
        if metric != "psnr" and not self.data.perceptual:
            return Shown(not_measured(metric))
        cells = self.cells[self.cells.images == used]
        styler = versus(cells, metric, rows=("method",), digits=DIGITS[metric])
        return Shown(styler, self.data.records("tunable", "cresmd"), used)

    def restoration(self, images: str = "") -> Shown:
        """Restoration alone: every network, and the degraded input."""
        used = images or self.data.first
        table = self.restored(used).rename(index=WHO, columns=HEADINGS)
        return Shown(tables.tidy(table, {"LPIPS": 3}), self.data.records(), used)

    def independence(self, *methods: str) -> Shown:
        """What each dial moves, one line for each of three positions of the other."""
        grids = {NAMES[method]: self.data.grid_means[method] for method in methods}
        return Shown(joint_plots.independence(grids), self.data.grid_records, self.data.first)

    def disentanglement(self, *methods: str) -> Shown:
        """How much each dial moves each behaviour, and the share that the wrong dial moves; of all
        methods by default."""
        rows = {}
        for method in methods or self.matrices:
            matrix = self.matrices[method]
            rows[NAMES[method]] = {
                (f"{HEADINGS[b]}", column): value
                for b in ("kept", "detail")
                for column, value in (
                    ("by ω₁", matrix.at["omega_1", b]),
                    ("by ω₂", matrix.at["omega_2", b]),
                    ("leak, %", 100 * self.leaks.at[method, b]),
                )
            }
        table = pd.DataFrame(rows).T
        digits = {column: 0 for column in table if column[1] == "leak, %"}
        return Shown(tables.tidy(table, digits), self.data.grid_records, self.data.first)

    def readings(self) -> Shown:
        """What networks trained in the three readings do at the corners."""
        rows = {}
        for reading, method in self._trained().items():
            means = self.data.grid_means[method].loc[list(CORNERS)]
            for column in ("psnr", "kept", "detail"):
                rows[reading, HEADINGS[column]] = means[column].to_list()
        rows["the paper, Kodak", "PSNR"] = self.printed.to_list()
        table = pd.DataFrame.from_dict(rows, orient="index", columns=[plots.dials(w) for w in CORNERS])
        table.index = pd.MultiIndex.from_tuples(table.index)
        return Shown(tables.tidy(table), self.data.grid_records, self.data.first)
