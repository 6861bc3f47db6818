"""Tunable layers and networks: Eqs. 5 and 6, and the behaviour of any nn.Module."""

import copy
import doctest
import math
import shutil
from functools import partial

import pytest
import safetensors.torch
import torch
from residual import Residual
from torch import nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from tunable_core import (
    Tunable,
    TunableConv1d,
    TunableConv2d,
    TunableConv3d,
    TunableConvTranspose2d,
    TunableLinear,
)

LAYERS = {
    "conv2d": (nn.Conv2d(4, 6, 3), (3, 4, 7, 7)),
    "strided": (nn.Conv2d(4, 6, 3, stride=2, padding=1), (3, 4, 7, 7)),
    "dilated": (nn.Conv2d(4, 6, 3, dilation=2, padding=2), (3, 4, 7, 7)),
    "grouped": (nn.Conv2d(4, 6, 3, groups=2), (3, 4, 7, 7)),
    "depth-wise": (nn.Conv2d(4, 4, 3, groups=4), (3, 4, 7, 7)),
    "point-wise": (nn.Conv2d(4, 6, 1), (3, 4, 7, 7)),
    "without bias": (nn.Conv2d(4, 6, 3, bias=False), (3, 4, 7, 7)),
    "circular": (nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), (3, 4, 7, 7)),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1), (3, 4, 5, 5)),
    "conv1d": (nn.Conv1d(4, 6, 3, padding=1), (3, 4, 9)),
    "conv3d": (nn.Conv3d(2, 3, 3), (3, 2, 4, 5, 6)),
    "linear": (nn.Linear(5, 6), (3, 7, 5)),
    "attention": (nn.MultiheadAttention(8, 2, batch_first=True), (3, 5, 8)),
    "transformer": (
        nn.TransformerEncoderLayer(8, 2, 16, dropout=0, batch_first=True),
        (3, 5, 8),
    ),
    "resnet": (Residual(), (3, 3, 8, 8)),
}
OMEGAS = [[0.2, 0.9], [0.5, 0.5], [0.2, 0.9]]
COMPILER = shutil.which("g++") or shutil.which("clang++")


@pytest.fixture(params=LAYERS)
def case(request):
    """A layer with no parameter at zero, an input and further inputs for it."""
    layer, shape = copy.deepcopy(LAYERS[request.param][0]), LAYERS[request.param][1]
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.3)
    x = torch.randn(shape)
    return layer, x, (x, x) if isinstance(layer, nn.MultiheadAttention) else ()


@pytest.fixture
def network():
    return Residual()


@pytest.fixture
def x():
    return torch.rand(3, 3, 8, 8)


def image_of(output):
    """A layer's output, without attention's second one."""
    return output[0] if isinstance(output, tuple) else output


