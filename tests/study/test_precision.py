"""bf16 on processors with and without instructions for it: the same arithmetic."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from study.networks import precision
from tunable_core import Tunable

CPU = torch.device("cpu")
IMAGE = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))


def network() -> nn.Module:
    torch.manual_seed(0)
    last = nn.ConvTranspose2d(6, 3, 3, padding=1)
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), last)


def run(model, x, native, monkeypatch, *omega):
    """Output and gradients in bf16, computed as on a processor with (native) or without instructions."""
    monkeypatch.setattr(precision, "_native", lambda: native)
    model.zero_grad()
    with precision.bf16(CPU):
        output = model(x, *omega)
    output.float().square().mean().backward()
    return output, [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize("tunable", [False, True])
def test_rounded_arithmetic_is_that_of_autocast(tunable, monkeypatch):
    model, omega = (Tunable(network(), p=2), [[0.7, 0.3]]) if tunable else (network(), [])
    autocast, gradients = run(model, IMAGE, True, monkeypatch, *omega)
    rounded, others = run(model, IMAGE, False, monkeypatch, *omega)
    assert rounded.dtype == autocast.dtype == torch.bfloat16
    torch.testing.assert_close(rounded, autocast, rtol=2**-7, atol=2**-9)
    for one, other in zip(gradients, others, strict=True):
        assert other.dtype == torch.float32
        assert (one - other).norm() <= 0.02 * one.norm()


def test_rounded_products_round_their_operands_and_their_result(monkeypatch):
    monkeypatch.setattr(precision, "_native", lambda: False)
    weight = torch.tensor([[1 + 2**-10, 2**-8]])  # the first rounds to 1
    with precision.bf16(CPU):
        linear = F.linear(torch.tensor([[1.0, 1.0]]), weight)
        product = torch.ones(1, 2) @ weight.T
    assert linear.item() == product.item() == 1.0  # 1 + 2**-8 lies halfway and rounds to even


def test_blocks_without_autocast_stay_in_float32(monkeypatch):
    monkeypatch.setattr(precision, "_native", lambda: False)
    with precision.bf16(CPU), torch.autocast("cpu", enabled=False):
        assert F.linear(torch.ones(1, 1), torch.tensor([[1 + 2**-10]])).item() == 1 + 2**-10


def test_nothing_changes_unless_enabled(monkeypatch):
    monkeypatch.setattr(precision, "_native", lambda: False)
    with precision.bf16(CPU, enabled=False):
        assert network()(IMAGE).dtype == torch.float32
