"""Notebooks for a class: without their solutions, or with each solution as a cell that runs.

`python book/teaching.py` writes the first code cell of every notebook anew, after the address in
book/_config.yml or the version in pyproject.toml has changed.
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
# Where the study is not installed, as on Colab: get it and install it. Elsewhere this does nothing.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("tunable_core") is None:
    repository, tag = "{url}", "v{version}"
    if not repository:
        raise ModuleNotFoundError("tunable_core is not installed: clone the study and run `make setup`")
    clone = ["git", "clone", "--quiet", "--depth=1", f"--branch={{tag}}", repository, "study"]
    subprocess.run(clone, check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-e", "study"], check=True)
    sys.path.insert(0, os.path.abspath("study"))
    os.chdir("study/notebooks")
"""


def student(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy without solutions, and without the cells that only the book needs."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = SOLUTION.sub("", cell.source).rstrip()
        else:
            cell.outputs, cell.execution_count = [], None
    return made


def solved(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which the Python of each solution is a cell behind the exercises."""
    made = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for solution in SOLUTION.findall(cell.source):
            made.cells += [nbformat.v4.new_code_cell(code) for code in CODE.findall(solution)]
    return made


def first_cell(root: Path = ROOT) -> str:
    """The text of the first code cell of every notebook."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return FIRST.format(url=_config(root)["repository"]["url"], version=version).rstrip()


def launch(root: Path, commit: str) -> dict[str, Any]:
    """Settings of the book that give each notebook's page its Binder and Colab buttons, at that commit.

    None without an address in book/_config.yml, or without a commit: there is nothing to open then.
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


def main() -> int:
    """Write the first code cell of every notebook."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        here = [c for c in notebook.cells if "install" in c.metadata.get("tags", [])]
        if not here:
            tags = {"tags": ["install", "remove-cell"]}
            here = [nbformat.v4.new_code_cell(metadata=tags)]
            notebook.cells.insert(1, here[0])
        here[0].source = first_cell()
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number:02d}"
        nbformat.write(notebook, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
