"""Notebooks for a class: without solutions, or with each solution as a code cell.

If book/_config.yml has an address, each notebook begins with a cell that installs the study from it.
`python book/teaching.py` updates this cell after a new address or a new version in pyproject.toml.
"""

from __future__ import annotations

import copy
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[1]
SOLUTION = re.compile(r"^:::\{dropdown\} Solution\n(.*?)^:::\n*", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIRST = """\
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("study") is None:  # as on Colab: get the study
    clone = "git clone -q --depth=1 -b v{version} {url} study"
    for command in (clone, "pip install -q -e study"):
        subprocess.run(command.split(), check=True)
    os.chdir("study/notebooks")
    sys.path.insert(0, os.path.abspath(".."))
"""


def student(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy without solutions and outputs."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = SOLUTION.sub("", cell.source).rstrip()
        else:
            cell.outputs, cell.execution_count = [], None
    return made


def solved(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which the Python of each solution is a cell after the exercises."""
    made = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for solution in SOLUTION.findall(cell.source):
            for code in CODE.findall(solution):
                made.cells.append(nbformat.v4.new_code_cell(code, metadata={"tags": ["solution"]}))
    return made


def first_cell() -> str:
    """The text of the cell that installs the study; "" if the study has no address."""
    url = _config(ROOT)["repository"]["url"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return FIRST.format(url=url, version=version).rstrip() if url else ""


def launch(root: Path, commit: str) -> dict[str, Any]:
    """Settings of the book for the Binder and Colab buttons of each notebook's page, at that commit.

    Empty without an address in book/_config.yml or without a commit, since there is nothing to open.
    """
    url = _config(root)["repository"]["url"]
    if not url or not commit:
        return {}
    return {
        "repository": {"url": url, "branch": commit, "path_to_book": "notebooks"},
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def _config(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "book/_config.yml").read_text())


def with_first_cell(notebook: nbformat.NotebookNode, text: str) -> None:
    """Put the cell that installs the study below the title, or remove it if text is ""; in place."""
    cells = [c for c in notebook.cells if "install" not in c.metadata.get("tags", [])]
    made = [nbformat.v4.new_code_cell(text, metadata={"tags": ["install"]})] if text else []
    notebook.cells = cells[:1] + made + cells[1:]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"


def main() -> int:
    """Update the cell that installs the study in every notebook."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        with_first_cell(notebook, first_cell())
        nbformat.write(notebook, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
