"""The photographs of the style chapter, painted by each network (the paper's Figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from study.chapters.pictures import Picture, busiest, picture
from study.chapters.shown import Shown
from study.chapters.style_data import BEYOND, CORNERS, MIDDLE, NAMES, OURS, Measured
from study.chapters.style_results import halves
from study.controls import Control
from study.figures import plots, style_plots
from study.images import datasets
from study.measuring.style_measures import chrominance_error
from study.measuring.style_sweep import ring
from tunable_core.omega import simplex_grid

SIDE = 240
"""Side of the squares that are shown pixel by pixel; a photograph that is scaled down loses strokes."""
SQUARES = {"kodim15": (60, 385, SIDE), "kodim23": (150, 70, SIDE)}
"""Top, left and side of the squares of the paper's photographs: a painted face, and a parrot."""
STRIPS, TURNS = 16, 8
"""Steps through the three styles in the first picture; positions along each edge of the filmstrip."""


class Photo:
    """One photograph, and the networks of the chapter.

    name: an image of the test set, or a file.
    """

    def __init__(self, data: Measured, name: str) -> None:
        self.data, self._name = data, name

    @cached_property
    def picture(self) -> Picture:
        """The photograph, and its square with the most detail."""
        if not Path(self._name).suffix:
            return picture(self.data.images, self._name, SQUARES.get(self._name), SIDE)
        clean = datasets.decode(Path(self._name)).float() / 255
        square = busiest(clean, min(SIDE, *clean.shape[-2:]))
        return Picture(Path(self._name).stem, "your files", clean, square)

    @property
    def square(self) -> Tensor:
        """The square, [3, SIDE, SIDE] or smaller."""
        return self.picture.cut(self.picture.clean)

    @torch.inference_mode()
    def painted(
        self, omegas: Sequence[Sequence[float]], method: str = OURS, whole: bool = False
    ) -> list[Tensor]:
        """The square, or the whole photograph, at each omega: [3, H, W]."""
        return self._outputs(self.data.controls[method], omegas, whole)

    def _outputs(self, control: Control, omegas: Sequence[Sequence[float]], whole: bool) -> list[Tensor]:
        image = self.picture.clean if whole else self.square
        return [output[0] for output in control.eval().outputs(image[None], torch.tensor(omegas))]

    def _shown(self, figure: Figure | str) -> Shown:
        return Shown(figure, self.data.run_records, self.picture.title)

    def turning(self) -> Shown:
        """The whole photograph, in strips: the dials turn from the first style to the third."""
        turn = ring(3, STRIPS // 2)[: STRIPS + 1]
        outputs = self.painted(turn, whole=True)
        return self._shown(style_plots.turned(style_plots.turning(outputs), self.data.names))

    @cached_property
    def corners(self) -> list[Tensor]:
        """The square at each corner of the triangle."""
        return self.painted(CORNERS)

    def triangle(self) -> Shown:
        """The square at the corners of the triangle and in the middle of its edges."""
        outputs = self.painted(simplex_grid(3, 2).tolist())
        return self._shown(style_plots.triangle(outputs, self.data.names))

    def full(self, corner: int) -> Shown:
        """The whole photograph at one corner, 1 to 3."""
        output = self.painted([CORNERS[corner - 1]], whole=True)
        return self._shown(plots.strip(output, [self.data.names[corner - 1]]))

    def methods(self) -> Shown:
        """Each method at a corner, half way to the next, and in the middle of the triangle."""
        places = (CORNERS[0], halves(self.data.around)[0], MIDDLE)
        first, second, _ = self.data.names
        heads = (first, f"half {first}, half {second}", "all three")
        pieces, titles = [], []
        for method in self.data.controls:
            pieces += self.painted(places, method)
            titles += [f"{NAMES[method]}: {head}" for head in heads]
        return self._shown(plots.strip(pieces, titles, columns=3))

    def outside(self) -> Shown:
        """The square, and dials outside of the triangle."""
        pieces = [self.square, *self.painted(BEYOND)]
        titles = ["photograph", *(plots.dials(omega) for omega in BEYOND)]
        return self._shown(plots.strip(pieces, titles, columns=3))

    def film(self) -> Shown:
        """Once round the triangle, for a slider."""
        turns = ring(3, TURNS)
        marks = [plots.dials([round(v, 2) for v in omega]) for omega in turns]
        dial = {f"Round the triangle: {', '.join(self.data.names)}": len(turns)}
        frames = [output.clamp(0, 1) for output in self.painted(turns)]
        return self._shown(plots.filmstrip(frames, marks, dial, "The square at each turn."))

    @cached_property
    def keeping(self) -> list[Tensor]:
        """The square at each corner by the network that keeps the colours; [] without it."""
        run = self.data.colours
        if run is None:
            return []
        with torch.inference_mode():
            return self._outputs(run.control, CORNERS, whole=False)

    def chrominance(self, outputs: Sequence[Tensor]) -> list[float]:
        """Chrominance error of each of these pictures of the square."""
        return [chrominance_error(o[None].clamp(0, 1), self.square[None]).item() for o in outputs]

    def colours(self) -> Shown:
        """Both networks at the first corner, beside the photograph."""
        pieces, titles = [self.square, self.corners[0]], ["photograph", "the network of this chapter"]
        if self.keeping:
            pieces, titles = [*pieces, self.keeping[0]], [*titles, "colours kept"]
        records = [run.record for run in (self.data.runs[OURS], self.data.colours) if run]
        return Shown(plots.strip(pieces, titles, columns=3), records, self.picture.title)


def style_images(data: Measured) -> Shown:
    """The style images, the same square of each, at the size at which they are looked at."""
    try:
        found = [style.image() for style in data.task.styles]
    except datasets.MissingData:
        return Shown(
            "<p>The paintings are not shown: they are not on this machine "
            "(<code>make data DATASETS=style</code> gets them).</p>"
        )
    side = min(SIDE, *(min(image.shape[-2:]) for image in found))
    squares = [image[:, :side, :side] for image in found]
    return Shown(plots.strip(squares, data.names, columns=3))
