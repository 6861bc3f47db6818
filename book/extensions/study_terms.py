"""Words of the glossary say what they mean where they are used.

A {term}`word` is a link to the glossary; here it also gets the first sentence of its entry as a title,
shown when the pointer or the keyboard rests on it. Abbreviations and names that mean one thing become
such links by themselves where a page first uses them.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PAGE = "glossary"
FIRST = (
    "PSNR",
    "SSIM",
    "LPIPS",
    "NIQE",
    "DNI",
    "DyNet",
    "CFSNet",
    "FiLM",
    "CResMD",
    "backbone",
    "simplex",
)
"""Words of the glossary that are links where a page first uses them."""
APART = (nodes.reference, nodes.literal, nodes.math, nodes.title, nodes.caption, addnodes.pending_xref)
"""Text in these stays as it is."""
SIGNS = {"omega": "ω", "alpha": "α", "phi": "φ", "eta": "η", "nu": "ν", "sigma": "σ", "rho": "ρ"} | {
    "sum": "Σ",
    "dots": "…",
    "theta": "θ",
    "|": "‖",
    "gamma": "γ",
    "lambda": "λ",
}
"""What a command of a formula reads as without formulas; another is left out."""


def readable(formula: str) -> str:
    """A formula as a line of plain text: hats over their letters, braces gone."""
    hatted = re.sub(r"\\hat\s*\{?(?:\\mathcal |\\mathbf )?(\w)\}?", "\\1\u0302", formula)
    plain = re.sub(r"\\([a-z]+|\|)\s?", lambda match: SIGNS.get(match[1], ""), hatted)
    return re.sub(r"[{}]", "", plain)


def meanings(glossary: nodes.document) -> dict[str, str]:
    """First sentence of every entry, by the anchors of its terms."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        definition = next(item.findall(nodes.definition)).deepcopy()
        for formula in list(definition.findall(nodes.math)):
            formula.replace_self(nodes.Text(readable(formula.astext())))
        text = definition.astext().replace("\n", " ")
        sentence = re.split(r"(?<=[.;]) (?=[A-Z])", text, maxsplit=1)[0]
        found |= {anchor: sentence for term in item.findall(nodes.term) for anchor in term["ids"]}
    return found


class FirstUse(SphinxTransform):
    """Make the first use of a word of the glossary on a page a link to it."""

    default_priority = 400

    def apply(self) -> None:
        """In place; words that the author linked are left alone."""
        page = self.env.docname
        if PAGE not in self.env.found_docs or page == PAGE or page.startswith(("api/", "references")):
            return
        linked = {x["reftarget"].lower() for x in self.document.findall(addnodes.pending_xref)}
        for word in FIRST:
            if word.lower() not in linked:
                self._link(word, page)

    def _link(self, word: str, page: str) -> None:
        pattern = re.compile(rf"(?<![\w-]){word}(?![\w-])")
        for paragraph in self.document.findall(nodes.paragraph):
            for text in paragraph.findall(nodes.Text):
                found = pattern.search(text)
                if not found or _within(text, APART):
                    continue
                shown = nodes.inline(word, word, classes=["xref", "std", "std-term"])
                link = addnodes.pending_xref("", shown, refdomain="std", reftype="term", refdoc=page)
                link["reftarget"], link["refexplicit"], link["refwarn"] = word, True, True
                parts = [nodes.Text(text[: found.start()]), link, nodes.Text(text[found.end() :])]
                text.parent.replace(text, [part for part in parts if part.astext()])
                return


def _within(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    """Whether a node lies in one of these."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def explain(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give every term on a page its title."""
    links = [r for r in doctree.findall(nodes.reference) if "std-term" in _classes(r)]
    if not links:
        return
    known = meanings(app.env.get_doctree(PAGE))
    for reference in links:
        anchor = reference.get("refid") or reference["refuri"].rpartition("#")[2]
        reference["reftitle"] = known[anchor]
        reference["classes"].append("study-term")


def _classes(reference: nodes.reference) -> list[str]:
    return [name for child in reference.findall(nodes.inline) for name in child["classes"]]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both."""
    app.add_transform(FirstUse)
    app.connect("doctree-resolved", explain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
