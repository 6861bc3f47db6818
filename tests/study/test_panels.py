"""Figures of many panels show the given data."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from study.figures import panels


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_a_lattice_has_each_picture_in_its_place_under_its_names():
    images = [[torch.full((3, 4, 6), (2 * i + j) / 10) for j in range(2)] for i in range(3)]
    under = [[f"{i}{j}" for j in range(2)] for i in range(3)]
    figure = panels.lattice(images, ["a", "b", "c"], ["x", "y"], under)
    shown = [axis.images[0].get_array()[0, 0, 0].item() for axis in figure.axes]
    assert shown == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert [axis.get_title() for axis in figure.axes] == ["x", "y", "", "", "", ""]
    assert [axis.get_ylabel() for axis in figure.axes] == ["a", "", "b", "", "c", ""]
    assert [axis.get_xlabel() for axis in figure.axes] == ["00", "01", "10", "11", "20", "21"]


@pytest.fixture
def tables():
    """Two tables rho x sigma."""
    index, columns = pd.Index([0.0, 2.0], name="rho"), pd.Index([5.0, 30.0], name="sigma")
    first = pd.DataFrame([[30.0, 20.0], [25.0, 15.0]], index=index, columns=columns)
    return {"first": first, "second": first - 10}


def test_heat_maps_write_their_numbers_on_one_scale(tables):
    figure = panels.heat_maps(tables, "PSNR", columns=2)
    first, second = figure.axes[:2]
    assert [text.get_text() for text in first.texts] == ["30.0", "20.0", "25.0", "15.0"]
    assert [text.get_text() for text in second.texts] == ["20.0", "10.0", "15.0", "5.0"]
    assert {axis.images[0].get_clim() for axis in (first, second)} == {(5.0, 30.0)}
    assert [label.get_text() for label in second.get_xticklabels()] == ["5", "30"]
    assert [axis.get_title() for axis in (first, second)] == ["first", "second"]


def test_differences_are_centred_and_signed(tables):
    figure = panels.heat_maps({"gain": tables["first"] - 24}, "dB", centred=True)
    low, high = figure.axes[0].images[0].get_clim()
    assert (low, high) == (-9.0, 9.0)
    assert figure.axes[0].texts[0].get_text() == "+6.0"


def test_numbers_stand_out_from_their_cells(tables):
    figure = panels.heat_maps(tables, "PSNR", columns=2)
    colours = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert colours["30.0"] == "k"
    assert figure.axes[1].texts[3].get_color() == "w"


def test_a_cell_that_is_missing_does_not_spoil_the_scale(tables):
    tables["first"].iloc[0, 0] = np.nan
    figure = panels.heat_maps(tables, "PSNR", columns=2)
    assert figure.axes[0].images[0].get_clim() == (5.0, 25.0)
