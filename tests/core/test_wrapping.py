"""Which parameters of a network are tuned, how kernels start, and which networks cannot be wrapped."""

import pytest
import torch
from residual import Residual
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from tunable_core import Tunable

pytestmark = pytest.mark.filterwarnings("ignore:BatchNorm gathers")

OMEGAS = ([0.0, 1.0], [0.3, 0.8], [1.0, 0.0], [0.0, 0.0])


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1))


# What is tuned


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ["0.weight", "0.bias", "2.weight", "2.bias"]),
        ({"untuned": ()}, ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"]),
        ({"tuned": ("2.*",)}, ["2.weight", "2.bias"]),
        ({"tuned": (nn.Conv2d,), "untuned": ("*.bias",)}, ["0.weight", "2.weight"]),
        ({"tuned": nn.Conv2d, "untuned": "*.bias"}, ["0.weight", "2.weight"]),
        ({"tuned": "2.*"}, ["2.weight", "2.bias"]),
        ({"tuned": (nn.BatchNorm2d, "0.bias"), "untuned": ()}, ["0.bias", "1.weight", "1.bias"]),
    ],
)
def test_patterns_and_types_choose_what_is_tuned(rules, expected):
    model = Tunable(network(), p=2, **rules)
    assert model.tuned == expected
    shapes = {name: p.shape for name, p in network().named_parameters()}
    for name, parameter in model.module.named_parameters():
        assert parameter.shape == ((2, *shapes[name]) if name in expected else shapes[name])


@pytest.mark.parametrize("rules", [{"tuned": ("bdoy.*",)}, {"untuned": ("bdoy.*",)}])
def test_a_pattern_that_matches_nothing_is_refused(rules):
    with pytest.raises(ValueError, match=r"pattern 'bdoy\.\*' matches no parameter; .* are 0\.weight"):
        Tunable(network(), p=2, **rules)


@pytest.mark.parametrize("rule", [3, torch.relu, int])
def test_a_rule_that_is_no_pattern_or_layer_type_is_refused(rule):
    with pytest.raises(TypeError, match="a rule must be a pattern of names or a type of layer; got"):
        Tunable(network(), p=2, tuned=(rule,))


def test_nothing_left_to_tune_is_refused():
    with pytest.raises(ValueError, match="Sequential has no parameter to tune"):
        Tunable(network(), p=2, untuned=(nn.Module,))


def test_the_summary_counts_what_is_stored():
    model = Tunable(network(), p=3, tuned=("2.*",))
    plain, text = sum(p.numel() for p in network().parameters()), model.summary()
    stored = sum(p.numel() for p in model.parameters())
    assert f"tuned 15 x 3 kernels + shared {plain - 15:,}" in text
    assert f"= {stored:,}, {stored / plain:.2f} times the plain network" in text
    assert [line.split()[-1] for line in text.splitlines()[:-1]] == 4 * ["shared"] + 2 * ["tuned"]


def test_weights_shared_by_two_layers_stay_shared_whatever_the_pattern():
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    net[2].weight = net[0].weight
    model = Tunable(net, p=2, tuned=("0.weight",))
    assert model.module[2].weight is model.module[0].weight
    plain = model.at([0.3, 0.8])
    assert plain[2].weight is plain[0].weight


# Frozen and structured parameters


class Haar(nn.Module):
    """A convolution before a fixed filter."""

    def __init__(self):
        super().__init__()
        self.conv, self.haar = nn.Conv2d(3, 1, 3), nn.Conv2d(1, 1, 2, bias=False)
        self.haar.weight.data = torch.tensor([[[[0.5, 0.5], [-0.5, -0.5]]]])
        self.haar.requires_grad_(False)

    def forward(self, x):
        return self.haar(self.conv(x))


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_fixed_filter_is_shared_as_it_is(pretrained):
    model = Tunable(Haar(), p=2, pretrained=pretrained)
    assert model.tuned == ["conv.weight", "conv.bias"]
    assert torch.equal(model.module.haar.weight, Haar().haar.weight)
    plain = model.at([0.3, 0.8])
    assert torch.equal(plain.haar.weight, Haar().haar.weight)
    assert [p.requires_grad for p in plain.parameters()] == [True, True, False]


