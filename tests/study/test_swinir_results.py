"""The computations of the chapter on SwinIR for super-resolution, on numbers with known answers."""

import pandas as pd
import pytest
import torch

from study.chapters import swinir_results as compute


def cells():
    """Every network at both ends on one set, PSNR alone."""
    rows = [
        ("set", network, "psnr", omega, float(i), 10.0 * i)
        for i, (network, omega) in enumerate(
            (n, w) for n in ("fixed", "tunable", "bicubic") for w in ((1.0, 0.0), (0.0, 1.0))
        )
    ]
    return pd.DataFrame(rows, columns=["images", "method", "metric", "omega", "ours", "printed"])


def test_columns_run_from_the_perceptual_end_to_networks_without_a_dial():
    found = compute.arranged(cells(), ["bicubic"])
    assert found.column.to_list() == ["(0, 1)", "(1, 0)", "fixed", "bicubic"]
    assert found.ours.to_list() == [3.0, 2.0, 0.0, 4.0]


def test_a_network_that_was_not_asked_for_is_left_out():
    assert "bicubic" not in compute.arranged(cells(), []).column.to_list()


def test_numbers_keep_the_order_of_the_columns():
    arranged = compute.arranged(cells(), ["bicubic"])
    assert compute.ours(arranged).loc["set"].to_dict() == {
        "(0, 1)": 3.0,
        "(1, 0)": 2.0,
        "fixed": 0.0,
        "bicubic": 4.0,
    }
    assert list(compute.ours(arranged)) == ["(0, 1)", "(1, 0)", "fixed", "bicubic"]
    assert compute.ours(arranged, of="printed").loc["set", "(0, 1)"] == 30.0


def test_a_drift_is_a_mean_difference_in_grey_levels_of_the_clipped_picture():
    clean = torch.full((3, 4, 4), 0.5)
    shifted = clean + torch.tensor([0.1, 0.0, -0.1])[:, None, None]
    assert compute.drift(shifted, clean).tolist() == pytest.approx([25.5, 0, -25.5], abs=1e-3)
    assert compute.drift(clean + 9, clean).tolist() == pytest.approx([127.5] * 3, abs=1e-3)
    table = compute.drifts({"shifted": shifted}, clean)
    assert table.loc["shifted", "blue"] == pytest.approx(-25.5, abs=1e-3)
