"""How a dial behaves, on made-up data with known answers."""

import itertools

import numpy as np
import pandas as pd
import pytest

from study.measuring.behaviour import (
    disentanglement,
    evenness,
    leak,
    miss,
    right_steps,
    right_steps_of_styles,
    steps_back,
)
from study.measuring.style_sweep import ring


def test_a_step_goes_the_wanted_way_or_not():
    values = pd.Series([1.0, 2.0, 2.0, 1.5])
    assert right_steps(values, "up") == (1, 3)
    assert right_steps(values, "down") == (1, 3)


def test_steps_back_are_named_by_their_position():
    values = pd.Series([0.30, 0.25, 0.26, 0.1], index=["a", "b", "c", "d"])
    assert steps_back(values, "down") == ["c"]
    assert steps_back(values, "down", slack=0.02) == []
    assert steps_back(values, "up") == ["b", "d"]


def test_a_direction_is_up_or_down():
    with pytest.raises(ValueError, match="must be 'up' or 'down'; got 'left'"):
        right_steps(pd.Series([1.0, 2.0]), "left")


def test_an_even_dial_is_on_the_line_and_moves_by_equal_steps():
    found = evenness(np.linspace(0.9, 0.1, 5))
    assert found.largest_step == pytest.approx(1 / 4)
    assert found.off_line == pytest.approx(0)
    assert found.backwards == 0


def test_a_switch_moves_in_one_step_far_from_the_line():
    found = evenness([0.9, 0.9, 0.9, 0.1, 0.1])
    assert found.largest_step == pytest.approx(1)
    assert found.off_line == pytest.approx(0.5)


def test_movement_against_the_dial_is_counted():
    assert evenness([0.9, 0.5, 0.7, 0.1]).backwards == pytest.approx(0.2 / 1.2)


@pytest.mark.parametrize("values", [[0.5, 0.5], [0.5, 0.2, 0.5]])
def test_a_dial_with_equal_ends_is_refused(values):
    with pytest.raises(ValueError, match="values at both ends of the dial are equal"):
        evenness(values)


def test_the_miss_is_the_distance_from_what_equation_9_asks_for():
    along = pd.DataFrame({"omega_2": [1, 0.5, 0], "kept": [1.0, 0.6, 0.1]})
    assert miss(along, nu=0.9) == pytest.approx((0.1 + 0.15 + 0.1) / 3)


# Three styles


def walked(losses):
    """A frame of one image round the ring of four steps, with loss_i = losses(omega_i)."""
    rows = [{f"omega_{i}": v for i, v in enumerate(w, start=1)} for w in ring(3, 4)[:-1]]
    frame = pd.DataFrame(rows).assign(image="one")
    return frame.assign(**{f"loss_{i}": losses(frame[f"omega_{i}"]) for i in (1, 2, 3)})


def test_a_dial_that_lowers_its_own_objective_goes_the_right_way_at_every_step():
    assert right_steps_of_styles(walked(lambda w: 1 - w), 3) == (24, 24)


def test_a_dial_that_raises_it_never_does():
    assert right_steps_of_styles(walked(lambda w: w), 3) == (0, 24)


def test_a_dial_that_overshoots_loses_the_steps_behind_its_best():
    right, steps = right_steps_of_styles(walked(lambda w: (w - 0.75) ** 2), 3)
    assert (right, steps) == (18, 24)


# Two dials


THREE = (0.0, 0.5, 1.0)
GRID = tuple(itertools.product(THREE, THREE))


def grid(kept, detail):
    """A measured grid of two images and two blurs from functions of the dials and of rho."""
    rows = [
        (image, 5.0, rho, a, b, kept(a, b, rho) + wobble, detail(a, b, rho) - wobble)
        for (image, wobble), rho, (a, b) in itertools.product(
            (("x", 0.1), ("y", -0.1)), (0.0, 2.0), GRID
        )
    ]
    return pd.DataFrame(rows, columns=["image", "sigma", "rho", "omega_1", "omega_2", "kept", "detail"])


def test_independent_dials_have_a_diagonal_matrix():
    matrix = disentanglement(grid(lambda a, b, rho: 1 - 0.8 * a, lambda a, b, rho: 1 + 8 * b))
    np.testing.assert_allclose(
        matrix.loc[["omega_1", "omega_2"], ["kept", "detail"]], [[0.8, 0], [0, 8]]
    )
    assert leak(matrix).tolist() == pytest.approx([0, 0])


def test_a_dial_that_moves_what_is_the_others_leaks():
    matrix = disentanglement(grid(lambda a, b, rho: 1 - 0.6 * a - 0.2 * b, lambda a, b, rho: b - 3 * a))
    assert leak(matrix).to_dict() == pytest.approx({"kept": 0.25, "detail": 0.75})


def test_movements_of_two_directions_do_not_cancel():
    matrix = disentanglement(grid(lambda a, b, rho: a, lambda a, b, rho: b * (rho - 1)))
    assert matrix.loc["omega_2", "detail"] == pytest.approx(1)


def test_a_movement_at_one_position_of_the_other_dial_counts_by_its_share():
    matrix = disentanglement(grid(lambda a, b, rho: a, lambda a, b, rho: b * (a == 0)))
    assert matrix.loc["omega_2", "detail"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("missing", ["omega_1 == 0", "omega_2 == 1", "omega_1 == 0 and omega_2 == 1"])
def test_a_grid_without_its_corners_is_refused(missing):
    frame = grid(lambda a, b, rho: a, lambda a, b, rho: b)
    with pytest.raises(ValueError, match=r"disentanglement needs omega_\d at 0 and 1"):
        disentanglement(frame.query(f"not ({missing})"))