@pytest.mark.parametrize("rule", ["haar.*", "*.weight", nn.Conv2d])
def test_a_frozen_parameter_that_a_rule_names_is_tuned_and_trains(rule):
    model = Tunable(Haar(), p=2, tuned=("conv.*", rule))
    assert model.module.haar.weight.shape == (2, 1, 1, 2, 2)
    model(torch.rand(1, 3, 8, 8), [0.3, 0.8]).sum().backward()
    assert model.module.haar.weight.grad is not None


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_network_that_is_frozen_as_a_whole_is_refused_with_the_way_out(pretrained):
    net = nn.Linear(4, 4).requires_grad_(False)
    with pytest.raises(ValueError, match=r"all are frozen \(call requires_grad_\(True\) first, or"):
        Tunable(net, p=2, pretrained=pretrained)


@pytest.mark.parametrize("pretrained", [True, False])
@pytest.mark.parametrize("layer", [nn.Embedding, nn.EmbeddingBag])
def test_the_padding_row_of_an_embedding_is_zero_in_every_kernel(layer, pretrained):
    model = Tunable(layer(5, 3, padding_idx=2), p=3, pretrained=pretrained)
    assert not model.module.weight[:, 2].any()
    assert (model.module.weight[:, [0, 1, 3, 4]] != 0).all()


def test_a_constant_parameter_is_the_same_in_every_kernel():
    layer = nn.Linear(4, 4)
    nn.init.constant_(layer.bias, 0.3)
    assert (Tunable(layer, p=3).module.bias == layer.bias).all()


# Pretrained networks


@pytest.mark.parametrize("phi", ["affine", "se"])
def test_a_pretrained_network_starts_as_itself_at_every_omega(phi):
    net, x = Residual(2, 8), torch.rand(1, 3, 16, 16)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    model = Tunable(net, p=2, phi=phi, pretrained=True)
    scale = net(x).std()
    for omega in OMEGAS:
        assert (model(x, omega) - net(x)).std() < 0.1 * scale
    assert not torch.equal(*model.module.head.weight)


def test_networks_that_are_not_pretrained_do_not_start_as_themselves():
    net, x = Residual(2, 8), torch.rand(1, 3, 16, 16)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    assert (Tunable(net, p=2)(x, [0.5, 0.5]) - net(x)).std() > 0.5 * net(x).std()


