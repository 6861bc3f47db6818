"""A folded network has the outputs of the tunable one, at the cost of the plain one."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from study.measuring.overhead import Operators
from tunable_core import Tunable
from tunable_core.live import Live
from tunable_photo.resnet import ResNet

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


def test_the_same_omega_again_costs_no_operator(x):
    live, plain = Live(trained()), ResNet(2, 4)

    def operators(action):
        with torch.no_grad(), Operators() as seen:
            action()
        return len(seen.called)

    omega, other = torch.tensor([[0.3, 0.8], [0.5, 0.5]])
    live(x, omega)
    assert operators(lambda: live(x, omega)) == operators(lambda: plain(x))
    assert operators(lambda: live(x, other)) > operators(lambda: plain(x))


def test_a_tuned_network_keeps_its_kernels_when_the_dials_turn(x, close):
    model = trained()
    live = Live(model)
    first = live.tune([0.3, 0.8])
    live.tune([0.9, 0.1])
    live(x, [0.5, 0.5])
    close(first(x), model(x, [0.3, 0.8]))
    assert first.state_dict().keys() == model.at([0.3, 0.8]).state_dict().keys()
    for parameter in first.parameters():
        parameter.zero_()
    close(live(x, [0.3, 0.8]), model(x, [0.3, 0.8]))


def test_a_tuned_network_takes_gradients_of_its_input(x):
    live = Live(trained())
    live(x, [0.3, 0.8])  # in inference mode
    x.requires_grad_()
    live.tune([0.3, 0.8])(x).sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda live: pickle.loads(pickle.dumps(live))])
def test_a_copy_turns_its_own_dials(copied, x, close):
    model = trained()
    live = Live(model)
    live(x, [0.3, 0.8])
    other = copied(live)
    close(other(x, [0.9, 0.1]), model(x, [0.9, 0.1]))
    close(live(x, [0.3, 0.8]), model(x, [0.3, 0.8]))


@pytest.mark.parametrize("assign", [True, False])
def test_loaded_weights_answer_at_once(assign, x, close):
    one, other = trained(), trained()
    live = Live(one)
    live(x, [0.3, 0.8])
    live.load_state_dict(Live(other).state_dict(), assign=assign)
    close(live(x, [0.3, 0.8]), other(x, [0.3, 0.8]))


def test_an_average_of_lives_is_the_live_of_the_average(x, close):
    one, other = trained(), trained()
    average = AveragedModel(Live(one))
    average.update_parameters(Live(one))
    average.update_parameters(Live(other))
    plain = one.at([0.3, 0.8])
    theirs = other.at([0.3, 0.8]).state_dict()
    plain.load_state_dict({n: (v + theirs[n]) / 2 for n, v in plain.state_dict().items()})
    close(average(x, [0.3, 0.8]), plain(x))


def test_kernels_of_several_types_keep_theirs(close):
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4).double(), nn.Linear(4, 4).bfloat16())

    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = net

        def forward(self, x):
            for layer in self.layers:
                x = layer(x.to(layer.weight.dtype))
            return x

    model, x = Tunable(Mixed(), p=2), torch.rand(3, 4)
    close(Live(model)(x, [0.3, 0.8]), model(x, [0.3, 0.8]))
    dtypes = [p.dtype for p in Live(model).tune([0.3, 0.8]).parameters()]
    assert dtypes == [p.dtype for p in net.parameters()]


@pytest.mark.slow
def test_the_compiler_compiles_once_for_all_dials(x, close):
    model, compilations = trained(), []

    def backend(graph, _):
        compilations.append(graph)
        return graph.forward

    compiled = torch.compile(Live(model), backend=backend)
    for omega in torch.rand(5, 2):
        close(compiled(x, omega), model(x, omega))
    assert len(compilations) == 1
    torch._dynamo.reset()


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
