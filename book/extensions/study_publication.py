"""The book as a publication: the directive `publication`, the end of every page, and the page 404.html.

All of them show publication.json (book/publication.py). A book without CITATION.cff has nothing to show.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

NAME = "publication.json"
MISSING = (
    "The address of the code is not set yet (repository.url in book/_config.yml), so the chapters have "
    "no Binder and Colab buttons, and there is no link to the code."
)


class Publication(SphinxDirective):
    """Who wrote the book, when, of which version, and how to cite it."""

    def run(self) -> list[nodes.Node]:
        """A list of facts, then the entries of BibTeX, with a button that copies them."""
        about = read(self.env.srcdir)
        self.env.note_dependency(str(Path(self.env.srcdir) / NAME))
        if not about:
            return []
        facts = nodes.bullet_list(classes=["publication"])
        for line in lines(about):
            facts += nodes.list_item("", nodes.paragraph("", "", *line))
        cite = nodes.literal_block("", about["bibtex"], language="bibtex")
        return [facts, cite]


def lines(about: dict[str, Any]) -> list[list[nodes.Node]]:
    """The facts, each as text and links."""
    paper = about["paper"]
    made = [
        [text(f"By {', '.join(about['authors'])}. Version {about['version']} of {about['date']}.")],
        [text(f"Licence: {about['licence']}. Third-party photographs and networks keep theirs.")],
        [text(f"The paper: {', '.join(paper['authors'])}, “{paper['title']}”, {paper['year']}: ")],
    ]
    if paper["arxiv"]:
        made[2] += [
            link(f"arXiv {paper['arxiv']}", f"https://arxiv.org/abs/{paper['arxiv']}"),
            text(", "),
        ]
    if paper["doi"]:
        made[2] += [link(f"doi {paper['doi']}", f"https://doi.org/{paper['doi']}")]
    if about.get("pdf"):
        made.append([link("The whole book as a PDF", about["pdf"])])
    made.append(
        [text("The code: "), link(about["code"], about["code"])] if about["code"] else [text(MISSING)]
    )
    return made


def text(words: str) -> nodes.Node:
    """Plain text."""
    return nodes.Text(words)


def link(words: str, address: str) -> nodes.Node:
    """A link to another site."""
    return nodes.reference("", words, refuri=address, internal=False)


def read(folder: str | Path) -> dict[str, Any]:
    """What the book says of itself; {} where it says nothing."""
    path = Path(folder) / NAME
    return json.loads(path.read_text()) if path.exists() else {}


def end(about: dict[str, Any]) -> str:
    """The line at the end of every page."""
    if not about:
        return ""
    paper = f"https://doi.org/{about['paper']['doi']}"
    first = html.escape(about["paper"]["authors"][0])
    return (
        f"{html.escape(about['title'])}. Version {about['version']}, {about['date']}. "
        f'{about["licence"]} licence. A study of <a href="{paper}">the paper</a> by {first} and others.'
    )


def configure(app: Sphinx, config: Config) -> None:
    """The name of the site, the end of its pages and its page for addresses that do not exist."""
    about = read(app.srcdir)
    if about:
        config.project = about["title"]
        config.html_theme_options["extra_footer"] = end(about)
        config.release = config.version = about["version"]
    config.templates_path.append(str(Path(__file__).parent / "templates"))
    config.html_additional_pages["404"] = "404.html"


def at_the_root(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the links of 404.html, which is shown in any folder, begin at the root of the site."""
    if page == "404":
        root = urlsplit(app.config.html_baseurl).path or "/"
        context["metatags"] = f'<base href="{html.escape(root)}">' + context.get("metatags", "")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register them."""
    app.add_directive("publication", Publication)
    app.connect("config-inited", configure)
    app.connect("html-page-context", at_the_root)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
