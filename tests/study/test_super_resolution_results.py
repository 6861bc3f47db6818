"""The computations of the super-resolution chapter, on made-up numbers with known answers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from study import configs
from study.chapters import super_resolution_results as compute
from study.chapters import super_resolution_words as words
from study.chapters.super_resolution_data import OURS, SHOWN, Measured


def curve(psnr, lpips):
    return pd.DataFrame({"psnr": psnr, "lpips": lpips})


CURVES = {
    "ours": curve([24.0, 26.0, 28.0], [0.2, 0.3, 0.4]),
    "worse": curve([25.0, 27.0], [0.26, 0.37]),  # ours there: 0.25, 0.35
    "better": curve([25.0, 27.0], [0.2, 0.36]),
    "beyond": curve([29.0, 30.0], [0.1, 0.1]),  # farther right than ours reaches
}


def test_a_duel_counts_points_at_equal_psnr():
    found = compute.duels(CURVES, "ours")
    assert (found["worse"].points, found["worse"].won) == (2, 2)
    assert found["worse"].mean == pytest.approx(0.015)
    assert (found["better"].points, found["better"].won) == (2, 1)
    assert found["better"].mean == pytest.approx(-0.02)
    assert found["beyond"].points == 0
    assert compute.strongest(found) == "better"


def test_without_lpips_there_is_no_duel():
    found = compute.duels({m: c[["psnr"]] for m, c in CURVES.items()}, "ours")
    assert found == {}
    assert compute.strongest(found) == ""


def test_a_cell_is_first_where_no_other_is_better_and_lower_lpips_is_better():
    table = pd.DataFrame(
        [
            ("kodak", "psnr", "a", "ours", 25.0, 24.0),
            ("kodak", "psnr", "a", "rival", 26.0, 23.0),
            ("kodak", "lpips", "a", "ours", 0.2, 0.1),
            ("kodak", "lpips", "a", "rival", 0.3, 0.1),
            ("kodak", "lpips", "b", "ours", 0.2, np.nan),
        ],
        columns=["images", "metric", "dials", "method", "ours", "printed"],
    )
    assert compute.firsts(table, "ours", "ours") == (1, 2)  # alone in a place, nothing is compared
    assert compute.firsts(table, "ours", "printed") == (2, 2)


@pytest.mark.parametrize(("won", "said"), [(12, "is better in 12"), (8, "in 12 of 20")])
def test_cells_are_counted_without_and_with_the_rival_that_the_paper_lacks(won, said):
    sentence = words.firsts((won, 20), (won - 2, 20), (16, 20))
    assert said in sentence
    assert ("among them in 10" if won == 12 else "among them in 14") in sentence
    assert ("16 of 20" if won == 12 else "4 of 20") in sentence
    assert words.firsts((0, 0), (0, 0), (16, 20)) == ""


@pytest.mark.parametrize(
    ("mean", "said"), [(0.02, "worth their memory here"), (-0.02, "not needed here")]
)
def test_whole_kernels_are_weighed_against_low_rank_changes(mean, said):
    numbers = {"tunable": 200, "low-rank-4": 130}
    sentence = words.whole({"low-rank-4": compute.Duel(9, 3, mean)}, numbers)
    assert said in sentence
    assert "stores 65 % of the numbers of Tunable" in sentence
    assert "0.020" in sentence
    assert words.whole({"low-rank-4": compute.Duel(0, 0, float("nan"))}, numbers) == ""
    assert words.whole({}, numbers) == ""


def means(*lpips):
    index = pd.MultiIndex.from_tuples([(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
    return pd.DataFrame({"lpips": lpips}, index=index)


@pytest.mark.parametrize(("lpips", "said"), [(0.5, "worse than both"), (0.3, "between its ends")])
def test_a_middle_collapses_when_it_is_worse_than_both_ends(lpips, said):
    found = compute.middle(means(0.2, lpips, 0.4))
    assert found.above == pytest.approx(lpips - 0.4)
    assert said in words.interpolated("DNI", found)


def test_a_straight_line_to_perfect_statistics_wastes_nothing():
    t = np.linspace(0, 1, 5)
    optimal = pd.DataFrame({"luma_error": 10 + (3 * t) ** 2, "patch_distance": 3 * (1 - t)})
    off = optimal.assign(luma_error=optimal.luma_error + 4 * t)
    found = compute.wasted({"line": optimal, "off": off})
    assert found["line"] == pytest.approx(0, abs=1e-9)
    assert found["off"] == pytest.approx(4)


@pytest.mark.parametrize(("gap", "said"), [(0.3, "0.30 dB below"), (-0.2, "0.20 dB above")])
def test_a_cost_says_its_side_and_its_size(gap, said):
    assert said in words.cost(gap)
    assert "no more than" not in words.cost(0.3)
    assert "no more than" in words.cost(0.04)


@pytest.mark.parametrize(("back", "said"), [(0, "falls at every step"), (2, "rises at 2 of 4")])
def test_steps_back_are_counted(back, said):
    ends = pd.DataFrame({"psnr": [25.0, 27.0], "lpips": [0.2, 0.3]})
    assert said in words.turns(ends.iloc[1], ends.iloc[0], back, 4)


def test_a_rival_must_be_shown_by_the_chapter():
    with pytest.raises(ValueError, match="nobody"):
        Measured("smoke", ["kodak"], None, ["nobody"], 3)
    with pytest.raises(ValueError, match="without"):
        Measured("smoke", ["kodak"], None, [OURS], 3)


@pytest.mark.parametrize("budget", ["smoke", "laptop"])
def test_every_network_that_is_shown_is_a_run_of_its_own(budget):
    keys = [e.recipe(e.method, configs.profile(budget)).key for e in SHOWN.values()]
    assert len({*keys}) == len(SHOWN)


def test_warnings_are_listed_by_kind_with_the_trainings_that_gave_none():
    def run(*sentences):
        return SimpleNamespace(record={"warnings": [*sentences]})

    runs = {
        "tunable": run("the end came (stage 0, step 9)", "it broke (stage 1, step 2)"),
        "dni": run("the end came (stage 1, step 3)"),
        "printed": run(),
    }
    said = words.warnings(SimpleNamespace(data=SimpleNamespace(runs=runs)))
    assert said.splitlines() == [
        "- The end came (Tunable; DNI, fine-tuned).",
        "- It broke (Tunable).",
        "- No warning (Tunable, the paper's recipe).",
    ]
