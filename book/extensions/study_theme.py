"""What the theme leaves out: names for those who do not see the page, a preview for those who share it.

The toggles of the table of contents get a name, and the list of references, whose entries are no list
items, is no longer called a list. Each page says its title and its first sentences to those who link to
it, and shows preview.png (book/assemble.py); its address is whole where html.baseurl of _config.yml is
set. The sidebar, which shows titles alone, is made of titles alone: Sphinx would copy the whole contents
of all pages for each page, a quarter of its work.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
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


def preview(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add the Open Graph tags of a page."""
    if doctree is None:
        return
    summary = next((p.astext() for p in doctree.findall(nodes.paragraph) if len(p.astext()) > 60), "")
    summary = re.sub(r"\s+", " ", summary)
    base = app.config.html_baseurl
    tags = {
        "og:type": "article",
        "og:site_name": app.config.project,
        "og:title": re.sub(r"<[^>]*>", "", context.get("title", "")),
        "og:description": summary if len(summary) < 200 else f"{summary[:199].rpartition(' ')[0]} …",
        "og:image": urljoin(base, "preview.png") if base else context["pathto"]("preview.png", 1),
        "og:image:alt": "A photograph from noisy to clean as a dial turns.",
        "twitter:card": "summary_large_image",
    }
    if base:
        tags["og:url"] = urljoin(base, f"{page}.html")
    lines = [f'<meta property="{name}" content="{html.escape(tags[name])}" />' for name in tags]
    lines.append(f'<meta name="description" content="{html.escape(tags["og:description"])}" />')
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def contents(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """The contents of a page beside its text have all of its sections."""
    app.env.metadata[page].pop("tocdepth", None)


def titles(app: Sphinx, page: str, *_: Any) -> None:
    """The sidebar of a page, which is made next, has no sections of any page."""
    for name in app.env.tocs.keys() - app.env.toctree_includes.keys():
        app.env.metadata[name]["tocdepth"] = 1


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all."""
    app.connect("doctree-resolved", contents)
    app.connect("html-page-context", preview)
    app.connect("html-page-context", titles)
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
