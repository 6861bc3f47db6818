"""Serve MathJax from the book itself: those files of sphinx-mathjax-offline that are used.

That package copies all of its 24 MB; the pages load one script, its fonts and, on demand, a TeX
extension or the files of the accessibility menu.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

USED = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions", "a11y", "sre")


def copy(app: Sphinx, error: Exception | None) -> None:
    """Copy what is used to _static/mathjax of a book that was built."""
    if error or app.builder.format != "html":
        return
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    for name in USED:
        target = Path(app.outdir) / "_static/mathjax" / name
        copy_asset(package / "static/mathjax" / name, target if "." not in name else target.parent)


def setup(app: Sphinx) -> dict[str, bool]:
    """Point Sphinx's math extension at the copy."""
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
