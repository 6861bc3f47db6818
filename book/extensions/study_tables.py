"""Tables that are numbered and captioned as tables: cells whose figure is named `tab-...`.

A notebook cell that shows a table carries the same metadata as one that shows a figure,

    "mystnb": {"figure": {"caption": "What the table says.", "name": "tab-denoising"}}

and because its name starts with `tab-` it is counted among the tables, is of the class
`study-table` (whose style puts the caption above), and is cited by {numref}`tab-denoising` as "Table 1".
In the cells of all tables, code may break after / and _.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

CELL, CODE = re.compile(r"<td.*?</td>", re.DOTALL), re.compile(r'(?<=<span class="pre">)[^<]*')


class TableFigure(nodes.figure):
    """A figure that holds a table."""


class NumberAsTable(SphinxTransform):
    """Turn the figures named `tab-...` into tables."""

    default_priority = 300

    def apply(self) -> None:
        """In place, so that every reference to the node stays."""
        for figure in list(self.document.findall(nodes.figure)):
            if not any(name.startswith("tab-") for name in figure["names"]):
                continue
            figure.__class__ = TableFigure
            figure["classes"].append("study-table")


def visit(self: HTML5Translator, node: TableFigure) -> None:
    """As a figure."""
    self.visit_figure(node)


def depart(self: HTML5Translator, node: TableFigure) -> None:
    """As a figure."""
    self.depart_figure(node)


def breakable(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Let code in the cells of tables break after / and _, so that names of files fit narrow columns."""

    def code(found: re.Match[str]) -> str:
        return re.sub(r"([/_])(?=\w)", r"\1<wbr>", found[0])

    context["body"] = CELL.sub(lambda cell: CODE.sub(code, cell[0]), context.get("body", ""))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the node and the transform, and listen for pages."""
    app.add_enumerable_node(TableFigure, "table", html=(visit, depart))
    app.add_transform(NumberAsTable)
    app.connect("html-page-context", breakable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
