"""Formulas are set by KaTeX, from the book itself: 0.3 MB and the fonts that a page needs.

Sphinx's own extension for MathJax still writes the TeX into the page; formulas.js beside this file has
KaTeX set it. KaTeX adds each formula as MathML for those who do not see it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

HERE = Path(__file__).parent
PLACES = (HERE / "katex", HERE.parent / "vendor/katex")
"""Where KaTeX lies: beside this file where the book is staged, else where the repository has it."""
FILES = ("katex.min.js", "katex.min.css", "fonts", "LICENSE")


def add(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let a page with a formula load what sets it."""
    if app.builder.format == "html" and app.env.get_domain("math").has_equations(page):
        app.add_css_file("katex/katex.min.css")
        app.add_js_file("katex/formulas.js", loading_method="defer")


def copy(app: Sphinx, error: Exception | None) -> None:
    """Copy KaTeX to _static/katex of a book that was built."""
    if error or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static/katex"
    for folder in [place for place in PLACES if place.is_dir()][:1]:
        for name in FILES:
            copy_asset(folder / name, target / name if (folder / name).is_dir() else target)
        copy_asset(HERE / "formulas.js", target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both, and name KaTeX where Sphinx would load MathJax."""
    app.config.mathjax_path, app.config.mathjax_options = "katex/katex.min.js", {"defer": "defer"}
    app.connect("html-page-context", add)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
