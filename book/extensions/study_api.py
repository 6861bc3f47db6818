"""The API reference: docstrings as they are written, and links to them from all prose.

Docstrings of the library are plain text: a first sentence, remarks, then lines that begin with a
parameter's name and a colon, or with "Raises". Here they become paragraphs of reStructuredText, every
character of which stands for itself; examples (`>>>`) stay as they are. In the prose of any page a
`name` that is one class or function of the library, or `module.name`, or the path of a module, links
to its entry.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode

ITEM = re.compile(r"([a-z_]\w*(?:, [a-z_]\w*)*): ")
SENTENCE_ENDS = (".", ":", ";", ")")
LINKED = ("class", "function", "method", "module", "exception")
PACKAGES = ("tunable_core.", "tunable_photo.", "study.")
OTHERS = {"tunable", "sweep", "photo", "at", "model", "groups"}
"""Names that in prose mean a command, a method or an argument, not the function of that name."""
LONGEST = 40
"""Characters of the longest value that is shown; what is longer is read in the code."""


def plain(text: str) -> str:
    """A line of text as reStructuredText that shows it as it is; `code` stays code."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(
        f"``{part}``" if i % 2 else re.sub(r"([\\*`|_])", r"\\\1", part) for i, part in enumerate(parts)
    )


def paragraphs(lines: list[str]) -> list[str]:
    """A docstring as paragraphs, one for each parameter, wrapped lines joined but those of examples."""
    found: list[str] = []
    fresh = True
    for line in map(str.strip, lines):
        if line and not fresh and found[-1].startswith(">>>"):
            found[-1] += f"\n{line}"
        elif line and (fresh or _begins(line, found[-1])):
            found.append(line)
        elif line:
            found[-1] += f" {line}"
        fresh = not line
    return found


def _begins(line: str, before: str) -> bool:
    """Whether a line begins a paragraph: not in the middle of a sentence."""
    return before.endswith(SENTENCE_ENDS) and bool(ITEM.match(line) or line.startswith("Raises "))


def tell(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Rewrite one docstring in place."""
    written: list[str] = []
    for paragraph in paragraphs(lines):
        match = ITEM.match(paragraph)
        if match:
            written += [f"**{plain(match[1])}**: {plain(paragraph[match.end() :])}", ""]
        elif paragraph.startswith(">>>"):
            written += [*paragraph.splitlines(), ""]
        else:
            written += [plain(paragraph), ""]
    lines[:] = written


def tidy(*event: Any) -> tuple[str | None, str | None]:
    """A signature whose defaults Python can read: those made by functions become three dots."""
    *_, signature, returns = event
    return signature and re.sub(r"<(?:factory|function (?:<lambda>|[^>]+))>", "...", signature), returns


def names(objects: Mapping[str, Any]) -> dict[str, str]:
    """What prose may call an entry, to its full name; what two entries share is left out."""
    called: dict[str, str] = {}
    uses: Counter[str] = Counter()
    for full, entry in objects.items():
        if entry.objtype not in LINKED or not full.startswith(PACKAGES):
            continue
        parts = full.split(".")
        shorts = {".".join(parts[-2:])}
        if entry.objtype == "module":
            shorts = {f"{'/'.join(parts)}.py", f"{'/'.join(parts[1:])}.py"}
        elif entry.objtype != "method":
            shorts.add(parts[-1])
        for short in (shorts | {full}) - OTHERS:
            called[short] = full
            uses[short] += 1
    return {short: full for short, full in called.items() if uses[short] == 1}


def link(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make links of the names in the prose of a page."""
    objects = app.env.domaindata["py"]["objects"]
    known = names(objects)
    for literal in list(doctree.findall(nodes.literal)):
        if isinstance(literal.parent, (nodes.reference, nodes.title)):
            continue
        full = known.get(re.sub(r"\(.*\)$", "", literal.astext()))
        if full and objects[full].docname != page:
            entry = objects[full]
            literal.replace_self(
                make_refnode(app.builder, page, entry.docname, entry.node_id, literal.deepcopy(), full)
            )


def shorten(app: Sphinx, doctree: nodes.document) -> None:
    """Leave out the values of constants that are long, or of one machine only."""
    for annotation in list(doctree.findall(addnodes.desc_annotation)):
        text = annotation.astext().strip()
        of_one_machine = " from '" in text or "Path('" in text
        if text.startswith("=") and (len(text) > LONGEST or of_one_machine):
            annotation.parent.remove(annotation)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register them."""
    app.connect("autodoc-process-docstring", tell)
    app.connect("autodoc-process-signature", tidy)
    app.connect("doctree-read", shorten)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
