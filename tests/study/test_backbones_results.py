"""The computations of the chapter on third-party networks, on made-up numbers with known answers."""

import numpy as np
import pandas as pd
import pytest
from torch import nn

from study.chapters import backbones_results as compute
from study.chapters import backbones_words as words


def test_the_tables_run_from_preservation_to_the_fixed_network():
    rows = [
        ("fixed", "psnr", (1.0, 0.0)),
        ("fixed", "psnr", (0.0, 1.0)),  # a dial that the fixed network does not have
        ("tunable", "psnr", (1.0, 0.0)),
        ("tunable", "psnr_eta", (0.0, 1.0)),
        ("tunable", "kept", (0.0, 1.0)),
    ]
    found = compute.arranged(pd.DataFrame(rows, columns=["method", "metric", "omega"]))
    assert found.column.to_list() == [compute.KEEP, compute.FIDELITY, compute.FIXED]
    assert set(found.metric) == {"psnr"}


def test_spans_are_mean_and_range_without_what_is_missing():
    found = compute.spans([0.1, -0.3, np.nan])
    assert (found.mean, found.low, found.high, found.count) == pytest.approx((-0.1, -0.3, 0.1, 2))
    assert (found.size, found.side) == (pytest.approx(0.1), "below")
    assert compute.spans([np.nan]) is None
    assert compute.spans([0.2]).side == "above"


def sweep(keep, best):
    index = pd.MultiIndex.from_tuples([(0.0, 1.0), (1.0, 0.0)])
    return pd.DataFrame({"psnr": [0.0, best], "psnr_eta": [keep, 0.0]}, index=index)


def test_only_seeds_of_both_networks_are_compared():
    found = compute.by_seed({0: sweep(60, 40), 2: sweep(61, 41)}, {2: sweep(0, 40.5), 1: sweep(0, 1)})
    assert list(found.index) == ["seed 2"]
    assert found.loc["seed 2", ["gap", "lift"]].to_list() == [0.5, 20.0]


def test_parameters_are_counted_by_what_they_are_for():
    network = nn.ModuleDict(
        {
            "norm": nn.LayerNorm(10),
            "attn": nn.Linear(10, 2, bias=False),
            "mlp": nn.Linear(10, 2, bias=False),
            "deep": nn.Conv2d(20, 20, 1, groups=20, bias=False),
            "point": nn.Conv2d(2, 5, 1, bias=False),
            "conv": nn.Conv2d(1, 1, 3, bias=False),
            "bare": nn.ParameterDict({"beta": nn.Parameter(nn.Linear(1, 1).weight.new_zeros(1))}),
        }
    )
    assert compute.composition(network).to_dict() == pytest.approx(
        {
            "norms (shared)": 20,
            "attention": 20,
            "linear layers": 20,
            "depth-wise convolutions": 20,
            "1 x 1 convolutions": 10,
            "convolutions": 9,
            "bare parameters": 1,
        }
    )


@pytest.mark.parametrize(
    ("mean", "parts"),
    [
        (-0.05, ["0.05 dB below", "not more than 0.1 dB worse"]),
        (0.19, ["0.19 dB above", "not more than 0.1 dB worse"]),
        (-0.2, ["0.20 dB below", "more than the 0.1 dB of the paper"]),
    ],
)
def test_as_good_is_reported_as_a_one_sided_bound(mean, parts):
    sentence = words.as_good("SwinIR", compute.Spans(mean, mean - 0.1, mean + 0.1, 6), "6 cases")
    assert all(part in sentence for part in parts)
    assert f"{mean - 0.1:+.2f} to {mean + 0.1:+.2f} over 6 cases" in sentence


@pytest.mark.parametrize(("mean", "said"), [(19.5, "gains 19.5"), (17.0, "gains only 17.0")])
def test_a_lift_is_expected_to_be_twenty(mean, said):
    assert said in words.lifts(compute.Spans(mean, mean, mean, 3))
