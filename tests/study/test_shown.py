"""Outputs of cells: a picture, a table or sentences, with their origin."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pages
import pandas as pd
import pytest
import torch

from study.chapters import shown
from study.chapters.base import Chapter, Sure
from study.chapters.pictures import busiest, picture
from study.chapters.shown import Said, Shown
from study.figures import tables


def bundle(one):
    return one._repr_mimebundle_()


def test_the_book_and_the_chapters_call_the_types_of_outputs_the_same():
    assert (pages.FIRST_SCREEN, pages.PROVENANCE) == (shown.FIRST_SCREEN, shown.PROVENANCE)
    assert pages.RESULTS == shown.RESULTS


def test_a_figure_of_lines_is_vectors_and_one_of_pictures_is_pixels():
    lines, axis = plt.subplots()
    axis.plot([0, 1])
    pixels, axis = plt.subplots()
    axis.imshow(np.zeros((4, 4)))
    assert {"image/svg+xml"} == {k for k in bundle(Shown(lines)) if k.startswith("image")}
    assert {"image/png"} == {k for k in bundle(Shown(pixels)) if k.startswith("image")}
    assert not plt.get_fignums()  # or Jupyter would show them again


def test_a_table_carries_the_line_of_its_provenance():
    table = tables.tidy(pd.DataFrame({"a": [1.0]}))
    made = bundle(Shown(table, [{"name": "sweep of x"}], "kodak"))
    assert "<table" in made["text/html"]
    assert "sweep of x" in made[shown.PROVENANCE]
    assert "kodak" in made[shown.PROVENANCE]
    assert shown.PROVENANCE not in bundle(Shown(table))


def test_sentences_carry_results_only_where_there_are_any():
    assert bundle(Said("So."))["text/markdown"] == "So."
    assert shown.RESULTS not in bundle(Said("So."))
    assert bundle(Said("So.", {"a": 1.0}))[shown.RESULTS] == {"a": 1.0}


class Small(Chapter):
    """A chapter of five findings."""

    asked = "What?"

    def findings(self):
        return ["One.", "Two.", "Three.", "Four.", "Five."]

    def advice(self):
        return ["Do it."]

    def how_sure(self):
        return Sure(
            {"kodak": 24}, {"A": 3, "B": 1}, "Networks of 1 block.", "More could change it.", ["set5"]
        )

    def results(self):
        return {"n": 5}


def test_the_first_screen_has_the_question_four_findings_and_how_sure():
    made = bundle(Small().first_screen())
    text = made["text/markdown"]
    assert re.findall(r"\*\*(.+?)\.\*\*", text) == ["Asked", "Found", "How sure"]
    assert "Four." in text
    assert "Five." not in text
    for said in (
        "Kodak (24 photographs)",
        "from 3 seeds: A",
        "from 1 seed: B",
        "Networks of 1 block.",
        "Set5",
    ):
        assert said in text
    assert made[shown.FIRST_SCREEN] == text
    assert made[shown.RESULTS] == {"n": 5}


def test_the_end_has_every_finding_and_the_advice():
    assert Small().what_was_found().text.splitlines()[-1] == "- Five."
    assert Small().what_it_means().text == "- Do it."


def test_equal_numbers_of_seeds_are_said_once():
    assert "Every method was trained from 3 seeds." in Sure({}, {"A": 3, "B": 3}, "", "").text


def test_the_busiest_square_is_where_the_detail_is():
    image = torch.zeros(3, 64, 96)
    image[:, 32:48, 64:80] = torch.rand(1, 16, 16)
    top, left, side = busiest(image, 16)
    assert side == 16
    assert abs(top - 32) <= 8
    assert abs(left - 64) <= 8


def test_a_photograph_that_is_not_available_is_replaced_and_its_square_is_chosen(store):
    with pytest.warns(UserWarning, match="set5"):
        found = picture("set5", "butterfly", (0, 0, 50), side=50)
    assert found.images == "samples-test"
    assert found.square != (0, 0, 50)
    assert found.cut(found.clean).shape == (3, 50, 50)


@pytest.mark.parametrize("square", [None, (3, 4, 20)])
def test_a_photograph_that_is_there_keeps_the_square_asked_for(square):
    found = picture("samples-test", "chelsea", square, side=20)
    assert found.name == "chelsea"
    assert (found.square == (3, 4, 20)) == (square is not None)
