"""Plain networks at the corners of the dials, and a tunable network made from plain ones."""

import copy

import pytest
import torch
from residual import Residual
from torch import nn

from tunable_core import Live, Tunable


@pytest.fixture
def networks():
    return [Residual(1, 4) for _ in range(3)]


def drawn(networks):
    """The networks, with no parameter at zero."""
    for network in networks:
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.3)
    return networks


def test_corners_are_the_networks_at_the_unit_omegas(close):
    model, x = Tunable(Residual(1, 4), p=3), torch.rand(2, 3, 8, 8)
    for corner, omega in zip(model.corners(), torch.eye(3), strict=True):
        close(corner(x), model(x, omega))


def test_a_model_made_of_networks_has_them_at_its_corners(networks):
    model = Tunable.from_networks(drawn(networks))
    for corner, network in zip(model.corners(), networks, strict=True):
        for name, value in network.state_dict().items():
            torch.testing.assert_close(corner.state_dict()[name], value)


def test_on_the_simplex_its_kernels_are_the_weighted_mean(networks, close):
    model, omega = Tunable.from_networks(drawn(networks)), [0.2, 0.5, 0.3]
    states = [network.state_dict() for network in networks]
    for name, kernel in model.mix(omega).items():
        close(kernel, sum(w * state[name] for w, state in zip(omega, states, strict=True)))


def test_networks_with_norms_and_frozen_parameters_are_tuned_whole(close):
    networks = drawn([nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)) for _ in range(2)])
    networks[0].requires_grad_(False)
    x = torch.rand(3, 4)
    model = Tunable.from_networks(networks)
    close(model(x, [0.0, 1.0]), networks[1](x))
    close(Live(model)(x, [1.0, 0.0]), networks[0](x))


def test_parameters_that_are_shared_must_be_equal(close):
    networks = drawn([nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)) for _ in range(2)])
    with pytest.raises(ValueError, match=r"networks 1 and 2 differ in '1\.(weight|bias)'"):
        Tunable.from_networks(networks, untuned="1.*")
    networks[1][1] = copy.deepcopy(networks[0][1])
    x = torch.rand(3, 4)
    close(Tunable.from_networks(networks, untuned="1.*")(x, [0.0, 1.0]), networks[1](x))


def test_networks_of_another_architecture_are_refused():
    with pytest.raises(ValueError, match=r"networks 1 and 2 do not both have .*; give one architecture"):
        Tunable.from_networks([nn.Linear(4, 4), nn.Linear(4, 5)])
    with pytest.raises(ValueError, match="networks 1 and 2 do not both have 'bias'"):
        Tunable.from_networks([nn.Linear(4, 4), nn.Linear(4, 4, bias=False)])
    with pytest.raises(ValueError, match="at least one network; got none"):
        Tunable.from_networks([])
