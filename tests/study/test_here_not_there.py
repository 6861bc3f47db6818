"""The page on a dial per pixel: its numbers reach its sentences."""

import pandas as pd
import pytest
import torch

from study.chapters import here_not_there
from study.chapters.here_not_there import HereNotThere
from study.measuring import edges
from tunable_core import Tunable
from tunable_photo.resnet import ResNetConfig

pytestmark = pytest.mark.filterwarnings("ignore:data set 'kodak' is not in")  # any photograph will do


@pytest.fixture
def part():
    """The page of a small view, whose network is never trained."""
    return HereNotThere(
        "smoke", figure_image="kodim04", view=[0, 0, 48], face=[8, 8, 40, 40], sigma=25.0, feather=4.0
    )


def table(kernels, outputs, inputs):
    index = pd.Index([-5.5, -0.5, 0.5, 5.5], name="distance")
    return pd.DataFrame(
        {edges.KERNELS: kernels, edges.OUTPUTS: outputs, edges.INPUTS: inputs}, index=index
    )


def test_the_errors_at_the_edge_are_those_near_it(part):
    part.profiles = {0.0: table([9, 1, 3, 9], 2.0, 4.0), 4.0: table([9, 5, 5, 9], [9, 3, 3, 9], 9.0)}
    said = part.edge_said().text
    assert "4.00 grey levels, 2.0 times the 2.00 of a dial per pixel. Blended outputs have 2.00." in said
    assert "feathered by 4 pixels blended outputs are nearest" in said
    assert "their error is 3.00 grey levels, 2.00 below the 5.00 of a dial per pixel" in said


def test_the_price_is_that_of_the_largest_network_in_both_layouts(part):
    cases = ("plain", "one omega", "a dial per pixel", "two outputs, blended")
    rows = [("small", 1.0, 7.0)] * 2 + [("16 x 64", 10.0, 15.0), ("16 x 64", 8.0, 16.0)]
    part.costs = pd.DataFrame(
        [
            (size, f"layout {i}", case, mapped if case == cases[2] else plain)
            for i, (size, plain, mapped) in enumerate(rows)
            for case in cases
        ],
        columns=["size", "work", "case", "ms"],
    )
    part.tiles_with_edge = lambda: (1, 4)
    assert "the 16 x 64 network takes 1.5 times" in part.cost_said().text
    few = "only 1 of 4 tiles have an edge, so `tunable denoise --mask` does about 1.2 times"
    assert few in part.cost_said().text
    assert "and 2.0 times that in channels_last" in part.cost_said().text
    part.costs.loc[part.costs.case == "two outputs, blended", "ms"] = 21.0
    part.costs.loc[part.costs.case == "a dial per pixel", "ms"] = 22.0
    said = part.cost_said().text
    assert "2.2 times that of the plain network" in said
    assert "two whole passes take 2.1 times" in said
    part.tiles_with_edge = lambda: (3, 4)
    assert "12 megapixels with this ellipse, 3 of 4 tiles have an edge" in part.cost_said().text


def test_tiles_with_an_edge_lie_along_it(part):
    part.network = Tunable(ResNetConfig(1, 4).build(), 2)
    part.face_box = [50, 50, 350, 350]
    edge, tiles = part.tiles_with_edge()
    assert 0.1 * tiles < edge < 0.6 * tiles
    part.face_box = [-2000, -2000, 3000, 3000]  # the ellipse covers the whole photograph
    assert part.tiles_with_edge() == (0, tiles)


def test_a_mask_that_was_found_in_part_is_said_to_be(part):
    mask = torch.ones(4, 4)
    part.found = mask, torch.full((4, 4), 0.9)
    assert "recovers the mask: 100 %" in part.recovered_said().text
    part.found = mask, torch.tensor([[0.9] * 4] * 2 + [[0.1] * 4] * 2)
    assert "only in part: 50 %" in part.recovered_said().text


def test_the_face_lies_in_the_view(part):
    assert part.mask.shape == part.clean.shape[1:] == (48, 48)
    assert 0 < part.mask.mean() < 1
    assert here_not_there.INSIDE != here_not_there.OUTSIDE


def test_the_network_is_made_outside_of_inference_mode(part, monkeypatch):
    """Its map is optimised later; at the smoke budget its network is trained here."""
    modes = []

    def network(self):
        modes.append(torch.is_inference_mode_enabled())
        return lambda x, omega: x

    monkeypatch.setattr(HereNotThere, "network", property(network))
    monkeypatch.setattr(HereNotThere, "run", property(lambda self: type("Run", (), {"record": {}})))
    monkeypatch.setattr(here_not_there.plots, "provenance", lambda *_: "")
    part.face()
    assert not any(modes)
