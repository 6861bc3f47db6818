"""The search leads to the page that answers: chapters before the reference, and words that readers type.

keywords.yml names words under pages. Each becomes a main entry of the index at the top of its page, by
which Sphinx's search ranks; search.js then ranks the kinds of pages.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms import SphinxTransform

NAME, SCORER = "keywords.yml", Path(__file__).with_name("search.js")


def keywords(folder: str | Path) -> dict[str, list[str]]:
    """The words of each page; {} where there are none."""
    path = Path(folder) / NAME
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


class Keywords(SphinxTransform):
    """Add the entries of a page to its title."""

    default_priority = 500

    def apply(self) -> None:
        """In place."""
        section = next(self.document.findall(nodes.section), None)
        words = keywords(self.app.srcdir).get(self.env.docname)
        if section is None or not words:
            return
        entries = [("single", word, section["ids"][0], "main", None) for word in words]
        section.insert(1, addnodes.index(entries=entries, inline=False))


def configure(app: Sphinx, config: Config) -> None:
    """Name the file that ranks results."""
    config.html_search_scorer = str(SCORER)


def known(app: Sphinx, env: object) -> None:
    """Refuse words under a page that the book does not have."""
    if unknown := keywords(app.srcdir).keys() - app.env.found_docs:
        raise ValueError(f"{NAME} names pages that the book does not have: {', '.join(sorted(unknown))}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register them."""
    app.add_transform(Keywords)
    app.connect("config-inited", configure)
    app.connect("env-updated", known)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
