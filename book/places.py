"""Shorten absolute paths of this machine in the outputs of notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from provenance import data_sets


def shortened(notebook: nbformat.NotebookNode, root: Path, runs: Path) -> nbformat.NotebookNode:
    """The notebook with shortened paths in its texts: relative to the clone, or, for data sets and the
    store, beginning with the name of their variable. runs: the store."""
    short = {
        f"{root}/": "",
        f"{root}": ".",
        f"{data_sets(root)}": "$TUNABLE_DATA",
        f"{runs}": "$TUNABLE_RUNS",
    }

    def text(content: Any) -> Any:
        content = "".join(content)
        for path, name in short.items():
            content = content.replace(path, name)
        return content

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = text(output.text)
            for kind, content in output.get("data", {}).items():
                if kind.startswith("text/"):
                    output.data[kind] = text(content)
    return notebook
