"""Write the pages of the API reference: one for each folder of the packages, in the order of TREE.

They are written when the book is staged, so new modules and folders need not be listed. The first line
of a folder's `__init__.py` describes it in the reference.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from parameters import Fault

PACKAGES = ("tunable_core", "tunable_photo", "study")
OWN_PAGE = ("tunable_core/onnx.py",)
"""Modules with a separate page."""
INDEX = "api/index"
TREE = "book/maintain.md"
"""The page with the tree of all folders."""


def folders(root: Path) -> list[str]:
    """Folders that hold modules, such as "study/images", in the order of the tree in book/maintain.md.

    Raises Fault naming the folders that the tree lacks.
    """
    here = {
        path.parent.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
        if not path.name.startswith("__")
    }
    listed = tree(root)
    if missing := sorted(here - set(listed)):
        raise Fault(f"the tree in {TREE} does not list {', '.join(missing)}: add a line for each")
    return [folder for folder in listed if folder in here]


def tree(root: Path) -> list[str]:
    """Every folder in the tree of book/maintain.md, with its parent folder."""
    text = (root / TREE).read_text(encoding="utf-8")
    found: list[str] = []
    top = ""
    for indent, name in re.findall(r"^( *)([\w.]+)/  ", text, re.MULTILINE):
        top = top if indent else name
        found.append(f"{top}/{name}" if indent else name)
    return found


def modules(root: Path, folder: str) -> list[str]:
    """The modules in one folder, such as "study.images.pairs", without those of OWN_PAGE."""
    names = (path.relative_to(root).as_posix() for path in sorted((root / folder).glob("[!_]*.py")))
    return [dotted(name) for name in names if name not in OWN_PAGE]


def pages(root: Path) -> dict[str, list[str]]:
    """The modules of each page, by its subject, a folder or module."""
    found = {folder: modules(root, folder) for folder in folders(root)}
    found |= {name: [dotted(name)] for name in OWN_PAGE}
    return dict(sorted(found.items(), key=lambda page: PACKAGES.index(page[0].partition("/")[0])))


def page_name(subject: str) -> str:
    """The page about a folder or module, such as "api/study-images"."""
    return f"api/{dotted(subject).replace('.', '-')}"


def dotted(subject: str) -> str:
    """The name by which Python imports a folder or module, such as "study.images"."""
    return subject.removesuffix(".py").replace("/", ".")


def write(root: Path, source: Path) -> None:
    """Write the pages into the staged book SOURCE, and list them on its page api/index."""
    found = pages(root)
    for subject, names in found.items():
        parts = [f"# {dotted(subject)}"]
        if subject not in OWN_PAGE:
            parts.append(_first_line(root / subject))
        for name in names:
            if subject not in OWN_PAGE:
                parts.append(f"## {name.removeprefix(f'{dotted(subject)}.')}")
            shown = f":members: {_functions(root, name)}" if name.endswith("_words") else ":members:"
            parts.append(
                f"```{{eval-rst}}\n.. automodule:: {name}\n   {shown}\n   :member-order: bysource\n```"
            )
        (source / f"{page_name(subject)}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    lines = [f"- [](/{page_name(subject)}): {_first_line(root / subject)}" for subject in found]
    with (source / f"{INDEX}.md").open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lines) + "\n")


def _functions(root: Path, name: str) -> str:
    """The public functions of a module of sentences, whose templates a reader finds in the chapter."""
    path = root / f"{name.replace('.', '/')}.py"
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = [item.name for item in body if isinstance(item, ast.FunctionDef)]
    return ", ".join(name for name in names if not name.startswith("_"))


def with_pages(toc: dict[str, Any], root: Path) -> dict[str, Any]:
    """The table of contents with the pages of the reference."""
    if "parts" in toc:
        return toc | {"parts": [with_pages(part, root) for part in toc["parts"]]}
    sections = [{"file": page_name(subject)} for subject in pages(root)]
    chapters = [
        entry | {"sections": sections} if entry["file"] == INDEX else entry for entry in toc["chapters"]
    ]
    return toc | {"chapters": chapters}


def _first_line(subject: Path) -> str:
    """The first line of the docstring of a folder or module."""
    path = subject / "__init__.py" if subject.is_dir() else subject
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]
