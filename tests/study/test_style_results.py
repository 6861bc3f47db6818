"""The computations of the style chapter, on made-up numbers with known answers."""

import numpy as np
import pandas as pd
import pytest
import torch

from study.chapters import style_results as compute
from study.chapters import style_words as words
from study.chapters.style_data import BEYOND, CORNERS, MIDDLE, Measured
from study.configs.style import STYLES
from study.measuring.style_sweep import ring
from study.tasks.style import Style

AROUND = ring(3, 2)


def means(scale=1.0, places=(*AROUND[:-1], MIDDLE)):
    """loss_i = scale (2 - omega_i), and gram_i half of that."""
    index = pd.MultiIndex.from_tuples(places, names=["omega_1", "omega_2", "omega_3"])
    columns = {f"loss_{i}": [scale * (2 - w[i - 1]) for w in places] for i in (1, 2, 3)}
    columns |= {f"gram_{i}": [scale * (2 - w[i - 1]) / 2 for w in places] for i in (1, 2, 3)}
    frame = pd.DataFrame(columns | {"vgg_1": 1.0, "tv": 1.0, "uv": 1.0}, index=index)
    return frame.sort_index()  # as average() has it


def test_the_mixed_objective_is_that_of_the_dials():
    assert compute.mixed(means(), (1.0, 0.0, 0.0)) == 1.0
    assert compute.mixed(means(), (0.5, 0.5, 0.0)) == 1.5
    assert compute.mixed(means(), (1.0, 0.0, 0.0), at=(0.0, 1.0, 0.0)) == 2.0


def test_objectives_are_compared_at_corners_edges_and_in_the_middle():
    found = compute.objectives({"one": means(), "two": means(2.0)}, ["a", "b", "c"], AROUND)
    assert list(found) == ["a", "b", "c", compute.EDGES, compute.CENTRE]
    assert found.loc["one"].tolist() == pytest.approx([1, 1, 1, 1.5, 5 / 3], abs=1e-4)
    assert found.loc["two"].tolist() == pytest.approx([2, 2, 2, 3, 10 / 3], abs=1e-4)


def test_shares_of_the_objective_add_up_and_count_all_weights():
    styles = [Style(n, "0" * 64, gram=1.0, vgg=2.0, tv=3.0, uv=4.0) for n in ("a", "b", "c")]
    frame = means().assign(vgg_2=1.0, vgg_3=1.0)
    untouched = pd.Series({f"gram_{i}": 2.0 for i in (1, 2, 3)})
    found = compute.shares(frame, untouched, styles)
    assert found["b"].tolist() == pytest.approx([0.5 / 9.5, 2 / 9.5, 3 / 9.5, 4 / 9.5, 0.25])


def test_a_style_whose_dial_stays_is_idle_when_its_objective_is_straight():
    assert compute.idle(means(), AROUND) == pytest.approx([0, 0, 0])
    bent = means()
    bent.loc[AROUND[1], "loss_3"] += 0.2  # half way on the first edge; loss_2 goes from 2 to 1 there
    assert compute.idle(bent, AROUND) == pytest.approx([0.2, 0, 0])


def test_outside_the_triangle_the_same_mixture_is_compared():
    beyond = means(3.0, places=BEYOND)  # loss_i is 3 at dials of 1
    found = compute.outside(beyond, means())
    assert set(found) == set(BEYOND[:4])  # with all dials at 0 there is no objective
    assert found[(1.0, 1.0, 0.0)] == pytest.approx(3.0 / 1.5)
    assert found[(1.0, 1.0, 1.0)] == pytest.approx(3.0 / (5 / 3), abs=1e-3)


def test_a_jump_is_the_largest_step_over_the_mean_one():
    grey = [torch.full((3, 2, 2), v) for v in (0.0, 0.1, 0.2, 0.3)]
    assert compute.jump(grey) == pytest.approx(0.3 / 0.15)  # the way back is one large step
    assert compute.apart(grey[:3]) == pytest.approx((25.5, 51.0))


@pytest.mark.parametrize(("film", "said"), [(0.9, "FiLM does better"), (1.1, "no trained rival")])
def test_the_best_rival_is_named_and_its_side(film, said):
    rows = {"tunable": [1.0] * 5, "dni": [1.05] * 5, "film": [film] * 5, "blend": [0.5] * 5}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*"abc", "edges", compute.CENTRE])
    sentence = words.rival(table)
    assert said in sentence
    assert "Blend" not in sentence  # it needs no training and is reported separately
    if film < 1:
        assert "10 %" in sentence
    else:
        assert "DNI (fine-tuned) is 5 % higher" in sentence
    assert words.rival(table.loc[["tunable", "blend"]]) == ""


def test_without_the_network_that_keeps_colours_nothing_is_said_of_it():
    assert len(words.colours(0.07, float("nan"))) == 1
    kept = words.colours(0.07, 0.02)
    assert "loses them" in kept[0]
    assert "3.5 times" in kept[1]
    assert "hardly" in words.colours(0.02, 0.02)[1]


@pytest.mark.parametrize(("count", "edge", "fault"), [(2, 6, "three styles"), (3, 3, "even")])
def test_a_triangle_has_three_styles_and_edges_with_a_middle(count, edge, fault):
    with pytest.raises(ValueError, match=fault):
        Measured("laptop", STYLES[:count], None, [], "kodak", edge)


def test_the_corners_are_where_a_ring_turns():
    assert [AROUND[2 * k] for k in range(3)] == list(CORNERS)
    assert np.isclose([sum(w) for w in compute.halves(AROUND)], 1).all()
