"""The computations of the chapter on costs, on made-up timings with known answers."""

import pandas as pd
import pytest

from study.chapters import overhead_results as compute
from study.chapters import overhead_words as words
from study.chapters.overhead import CHOICES
from tunable_photo.resnet import ResNetConfig


def layers(*cases):
    """Rows (p, c, plain, tunable) of one kind of work, in ms."""
    rows = [
        {"k": 3, "p": p, "c": c, "plain": plain, "tunable": tunable}
        | {"overhead": 100 * (tunable / plain - 1)}
        | {"work": "forward", "precision": "float32", "compiled": False}
        for p, c, plain, tunable in cases
    ]
    return pd.DataFrame(rows)


CASES = layers((1, 4, 1.0, 1.02), (4, 64, 1.0, 1.1), (8, 64, 2.0, 3.0), (8, 4, 1.0, 1.1))


def test_bounds_count_the_cases_below_them():
    row = compute.bounds(CASES).loc["forward, float32"]
    assert row["cases"] == 4
    assert row[compute.UNDER_20] == 75.0
    assert row[compute.UNDER_5] == 50.0  # of the two cases with up to four dials
    assert row[compute.MEDIAN] == pytest.approx(10.0)
    assert row["median for c of 64 or more, %"] == pytest.approx(30.0)
    assert row[compute.MEDIAN_MS] == pytest.approx(0.1)


def test_a_share_of_no_case_is_no_number():
    assert pd.isna(compute.share_below(pd.Series(dtype=float), 20))


def test_compiled_cases_are_a_row_of_their_own():
    both = pd.concat([CASES, CASES.assign(compiled=True)])
    assert list(compute.bounds(both).index) == ["forward, float32", "forward, float32, compiled"]


def test_what_is_added_is_given_for_the_fewest_and_the_most_dials():
    row = compute.added(CASES).loc["forward, float32"]
    assert row["added with the fewest dials, ms"] == pytest.approx(0.02)
    assert row["added with the most dials, ms"] == pytest.approx(0.55)  # of 1.0 and 0.1


def network(size, forward, fixed=1.0, step=1.5):
    rows = [
        ("training step, bf16", "plain", 10.0, 1.0),
        ("training step, bf16", "tunable", 10.0 * step, step),
        ("forward 8 x 8, float32", "plain", 100.0, 1.0),
        ("forward 8 x 8, float32", "tunable", 100.0 * forward, forward),
        ("forward 8 x 8, float32", "live, same omega", 100.0, 1.0),
        ("forward 8 x 8, float32", "at(omega)", 100.0 * fixed, fixed),
        ("a turn of the dials", "live", 2.0, 0.02),
    ]
    return pd.DataFrame(rows, columns=["work", "case", "ms", "ratio"]).assign(size=size)


def test_the_whole_network_is_the_last_size():
    found = compute.whole(pd.concat([network("8 x 32", 9.0), network("16 x 64", 1.2)]))
    assert (found.size, found.forward, found.step, found.turn_ms) == ("16 x 64", 1.2, 1.5, 2.0)
    assert found.step_ms == pytest.approx(15.0)


@pytest.mark.parametrize(
    ("forward", "fixed", "said"),
    [
        (1.02, 1.0, "cannot be measured"),
        (1.04, 1.0, "takes 1.04"),
        (1.04, 1.05, "cannot be measured"),  # a plain network differs from itself by more
        (0.98, 0.99, "cannot be measured"),
    ],
)
def test_a_cost_below_the_error_of_the_measurement_is_none(forward, fixed, said):
    assert said in words.whole(compute.whole(network("8 x 32", forward, fixed)))


def test_the_fastest_ways_are_counted():
    samples = pd.DataFrame({"dense": [1, 5, 1], "grouped": [2, 4, 2], "vmap": [3, 6, 3]})
    assert compute.fastest(samples) == {"dense": 2, "grouped": 1}


def test_memory_grows_with_the_dials_of_what_is_tuned():
    table = compute.memory(ResNetConfig(2, 8).build(), CHOICES, (2, 4))["times the plain network"]
    assert table["everything, p = 2"] == pytest.approx(2, abs=0.05)
    assert table["everything, p = 4"] == pytest.approx(4, abs=0.2)
    assert 1 < table["tail only, p = 4"] < table["second convolution of each block, p = 4"] < 4
