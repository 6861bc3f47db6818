"""Limits of the notebooks: prose and short cells alternate, and no cell is hidden."""

from pathlib import Path

import nbformat
import pytest
import yaml

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9][0-9]-*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.stem < "13"]  # the rest are appendices
LINES, WIDTH, ALL = 10, 79, 1_400
"""Lines of code in a cell, characters in a line, and lines in all notebooks."""
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def lines_of(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


@each
def test_no_cell_is_long_or_wide(path):
    code = [cell for cell in cells_of(path) if cell.cell_type == "code"]
    assert [cell.source for cell in code if len(lines_of(cell)) > LINES] == []
    narrow = [cell for cell in code if "parameters" not in cell.metadata.get("tags", [])]
    assert [line for cell in narrow for line in lines_of(cell) if len(line) > WIDTH] == []


@each
def test_no_cell_is_hidden_and_only_the_parameters_are_tagged(path):
    tags = [tag for cell in cells_of(path) for tag in cell.metadata.get("tags", [])]
    assert tags == ["parameters"]


@each
def test_prose_stands_between_two_cells_of_code(path):
    kinds = [cell.cell_type for cell in cells_of(path)]
    assert kinds[0] == "markdown"
    assert [kinds[i : i + 2] for i in range(len(kinds))].count(["code", "code"]) == 0


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_says_what_it_found_first_and_last(path):
    source = "\n".join(cell.source for cell in cells_of(path))
    assert source.count(".first_screen()") == 1
    places = [
        source.index(part)
        for part in (
            "## What was found",
            ".what_was_found()",
            "## What it means for you",
            ".what_it_means()",
        )
    ]
    assert places == sorted(places)
    assert places[-1] < source.index("## Exercises")


@each
def test_a_heading_that_names_a_table_says_whose_it_is(path):
    headings = [line for c in cells_of(path) for line in c.source.splitlines() if line.startswith("#")]
    assert [h for h in headings if any(h.lstrip("# ").startswith(w) for w in ("Table", "Figure"))] == []


def test_all_notebooks_together_are_short():
    code = [cell for path in NOTEBOOKS for cell in cells_of(path) if cell.cell_type == "code"]
    lines = sum(len(lines_of(cell)) for cell in code)
    assert lines <= ALL


def test_chapters_are_numbered_in_the_sidebar_by_the_numbers_of_their_files():
    toc = yaml.safe_load((NOTEBOOKS[0].parents[1] / "book/_toc.yml").read_text())
    (numbered,) = [part for part in toc["parts"] if part.get("numbered")]
    assert [entry["file"] for entry in numbered["chapters"]] == [path.stem for path in CHAPTERS]
    appendices = {section["file"] for e in numbered["chapters"] for section in e.get("sections", [])}
    assert appendices == {path.stem for path in NOTEBOOKS} - {path.stem for path in CHAPTERS}
