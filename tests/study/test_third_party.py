"""Third-party networks become tunable without changes."""

import pytest
import torch
from torch import nn

from study.networks.third_party import NORMS, CompactConfig, NAFNetConfig, SwinIRConfig
from study.networks.torchvision_import import import_torchvision
from tunable_core import Tunable
from tunable_core.tunable import UNTUNED

pytestmark = [
    pytest.mark.filterwarnings("ignore:torch.meshgrid"),
    pytest.mark.filterwarnings("ignore:BatchNorm gathers"),
    pytest.mark.filterwarnings("ignore:'saved_variables' is deprecated"),
]


class UNet(nn.Module):
    """One scale down by a stride, one up by a transposed convolution, and a skip."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.middle = nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(6, 3, 4, stride=2, padding=1)

    def forward(self, x):
        return x + self.up(torch.relu(self.middle(torch.relu(self.down(x)))))


def swinir():
    return SwinIRConfig(embedding=12, depths=(2, 2), heads=2, window=4).build()


def resnet():
    resnet = import_torchvision().models.resnet
    return resnet.ResNet(resnet.BasicBlock, [1, 1, 1, 1], num_classes=5)


def encoder():
    return nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True, dropout=0.0)


NETWORKS = {
    "SwinIR": (swinir, (2, 3, 16, 16)),
    "SwinIR x2": (
        lambda: SwinIRConfig(12, (2,), 2, 4, scale=2, upsampler="pixelshuffledirect").build(),
        (2, 3, 8, 8),
    ),
    "Compact": (lambda: CompactConfig(8, 2, scale=2).build(), (2, 3, 8, 8)),
    "NAFNet": (lambda: NAFNetConfig(4, (1, 1), 1, (1, 1)).build(), (2, 3, 16, 16)),
    "U-Net": (UNet, (2, 3, 16, 16)),
    "torchvision's ResNet": (resnet, (2, 3, 32, 32)),
    "transformer encoder layer": (encoder, (2, 5, 8)),
}


def as_trained(network):
    """No parameter at its initial value: NAFNet's beta and gamma start at zero."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


@pytest.fixture(params=NETWORKS)
def case(request):
    build, shape = NETWORKS[request.param]
    network = as_trained(build()).eval()
    norms = NORMS if "Net" in request.param and "NAF" in request.param else ()
    return network, torch.rand(shape), (*UNTUNED, *norms)


def test_at_a_corner_each_kernel_is_a_network_of_its_own(case, close):
    network, x, untuned = case
    model = Tunable(network, p=2, phi="identity", untuned=untuned).eval()
    with torch.no_grad():
        close(model(x, [1.0, 0.0]), network(x))
        assert not torch.allclose(model(x, [0.0, 1.0]), network(x), atol=1e-3)


def test_one_omega_per_sample_equals_a_loop(case, close):
    network, x, untuned = case
    model, omegas = Tunable(network, p=2, untuned=untuned).eval(), torch.tensor([[0.2, 0.9], [1, 0]])
    with torch.no_grad():
        together = model(x, omegas)
        for i, omega in enumerate(omegas):
            close(together[i : i + 1], model(x[i : i + 1], omega))


def test_at_gives_the_ordinary_network_again(case, close):
    network, x, untuned = case
    model = Tunable(network, p=2, untuned=untuned).eval()
    plain = model.at([0.3, 0.8])
    assert [type(m) for m in plain.modules()] == [type(m) for m in network.modules()]
    with torch.no_grad():
        close(plain(x), model(x, [0.3, 0.8]))


def test_gradients_reach_every_tuned_parameter(case):
    network, x, untuned = case
    model = Tunable(network, p=2, untuned=untuned).train()
    model(x, [0.3, 0.8]).square().mean().backward()
    banks = dict(model.module.named_parameters())
    idle = [n for n in model.tuned if banks[n].grad is None or not banks[n].grad.abs().sum() > 0]
    assert idle == []


def test_the_norms_of_nafnet_are_shared_and_its_bare_parameters_tuned():
    model = Tunable(NAFNetConfig(4, (1,), 1, (1,)).build(), p=2, untuned=(*UNTUNED, *NORMS))
    assert not [name for name in model.tuned if "norm" in name]
    assert {name.rpartition(".")[2] for name in model.tuned} >= {"beta", "gamma", "weight", "bias"}


def test_the_position_bias_tables_of_swinir_are_tuned_and_its_masks_kept():
    network = swinir()
    model = Tunable(network, p=2)
    assert sum("relative_position_bias_table" in name for name in model.tuned) == 4
    before, after = (dict(m.named_buffers()) for m in (network, model.module))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_papers_sizes_are_the_published_ones():
    swin = sum(p.numel() for p in SwinIRConfig().build().parameters())
    naf = sum(p.numel() for p in NAFNetConfig().build().parameters())
    assert (swin, naf) == (11_504_163, 29_159_715)


@pytest.mark.parametrize("size", [(4, 9), (9, 3), (1, 1)])
def test_swinir_refuses_an_image_smaller_than_its_windows(size):
    network = Tunable(SwinIRConfig(12, (2,), heads=2, window=8).build(), p=2)
    rule = r"windows of 8 pixels needs images of 5 pixels or more; got \["
    with pytest.raises(ValueError, match=rule):
        network(torch.rand(1, 3, *size), [0.5, 0.5])
    assert network(torch.rand(1, 3, 5, 6), [0.5, 0.5]).shape == (1, 3, 5, 6)


@pytest.mark.filterwarnings("ignore:torch.utils.checkpoint. the use_reentrant:UserWarning")
def test_a_checkpointed_swinir_has_the_gradients_of_the_plain_one(close):
    model, x = Tunable(as_trained(swinir()), p=2).eval(), torch.rand(2, 3, 16, 16)
    layers = [layer for layer in model.module.modules() if hasattr(layer, "use_checkpoint")]
    assert layers

    def gradients(use_checkpoint):
        model.zero_grad()
        for layer in layers:
            layer.use_checkpoint = use_checkpoint
        for omega in ([0.3, 0.8], [[1.0, 0.0], [0.0, 1.0]]):
            model(x, omega).square().mean().backward()
        return [parameter.grad.clone() for parameter in model.parameters()]

    for plain, checked in zip(gradients(False), gradients(True), strict=True):
        close(checked, plain)
