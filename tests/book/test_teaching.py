"""Notebooks for a class: no solution is left in, nothing else is lost, and every solution runs."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
import teaching
from test_notebooks import CHAPTERS

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
read = nbformat.read


@each_chapter
def test_every_chapter_ends_with_three_exercises_and_their_solutions(path):
    _, head, last = read(path, as_version=4).cells[-1].source.partition("## Exercises")
    assert head
    assert last.count("\n### ") == 3
    assert len(teaching.SOLUTION.findall(last)) == 3


@each_chapter
def test_a_students_version_keeps_the_questions_and_has_no_solution(path):
    notebook = read(path, as_version=4)
    made = teaching.student(notebook)
    assert "Solution" not in made.cells[-1].source
    assert made.cells[-1].source.count("\n### ") == 3
    assert [c.source for c in made.cells[:-1]] == [c.source.rstrip() for c in notebook.cells[:-1]]
    nbformat.validate(made)


def test_a_students_version_says_nothing_of_results():
    notebook = nbformat.v4.new_notebook()
    shown = nbformat.v4.new_output("stream", text="42\n")
    notebook.cells = [nbformat.v4.new_code_cell("print(42)", outputs=[shown], execution_count=1)]
    (cell,) = teaching.student(notebook).cells
    assert (cell.outputs, cell.execution_count) == ([], None)
    assert notebook.cells[0].outputs  # the given one is left as it is


@each
def test_a_notebook_installs_the_study_where_it_has_an_address(path):
    tagged = [
        c.source for c in read(path, as_version=4).cells if "install" in c.metadata.get("tags", [])
    ]
    assert tagged == [text for text in [teaching.first_cell()] if text], "run `python book/teaching.py`"


def test_the_cell_that_installs_stands_below_the_title_and_goes_with_the_address():
    title, code = nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("1")
    notebook = nbformat.v4.new_notebook(cells=[title, code])
    for text in ("one", "other"):
        teaching.with_first_cell(notebook, text)
        assert [c.source for c in notebook.cells] == ["# Title", text, "1"]
    teaching.with_first_cell(notebook, "")
    assert [c.source for c in notebook.cells] == ["# Title", "1"]
    nbformat.validate(notebook)


def test_where_the_package_is_there_the_first_cell_does_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(teaching.FIRST.format(url="", version="0"), {})
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_where_nothing_can_be_fetched_it_stops(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(subprocess.CalledProcessError):
        exec(teaching.FIRST.format(url=tmp_path / "nowhere", version="0"), {})


def with_address(tmp_path, url):
    """A project whose book has an address."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book/_config.yml").write_text(f"repository: {{url: '{url}'}}\n")
    return tmp_path


def test_buttons_open_the_commit_of_the_book(tmp_path):
    made = teaching.launch(with_address(tmp_path, "https://github.com/some/study"), "0123abc")
    assert made["repository"]["branch"] == "0123abc"
    assert {"binderhub_url", "colab_url"} <= made["launch_buttons"].keys()


@pytest.mark.parametrize(("url", "commit"), [("", "0123abc"), ("https://github.com/some/study", "")])
def test_without_an_address_or_a_commit_there_are_no_buttons(tmp_path, url, commit):
    assert teaching.launch(with_address(tmp_path, url), commit) == {}
