"""What the theme and its companions leave out for those who do not see the page.

The toggles of the table of contents get a name, and the list of references, whose entries are no list
items, is no longer called a list.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

MENDED = {
    '<summary><span class="toctree-toggle"': '<summary aria-label="Pages of this chapter">'
    '<span class="toctree-toggle"',
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}


def mend(app: Sphinx, exception: Exception | None) -> None:
    """Rewrite the pages that were built."""
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        page = text = path.read_text(encoding="utf-8")
        for found, put in MENDED.items():
            text = text.replace(found, put)
        if text != page:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register it."""
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
