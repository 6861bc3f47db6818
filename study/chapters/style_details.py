"""The details of chapter 8: weights of the objectives, networks, full size, outside the triangle."""

from __future__ import annotations

import pandas as pd

from study.chapters import style_results as compute
from study.chapters.findings import spaced
from study.chapters.shown import Said, Shown
from study.chapters.style import Styles
from study.chapters.style_data import MIDDLE, NAMES, OURS
from study.controls import complexity
from study.figures import plots, style_plots, tables
from study.images.artifacts import border_flicker, checkerboard


class Details(Styles):
    """Tables and pictures for the appendix, from the same parameters as the chapter."""

    def weights(self) -> Shown:
        """Each style's weights, and what its terms amount to at its corner."""
        data = self.data
        shares = 100 * compute.shares(data.means[OURS], data.untouched, data.task.styles).T
        shares.columns = [f"{name}, %" for name in shares]
        printed = tables.paper_table("fig7").query("metric == 'psnr'").set_index("style").value
        lambdas = pd.DataFrame(
            {f"λ {part}": {s.name: getattr(s, part) for s in data.task.styles}
             for part in ("gram", "vgg", "tv", "uv")}
        )  # fmt: skip
        psnr = pd.DataFrame(
            {
                "PSNR, dB": [data.means[OURS].loc[corner, "psnr"] for corner in compute.CORNERS],
                "the authors' network, dB": [printed.get(name) for name in data.names],
            },
            index=data.names,
        )
        table = pd.concat([lambdas, shares, psnr], axis=1)
        digits = dict.fromkeys(shares, 0) | dict.fromkeys(lambdas, 3)
        return Shown(tables.tidy(table, digits), data.records, data.used)

    def clipped(self) -> Said:
        """How many values of the outputs lie outside of [0, 1]."""
        share = self.data.means[OURS]["outside"].max()
        return Said(
            spaced(
                "Like the paper's, the network has no squashing function at its end. At most "
                f"{share:.1%} of its values lie outside [0, 1]; pictures clip them."
            )
        )

    def networks(self) -> Shown:
        """What each method stores and costs."""
        rows = {}
        for method, run in self.data.runs.items():
            cost = complexity(run.control, MIDDLE, size=64)
            rows[NAMES[method]] = {
                "parameters": cost["parameters"],
                "multiply-adds per pixel": round(cost["multiply_adds"]),
                "steps in all": int(run.history.groupby("stage")["step"].max().sum()),
                "minutes of training": plots.minutes(run.record),
            }
        table = pd.DataFrame.from_dict(rows, orient="index")
        return Shown(tables.tidy(table), self.data.run_records)

    def training(self) -> Shown:
        """The objective of every style while each method is trained."""
        histories = {NAMES[method]: run.history for method, run in self.data.runs.items()}
        return Shown(style_plots.training(histories, self.data.names), self.data.run_records)

    def flaws(self) -> Said:
        """Colours at the border and checkerboards of the second photograph, at the corners."""
        photo = self.second.picture.clean
        whole = self.second.painted(compute.CORNERS, whole=True)
        borders = [border_flicker(image.clamp(0, 1)) / border_flicker(photo) for image in whole]
        boards = [checkerboard(image) for image in whole]
        return Said(
            spaced(
                "Fine colour variation within 8 pixels of the border, relative to that inside, is "
                f"{min(borders):.2f} to {max(borders):.2f} times that of the photograph (1: no "
                f"flicker). Of the finest structure, {min(boards):.1%} to {max(boards):.1%} is "
                f"checkerboard (in the photograph: {checkerboard(photo):.1%})."
            )
        )

    def outside(self) -> Shown:
        """The mixed objective outside of the triangle over that of the same mixture inside."""
        found = compute.outside(self.data.beyond, self.data.means[OURS])
        table = pd.DataFrame(
            {"objective, relative to inside": found.values()}, index=[plots.dials(at) for at in found]
        )
        return Shown(tables.tidy(table), self.data.records, self.data.used)
