"""What a cell of a chapter shows: a figure, a table or sentences, with the records that made them.

Each object is the last value of a cell. Jupyter shows its picture, table or text. The book takes two
more things out of the same output (book/assemble.py): the folded line of provenance, and results that
other pages quote.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from study.figures import plots

FIRST_SCREEN = "text/x-study-first-screen"
"""The type of the block that stands below the title of a page."""
PROVENANCE = "text/x-study-provenance"
"""The type of the folded line in an output."""
RESULTS = "application/vnd.study.results+json"
"""The type of the results in an output: one JSON object."""


@dataclass(frozen=True)
class Shown:
    """A figure or a table, and what made it."""

    content: Figure | Styler | str
    """A str is HTML. A figure without pictures is drawn with vectors."""
    records: Sequence[Mapping] = ()
    """Records of the runs and sweeps behind it."""
    images: str = ""
    """The photographs that it shows or was measured on."""

    def __post_init__(self) -> None:
        if isinstance(self.content, Figure):
            plt.close(self.content)  # or Jupyter would show it a second time

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {"text/plain": type(self.content).__name__}
        if isinstance(self.content, Figure):
            shown |= _drawn(self.content)
        else:
            shown["text/html"] = (
                self.content if isinstance(self.content, str) else self.content.to_html()
            )
        if self.records or self.images:
            shown[PROVENANCE] = plots.provenance(self.records, self.images)
        return shown


def _drawn(figure: Figure) -> dict[str, Any]:
    pixels = any(axis.images for axis in figure.axes)
    content = io.BytesIO()
    if pixels:
        figure.savefig(content, format="png", dpi=110, bbox_inches="tight")  # the width of a page
        return {"image/png": content.getvalue()}
    with plt.rc_context({"svg.hashsalt": "study"}):  # equal figures are equal files
        figure.savefig(content, format="svg", bbox_inches="tight", metadata={"Date": None})
    return {"image/svg+xml": content.getvalue().decode()}


@dataclass(frozen=True)
class Said:
    """Sentences in Markdown, and results for other pages."""

    text: str
    results: Mapping[str, Any] = field(default_factory=dict)
    """Numbers and texts that pages quote with the role `result`, as NOTEBOOK:KEY."""
    first: bool = False
    """Whether the book puts it below the title of the page."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {"text/plain": self.text, "text/markdown": self.text}
        shown |= {RESULTS: dict(self.results)} if self.results else {}
        return shown | ({FIRST_SCREEN: self.text} if self.first else {})
