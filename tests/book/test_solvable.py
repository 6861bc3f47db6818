"""The closed forms of the solvable dial, as the cells of its notebook compute them."""

from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest
import torch
from torch import nn

from tunable_core import Tunable

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks/16-solvable-dial.ipynb"


@pytest.fixture(scope="module")
def run():
    """The names that the cells define, run one after the other with few steps."""
    names: dict = {}
    with mpl.rc_context({"backend": "agg"}), torch.random.fork_rng(devices=[]):
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, cell.id, "exec"), names)
                names |= {"steps": 5}
    return names


def test_the_distance_is_0_for_the_patches_themselves_and_known_for_a_scaled_copy(run):
    distance, C = run["squared_distance"], run["C"]
    assert distance(C) < 1e-9
    assert distance(4 * C) == pytest.approx(1.0)  # (2 - 1)^2 times the variance of a pixel


def test_the_linear_answer_has_the_error_of_the_formula(run):
    x = torch.randn(200_000, run["n"]) @ run["root_of_C"].T
    answer = (x + run["sigma"] * torch.randn_like(x)) @ run["A"].T.float()
    assert (answer - x).square().mean().item() == pytest.approx(run["least"].item(), rel=0.01)


def test_transport_gives_the_distribution_of_the_patches(run):
    moved = run["T"] @ run["A"] @ run["C"] @ run["T"].T
    torch.testing.assert_close(moved, run["C"])


def test_no_linear_answer_lies_below_the_curve(run):
    C, noisy, least, reach = (run[name] for name in ("C", "noisy", "least", "reach"))
    for scale in (0.01, 0.1, 0.5):
        K = run["A"] + scale * torch.randn_like(C)
        S = K @ noisy @ K.T
        error = (S + C - 2 * K @ C).trace() / run["n"]
        distance = run["squared_distance"](S).sqrt()
        assert error > least + (reach - distance).clamp(min=0) ** 2 - 1e-9


def test_one_tunable_layer_of_two_kernels_holds_every_best_answer(run):
    best = [run["A"].float(), (run["T"] @ run["A"]).float()]
    layers = [nn.Linear(run["n"], run["n"], bias=False) for _ in best]
    for layer, kernel in zip(layers, best, strict=True):
        layer.weight.data = kernel
    model = Tunable.from_networks(layers)
    for w in (0.0, 0.3, 1.0):
        error, squared = run["measured"](model, [1 - w, w], 200_000)
        asked = (1 - w) * run["reach"].item()
        assert error.item() == pytest.approx(
            run["least"].item() + (w * run["reach"].item()) ** 2, rel=0.02
        )
        assert squared.sqrt().item() == pytest.approx(asked, abs=0.01)
