"""Words of the glossary say what they mean where they are used.

A {term}`word` is a link to the glossary; here it also gets the first sentence of its entry as a title,
shown when the pointer or the keyboard rests on it.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

PAGE = "glossary"
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
    told = re.sub(r"\\([a-z]+|\|)\s?", lambda match: SIGNS.get(match[1], ""), hatted)
    return re.sub(r"[{}]", "", told)


def meanings(glossary: nodes.document) -> dict[str, str]:
    """First sentence of every entry, by the anchors of its terms."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        definition = next(item.findall(nodes.definition)).deepcopy()
        for formula in list(definition.findall(nodes.math)):
            formula.replace_self(nodes.Text(readable(formula.astext())))
        told = definition.astext().replace("\n", " ")
        sentence = re.split(r"(?<=[.;]) (?=[A-Z])", told, maxsplit=1)[0]
        found |= {anchor: sentence for term in item.findall(nodes.term) for anchor in term["ids"]}
    return found


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
    """Register it."""
    app.connect("doctree-resolved", explain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
