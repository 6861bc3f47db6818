"""Tables and figures: what they show is what they were given."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch

from tunable_core import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_versus_subtracts_the_paper_from_ours():
    ours = pd.DataFrame({"a": [30.0, 31.0]}, index=["x", "y"])
    paper = pd.DataFrame({"a": [29.5]}, index=["x"])
    table = plots.versus(ours, paper).data
    assert list(table.index) == [("x", "ours"), ("x", "paper"), ("x", "difference"), ("y", "ours")]
    assert table.loc[("x", "difference"), "a"] == pytest.approx(0.5)


def test_versus_keeps_levels_of_the_index():
    index = pd.MultiIndex.from_product([["kodak"], ["x"]])
    ours = pd.DataFrame({"a": [30.0]}, index=index)
    table = plots.versus(ours, ours - 1).data
    assert table.loc[("kodak", "x", "difference"), "a"] == pytest.approx(1.0)


def test_differences_show_their_sign():
    ours = pd.DataFrame({"a": [30.0]}, index=["x"])
    page = plots.versus(ours, ours + 0.25).to_html()
    assert "-0.25" in page
    assert "+0.25" in plots.versus(ours, ours - 0.25).to_html()


def test_strip_has_a_second_row_for_the_zoom():
    image = torch.rand(3, 20, 30)
    figure = plots.strip([image, image], ["a", "b"], zoom=(5, 6, 8))
    shapes = [axis.images[0].get_array().shape for axis in figure.axes]
    assert shapes == [(20, 30, 3), (20, 30, 3), (8, 8, 3), (8, 8, 3)]


def test_pictures_are_clipped():
    picture = plots.to_picture(torch.tensor([-1.0, 0.5, 2.0]).view(3, 1, 1))
    assert picture.ravel().tolist() == [0.0, 0.5, 1.0]


def test_curves_draw_what_they_were_given():
    frame = pd.DataFrame({"x": [0.0, 1.0], "y": [2.0, 3.0]})
    _, axis = plt.subplots()
    plots.curves(axis, {"ours": frame, "paper": frame + 1}, "x", "y", black=["paper"])
    assert [line.get_ydata().tolist() for line in axis.lines] == [[2.0, 3.0], [3.0, 4.0]]
    assert axis.lines[1].get_color() == "black"


def test_the_printed_table_has_every_cell():
    table = plots.paper_table("table1")
    cells = table.groupby(["images", "method", "metric"]).size()
    assert len(cells) == 16
    assert (cells == 5).all()
    assert (
        table.query("images == 'cbsd68' and method == 'Tunable' and omega_1 == 1").value.nunique() == 1
    )


def test_provenance_names_each_run_once_and_escapes():
    record = {"name": "<run>", "key": "abc", "config": {"training": {"seed": 3, "steps": 10}}}
    page = plots.provenance([record, record], images="kodak & co")
    assert page.count("<li>") == 1
    assert "&lt;run&gt;" in page
    assert "kodak &amp; co" in page
    assert "seed 3" in page