def trained(model):
    """The model as if trained: no weight of its phi, and no bias, at its initial value."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def bank(model, name="head.weight"):
    return model.module.get_parameter(name)


# Eqs. 5 and 6


@pytest.mark.parametrize("i", [0, 1])
def test_identity_at_a_unit_vector_is_the_plain_layer_of_that_kernel(case, i, close):
    layer, x, inputs = case
    model = Tunable(layer, p=2, phi="identity", untuned=())
    for name, parameter in layer.named_parameters():
        parameter.data = bank(model, name)[i].detach().clone()
    omega = [0.0, 0.0]
    omega[i] = 1.0
    close(image_of(model(x, omega, *inputs)), image_of(layer(x, *inputs)))


def test_the_first_kernel_is_the_module_that_was_wrapped(case, close):
    layer, x, inputs = case
    model = Tunable(layer, p=3, phi="identity")
    close(image_of(model(x, [1.0, 0.0, 0.0], *inputs)), image_of(layer(x, *inputs)))


def test_an_omega_per_sample_equals_a_loop_over_the_samples(case, close):
    layer, x, inputs = case
    model = trained(Tunable(layer, p=2))
    together = image_of(model(x, OMEGAS, *inputs))
    for i, omega in enumerate(OMEGAS):
        alone = (value[i : i + 1] for value in inputs)
        close(together[i : i + 1], image_of(model(x[i : i + 1], omega, *alone)))


def test_one_omega_given_per_sample_equals_it_given_once(network, x, close):
    model = trained(Tunable(network, p=2))
    close(model(x, [[0.3, 0.8]] * 3), model(x, [0.3, 0.8]))


def test_an_omega_per_sample_carries_masks_and_both_outputs_of_attention(close):
    model = trained(Tunable(nn.MultiheadAttention(8, 2, batch_first=True), p=2))
    query, keys = torch.randn(3, 5, 8), torch.randn(3, 4, 8)
    padding = torch.arange(4) >= torch.tensor([[4], [3], [2]])
    output, weights = model(query, OMEGAS, keys, keys, padding)
    assert output.shape == (3, 5, 8)
    assert weights.shape == (3, 5, 4)
    for i, omega in enumerate(OMEGAS):
        s = slice(i, i + 1)
        alone = model(query[s], omega, keys[s], keys[s], padding[s])
        close(output[s], alone[0])
        close(weights[s], alone[1])


def test_an_omega_per_sample_leaves_alone_what_the_samples_share(close):
    class Scaled(nn.Linear):
        def forward(self, x, gain, shift, power):
            return super().forward(x) * gain + shift**power

    model = trained(Tunable(Scaled(4, 4), p=2))
    x, gain, shift = torch.rand(3, 4), torch.tensor(2.0), torch.rand(3, 1)
    together = model(x, OMEGAS, gain, shift, 2)
    for i, omega in enumerate(OMEGAS):
        close(together[i : i + 1], model(x[i : i + 1], omega, gain, shift[i : i + 1], 2))


@pytest.mark.parametrize("phi", ["affine", "identity", "se"])
def test_kernels_are_the_mixture_by_the_weights_of_their_layer(network, phi, close):
    model = trained(Tunable(network, p=2, phi=phi)).double()
    omega = torch.tensor([0.3, 0.8], dtype=torch.float64)
    alpha, mixed = model.phi(omega), model.mix(omega)
    for name in ("head.weight", "head.bias", "tail.weight"):
        first, second = bank(model, name)
        weights = alpha[model.layer_of[name]]
        close(mixed[name], weights[0] * first + weights[1] * second)


@pytest.mark.parametrize("phi", ["affine", "se"])
def test_every_layer_has_a_phi_of_its_own_and_its_kernel_and_bias_share_it(network, phi):
    model = trained(Tunable(network, p=2, phi=phi))
    alpha = model.phi(torch.tensor([0.3, 0.8]))
    assert len(alpha.unique(dim=0)) == 4  # head, two convolutions, tail
    assert model.layer_of["head.weight"] == model.layer_of["head.bias"]
    assert len({model.layer_of[f"{n}.weight"] for n in ("head", "body.0.conv1", "tail")}) == 3


def test_affine_kernels_are_affine_in_omega(network, close):
    model = trained(Tunable(network, p=3)).double()
    start, stop = torch.rand(2, 3, dtype=torch.float64)
    first, last, between = (model.mix(w) for w in (start, stop, 0.3 * start + 0.7 * stop))
    for name in model.tuned:
        close(between[name], 0.3 * first[name] + 0.7 * last[name])


@pytest.mark.parametrize(("kernels", "p"), [(1, 1), (2, 2), (5, 5), (4, 2), (2, 3)])
def test_affine_weights_start_with_sum_of_squares_1_in_the_middle(kernels, p, close):
    model = Tunable(nn.Linear(2, 2), p, kernels=kernels)
    alpha = model.phi(torch.full((p,), 0.5))
    close(alpha.square().sum(1), torch.ones(1))


def test_a_new_model_mixes_to_the_spread_of_the_layers_own_initialisation():
    layer = nn.Conv2d(32, 64, 3)
    mixed = Tunable(layer, p=3).mix(torch.full((3,), 0.5))["weight"]
    assert mixed.std().item() == pytest.approx(layer.weight.std().item(), rel=0.03)


def test_se_weights_are_positive_and_sum_to_1(network, close):
    model = trained(Tunable(network, p=2, kernels=5, phi="se"))
    for omega in torch.rand(10, 2):
        alpha = model.phi(omega)
        assert alpha.shape == (4, 5)
        assert (alpha > 0).all()
        close(alpha.sum(1), torch.ones(4))


def test_se_weights_follow_the_dials(network):
    phi = Tunable(network, p=2, phi="se").phi
    assert not torch.allclose(phi(torch.tensor([1.0, 0.0])), phi(torch.tensor([0.0, 1.0])))


def test_the_kernels_of_a_bank_differ_from_each_other(network):
    kernels = bank(Tunable(network, p=3)).detach().flatten(1)
    assert torch.pdist(kernels).min() > 0.1 * kernels.norm(dim=1).max()


def test_parameters_that_start_at_zero_start_at_zero_in_every_kernel():
    layer = nn.Conv2d(3, 4, 3)
    nn.init.zeros_(layer.bias)
    assert not bank(Tunable(layer, p=3), "bias").any()


def test_bare_parameters_are_tuned():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.beta = nn.Parameter(torch.randn(4))

        def forward(self, x):
            return x * self.beta

    model = Tunable(Scaled(), p=2, phi="identity")
    assert torch.equal(model(torch.ones(4), [0.0, 1.0]), bank(model, "beta")[1])


def test_the_wrapped_module_is_left_as_it_was(network, x):
    before = copy.deepcopy(network.state_dict())
    model = Tunable(network, p=2)
    model(x, [0.5, 0.5]).sum().backward()
    trained(model)
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())
    assert all(parameter.grad is None for parameter in network.parameters())


# Sharing, and layers that stay plain


class Tied(nn.Module):
    """Two layers with one weight, and one layer under two names."""

    def __init__(self):
        super().__init__()
        self.there, self.back = nn.Linear(4, 4), nn.Linear(4, 4)
        self.back.weight = self.there.weight
        self.again = self.there

    def forward(self, x):
        return self.again(self.back(torch.relu(self.there(x))))


def test_shared_parameters_share_one_bank():
    model = Tunable(Tied(), p=2)
    assert bank(model, "there.weight") is bank(model, "back.weight")
    assert bank(model, "there.bias") is bank(model, "again.bias")


def test_shared_parameters_stay_shared_in_the_plain_copy(close):
    model, x = trained(Tunable(Tied(), p=2)), torch.rand(3, 4)
    plain = model.at([0.2, 0.7])
    assert plain.there.weight is plain.back.weight
    assert plain.there.bias is plain.again.bias
    close(plain(x), model(x, [0.2, 0.7]))


NORMS = {
    "layer": nn.LayerNorm([4, 6, 6]),
    "group": nn.GroupNorm(2, 4),
    "RMS": nn.RMSNorm([4, 6, 6]),
    "batch": nn.BatchNorm2d(4),
    "instance": nn.InstanceNorm2d(4, affine=True),
}


@pytest.mark.filterwarnings("ignore:BatchNorm gathers")
@pytest.mark.parametrize("norm", NORMS)
def test_norms_stay_plain_by_default(norm):
    model = Tunable(nn.Sequential(nn.Conv2d(3, 4, 3), NORMS[norm]), p=2)
    assert model.tuned == ["0.weight", "0.bias"]
    assert bank(model, "1.weight").shape == NORMS[norm].weight.shape


@pytest.mark.filterwarnings("ignore:BatchNorm gathers")
@pytest.mark.parametrize("norm", NORMS)
def test_norms_are_tuned_when_asked(norm, close):
    model = Tunable(nn.Sequential(nn.Conv2d(3, 4, 3), NORMS[norm]), p=2, untuned=())
    trained(model).eval()
    assert bank(model, "1.weight").shape == (2, *NORMS[norm].weight.shape)
    x = torch.rand(3, 3, 8, 8)
    assert not torch.allclose(model(x, [1.0, 0.0]), model(x, [0.0, 1.0]))
    close(model(x, [0.2, 0.7]), model.at([0.2, 0.7])(x))


@pytest.mark.parametrize(
    ("named", "plain", "arguments"),
    [
        (TunableConv1d, nn.Conv1d, (3, 4, 3)),
        (TunableConv2d, nn.Conv2d, (3, 4, 3)),
        (TunableConv3d, nn.Conv3d, (3, 4, 3)),
        (TunableConvTranspose2d, nn.ConvTranspose2d, (3, 4, 3)),
        (TunableLinear, nn.Linear, (3, 4)),
    ],
)
def test_a_named_layer_is_tunable_around_that_layer(named, plain, arguments):
    torch.manual_seed(1)
    one = named(*arguments, p=2, kernels=3, phi="se", bias=False)
    torch.manual_seed(1)
    other = Tunable(plain(*arguments, bias=False), 2, kernels=3, phi="se")
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, value in other.state_dict().items():
        assert torch.equal(one.state_dict()[name], value)


NAMED = {
    "conv1d": (lambda **o: TunableConv1d(3, 4, 3, padding=1, p=2, **o), (2, 3, 9)),
    "conv2d": (lambda **o: TunableConv2d(3, 4, 3, stride=2, padding=1, p=2, **o), (2, 3, 9, 9)),
    "no bias": (lambda **o: TunableConv2d(3, 4, 3, bias=False, p=2, **o), (2, 3, 9, 9)),
    "reflected": (
        lambda **o: TunableConv2d(3, 3, 3, padding=1, padding_mode="reflect", groups=3, p=2, **o),
        (2, 3, 9, 9),
    ),
    "conv3d": (lambda **o: TunableConv3d(3, 4, 3, p=2, **o), (2, 3, 4, 4, 4)),
    "transposed": (lambda **o: TunableConvTranspose2d(3, 4, 2, stride=2, p=2, **o), (2, 3, 5, 5)),
    "linear": (lambda **o: TunableLinear(3, 4, p=2, **o), (2, 3)),
}


@pytest.mark.parametrize("phi", ["affine", "se"])
@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize(("make", "shape"), NAMED.values(), ids=NAMED)
def test_a_named_layer_is_the_wrapper_around_that_layer(make, shape, autocast, phi, close):
    model, omega = trained(make(phi=phi)), torch.tensor([0.7, 0.2])
    found = []
    for call in (model, partial(Tunable.tuned_call, model)):
        x = torch.linspace(-1, 1, math.prod(shape)).view(shape).requires_grad_()
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            output = call(x, omega)
        output.float().square().sum().backward()
        found.append([output, x.grad, *(parameter.grad for parameter in model.parameters())])
    for one, other in zip(*found, strict=True):
        close(one, other)


class Operators(TorchDispatchMode):
    """Collects the names of the operators that are called, except views."""

    def __init__(self):
        super().__init__()
        self.called = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        if not operator.is_view:
            self.called.append(operator.overloadpacket.__name__)
        return operator(*args, **(kwargs or {}))


def test_a_named_layer_calls_the_operators_of_its_equations_and_no_others():
    model, x, omega = TunableConv2d(3, 4, 3, p=2), torch.rand(1, 3, 8, 8), torch.tensor([0.7, 0.2])
    with torch.no_grad(), Operators() as operators:
        model(x, omega)
    assert operators.called == ["mul", "sum", "add", "mm", "mm", "convolution"]


def test_a_hook_on_a_named_layer_is_called(close):
    model, seen = TunableConv2d(3, 4, 3, p=2), []
    model.module.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    output = model(torch.rand(1, 3, 5, 5), [0.7, 0.2])
    close(seen[0], output)


def test_a_bank_of_a_named_layer_that_is_replaced_is_refused_by_name():
    model = TunableConv2d(3, 4, 3, p=2)
    model.module.weight = nn.Parameter(torch.rand(2, 5, 3, 3, 3))
    with pytest.raises(RuntimeError, match=r"the bank 'weight' was \[2, 4, 3, 3, 3\]"):
        model(torch.rand(1, 3, 5, 5), [0.7, 0.2])


# at(omega)


@pytest.mark.parametrize("phi", ["affine", "identity", "se"])
def test_at_equals_forward_for_every_phi(network, x, phi, close):
    model = trained(Tunable(network, p=2, phi=phi))
    for omega in ([0.0, 1.0], [0.3, 0.8]):
        close(model.at(omega)(x), model(x, omega))


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_at_equals_forward_for_every_layer(case, mode, close):
    layer, x, inputs = case
    model = trained(Tunable(layer, p=2)).train(mode == "train")
    with torch.no_grad():
        plain = model.at([0.3, 0.8])(x, *inputs)
        close(image_of(plain), image_of(model(x, [0.3, 0.8], *inputs)))


def test_at_is_the_ordinary_module_again(case):
    layer, _, _ = case
    plain = Tunable(layer, p=2, untuned=()).at([0.3, 0.8])
    shapes = [
        [(name, p.shape, p.requires_grad) for name, p in module.named_parameters()]
        for module in (plain, layer)
    ]
    assert shapes[0] == shapes[1]
    assert [type(m) for m in plain.modules()] == [type(m) for m in layer.modules()]


def test_at_is_independent_of_the_model(network, x):
    model = trained(Tunable(network, p=2))
    plain = model.at([0.3, 0.8])
    before = plain(x)
    trained(model)
    assert torch.equal(plain(x), before)


# Precision


@pytest.mark.parametrize("phi", ["affine", "identity", "se"])
def test_gradients_are_right_in_x_bank_phi_and_omega(phi):
    model = Tunable(nn.Conv2d(2, 3, 2), p=2, phi=phi).double()
    names, values = zip(*trained(model).named_parameters(), strict=True)
    x = torch.rand(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    omega = torch.tensor([0.3, 0.8], dtype=torch.float64, requires_grad=True)

    def output(x, omega, *values):
        return functional_call(model, dict(zip(names, values, strict=True)), (x, omega))

    assert torch.autograd.gradcheck(output, (x, omega, *values))


def test_gradients_are_right_with_an_omega_per_sample():
    model = trained(Tunable(nn.Linear(2, 3), p=2)).double()
    x = torch.rand(3, 2, dtype=torch.float64, requires_grad=True)
    omega = torch.tensor(OMEGAS, dtype=torch.float64)
    omega[2, 0] = 0.7  # finite differences would make equal rows differ
    assert torch.autograd.gradcheck(model, (x, omega.requires_grad_()))


def test_mixing_is_float32_under_autocast(network, x):
    model = trained(Tunable(network, p=2))
    omega = torch.tensor([0.3, 0.8])
    precise, plain = model.mix(omega), model.at(omega)
    with torch.autocast("cpu", torch.bfloat16):
        rough = model.mix(omega)
        assert torch.equal(model(x, omega), plain(x))
        assert plain.head(x).dtype == torch.bfloat16
    assert all(kernel.dtype == torch.float32 for kernel in rough.values())
    assert all(torch.equal(rough[name], precise[name]) for name in model.tuned)


def test_omega_may_be_float64_for_a_float32_network(network, x, close):
    model = trained(Tunable(network, p=2))
    close(model(x, torch.tensor([0.3, 0.8], dtype=torch.float64)), model(x, [0.3, 0.8]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_module_in_half_precision_stays_in_it(dtype, close):
    model, x = Tunable(nn.Linear(4, 4).to(dtype), p=2), torch.rand(2, 4, dtype=dtype)
    close(model(x, [0.3, 0.8]), model.at([0.3, 0.8])(x))
    assert model(x, [0.3, 0.8]).dtype == dtype


# What any nn.Module may expect


def test_state_dict_round_trip(network, x):
    model, other = trained(Tunable(network, p=2)), trained(Tunable(network, p=2))
    assert not torch.equal(model(x, OMEGAS), other(x, OMEGAS))
    other.load_state_dict(model.state_dict())
    assert torch.equal(model(x, OMEGAS), other(x, OMEGAS))


def test_deepcopy_is_equal_and_independent(network, x):
    model = trained(Tunable(network, p=2))
    other, before = copy.deepcopy(model), model(x, OMEGAS)
    assert torch.equal(other(x, OMEGAS), before)
    trained(other)
    assert torch.equal(model(x, OMEGAS), before)


def test_safetensors_round_trip(network, x, tmp_path):
    model, other = trained(Tunable(network, p=2)), trained(Tunable(network, p=2))
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_model(model, path)
    safetensors.torch.load_model(other, path)
    assert torch.equal(model(x, OMEGAS), other(x, OMEGAS))


@pytest.fixture
def fresh_compiler(monkeypatch):
    """The compiler with nothing compiled, without what takes most of its first time: it would try which
    vector instructions there are, and compile headers for later."""
    from torch._inductor import config, cpu_vec_isa

    monkeypatch.setattr(config, "cpp_cache_precompile_headers", False, raising=False)
    monkeypatch.setattr(cpu_vec_isa, "valid_vec_isa_list", list, raising=False)
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")  # torch's own
@pytest.mark.parametrize(
    "backend",
    [
        "eager",
        pytest.param(
            "inductor",
            marks=[pytest.mark.slow, pytest.mark.skipif(not COMPILER, reason="no C++ compiler")],
        ),
    ],
)
def test_compiles_whole_with_a_live_omega(x, backend, close):
    model = trained(Tunable(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), p=2))
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    for omega in ([0.3, 0.8], [1.0, 0.0]):
        close(compiled(x, torch.tensor(omega)), model(x, omega))


@pytest.mark.parametrize("phi", ["affine", "identity", "se"])
def test_exports_with_a_live_omega(network, x, phi, close):
    model = trained(Tunable(network, p=2, phi=phi)).eval()
    exported = torch.export.export(model, (x, torch.tensor([0.5, 0.5]))).module()
    for omega in ([0.3, 0.8], [1.0, 0.0]):
        close(exported(x, torch.tensor(omega)), model(x, omega))


# Bad input


@pytest.mark.parametrize(
    ("omega", "message"),
    [
        ([0.5], r"must be \[2\] or \[B, 2\].*got shape \[1\]"),
        ([0.5, 0.5, 0.5], r"got shape \[3\] \(this model has p = 2 dials\)"),
        ([[[0.5, 0.5]]], r"got shape \[1, 1, 2\]"),
        (0.5, r"got shape \[\]"),
        ([0.3, 1.3], r"must lie in \[0, 1\]; got 1\.3 in position 2 .*extrapolate=True"),
        ([-0.1, 0.3], r"got -0\.1 in position 1 "),
        ([[0.5, 0.5], [0.5, 0.5], [0.5, 7.0]], r"got 7 in position 2 "),
        ([0.5, float("nan")], r"must be finite numbers in \[0, 1\]; got \[0\.5, nan\]"),
        ([float("inf"), 0.5], "must be finite"),
        ([[0.5, 0.5]] * 2, "one row per sample; got 2 for 3"),
    ],
)
def test_a_bad_omega_is_refused_with_value_rule_and_way_out(network, x, omega, message):
    with pytest.raises(ValueError, match=message):
        Tunable(network, p=2)(x, omega)


@pytest.mark.parametrize("omega", ["high", [None, 0.5], torch.tensor([True, False])])
def test_an_omega_of_no_numbers_is_refused(network, x, omega):
    with pytest.raises(TypeError, match="omega must be"):
        Tunable(network, p=2)(x, omega)


def test_extrapolate_lifts_the_range(network, x, close):
    model = trained(Tunable(network, p=2))
    ends = [model.mix(torch.tensor(w)) for w in ([1.0, 0.0], [0.0, 1.0])]
    beyond = model.at([1.5, -0.5], extrapolate=True)
    close(beyond.head.weight.data, 1.5 * ends[0]["head.weight"] - 0.5 * ends[1]["head.weight"])
    close(model(x, [1.5, -0.5], extrapolate=True), beyond(x))


def test_extrapolate_does_not_lift_the_demand_for_numbers(network, x):
    with pytest.raises(ValueError, match="finite"):
        Tunable(network, p=2)(x, [float("nan"), 2.0], extrapolate=True)


def test_at_refuses_an_omega_per_sample(network):
    with pytest.raises(ValueError, match=r"at\(\) fixes one omega \[2\]; got shape \[3, 2\]"):
        Tunable(network, p=2).at(OMEGAS)


@pytest.mark.parametrize("module", [nn.ReLU(), nn.LayerNorm(4)])
def test_a_module_with_nothing_to_tune_is_refused(module):
    with pytest.raises(ValueError, match=f"{type(module).__name__} has no parameter to tune"):
        Tunable(module, p=2)


def test_identity_with_more_kernels_than_dials_is_refused():
    with pytest.raises(ValueError, match="as many kernels as dials; got 3 and 2"):
        Tunable(nn.Linear(2, 2), p=2, kernels=3, phi="identity")


@pytest.mark.parametrize("p", [0, -1])
def test_fewer_than_one_dial_is_refused(p):
    with pytest.raises(ValueError, match=f"at least 1 dial; got {p}"):
        Tunable(nn.Linear(2, 2), p=p)


@pytest.mark.parametrize("kernels", [0, -1])
def test_fewer_than_one_kernel_is_refused(kernels):
    with pytest.raises(ValueError, match=f"kernels must be at least 1.*got {kernels}"):
        Tunable(nn.Linear(2, 2), p=2, kernels=kernels)


def test_an_unknown_phi_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"phi must be .*affine.*identity.*se.*got 'afine'"):
        Tunable(nn.Linear(2, 2), p=2, phi="afine")


def test_help_teaches_by_an_example_that_runs():
    test = doctest.DocTestFinder(recurse=False).find(Tunable, globs={})
    results = [doctest.DocTestRunner().run(each) for each in test if each.examples]
    assert sum(result.attempted for result in results) >= 5
    assert sum(result.failed for result in results) == 0


@pytest.mark.parametrize("phi", ["affine", "se"])
def test_a_frozen_phi_stays_as_it_is_while_the_kernels_train(network, phi):
    model, x = Tunable(network, p=2, phi=phi), torch.rand(2, 3, 8, 8)
    model.phi.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for omega in ([0.7, 0.3], [[0.7, 0.3], [0.2, 0.8]]):
        optimizer.zero_grad()
        model(x, omega).square().mean().backward()
        optimizer.step()
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("phi."), name
