"""The computations of the chapter on two dials, on made-up numbers with known answers."""

import numpy as np
import pandas as pd
import pytest

from study.chapters import joint_results as compute
from study.chapters import joint_words as words
from study.measuring.protocols import CORNERS

INF = float("inf")


@pytest.mark.parametrize(
    ("omega", "ends", "text"),
    [
        ((1.0, 0.0), (30.0, 30.0), "30.00"),
        ((0.0, 1.0), (20.0, 20.0), "20.00"),
        ((1.0, 1.0), (20.0, 30.0), "20.00 to 30.00"),
    ],
)
def test_l1_takes_the_target_of_the_larger_dial_and_is_indifferent_at_equal_ones(omega, ends, text):
    found = compute.allowed(30.0, 20.0, omega)
    assert (found.low, found.high) == ends
    assert str(found) == text


def test_a_target_that_is_the_clean_image_bounds_nothing():
    assert str(compute.allowed(INF, 20.0, (0.5, 0.5))) == "20.00 to ∞"
    assert str(compute.allowed(INF, 20.0, (1.0, 0.0))) == "∞"


def cells(rows):
    """Rows (method, metric, omega, ours, printed) of one set."""
    columns = ["method", "metric", "omega", "ours", "printed"]
    return pd.DataFrame(rows, columns=columns).assign(images="set")


def test_a_duel_is_won_by_more_psnr_and_by_less_lpips():
    rows = [
        ("a", "psnr", (1.0, 0.0), 30.0, 28.0),
        ("b", "psnr", (1.0, 0.0), 29.0, 29.0),
        ("a", "lpips", (1.0, 0.0), 0.3, np.nan),
        ("b", "lpips", (1.0, 0.0), 0.2, np.nan),
    ]
    found = compute.duels(cells(rows), "a", "b").set_index("metric")
    assert found.ours.to_dict() == pytest.approx({"psnr": 1.0, "lpips": -0.1})
    assert found.printed["psnr"] == -1.0
    assert np.isnan(found.printed["lpips"])


def test_what_was_not_measured_of_both_is_no_duel():
    rows = [("a", "psnr", (1.0, 0.0), 30.0, 28.0), ("b", "psnr", (1.0, 0.0), np.nan, 29.0)]
    assert compute.duels(cells(rows), "a", "b").empty


def test_the_nearest_row_has_a_margin_over_the_second():
    rows = pd.DataFrame({"one": [1.0, 1.0], "two": [2.0, 2.5], "three": [9.0, 9.0]}).T
    found = compute.nearest([1.0, 1.5], rows)
    assert (found.best, found.second) == ("one", "two")
    assert found.margin == pytest.approx(0.75)


def test_the_error_of_the_levels_is_zero_for_the_true_degradation_and_grows_with_blur():
    assert compute.level_error(30.0, 0.0) == 0.0
    assert compute.level_error(30.0, 4.0) == pytest.approx(1.0)
    assert compute.level_error(0.0, 4.0) == pytest.approx(2**0.5)


def gains(value):
    """rho x sigma."""
    rhos, sigmas = (0.0, 2.0, 4.0), (5.0, 30.0)
    return pd.DataFrame([[value(s, r) for s in sigmas] for r in rhos], rhos, sigmas)


def test_gains_follow_the_error_of_the_levels_when_they_have_its_order():
    assert compute.follows(gains(compute.level_error)) == pytest.approx(1.0)
    assert compute.follows(gains(lambda s, r: compute.level_error(s, r) ** 2)) == pytest.approx(1.0)
    assert compute.follows(gains(lambda s, r: -compute.level_error(s, r))) == pytest.approx(-1.0)


def test_degradations_are_means_over_the_images():
    rows = [("x", 5.0, 0.0, 30.0), ("y", 5.0, 0.0, 32.0), ("x", 5.0, 2.0, 20.0)]
    frame = pd.DataFrame(rows, columns=["image", "sigma", "rho", "psnr"])
    table = compute.by_degradation(frame)
    assert table.loc[0.0, 5.0] == 31.0
    assert table.loc[2.0, 5.0] == 20.0


def test_one_position_of_the_dials_is_picked():
    frame = pd.DataFrame(CORNERS, columns=["omega_1", "omega_2"])
    assert compute.at(frame, (0.0, 1.0)).index.to_list() == [CORNERS.index((0.0, 1.0))]


def test_readings_that_one_seed_cannot_decide_between_are_reported_as_such():
    near = compute.Nearest("clean", {"clean": 2.3, "adapted": 2.33})
    assert "cannot be decided" in words.nearest(near)
    clear = compute.Nearest("clean", {"clean": 2.3, "adapted": 3.0})
    assert "the clean one is nearest" in words.nearest(clear)
    assert "2.30" in words.nearest(clear)
    assert "the adapted one 3.00" in words.nearest(clear)


@pytest.mark.parametrize(("behind", "said"), [(0.5, "0.50 dB below"), (-0.5, "0.50 dB above")])
def test_the_truth_says_its_gain_and_which_side_it_ends_on(behind, said):
    assert said in words.truth(2.0, behind)
    assert words.truth(2.0, behind).startswith("Most")
    assert words.truth(0.3, behind).startswith("Given")
