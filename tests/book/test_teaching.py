"""Versions of the notebooks for a class: nothing given away, nothing lost, and every solution runs."""

import os
from pathlib import Path

import nbformat
import pytest
import teaching
from notebook_run import execute
from parameters import declared, resolve, settings

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
read = nbformat.read


@each
def test_every_chapter_ends_with_three_exercises_and_their_solutions(path):
    _, head, last = read(path, as_version=4).cells[-1].source.partition("## Exercises")
    assert head
    assert last.count("\n### ") == 3
    assert len(teaching.SOLUTION.findall(last)) == 3


@each
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
def test_the_first_code_cell_is_the_one_that_installs(path):
    first = next(c for c in read(path, as_version=4).cells if c.cell_type == "code")
    assert first.source == teaching.first_cell(), "run `python book/teaching.py`"


def test_where_the_package_is_there_the_first_cell_does_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(teaching.first_cell(), {})
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_fetched_it_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="clone the study"):
        exec(teaching.FIRST.format(url="", version="0"), {})


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


@each
@pytest.mark.skipif("TUNABLE_FAULTS" not in os.environ, reason="minutes each: make nightly")
def test_solutions_run(path, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path / "store"))
    notebook = read(path, as_version=4)
    known = {p.stem: declared(read(p, as_version=4), p.stem) for p in NOTEBOOKS}
    values = resolve(known, settings(path.parent / "profiles", "smoke"), {}, [path.stem])
    changes = {n: v for n, v in values[path.stem].items() if v != known[path.stem][n].default}
    solved = tmp_path / path.name
    nbformat.write(teaching.solved(notebook), solved)
    assert execute(solved, tmp_path / "done.ipynb", changes, path.parent)["cells"] > 3
