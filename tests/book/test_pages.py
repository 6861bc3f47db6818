"""An executed notebook as a page: only parameters are folded, and every output is in its place."""

import base64
import json

import nbformat
import pages
import pytest
import teaching

EXERCISES = """## Exercises

### 1. Count

How many?

:::{dropdown} Solution
```python
print(3)
```

Three.
:::
"""


def cell(*outputs, source="show()", **metadata):
    """A code cell with outputs, each a dictionary of types or a text that was printed."""
    made = [
        nbformat.v4.new_output("stream", name="stdout", text=output)
        if isinstance(output, str)
        else nbformat.v4.new_output("display_data", output)
        for output in outputs
    ]
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=made)


@pytest.fixture
def paged(tmp_path):
    """paged(*cells): the page of a notebook of a title and these cells."""
    (tmp_path / "extra").mkdir()

    def page(*cells):
        title = nbformat.v4.new_markdown_cell("# Title\n\nWhy.")
        notebook = nbformat.v4.new_notebook(cells=[title, *cells])
        pages.page(notebook, "01-toy", tmp_path)
        nbformat.validate(notebook)
        return notebook.cells

    return page


def test_the_first_screen_stands_below_the_title_and_before_all_code(paged):
    block = "**Asked.** What?"
    title, code = paged(cell({pages.FIRST_SCREEN: block, "text/markdown": block}))
    assert title.source == f"# Title\n\n:::{{div}} first-screen\n{block}\n:::\n\nWhy."
    assert code.source == "show()"
    assert not code.outputs


def test_a_figure_is_followed_by_the_line_of_what_made_it(paged):
    _, shown, line = paged(
        cell({"text/html": "<table></table>", pages.PROVENANCE: "<details></details>"})
    )
    assert shown.outputs[0].data == {"text/html": "<table></table>"}
    assert (line.cell_type, line.source) == ("markdown", "<details></details>")


def test_parameters_alone_are_folded(paged):
    cells = paged(cell(tags=["parameters"]), cell(tags=["injected-parameters"]), cell())
    assert ["hide-cell" in c.metadata.get("tags", []) for c in cells[1:]] == [True, True, False]


def test_the_output_of_a_solution_stands_below_its_code(paged, tmp_path):
    exercises = nbformat.v4.new_markdown_cell(EXERCISES)
    picture = {"image/png": base64.b64encode(b"a picture").decode()}
    (_, made) = paged(exercises, cell("3\n", picture, source="print(3)", tags=["solution"]))
    (file,) = (tmp_path / "figures").iterdir()
    assert file.read_bytes() == b"a picture"
    head, _, tail = made.source.partition("print(3)\n```")
    assert head.endswith("```python\n")
    assert tail.startswith(
        f"\n\n```text\n3\n```\n\n![What the solution shows](figures/{file.name})\n\nThree."
    )
    assert made.source.rstrip().endswith(":::")


def test_without_its_outputs_an_exercise_is_left_as_it_is(paged):
    (_, made) = paged(nbformat.v4.new_markdown_cell(EXERCISES))
    assert made.source == EXERCISES


def test_solutions_run_as_cells_behind_the_others():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(EXERCISES)])
    made = teaching.solved(notebook).cells[-1]
    assert (made.source, made.metadata.tags) == ("print(3)\n", ["solution"])


def test_results_are_read_out_of_any_output():
    made = nbformat.v4.new_notebook(
        cells=[cell({pages.RESULTS: {"a": 1}}), cell({pages.RESULTS: {"b": 2}})]
    )
    assert list(pages.results(made)) == [{"a": 1}, {"b": 2}]
    assert json.dumps(list(pages.results(made)))


def test_a_sentence_that_is_empty_is_no_output(paged):
    _, made = paged(cell({"text/markdown": ""}, {"text/markdown": "A."}))
    assert [output.data["text/markdown"] for output in made.outputs] == ["A."]


def test_a_filmstrip_is_a_file_of_its_own(paged, tmp_path):
    content = base64.b64encode(b"a picture").decode()
    text = f'<div><img alt="x" src="data:image/webp;base64,{content}"></div>'
    _, made = paged(cell({"text/html": text}))
    (file,) = (tmp_path / "extra/filmstrips").iterdir()
    assert file.read_bytes() == b"a picture"
    assert f'loading="lazy" src="filmstrips/{file.name}"' in made.outputs[0].data["text/html"]
    assert "base64" not in made.outputs[0].data["text/html"]
