"""The computations of the chapter on kernel manifolds, on made-up kernels with known answers."""

import numpy as np
import pytest

from study.chapters import manifolds_results as compute
from study.chapters.manifolds import Manifolds

RNG = np.random.default_rng(0)
T = np.linspace(0, 1, 5)[None, :, None]
STARTS, WAYS = RNG.normal(size=(2, 4, 1, 60))
SEGMENTS = STARTS + T * WAYS


def test_segments_are_straight_and_a_bent_path_is_not():
    found = compute.bends({"straight": SEGMENTS, "bent": SEGMENTS + T**2 * STARTS})
    assert found.paths.tolist() == [4, 4]
    assert found.loc["straight", "off the line"] < 1e-12
    assert found.loc["straight", "detour"] < 1e-12
    assert found.loc["bent", "off the line"] > 1e-3
    assert found.loc["bent", "detour"] > 1e-3


def test_principal_components_keep_all_of_a_plane():
    flat = np.zeros((2, 5, 60))
    flat[..., :2] = RNG.normal(size=(2, 5, 2))
    found = compute.principal(flat)
    assert found.plane.shape == (2, 5, 2)
    assert found.explained[:2].sum() == pytest.approx(1)
    distance = [np.linalg.norm(p[0, 0] - p[1, 3]) for p in (flat, found.plane)]
    assert distance[0] == pytest.approx(distance[1])


def chain(*order):
    """Points on a slope, in this order."""
    return [[value, value / 2] for value in order]


def test_a_chain_is_ordered_when_it_goes_one_way():
    points = np.array([chain(0, 1, 2, 3), chain(3, 2, 1, 0), chain(0, 2, 1, 3)])
    assert compute.ordered(points) == 2


def test_points_are_grouped_when_their_neighbours_are_of_their_block():
    apart = np.array([chain(0, 1, 2), chain(10, 11, 12)])
    mixed = np.array([chain(0, 2, 4), chain(0.1, 2.1, 4.1)])
    assert compute.grouped(apart) == 1
    assert compute.grouped(mixed) == 0


def test_chance_is_as_many_straight_segments_from_its_seed():
    made = compute.chance(SEGMENTS, 3)
    assert made.shape == SEGMENTS.shape
    assert compute.bends({"chance": made}).loc["chance", "off the line"] < 1e-12
    assert (made == compute.chance(SEGMENTS, 3)).all()
    assert (made != compute.chance(SEGMENTS, 4)).any()


def test_the_largest_cosine_is_between_two_blocks():
    ways = np.zeros((3, 1, 60))
    ways[0, 0, 0] = ways[1, 0, 1] = ways[2, 0, 0] = 1
    ways[2, 0, 1] = -1  # 45 degrees to both others
    assert compute.largest_cosine(T * ways) == pytest.approx(0.5**0.5)


def test_two_positions_are_refused():
    with pytest.raises(ValueError, match="3 or more"):
        Manifolds(positions=2)
