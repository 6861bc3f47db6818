"""Turn an executed notebook into a page of the book.

The page differs from Jupyter's view: **Asked**, **Found** and **How sure** are below the title; the
parameters, which have a meaning only in a running notebook, are folded; a line below each figure names
its origin; and the output of each solution is below its code.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import teaching

FIRST_SCREEN = "text/x-study-first-screen"
PROVENANCE = "text/x-study-provenance"
RESULTS = "application/vnd.study.results+json"
"""MIME type of outputs that only the book reads; see study/chapters/shown.py."""
PROMPTS = {
    "parameters": "Parameters, which a running notebook can change",
    "injected-parameters": "Parameters that this book sets",
}
"""Tags of folded cells, and the line that is shown in their place."""


def results(notebook: nbformat.NotebookNode) -> Iterator[dict[str, Any]]:
    """The results in the outputs of the notebook, for other pages."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if found := output.get("data", {}).get(RESULTS):
                yield dict(found)


def page(notebook: nbformat.NotebookNode, stem: str, source: Path) -> None:
    """Turn the notebook into its page, in place; pictures and filmstrips go to files of source."""
    shown = [cell for cell in notebook.cells if "solution" not in cell.metadata.get("tags", [])]
    solved = [cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", [])]
    _answer(shown, solved, stem, source)
    notebook.cells = [made for cell in shown for made in _prepared(cell)]
    for cell in notebook.cells:
        _unpack(cell, source / "extra/filmstrips")
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if block := output.get("data", {}).pop(FIRST_SCREEN, None):
                cell.outputs.remove(output)
                title, _, rest = notebook.cells[0].source.partition("\n")
                notebook.cells[0].source = f"{title}\n\n:::{{div}} first-screen\n{block}\n:::\n{rest}"


def _prepared(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cell without papermill's notes, stderr and empty sentences, then its line of provenance."""
    cell.metadata.pop("papermill", None)
    if cell.cell_type != "code":
        return [cell]
    cell.outputs = [
        output
        for output in cell.outputs
        if output.get("name") != "stderr" and output.get("data", {}).get("text/markdown") != ""
    ]
    tags = cell.metadata.get("tags", [])
    for prompt in [PROMPTS[tag] for tag in tags if tag in PROMPTS]:
        cell.metadata["tags"] = [*tags, "hide-cell"]
        cell.metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt}
    made = [cell]
    for output in cell.outputs:
        output.get("data", {}).pop(RESULTS, None)
        if line := output.get("data", {}).pop(PROVENANCE, None):
            made.append(nbformat.v4.new_markdown_cell("".join(line)))
    return made


def _answer(shown: list, solved: list, stem: str, source: Path) -> None:
    """Put the outputs of the solutions below their code, in the cells of exercises."""
    waiting = iter(solved)

    def answered(found: re.Match) -> str:
        cell = next(waiting, None)
        if cell is None:
            return found[0]
        number = solved.index(cell) + 1
        parts = [_text(output, f"{stem}-solution-{number}", source) for output in cell.outputs]
        return "\n\n".join([found[0], *(part for part in parts if part)])

    for cell in shown:
        if cell.cell_type == "markdown":
            cell.source = teaching.SOLUTION.sub(
                lambda solution: teaching.CODE.sub(answered, solution[0]), cell.source
            )


def _text(output: nbformat.NotebookNode, name: str, source: Path) -> str:
    """An output as Markdown; a picture becomes a file in figures/."""
    if output.output_type == "stream":
        return f"```text\n{output.text.rstrip()}\n```" if output.name == "stdout" else ""
    data = output.get("data", {})
    for kind, suffix in (("image/svg+xml", "svg"), ("image/png", "png")):
        if content := data.get(kind):
            content = "".join(content)
            raw = content.encode() if suffix == "svg" else base64.b64decode(content)
            path = source / f"figures/{name}-{hashlib.sha256(raw).hexdigest()[:8]}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(raw)
            return f"![What the solution shows](figures/{path.name})"
    if content := data.get("text/html"):
        return re.sub(r"\s*\n\s*", " ", "".join(content))
    if content := data.get("text/markdown"):
        return "".join(content)
    return f"```text\n{''.join(data.get('text/plain', '')).rstrip()}\n```" if data else ""


def _unpack(cell: nbformat.NotebookNode, folder: Path) -> None:
    """Move filmstrips from the page to separate files, which are loaded when they become visible."""

    def moved(found: re.Match) -> str:
        content = base64.b64decode(found[1])
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.webp"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        return f'loading="lazy" src="filmstrips/{name}"'

    for output in cell.get("outputs", []):
        if text := output.get("data", {}).get("text/html"):
            output.data["text/html"] = re.sub(
                r'src="data:image/webp;base64,([^"]+)"', moved, "".join(text)
            )
