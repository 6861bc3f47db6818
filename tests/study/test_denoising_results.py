"""The computations of the denoising chapter, on made-up numbers with known answers."""

import numpy as np
import pandas as pd
import pytest

from study.chapters import denoising_results as compute
from study.chapters import denoising_words as words
from study.measuring.behaviour import Evenness
from tunable_core.objectives import NU


def table(**rows):
    """Methods x positions a, b, c."""
    return pd.DataFrame.from_dict(rows, orient="index", columns=["a", "b", "c"])


@pytest.mark.parametrize("kept", [0.2, 0.9])
def test_the_kept_fraction_follows_from_two_psnrs(kept):
    noise, omega_2 = (15 / 255) ** 2, 0.75
    d = kept**2 * noise + 1e-5  # kept noise, and an error that has nothing to do with it
    d_eta = (kept - NU * omega_2) ** 2 * noise + 1e-5
    found = compute.implied_kept(-10 * np.log10(d), -10 * np.log10(d_eta), omega_2, [15.0])
    assert found == pytest.approx(kept)


def test_at_fidelity_the_kept_fraction_is_the_share_of_the_error():
    psnr = -10 * np.log10(0.1 * (15 / 255) ** 2)
    assert compute.implied_kept(psnr, psnr, 0.0, [15.0]) == pytest.approx(0.1)


def test_the_reading_is_the_nearest_and_clear_only_beyond_the_error_of_the_formula():
    implied = table(one=[0.9, 0.5, 0.1], other=[0.9, 0.8, 0.1])
    clear = compute.reading([0.9, 0.8, 0.1], implied, implied)
    assert (clear.best, clear.error) == ("other", 0.0)
    assert clear.margin == pytest.approx(0.1)
    unclear = compute.reading([0.9, 0.8, 0.1], implied, implied + 0.2)
    assert unclear.margin < 0


def test_a_gap_counts_beyond_the_spreads_of_both_groups():
    found = compute.gap([35.0, 35.2], [34.9, 34.9])
    assert found.mean == pytest.approx(0.2)
    assert found.spread == pytest.approx(0.1)
    assert found.seeds == (2, 2)
    assert found.beyond == pytest.approx(0.1)
    assert compute.gap([35.0, 35.2], [35.0, 35.2]).beyond < 0
    assert compute.gap([34.0], [35.0]).mean == -1.0  # with the dial it is better


def test_an_order_is_the_papers_the_other_or_undecided():
    ours = table(one=[1.0, 1.0, 1.0], rival=[2.0, 0.0, 1.1])
    paper = table(one=[1.0, 1.0, 1.0], rival=[2.0, 2.0, 2.0])
    spreads = table(one=[0.1, 0.1, 0.1], rival=[0.1, 0.1, 0.1])
    found = compute.order(ours, spreads, paper, "one", ["rival"])
    assert found.loc["rival"].to_dict() == {"a": "same", "b": "reversed", "c": "tied"}


def test_only_columns_that_the_paper_prints_are_ordered():
    ours = table(one=[1.0, 1.0, 1.0], rival=[2.0, 0.0, 1.1])
    found = compute.order(ours, ours * 0, ours[["b"]], "one", ["rival"])
    assert list(found) == ["b"]


def test_a_method_is_above_the_oracle_only_at_every_level():
    equal = table(blend=[1.0, 1.0, 1.0], all=[2.0, 2.0, 2.0], some=[2.0, 0.5, 2.0])
    equal.loc["jumps"] = [2.0, float("nan"), 2.0]
    assert compute.above(equal, "blend", {"all": "All of it"}) == ["All of it"]


@pytest.mark.parametrize(("share", "said"), [(0.14, "no step of 20"), (0.16, "does not turn evenly")])
def test_a_dial_of_20_steps_is_uneven_from_three_even_steps_on(share, said):
    sentence = words.turning(words.UNEVEN, Evenness(share, 0.1, 0.0), 20, keep=0.9, clean=0.1)
    assert said in sentence
    assert f"{100 * share:.0f} %" in sentence


@pytest.mark.parametrize(("mean", "said"), [(0.3, "0.30 dB below"), (-0.3, "0.30 dB above")])
def test_a_cost_says_which_side_and_how_much(mean, said):
    sentence = words.cost(compute.Gap(mean, 0.1, (3, 3)))
    assert said in sentence
    assert "3 seeds" in sentence
    assert "cannot be distinguished" not in sentence
    assert "cannot be distinguished" in words.cost(compute.Gap(mean, 0.4, (3, 2)))
    assert "2 seeds" in words.cost(compute.Gap(mean, 0.4, (3, 2)))


def test_the_reading_that_fits_is_named():
    found = compute.Reading(words.SWITCH, {words.SWITCH: 0.02, words.EVEN: 0.1}, 0.01)
    assert "fits a fixed target, not the target of Eq. 9" in words.fits(found)
    near = compute.Reading(words.SWITCH, {words.SWITCH: 0.095, words.EVEN: 0.1}, 0.01)
    assert "about as well" in words.fits(near)
