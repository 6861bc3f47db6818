"""Tables show the given numbers, and better numbers are marked as better."""

import re

import pandas as pd
import pytest

from study.figures import tables


def test_versus_subtracts_the_paper_from_ours():
    ours = pd.DataFrame({"a": [30.0, 31.0]}, index=["x", "y"])
    paper = pd.DataFrame({"a": [29.5]}, index=["x"])
    table = tables.versus(ours, paper).data
    assert list(table.index) == [("x", "ours"), ("x", "paper"), ("x", "difference"), ("y", "ours")]
    assert table.loc[("x", "difference"), "a"] == pytest.approx(0.5)


def test_versus_keeps_levels_of_the_index():
    index = pd.MultiIndex.from_product([["kodak"], ["x"]])
    ours = pd.DataFrame({"a": [30.0]}, index=index)
    table = tables.versus(ours, ours - 1).data
    assert table.loc[("kodak", "x", "difference"), "a"] == pytest.approx(1.0)


def test_versus_keeps_the_order_of_our_columns():
    ours = pd.DataFrame([[1.0, 2.0, 3.0]], index=["x"], columns=["c", "b", "a"])
    paper = pd.DataFrame([[1.0, 3.0, 4.0]], index=["x"], columns=["c", "a", "d"])
    assert list(tables.versus(ours, paper).data) == ["c", "b", "a", "d"]


def test_differences_show_their_sign():
    ours = pd.DataFrame({"a": [30.0]}, index=["x"])
    page = tables.versus(ours, ours + 0.25).to_html()
    assert "-0.25" in page
    assert "+0.25" in tables.versus(ours, ours - 0.25).to_html()


def test_the_printed_table_has_every_cell():
    table = tables.paper_table("table1")
    cells = table.groupby(["images", "method", "metric"]).size()
    assert len(cells) == 16
    assert (cells == 5).all()
    assert (
        table.query("images == 'cbsd68' and method == 'Tunable' and omega_1 == 1").value.nunique() == 1
    )


def test_spreads_stand_beside_means_and_leaders_are_bold():
    mean = pd.DataFrame({"a": [30.0, 31.0], "b": [float("nan"), 2.0]}, index=["x", "y"])
    spread = pd.DataFrame({"a": [0.1, float("nan")], "b": [0.0, 0.0]}, index=["x", "y"])
    best = pd.DataFrame({"a": [False, True], "b": [False, False]}, index=["x", "y"])
    styler = tables.with_spread(mean, spread, best=best)
    assert styler.data.to_numpy().tolist() == [["30.00 ± 0.10", ""], ["31.00", "2.00 ± 0.00"]]
    page = styler.to_html()
    assert page.count("font-weight: bold") == 1


def test_versus_sets_our_leaders_in_bold_and_nothing_of_the_papers():
    ours = pd.DataFrame({"a": [30.0, 31.0]}, index=pd.MultiIndex.from_tuples([("k", "x"), ("k", "y")]))
    styler = tables.versus(ours, ours - 1, best=ours == 31.0)
    cells = styler._compute().ctx.items()
    bold = [place for place, styles in cells if ("font-weight", "bold") in styles]
    rows = {styler.data.index[row] for row, _ in bold}
    assert rows == {("k", "y", "ours")}


@pytest.mark.parametrize(
    ("name", "keys", "cells"),
    [
        ("table2a", ["images", "sigma", "method", "metric"], 26),
        ("table2b", ["method", "metric", "omega_1"], 10),
        ("table3", ["images", "method", "metric", "omega_1", "omega_2"], 48),
        ("table4", ["images", "method", "metric", "omega_1", "omega_2"], 80),
        ("table5", ["images", "method", "metric", "omega_1"], 48),
    ],
)
def test_each_printed_table_has_every_cell_once(name, keys, cells):
    table = tables.paper_table(name)
    assert len(table) == cells
    assert not table.duplicated(keys).any()
    assert table.value.notna().all()


@pytest.mark.parametrize(
    ("value", "signed", "written"),
    [
        (-0.001, False, "0.00"),
        (-0.001, True, "0.00"),
        (0.001, True, "0.00"),
        (168, False, "168"),
        (12000, False, "12,000"),
        (1.005, True, "+1.00"),
        (-1.5, True, "-1.50"),
        (float("nan"), False, ""),
        ("tied", False, "tied"),
    ],
)
def test_numbers_have_no_sign_without_a_size_and_no_decimals_without_a_fraction(value, signed, written):
    assert tables.number(value, 2, signed=signed) == written


@pytest.mark.parametrize(("lower", "better"), [(False, 31.0), (True, 29.0)])
def test_a_better_number_is_blue_whatever_its_sign(lower, better):
    paper = pd.DataFrame({"a": [30.0]}, index=["x"])
    for ours in (29.0, 31.0):
        page = tables.versus(paper * 0 + ours, paper, lower=lower).to_html()
        assert (tables.BETTER in page) == (ours == better)
        assert (tables.WORSE in page) == (ours != better)


def test_a_difference_that_is_written_as_zero_has_no_colour():
    paper = pd.DataFrame({"a": [30.0]}, index=["x"])
    page = tables.versus(paper + 0.001, paper).to_html()
    assert tables.BETTER not in page
    assert tables.WORSE not in page


def test_a_row_that_only_the_paper_has_stands_alone():
    ours = pd.DataFrame({"a": [30.0]}, index=["x"])
    paper = pd.DataFrame({"a": [31.0, 32.0]}, index=["x", "theirs"])
    table = tables.versus(ours, paper).data
    assert [row for row in table.index if row[0] == "theirs"] == [("theirs", "paper")]


def test_columns_can_have_digits_of_their_own():
    page = tables.tidy(pd.DataFrame({"a": [12.345], "b": [12.345]}), {"a": 0}).to_html()
    assert ">12<" in page
    assert ">12.35<" in page or ">12.34<" in page


def test_columns_of_words_stand_at_the_left():
    table = pd.DataFrame({"words": ["a", None], "numbers": [1.5, 2.0], "mixed": ["not measured", 2.0]})
    page = tables.tidy(table).to_html()
    assert re.findall(r"\.col(\d) {\s*text-align: left", page) == ["0"]


def test_a_short_name_of_a_row_has_no_line_break():
    page = tables.tidy(pd.DataFrame({"a": [1, 2]}, index=["16 x 64", "a much longer name"])).to_html()
    assert "16\N{NO-BREAK SPACE}x\N{NO-BREAK SPACE}64" in page
    assert "a much longer name" in page
