"""Pictures of three dials."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from study.figures.style_plots import edges, triangle, turning
from tunable_core.omega import simplex_grid


@pytest.fixture
def flat():
    """A flat picture [3, 8, 12] in the colour of each omega of the triangle with 4 a side."""
    return [omega.view(3, 1, 1).expand(3, 8, 12) for omega in simplex_grid(3, 3)]


def test_the_corners_of_the_triangle_are_the_corners_of_the_dials(flat):
    figure = triangle(flat, ["red", "green", "blue"])
    figure.canvas.draw()
    found = {}
    for axis in figure.axes:
        place = axis.get_position()
        found[round(place.x0 + place.width / 2, 2), round(place.y0, 2)] = axis.images[0].get_array()[
            0, 0
        ]
    top = max(found, key=lambda place: place[1])
    low = min(y for _, y in found)
    left, right = (end(place for place in found if place[1] == low) for end in (min, max))
    colours = [tuple(found[place]) for place in (top, left, right)]
    assert colours == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    plt.close(figure)


def test_the_names_stand_by_their_corners_and_nothing_overlaps(flat):
    figure = triangle(flat, ["red", "green", "blue"])
    boxes = [axis.get_position() for axis in figure.axes]
    for i, a in enumerate(boxes):
        assert a.x0 >= 0
        assert a.x1 <= 1
        assert not any(a.overlaps(b) for b in boxes[i + 1 :])
    places = {text.get_text(): text.get_position() for text in figure.texts}
    assert places["red"][1] > places["green"][1]
    assert places["green"][0] < places["red"][0] < places["blue"][0]
    plt.close(figure)


@pytest.mark.parametrize("count", [1, 5, 7])
def test_a_number_of_images_that_makes_no_triangle_is_refused(count):
    with pytest.raises(ValueError, match=f"{count} images and 3 corners make no triangle"):
        triangle([torch.zeros(3, 4, 4)] * count, "abc")


def test_each_strip_of_a_turning_picture_is_of_its_own_output():
    outputs = [torch.full((1, 3, 4, 10), float(i)) + torch.arange(10) / 100 for i in range(4)]
    picture = turning(outputs)
    assert picture.shape == (3, 4, 10)
    strips = picture[0, 0].floor().int().tolist()
    assert strips == sorted(strips)
    assert set(strips) == {0, 1, 2, 3}
    torch.testing.assert_close(picture[0, 0] % 1, torch.arange(10) / 100)


def test_the_curves_of_an_edge_are_those_between_its_corners():
    rounds = pd.DataFrame({name: np.arange(7.0) + i for i, name in enumerate("abc")})
    figure = edges(rounds, 2)
    lines = [[line.get_ydata().tolist() for line in axis.lines] for axis in figure.axes]
    assert [panel[0] for panel in lines] == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert [axis.get_xlabel() for axis in figure.axes] == ["a to b", "b to c", "c to a"]
    plt.close(figure)
