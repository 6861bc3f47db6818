"""Each call has its own kernels: threads, shared layers, gradient checkpointing, unusual modules."""

import copy
import functools
import pickle
import threading

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from tunable_core import Live, Tunable

OMEGAS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.3, 0.8], [0.9, 0.4]])


def trained(model):
    """The model as if trained."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


# Threads


class Sometimes(nn.Module):
    """A convolution before a layer that refuses an input above 1."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x):
        features = self.first(x)
        if x.max() > 1:
            raise ValueError("too large")
        return self.last(features.relu())


MODELS = {
    "tunable": lambda: Tunable(Sometimes(), p=2),
    "live": lambda: Live(trained(Tunable(Sometimes(), p=2))),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_threads_at_other_dials_get_their_own_outputs_and_damage_nothing(make):
    model, x = trained(make()).train(), torch.rand(2, 3, 6, 6)
    state = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        expected = [model(x, omega) for omega in OMEGAS]
    wrong = []

    def work(i):
        for turn in range(40):
            try:
                with torch.no_grad():
                    if turn % 4 == 3:
                        with pytest.raises(ValueError, match="too large"):
                            model(x + 2, OMEGAS[i])
                    elif not torch.allclose(model(x, OMEGAS[i]), expected[i], atol=1e-6):
                        wrong.append(i)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(OMEGAS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


# Layers and parameters that occur twice


def twice():
    activation = nn.PReLU()
    return nn.Sequential(nn.Linear(4, 4), activation, nn.Linear(4, 4), activation)


class Tied(nn.Module):
    """Two layers of one weight, one of which occurs under two names."""

    def __init__(self):
        super().__init__()
        self.there, self.back = nn.Linear(4, 4), nn.Linear(4, 4)
        self.back.weight = self.there.weight
        self.again = self.there

    def forward(self, x):
        return self.again(self.back(torch.relu(self.there(x))))


@pytest.mark.parametrize("net", [twice, Tied])
def test_what_occurs_twice_is_the_same_kernel_in_every_call(net, close):
    model, x = trained(Tunable(net(), p=2)), torch.rand(3, 4)
    parameters = dict(model.named_parameters())
    for omega in OMEGAS:
        close(model(x, omega), model.at(omega)(x))
    assert all(value is parameters[name] for name, value in model.named_parameters())
    model(x, OMEGAS[2]).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("net", [twice, Tied])
def test_the_compiler_sees_the_same_network(net, close):
    model, x = trained(Tunable(net(), p=2)), torch.rand(3, 4)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    for omega in OMEGAS:
        close(compiled(x, omega), model(x, omega))
    torch._dynamo.reset()


# Gradient checkpointing inside the network


class Block(nn.Module):
    """Attention and a linear layer, as in a vision transformer."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.qkv = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.out, self.scale = nn.Linear(width, width), nn.Parameter(torch.rand(width))

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        return x + self.scale * self.out(nn.functional.scaled_dot_product_attention(q, k, v))


class Transformer(nn.Module):
    """A small vision transformer; segments: None, or how its blocks are checkpointed."""

    def __init__(self, reentrant=None):
        super().__init__()
        self.patch, self.reentrant = nn.Conv2d(3, 8, 4, stride=4), reentrant
        self.position = nn.Parameter(torch.randn(1, 4, 8))
        self.token = nn.Parameter(torch.randn(8))  # broadcast
        self.blocks = nn.ModuleList(Block(8) for _ in range(3))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        features = self.patch(x).flatten(2).mT + self.position
        for block in self.blocks:
            run = functools.partial(self.run, block)
            if self.reentrant is None:
                features = run(features)
            else:
                features = checkpoint(run, features, use_reentrant=self.reentrant)
        return self.head(features.mean(1))

    def run(self, block, features):
        return block(features + self.token)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("phi", ["affine", "identity", "se"])
def test_a_checkpointed_network_has_the_gradients_of_the_plain_one(reentrant, phi, close):
    plain = trained(Tunable(Transformer(), p=2, phi=phi))
    checked = copy.deepcopy(plain)
    checked.module.reentrant = reentrant
    x, omegas = torch.rand(3, 3, 8, 8), OMEGAS[[2, 0, 2]]
    for model in (plain, checked):
        model(x, OMEGAS[3]).square().sum().backward()
        model(x, omegas).square().sum().backward()
    for one, other in zip(plain.parameters(), checked.parameters(), strict=True):
        assert one.grad is not None
        close(other.grad, one.grad)


def test_a_change_between_forward_and_backward_is_refused():
    model = Tunable(nn.Linear(2, 2), p=2)
    output = model(torch.rand(1, 2), [0.3, 0.8]).sum()
    with torch.no_grad():
        model.module.weight.mul_(2)
    with pytest.raises(RuntimeError, match="changed between a forward pass and its backward pass"):
        output.backward()


# Higher derivatives and the transforms of torch.func


def small():
    """A tunable layer of float64 with its parameters, an input and dials."""
    model = trained(Tunable(nn.Linear(2, 2), p=2)).double()
    return model, dict(model.named_parameters()), torch.rand(3, 2).double(), OMEGAS[2].double()


def test_second_derivatives_are_right():
    model, parameters, x, omega = small()
    names, values = zip(*parameters.items(), strict=True)

    def output(omega, *values):
        return functional_call(model, dict(zip(names, values, strict=True)), (x, omega)).square()

    assert torch.autograd.gradgradcheck(output, (omega.requires_grad_(), *values))


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")  # torch's own
def test_the_transforms_of_torch_func_see_through_the_mixture(close):
    model, parameters, x, omega = small()

    def loss(parameters):
        return functional_call(model, parameters, (x, omega)).square().sum()

    expected = torch.autograd.grad(loss(parameters), list(parameters.values()))
    for one, other in zip(torch.func.grad(loss)(parameters).values(), expected, strict=True):
        close(one, other)
    tangents = {name: torch.ones_like(value) for name, value in parameters.items()}
    _, forward = torch.func.jvp(loss, (parameters,), (tangents,))
    close(forward, sum(grad.sum() for grad in expected))

    def of_bias(bias):
        return loss({**parameters, "phi.bias": bias})

    bias = parameters["phi.bias"].detach()
    close(torch.func.hessian(of_bias)(bias), torch.autograd.functional.hessian(of_bias, bias))


def test_omegas_may_be_mapped_over(close):
    model, _, x, _ = small()
    omegas = OMEGAS.double()
    together = torch.func.vmap(lambda omega: model(x, omega))(omegas)
    close(together, torch.stack([model(x, omega) for omega in omegas]))


# Unusual modules


class Bound(nn.Module):
    """A network that calls layers through a bound method, a list and a partial function."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.layers = [self.second, {"third": self.third}]
        self.start = functools.partial(self.begin, gain=2.0)
        self.forward = self.run

    def begin(self, x, gain):
        return gain * self.first(x)

    def run(self, x):
        return self.layers[1]["third"](self.layers[0](self.start(x)))


def test_layers_reached_through_methods_and_lists_are_tuned_too(close):
    model, x = trained(Tunable(Bound(), p=2)), torch.rand(3, 4)
    for omega in OMEGAS:
        close(model(x, omega), model.at(omega)(x))
    assert not torch.allclose(model(x, OMEGAS[0]), model(x, OMEGAS[1]))


class Remembering(nn.Module):
    """A network that writes attributes, a buffer and a parameter in its forward."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls, self.seen = nn.Linear(4, 4), 0, None
        self.register_buffer("mean", torch.zeros(()))
        self.register_parameter("offset", None)

    def forward(self, x):
        self.calls += 1
        self.seen = x
        self.mean = x.mean()
        if self.offset is None:
            self.offset = nn.Parameter(torch.randn(4))
        return self.layer(x) + self.offset


def test_what_forward_writes_is_kept(close):
    model, x = Tunable(Remembering(), p=2), torch.rand(3, 4)
    first = model(x, [0.3, 0.8])
    close(model(x, [0.3, 0.8]), first)  # with the same offset
    assert model.module.calls == 2
    assert model.module.seen is x
    assert model.module.mean == x.mean()
    assert model.module.layer.weight.shape == (2, 4, 4)


def test_hooks_on_layers_are_called_once_a_call():
    model, seen = Tunable(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), p=2), []
    model.module[0].register_forward_hook(lambda *_: seen.append("forward"))
    model.module[0].register_full_backward_hook(lambda *_: seen.append("backward"))
    model(torch.rand(3, 4, requires_grad=True), [0.3, 0.8]).sum().backward()
    assert seen == ["forward", "backward"]


def test_a_layer_that_is_replaced_by_one_without_kernels_is_called():
    model, x = Tunable(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), p=2), torch.rand(3, 4)
    before = model(x, [0.3, 0.8])
    model.module[1] = nn.Identity()
    assert not torch.equal(model(x, [0.3, 0.8]), before)
    assert torch.equal(model(x, [0.3, 0.8]).relu(), before)


@pytest.mark.parametrize("layer", [nn.Linear(4, 4), nn.Linear(4, 2), nn.Identity()])
def test_a_bank_that_is_replaced_is_refused_by_name(layer):
    model, x = Tunable(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), p=2), torch.rand(3, 4)
    model(x, [0.3, 0.8])
    model.module[1] = layer
    with pytest.raises(RuntimeError, match=r"'1\.weight'.*; change the .*network before you wrap it"):
        model(x, [0.3, 0.8])


def test_a_model_is_pickled_and_copied_after_a_call(close):
    model, x = trained(Tunable(Tied(), p=2)), torch.rand(3, 4)
    expected = model(x, [0.3, 0.8])
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        close(other(x, [0.3, 0.8]), expected)
        trained(other)
        assert not torch.equal(other(x, [0.3, 0.8]), expected)
    close(model(x, [0.3, 0.8]), expected)
