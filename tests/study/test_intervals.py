"""Intervals over images and seeds, on made-up measurements with known answers."""

import numpy as np
import pytest

from study.measuring.intervals import Block, Estimate, count, estimate, lead, plain, sided

RANDOM = np.random.default_rng(7)
IMAGES = tuple(f"image {i}" for i in range(24))


def block(values, images=IMAGES):
    """Measurements [seeds, images]."""
    return Block(np.asarray(values, dtype=float)[..., None], images)


def test_a_printed_number_has_no_interval():
    found = lead(block([[35.0]], ()), block([[34.8]], ()))
    assert found.value == pytest.approx(0.2)
    assert found.low == found.high == found.value
    assert found.text() == "+0.20"
    assert found.above
    assert not found.below


def test_what_all_images_share_does_not_widen_the_interval():
    scene = RANDOM.normal(30, 5, (1, 24))
    found = lead(block(scene + 0.1), block(scene))
    assert found.high - found.low < 1e-9
    assert found.images == 24
    assert found.seeds == 1


def test_of_other_images_the_spread_counts():
    other = tuple(f"other {i}" for i in range(24))
    scene = RANDOM.normal(30, 5, (1, 24))
    found = lead(block(scene + 0.1), block(scene, other))
    assert found.high - found.low > 2
    assert not found.above


def test_a_spread_over_seeds_widens_the_interval():
    scene = RANDOM.normal(30, 5, (3, 1)) * 0 + RANDOM.normal(30, 1, (1, 24))
    apart = scene + np.array([[-0.3], [0.0], [0.3]])
    wide, narrow = lead(block(apart), block(scene)), lead(block(scene), block(scene))
    assert narrow.high - narrow.low < 1e-9
    assert wide.low < -0.1 < 0.1 < wide.high
    assert wide.seeds == 3


def test_the_interval_is_that_of_the_mean():
    differences = RANDOM.normal(0.5, 1.0, (1, 24))
    found = lead(block(differences), block(np.zeros((1, 24))))
    half = 1.96 * differences.std() / 24**0.5
    assert found.low == pytest.approx(differences.mean() - half, abs=0.12)
    assert found.high == pytest.approx(differences.mean() + half, abs=0.12)


@pytest.mark.parametrize(
    ("centre", "above", "below"), [(1, True, False), (0, False, False), (-1, False, True)]
)
def test_better_than_is_a_one_sided_test(centre, above, below):
    noise = RANDOM.normal(0, 0.5, (1, 24))
    found = lead(block(noise - noise.mean() + centre), block(np.zeros((1, 24))))
    assert (found.above, found.below) == (above, below)


def test_where_small_is_good_the_sign_turns():
    assert lead(block([[0.1]], ()), block([[0.2]], ()), sign=-1).above


def test_the_statistic_is_of_the_means_and_not_the_mean_of_statistics():
    ends = Block(np.array([[[0.0, 3.0], [2.0, 1.0]]]), ("a", "b"))
    assert estimate(lambda m: m.max(-1), ends).value == 2.0  # of the means 1 and 2; each alone: 3 and 2


def test_the_same_numbers_give_the_same_interval():
    one = block(RANDOM.normal(0, 1, (3, 24)))
    assert estimate(lambda m: m[..., 0], one) == estimate(lambda m: m[..., 0], one)


def sure(value):
    """A lead that leaves no doubt, or 0 for one that does."""
    return Estimate(value, value - 0.1, value + 0.1, value > 0, value < 0, 24, 1)


def test_cells_are_counted_with_the_undecided_ones():
    cells = [[sure(1), sure(1)], [sure(1), sure(-1)], [sure(0), sure(1)], [sure(0), sure(0)]]
    found = count(cells)
    assert (found.low, found.value, found.high) == (1, 3, 3)


def test_printed_cells_are_counted_with_ties():
    cells = [[Estimate.exact(0.0)], [Estimate.exact(0.1)], [Estimate.exact(-0.1)]]
    assert count(cells) == Estimate.exact(2)


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.12, 0.08, 0.15, "0.12 dB below [0.08, 0.15]"),
        (-0.12, -0.15, -0.08, "0.12 dB above [0.08, 0.15]"),
        (0.12, -0.04, 0.15, "0.12 dB below [0.04 above, 0.15 below]"),
        (0.12, 0.12, 0.12, "0.12 dB below"),
    ],
)
def test_a_difference_is_written_by_size_and_side(value, low, high, text):
    assert sided(Estimate(value, low, high)) == text


def test_zero_has_no_sign():
    assert plain(-0.001, "+.2f") == "0.00"
    assert plain(-0.011, "+.2f") == "-0.01"
    assert plain(0.0, ".1f") == "0.0"
