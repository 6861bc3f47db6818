"""Chapter 8: three dials for three paintings (the paper's Figure 7, Sec. 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from study.chapters import style_results as compute
from study.chapters import style_words as words
from study.chapters.base import Chapter, Sure, network
from study.chapters.shown import Shown
from study.chapters.style_data import EVERY, NAMES, OURS, Measured
from study.chapters.style_photo import TURNS, Photo, style_images
from study.configs.style import STAND_INS
from study.figures import style_plots, tables
from study.measuring.behaviour import right_steps_of_styles
from study.measuring.style_sweep import ring


class Styles(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. styles: three names of the set "style", or files. steps: of the
    trainings, None for the budget's. rivals: beside Tunable and Blend. images: the test set. photos: two
    of its photographs, or files. edge: steps along each edge in the measurements, even.
    """

    asked = (
        "Can one network paint a photograph in three styles and in every mixture of them, with a dial "
        "for each? Does each dial change its own style, and does a simpler method do the same?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        styles: Sequence[str] = ("mosaic", "edtaonisl", "kandinsky"),
        steps: int | None = None,
        rivals: Sequence[str] = ("dni", "film"),
        images: str = "kodak",
        photos: Sequence[str] = ("kodim15", "kodim23"),
        edge: int = 6,
    ) -> None:
        super().__init__()
        self.data = Measured(profile, styles, steps, rivals, images, edge)
        self.photo, self.second = Photo(self.data, photos[0]), Photo(self.data, photos[-1])

    # What the findings state.

    @cached_property
    def objectives(self) -> pd.DataFrame:
        """The mixed objective: methods x corners, middles of the edges, and the middle."""
        return compute.objectives(self.data.means, self.data.names, self.data.around)

    @property
    def right(self) -> tuple[int, int]:
        """Steps along the edges that move an objective the right way, and all of them."""
        return right_steps_of_styles(self.data.frames[OURS], 3)

    @property
    def turns(self) -> int:
        """Steps round the triangle in the filmstrip."""
        return 3 * TURNS

    @cached_property
    def chrominance(self) -> tuple[float, float]:
        """Mean chrominance error of both squares at the corners: of our network, and of the one that
        keeps the colours, NaN without it."""
        both = (self.photo, self.second)
        ours = [error for photo in both for error in photo.chrominance(photo.corners)]
        kept = [error for photo in both for error in photo.chrominance(photo.keeping)]
        return float(np.mean(ours)), float(np.mean(kept)) if kept else float("nan")

    @cached_property
    def jump(self) -> float:
        """The largest of these steps over the mean one."""
        return compute.jump(self.photo.painted(ring(3, TURNS)[:-1]))

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        data = self.data
        return Sure(
            images={data.used: data.frames[OURS].image.nunique()},
            seeds={NAMES[method]: 1 for method in data.runs},
            networks=" ".join([*self.notes, network(data.runs[OURS].config)]),
            would_change=words.WOULD_CHANGE,
            missing=[] if data.used == data.images else [data.images],
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        right, steps = self.right
        return {"images": self.data.used, "right_way": right, "steps_of_dials": steps, "every": EVERY}

    @property
    def notes(self) -> list[str]:
        """What is missing on this machine, and what is used instead."""
        made = []
        if self.data.task.layer == "pixels":
            made.append(
                "The weights of VGG-19 are not available (`make data DATASETS=vgg19` gets them): the "
                "objectives compare colours alone, so this page shows no style."
            )
        if tuple(self.data.names) == STAND_INS:
            made.append(
                "The paintings are not available (`make data DATASETS=style` gets them): three "
                "photographs are used instead."
            )
        return made

    # Tables and figures.

    def style_images(self) -> Shown:
        """The style images."""
        return style_images(self.data)

    def edges(self) -> Shown:
        """Distance in strokes to each painting along the three edges, over that of the photograph."""
        data, means, untouched = self.data, self.data.means[OURS], self.data.untouched
        strokes = pd.DataFrame(
            {
                name: means.loc[data.around, f"gram_{i}"] / untouched[f"gram_{i}"]
                for i, name in enumerate(data.names, start=1)
            }
        )
        records = [data.runs[OURS].record, data.frames[OURS].attrs["record"]]
        return Shown(style_plots.edges(strokes, data.edge), records, data.used)

    def methods(self) -> Shown:
        """The mixed objective of each method."""
        table = self.objectives.rename(index=NAMES)
        best = table.eq(table.min())
        no_spread = table * float("nan")
        shown = tables.with_spread(table, no_spread, 4, best)
        return Shown(shown, self.data.records, self.data.used)