def test_a_pretrained_network_becomes_tunable_by_training():
    net, x = nn.Linear(4, 4), torch.rand(16, 4)
    model = Tunable(net, p=2, pretrained=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    targets = {(1.0, 0.0): net(x).detach(), (0.0, 1.0): -net(x).detach()}
    for _ in range(300):
        optimizer.zero_grad()
        sum((model(x, omega) - y).square().mean() for omega, y in targets.items()).backward()
        optimizer.step()
    for omega, y in targets.items():
        assert (model(x, omega) - y).abs().max() < 0.05


def test_a_dial_that_can_do_nothing_is_refused():
    with pytest.raises(ValueError, match="phi='se' needs at least 2 kernels"):
        Tunable(nn.Linear(2, 2), p=2, kernels=1, phi="se")


def test_identity_phi_cannot_be_pretrained():
    with pytest.raises(
        ValueError, match="a phi whose weights sum to 1, 'affine' or 'se'; got 'identity'"
    ):
        Tunable(nn.Linear(2, 2), p=2, phi="identity", pretrained=True)


# Unusual networks


class Odd(nn.Module):
    """A network with integer and complex buffers, a bare parameter and a complex one."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.gain = nn.Parameter(torch.rand(1, 3, 1, 1))
        self.phase = nn.Parameter(torch.randn(3, dtype=torch.complex64))
        self.register_buffer("index", torch.tensor([2, 0, 1]))
        self.register_buffer("turn", torch.tensor([1j, 1.0, -1.0]))

    def forward(self, x):
        turned = (self.phase * self.turn).real[:, None, None]
        return self.gain * self.conv(x)[:, self.index] + turned


def test_integer_and_complex_buffers_are_kept_and_complex_parameters_tuned(close):
    model, x = Tunable(Odd(), p=2, phi="identity"), torch.rand(2, 3, 8, 8)
    assert set(model.tuned) == {"gain", "phase", "conv.weight", "conv.bias"}
    first = Odd()
    bank = dict(model.module.named_parameters())
    first.load_state_dict({name: bank[name][0] for name in bank}, strict=False)
    close(model(x, [1.0, 0.0]), first(x))
    close(model.at([0.3, 0.8])(x), model(x, [0.3, 0.8]))


@pytest.mark.parametrize("norm", [parametrizations.weight_norm, parametrizations.orthogonal])
def test_parametrized_layers_are_tuned_through_their_originals(norm, close):
    model, x = Tunable(norm(nn.Linear(4, 4)), p=2), torch.rand(3, 4)
    assert all("parametrizations" in name or name == "bias" for name in model.tuned)
    close(model.at([0.3, 0.8])(x), model(x, [0.3, 0.8]))
    assert not torch.allclose(model(x, [1.0, 0.0]), model(x, [0.0, 1.0]))
    model(x, [0.3, 0.8]).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


class Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


def test_a_parametrization_of_ones_own_is_kept(close):
    layer, x = nn.Linear(4, 4), torch.rand(3, 4)
    parametrize.register_parametrization(layer, "weight", Doubled())
    model = Tunable(layer, p=2, phi="identity")
    close(model(x, [1.0, 0.0]), layer(x))


def test_batch_norm_in_training_gathers_one_statistic_over_all_omegas():
    model, x = Tunable(network(), p=2).train(), torch.rand(8, 3, 8, 8)
    norm = model.module[1]
    expected = norm.running_mean.clone()
    for omega in ([1.0, 0.0], [0.0, 1.0]):
        features = model.module[0].__class__(3, 4, 3, padding=1)
        mixed = model.mix(torch.tensor(omega))
        features.weight.data, features.bias.data = mixed["0.weight"], mixed["0.bias"]
        expected = 0.9 * expected + 0.1 * features(x).mean((0, 2, 3)).detach()
        model(x, omega)
    torch.testing.assert_close(norm.running_mean, expected)
    assert norm.num_batches_tracked == 2


# Types, devices and memory


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("phi", ["affine", "identity", "se"])
def test_a_model_changes_its_type_as_any_module(dtype, phi, close):
    model = Tunable(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 3, 3)), p=2, phi=phi).to(dtype)
    x = torch.rand(2, 3, 8, 8, dtype=dtype)
    output = model(x, [0.3, 0.8])
    assert output.dtype == dtype
    close(output, model.at([0.3, 0.8])(x))
    output.float().sum().backward()
    assert all(p.grad.dtype == dtype for p in model.parameters())


class Volumes(nn.Module):
    """Convolutions of one, two and three dimensions."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = nn.Conv1d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Linear(4, 4)

    def forward(self, x):
        return self.three(self.one(x[:, :, 0])[..., 0] + self.two(x).mean((2, 3)))


@pytest.mark.parametrize("parent", [True, False])
def test_kernels_become_channels_last(parent, close):
    model, x = Tunable(Volumes(), p=2), torch.rand(2, 3, 8, 8)
    model(x, [0.3, 0.8]).sum().backward()
    expected = model(x, [0.3, 0.8])
    grads = [p.grad.clone() for p in model.parameters()]
    whole = nn.ModuleList([model]) if parent else model
    whole.to(memory_format=torch.channels_last)
    for kernel in (model.mix([0.3, 0.8])["two.weight"], model.at([0.3, 0.8]).two.weight):
        assert kernel.is_contiguous(memory_format=torch.channels_last)
        assert not kernel.is_contiguous()
    close(model(x, [0.3, 0.8]), expected)
    for parameter, grad in zip(model.parameters(), grads, strict=True):
        assert torch.equal(parameter.grad, grad)
        parameter.grad = None
    model(x, [0.3, 0.8]).sum().backward()
    for parameter, grad in zip(model.parameters(), grads, strict=True):
        close(parameter.grad, grad)
    model.to(memory_format=torch.contiguous_format)
    assert model.mix([0.3, 0.8])["two.weight"].is_contiguous()


def test_a_network_that_is_channels_last_stays_so():
    net = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    kernel = Tunable(net, p=2).mix([0.3, 0.8])["weight"]
    assert kernel.is_contiguous(memory_format=torch.channels_last)


def test_one_layer_may_have_another_type(close):
    model, x = Tunable(nn.Linear(4, 4), p=2), torch.rand(3, 4)
    model(x, [0.3, 0.8])
    model.module.double()
    close(model(x.double(), [0.3, 0.8]), model.at([0.3, 0.8])(x.double()))


# What cannot be wrapped


def scripted():
    return torch.jit.script(nn.Linear(2, 2))


def with_scripted_layer():
    return nn.Sequential(nn.Linear(2, 2), scripted())


def old_weight_norm():
    with pytest.warns(FutureWarning):
        return nn.utils.weight_norm(nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.LazyLinear(2), "LazyLinear: 'weight' has no shape yet"),
        (lambda: nn.Linear(2, 2, device="meta"), "Linear: 'weight' is on the meta device"),
        (lambda: nn.Sequential(nn.LSTM(2, 2)), "Sequential: '0' flattens its weights for cuDNN"),
        (lambda: nn.GRU(2, 2), "GRU: 'GRU' flattens its weights for cuDNN"),
        (old_weight_norm, r"cannot be copied .*the old weight_norm"),
        (lambda: nn.DataParallel(nn.Linear(2, 2)), "'DataParallel' is nn.DataParallel, .* wrap the"),
        pytest.param(
            with_scripted_layer,
            r"'1\.weight' belongs to a layer compiled by TorchScript .*untuned=\('1\.weight',\)",
            marks=pytest.mark.filterwarnings("ignore::DeprecationWarning"),
        ),
        pytest.param(
            scripted,
            "compiled by TorchScript",
            marks=pytest.mark.filterwarnings("ignore::DeprecationWarning"),
        ),
    ],
)
def test_a_network_that_cannot_be_wrapped_is_refused_with_the_reason(make, message):
    with pytest.raises(ValueError, match=message):
        Tunable(make(), p=2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_layer_that_is_not_tuned_is_shared(close):
    model, x = Tunable(with_scripted_layer(), p=2, untuned="1.*"), torch.rand(3, 2)
    close(model(x, [0.3, 0.8]), model.at([0.3, 0.8])(x))


def test_a_replica_of_data_parallel_is_refused():
    replica = Tunable(nn.Linear(2, 2), p=2)._replicate_for_data_parallel()
    with pytest.raises(RuntimeError, match=r"nn\.DataParallel .*; use nn\.parallel\.Distrib"):
        replica(torch.rand(1, 2), [0.3, 0.8])


@pytest.mark.parametrize("module", [torch.relu, nn.Linear, "resnet"])
def test_anything_but_a_module_is_refused(module):
    with pytest.raises(TypeError, match=r"Tunable wraps an nn\.Module; got"):
        Tunable(module, p=2)


@pytest.mark.parametrize("counts", [{"p": 2.0}, {"p": 2, "kernels": 2.5}, {"p": "2"}])
def test_a_number_of_dials_or_kernels_that_is_not_whole_is_refused(counts):
    with pytest.raises(TypeError, match="must be a whole number; got"):
        Tunable(nn.Linear(2, 2), **counts)
