"""A toy project whose notebooks and book are made."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pages
import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
sys.path.append(str(BOOK.parent / "tests/study"))  # for test_controls.py
PARAMETERS = 'profile: str = "laptop"\nsteps: int | None = None\nrate: float = 0.5\nslow: bool = False'

Cell = tuple[str, list[str]]


def written(folder: Path, ending: str) -> list[Path]:
    """The files of a folder with this ending, except in _build, which a build may be changing."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "_build"]
        found += [Path(place, name) for name in names if name.endswith(ending)]
    return sorted(found)


def result(**values: float) -> str:
    """The code of a cell whose output holds results."""
    bundle = {pages.RESULTS: values, "text/plain": "results"}
    return f"from IPython.display import display\ndisplay({bundle!r}, raw=True)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Folders and files of a project, but no notebook."""
    (tmp_path / "notebooks/profiles").mkdir(parents=True)
    (tmp_path / "notebooks/profiles/laptop.yml").write_text("all: {profile: laptop}\n")
    (tmp_path / "notebooks/profiles/smoke.yml").write_text("all: {profile: smoke}\n01-toy: {steps: 3}\n")
    (tmp_path / "tunable_core").mkdir()
    (tmp_path / "tunable_core/core.py").write_text("VALUE = 1\n")
    (tmp_path / "data/runs").mkdir(parents=True)
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    return tmp_path


@pytest.fixture
def notebook(project: Path) -> Callable[..., Path]:
    """Write notebooks/01-toy.ipynb: a title, a parameters cell, then the given cells."""

    def write(*cells: str | Cell, stem: str = "01-toy", parameters: str = PARAMETERS) -> Path:
        made = nbformat.v4.new_notebook()
        made.metadata["kernelspec"] = {
            "name": "elsewhere",
            "display_name": "E",
            "language": "python",
        }
        made.cells.append(nbformat.v4.new_markdown_cell("# Toy"))
        code: Sequence[str | Cell] = [(parameters, ["parameters"]), *cells]
        for number, cell in enumerate(code):
            source, tags = cell if isinstance(cell, tuple) else (cell, [])
            made.cells.append(
                nbformat.v4.new_code_cell(source, metadata={"tags": tags}, id=f"c{number}")
            )
        path = project / f"notebooks/{stem}.ipynb"
        nbformat.write(made, path)
        return path

    return write


@pytest.fixture
def with_book(project: Path) -> Path:
    """The project with the study's book settings and extensions, and one page."""
    for name in ("extensions", "_static"):
        shutil.copytree(BOOK / name, project / "book" / name)
    for name in ("_config.yml", "references.bib"):
        shutil.copy(BOOK / name, project / "book")
    names = ("runs", "executions", "costs", "frames", "licences")
    tables = "\n\n".join(f"```{{{name}}}\n```" for name in names)
    (project / "book/runs.md").write_text(f"# Runs\n\n{tables}\n")
    (project / "book/_toc.yml").write_text(
        json.dumps(
            {
                "format": "jb-book",
                "root": "intro",
                "chapters": [{"file": "01-toy"}, {"file": "runs"}],
            }
        )
    )
    (project / "book/intro.md").write_text("# Intro\n\nOf {result}`01-toy:psnr:.1f` dB.\n")
    return project
