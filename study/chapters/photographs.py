"""Chapter 11: a denoiser for the photographs that people have, and whether its dial beats blending."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor

from study.chapters import photographs_words as words
from study.chapters.base import Chapter, Sure, network
from study.chapters.photographs_data import CLEAN, NAMES, REAL, REPORTED, Measured
from study.chapters.pictures import picture, through
from study.chapters.shown import Shown
from study.figures import photograph_plots, plots, tables
from study.measuring.metrics import kept_fraction, psnr
from study.measuring.photo_sweep import KINDS, in_file

TITLES = {name: kind.title for name, kind in KINDS.items()} | {REAL: "nam, its own noise"}
"""How tables name the kinds of photographs."""
SHOWN = ((0.0, 1.0), (0.5, 0.5), CLEAN)
"""The positions of the dial in pictures."""


class Goal(NamedTuple):
    """A number that was set before the training."""

    goal: str
    """What it is about."""
    asked: float
    reached: float
    met: bool


class Photographs(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. images: test set, of which every n-th image is used, cut to a
    central square of `crop` pixels. kinds: of photo_sweep.KINDS. sigmas: noise levels, grey levels of
    255. real: set of photographs with noise of their own, "" for none. kept: shares of the noise at
    which methods are compared. figure_image, figure_sigma: the photograph that is shown, and its noise.
    """

    asked = (
        "Does the denoising dial work on real photographs: grey ones, and JPEGs of a camera or phone? "
        "And is a trained dial better than the slider of an editor, which blends with the original?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        *,
        images: str = "kodak",
        kinds: Sequence[str] = tuple(KINDS),
        sigmas: Sequence[float] = (10.0, 20.0, 30.0),
        every: int = 3,
        crop: int | None = 192,
        real: str = "nam-test",
        kept: Sequence[float] = (0.5, 0.75),
        figure_image: str = "kodim04",
        figure_sigma: float = 20.0,
        zoom: Sequence[int] = (290, 150, 170),
    ) -> None:
        super().__init__()
        self.data = Measured(profile, images, kinds, sigmas, every, crop, real)
        self.kept, self.figure_sigma = tuple(kept), figure_sigma
        self._picture = figure_image, zoom

    @property
    def kinds(self) -> list[str]:
        """The kinds that were measured; photographs with noise of their own come last."""
        return [*self.data.kinds, *([REAL] if self.data.real_frames else [])]

    @cached_property
    def off_line(self) -> tuple[float, str]:
        """The largest distance of the kept share from the line between its ends, and its case."""
        kept = self.data.kept()
        positions = kept.columns.to_numpy()
        first, last = kept.iloc[:, :1].to_numpy(), kept.iloc[:, -1:].to_numpy()
        distance = (kept - (first + (last - first) * positions)).abs().max(axis=1)
        kind, sigma = distance.idxmax()
        level = "" if np.isnan(sigma) else f", sigma {sigma:g}"
        return float(distance.max()), f"{TITLES[kind]}{level}"

    @cached_property
    def equal(self) -> pd.DataFrame:
        """PSNR in dB where each method keeps the same share of the noise: shares and methods x kinds."""
        rows = {
            (share, method): {kind: self.data.equal(method, kind, share) for kind in self.kinds}
            for share in self.kept
            for method in self.data.methods
        }
        return pd.DataFrame(rows).T

    @cached_property
    def clean(self) -> pd.DataFrame:
        """PSNR in dB at full fidelity: the photograph itself and the methods x kinds and levels."""
        columns = {
            (TITLES[kind], level): {"the photograph": self.data.input(kind, level)}
            | {m: self.data.cleanest(m, kind, level) for m in ("photo", "paper", "means")}
            for kind in self.data.kinds
            for level in self.data.sweep.sigmas
        }
        return pd.DataFrame(columns)

    def leads(self, method: str) -> list[float]:
        """How far the trained dial is ahead of a method at the same share, dB; of the kinds where both
        can be read."""
        ours, theirs = (self.equal.xs(m, level=1) for m in ("photo", method))
        return [float(lead) for lead in (ours - theirs).stack().dropna()]

    @cached_property
    def gains(self) -> pd.Series:
        """PSNR above that of the photographs with noise of their own, dB, along the dial."""
        dial = self.data.dial("photo", REAL)
        return (dial.psnr - dial.input).set_axis(dial.omega_1)

    @cached_property
    def goals(self) -> pd.DataFrame:
        """The numbers that were set before the training, where they were measured."""
        data, found = self.data, []
        if data.budget.name != "laptop":
            return pd.DataFrame(columns=list(Goal._fields))
        for kind, asked in (("grey", 32.0), ("jpeg95", 30.0)):
            name, sigma = REPORTED[kind]
            reached = float(data.reported.at[kind, "photo"])
            goal = f"{TITLES[kind]}, sigma {sigma:g}, the photograph '{name}': PSNR in dB"
            found.append(Goal(goal, asked, reached, reached >= asked))
        if "colour" in data.kinds:
            gap = data.cleanest("photo", "colour") - data.cleanest("paper", "colour")
            found.append(Goal("colour, dB above the paper's denoiser", -0.5, gap, gap >= -0.5))
        if data.real_frames:
            least = float(self.gains.min())
            found.append(Goal("nam at any dial, dB above the photograph", 0.0, least, least >= 0))
        off, _ = self.off_line
        found.append(Goal("kept share off its line", 0.05, off, off <= 0.05))
        return pd.DataFrame(found, columns=list(Goal._fields))

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        counts = {self.data.images: self.data.frames["photo"].image.nunique()}
        if self.data.real_frames:
            counts[self.data.real] = self.data.real_frames["photo"].image.nunique()
        return Sure(
            images=counts,
            seeds={NAMES["photo"]: 1, NAMES["paper"]: 1},
            networks=network(self.data.runs["photo"].config),
            would_change=words.WOULD_CHANGE,
            missing=[] if self.data.images == self.data.wanted else [self.data.wanted],
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        return {
            "images": self.data.images,
            "off_line": self.off_line[0],
            "lead_pixels": max(self.leads("pixels"), key=abs, default=float("nan")),
        }

    # Tables and figures.

    def degradations(self) -> Shown:
        """The photograph of the chapter as each kind of file, magnified."""
        shown, pieces, titles = self._shown, [], []
        for kind in self.data.kinds:
            file, scene = in_file(shown.clean, kind, self.figure_sigma)
            pieces.append(shown.cut(file))
            titles.append(f"{TITLES[kind]}\n{psnr(file[None], scene[None]).item():.2f} dB")
        return Shown(plots.strip(pieces, titles, columns=2), (), shown.title)

    @cached_property
    def _shown(self):
        name, zoom = self._picture
        return picture(self.data.wanted, name, zoom)

    def even_dial(self) -> Shown:
        """The share of the noise that is kept along the dial, a line for each kind of photograph."""
        lines = {TITLES[kind]: self.data.dial("photo", kind) for kind in self.kinds}
        switch = self.data.dial("paper", "colour") if "colour" in self.data.kinds else None
        return Shown(photograph_plots.even_dial(lines, switch), self.data.records, self.data.images)

    def table_reported(self) -> Shown:
        """PSNR of the two reported files, and of both networks at full fidelity."""
        names = {
            kind: f"{TITLES[kind]}, sigma {sigma:g}: {name}" for kind, (name, sigma) in REPORTED.items()
        }
        shown = self.data.reported.rename(index=names, columns=NAMES | {"file": "the file"})
        return Shown(tables.tidy(shown), [run.record for run in self.data.runs.values()])

    def table_clean(self) -> Shown:
        """PSNR at full fidelity beside that of the photographs."""
        shown = self.clean.rename(index=NAMES).T
        shown.index = pd.MultiIndex.from_tuples([(kind, f"sigma {s:g}") for kind, s in shown.index])
        return Shown(tables.tidy(shown), self.data.records, self.data.images)

    def table_equal(self) -> Shown:
        """PSNR where each method keeps the same share of the noise; empty where it cannot."""
        shown = self.equal.rename(index=NAMES, columns=TITLES)
        shown.index = pd.MultiIndex.from_tuples(
            [(f"keeps {100 * f:.0f} %", name) for f, name in shown.index]
        )
        return Shown(tables.tidy(shown), self.data.records, self.data.images)

    def table_goals(self) -> Shown:
        """The goals that were set before the training, and what was reached."""
        shown = self.goals.assign(met=["yes" if met else "no" for met in self.goals.met])
        return Shown(tables.tidy(shown.set_index("goal"), {"reached": 3}), self.data.records)

    def pictures(self, kind: str) -> Shown:
        """A photograph of a kind, magnified: the file, the middle and the cleanest answer of the trained
        dial, and the cleanest of the paper's denoiser."""
        shown = self._shown
        file, scene = in_file(shown.clean, kind, self.figure_sigma)

        def answers(image: Tensor) -> list[Tensor]:
            ours = self.data.answers("photo", image, SHOWN[1:])
            return [image[None], *ours, self.data.clean_answer("paper", image)[None]]

        clean, (square, *outputs) = shown.cut(scene)[None], through(answers, file, shown.square)
        titles = [f"the file\n{psnr(square, clean).item():.2f} dB"]
        named = [f"trained dial at {plots.dials(omega)}" for omega in SHOWN[1:]]
        named.append(f"{NAMES['paper']} at {plots.dials(CLEAN)}")
        for name, output in zip(named, outputs, strict=True):
            kept = kept_fraction(output, clean, square).item()
            titles.append(f"{name}\n{psnr(output, clean).item():.2f} dB, f = {kept:.2f}")
        pieces = [output[0] for output in (square, *outputs)]
        return Shown(plots.strip(pieces, titles, columns=2), self.data.records, shown.title)
