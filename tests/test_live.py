"""A folded network answers as the tunable one does, at the cost of the plain one."""

import pytest
import torch
from torch import nn

from tunable_core import Tunable
from tunable_core.live import Live
from tunable_core.networks import ResNet

OMEGAS = [[0.2, 0.9], [1.0, 0.0], [0.2, 0.9]]


def trained(phi="affine", kernels=None):
    """A tunable network, as if trained."""
    model = Tunable(ResNet(2, 4), p=2, phi=phi, kernels=kernels)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture
def x():
    return torch.rand(3, 3, 8, 8)


@pytest.mark.parametrize(("phi", "kernels"), [("affine", None), ("affine", 5), ("identity", None)])
def test_it_answers_as_the_tunable_network_does(phi, kernels, x, close):
    model = trained(phi, kernels)
    live = Live(model)
    for omega in ([0.3, 0.8], [1.0, 0.0], [0.0, 0.0]):
        close(live(x, omega), model(x, omega))
    close(live(x, OMEGAS), model(x, OMEGAS))


def test_the_matrix_has_one_column_per_dial_and_one_more_whatever_the_kernels():
    live = Live(trained(kernels=7))
    assert live.theta.shape == (3, sum(p.numel() for p in ResNet(2, 4).parameters()))


def test_the_same_omega_again_is_not_mixed_again(x, monkeypatch):
    live = Live(trained())
    calls, product = [], torch.mv
    monkeypatch.setattr(torch, "mv", lambda *a, **k: (calls.append(1), product(*a, **k))[1])
    for omega in ([0.3, 0.8], [0.3, 0.8], [0.5, 0.5], [0.3, 0.8]):
        live(x, omega)
    assert len(calls) == 3


def test_a_turn_changes_the_same_network_in_place(x):
    live = Live(trained())
    network, weight = live.tune([0.3, 0.8]), live.network.head.weight
    before = weight.clone()
    assert live.tune([0.9, 0.1]) is network
    assert live.network.head.weight is weight
    assert not torch.equal(weight, before)


def test_it_survives_a_change_of_type(x, close):
    model = trained()
    live = Live(model).double()
    for omega in ([0.3, 0.8], [0.9, 0.1]):
        close(live(x.double(), omega).float(), model(x, omega))


def test_untuned_parameters_are_kept(close):
    model = Tunable(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), p=2)
    nn.init.normal_(model.module[1].weight)
    x = torch.rand(3, 4)
    close(Live(model)(x, [0.3, 0.8]), model(x, [0.3, 0.8]))


def test_the_tunable_network_is_left_alone(x):
    model = trained()
    before = model(x, [0.3, 0.8])
    Live(model).tune([0.9, 0.9])
    assert torch.equal(model(x, [0.3, 0.8]), before)


def test_a_squeeze_and_excitation_phi_is_refused():
    with pytest.raises(ValueError, match="affine in omega, phi 'affine' or 'identity'; got 'se'"):
        Live(trained("se"))


def test_a_bad_omega_is_refused_and_the_network_kept(x):
    live = Live(trained())
    before = live(x, [0.3, 0.8])
    with pytest.raises(ValueError, match=r"got 1\.3 in position 2"):
        live.tune([0.3, 1.3])
    assert torch.equal(live(x, [0.3, 0.8]), before)
