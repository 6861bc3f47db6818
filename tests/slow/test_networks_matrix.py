"""The guarantees of Tunable for networks of spandrel and torchvision, small, with random weights.

A property of the library is a test; a network is a row. Everything runs in evaluation mode, in float32.
"""

from __future__ import annotations

import copy
import importlib
import warnings

import pytest
import torch
from torch.utils._pytree import tree_leaves, tree_map

from study.networks.torchvision_import import import_torchvision
from tunable_core import Tunable
from tunable_core import onnx as shipping

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of the networks' own code

OMEGA = [0.3, 0.8]
OMEGAS = [[0.3, 0.8], [1.0, 0.1]]


def spandrel(architecture, name=None, module=None, **options):
    """A network of spandrel by the names of its folder and class."""

    def build():
        place = f"spandrel.architectures.{architecture}" + (f".__arch.{module}" if module else "")
        return getattr(importlib.import_module(place), name or architecture)(**options)

    return build


def torchvision(make):
    """A network that make(torchvision.models) builds."""

    def build():
        import torchvision

        return make(torchvision.models)

    return build


WINDOWS = {"img_size": 16, "embed_dim": 8, "depths": [2], "num_heads": [2], "window_size": 8}
DEPTHS = {"img_size": 16, "embed_dim": 16, "depth": [2], "num_heads": [2], "upscale": 2}
NETWORKS = {
    # enlarging and restoring, from spandrel
    "ATD": spandrel("ATD", **WINDOWS, category_size=16, num_tokens=4, reducted_dim=2),
    "CRAFT": spandrel("CRAFT", embed_dim=12, depths=[1], num_heads=[2], upscale=2),
    "Compact": spandrel(
        "Compact", "SRVGGNetCompact", "SRVGG", num_in_ch=3, num_out_ch=3, num_feat=4, num_conv=2
    ),
    "DAT": spandrel("DAT", **DEPTHS, split_size=[4, 8]),
    "DCTLSA": spandrel("DCTLSA", nf=10, num_modules=6, upscale=2, num_head=2),
    "DRCT": spandrel("DRCT", **WINDOWS | {"depths": [1]}, gc=4, upscale=2, upsampler="pixelshuffle"),
    "DRUNet": spandrel("DRUNet", in_nc=3, out_nc=3, nc=[4, 4, 4, 8], nb=1),
    "DnCNN": spandrel("DnCNN", in_nc=3, out_nc=3, nc=4, nb=3),
    "ESRGAN": spandrel(
        "ESRGAN", "RRDBNet", "RRDB", in_nc=3, out_nc=3, num_filters=4, num_blocks=1, scale=2
    ),
    "FDAT": spandrel("FDAT", scale=2, embed_dim=8, num_groups=1, depth_per_group=2, num_heads=2),
    "FFTformer": spandrel("FFTformer", dim=8, num_blocks=[1, 1, 1], num_refinement_blocks=1),
    "GRL": spandrel("GRL", embed_dim=8, depths=[1], num_heads_window=[1], num_heads_stripe=[1]),
    "HAT": spandrel("HAT", **WINDOWS, squeeze_factor=4, upscale=2, num_feat=8),
    "KBNet": spandrel(
        "KBNet",
        "KBNet_s",
        width=8,
        middle_blk_num=1,
        enc_blk_nums=[1, 1, 1, 1],
        dec_blk_nums=[1, 1, 1, 1],
    ),
    "MixDehazeNet": spandrel("MixDehazeNet", embed_dims=[8, 8, 8, 8, 8], depths=[1, 1, 1, 1, 1]),
    "MoESR": spandrel("MoESR", scale=2, dim=8, n_blocks=1, n_block=1, upsample_dim=8),
    "MoSR": spandrel("MoSR", upscale=2, n_block=1, dim=8),
    "NAFNet": spandrel("NAFNet", width=4, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1]),
    "OmniSR": spandrel("OmniSR", num_feat=8, up_scale=2),
    "PLKSR": spandrel("PLKSR", dim=8, n_blocks=2, upscaling_factor=2, kernel_size=5),
    "RCAN": spandrel("RCAN", scale=2, n_resgroups=1, n_resblocks=1, n_feats=8, reduction=4),
    "RGT": spandrel("RGT", **DEPTHS),
    "RealCUGAN": spandrel("RealCUGAN", "UpCunet2x"),
    "RealPLKSR": spandrel("PLKSR", "RealPLKSR", dim=8, n_blocks=2, upscaling_factor=2, kernel_size=5),
    "RetinexFormer": spandrel("RetinexFormer", n_feat=8, stage=1),
    "SAFMN": spandrel("SAFMN", dim=8, n_blocks=2, upscaling_factor=2),
    "SCUNet": spandrel("SCUNet", config=[1] * 7, dim=64, input_resolution=64),
    "SPAN": spandrel("SPAN", num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2),
    "Swin2SR": spandrel("Swin2SR", **WINDOWS),
    "SwinIR": spandrel("SwinIR", **WINDOWS),
    "Uformer": spandrel(
        "Uformer", img_size=128, embed_dim=4, depths=[1] * 9, num_heads=[1, 1, 2, 2, 2, 2, 2, 1, 1]
    ),
    # classifying and segmenting, from torchvision
    "ConvNeXt": torchvision(
        lambda m: m.ConvNeXt([m.convnext.CNBlockConfig(8, 16, 1), m.convnext.CNBlockConfig(16, None, 1)])
    ),
    "DenseNet": torchvision(lambda m: m.DenseNet(4, (2, 2), 8, num_classes=5)),
    "LR-ASPP": torchvision(
        lambda m: m.segmentation.lraspp_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=3
        )
    ),
    "MobileNetV3": torchvision(lambda m: m.mobilenet_v3_small(num_classes=5)),
    "ResNet": torchvision(lambda m: m.ResNet(m.resnet.BasicBlock, [1, 1, 1, 1], num_classes=5)),
    "ShuffleNet": torchvision(lambda m: m.shufflenet_v2_x0_5(num_classes=5)),
    "SqueezeNet": torchvision(lambda m: m.squeezenet1_1(num_classes=5)),
    "Swin": torchvision(lambda m: m.SwinTransformer([4, 4], 8, [1, 1], [2, 2], [4, 4], num_classes=5)),
    "ViT": torchvision(lambda m: m.VisionTransformer(64, 16, 2, 2, 16, 32, num_classes=5)),
}
SIZES = {"Uformer": 128, "MixDehazeNet": 64, "SCUNet": 64, "ViT": 64}
"""Side of the image in pixels, where it is not 32."""


def trained(network):
    """The network as if trained: no parameter keeps the zeros that it may start with."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return network


class Row:
    """A network and a tunable one made of it."""

    def __init__(self, name):
        import_torchvision()
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.plain = trained(NETWORKS[name]()).eval()
        self.model = Tunable(self.plain, p=2).eval()
        side = SIZES.get(name, 32)
        self.image = torch.rand(2, 3, side, side)

    @property
    def x(self):
        """A batch of two images; a fresh copy, since RCAN's code writes into its input."""
        return self.image.clone()


@pytest.fixture(scope="module", params=NETWORKS)
def row(request):
    return Row(request.param)


def assert_same(found, expected):
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        scale = b.abs().max()  # so that one tolerance suits all networks
        torch.testing.assert_close(a / scale, b / scale, rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_outputs_have_the_structure_and_shapes_of_the_network_s(row):
    found, expected = row.model(row.x, OMEGA), row.plain(row.x)
    shapes = tree_map(lambda value: value.shape, expected)
    assert tree_map(lambda value: value.shape, found) == shapes


@torch.no_grad()
def test_a_fixed_network_is_the_tunable_one_there(row):
    assert_same(row.model.at(OMEGA).eval()(row.x), row.model(row.x, OMEGA))


@torch.no_grad()
def test_dials_per_sample_are_those_of_each_sample_alone(row):
    together = row.model(row.x, OMEGAS)
    for i, omega in enumerate(OMEGAS):
        alone = row.model(row.x[i : i + 1], omega)
        part = tree_map(lambda value, i=i: value[i : i + 1], together)
        assert_same(part, alone)


def test_gradients_reach_every_kernel_of_a_bank_that_the_network_uses(row):
    fixed, model = row.model.at(OMEGA).train(), copy.deepcopy(row.model).train()
    for network, omega in ((fixed, ()), (model, (OMEGA,))):
        sum(value.square().mean() for value in tree_leaves(network(row.x, *omega))).backward()
    banks = dict(model.module.named_parameters())
    slopes = {
        name: value.grad
        for name, value in fixed.named_parameters()
        if value.grad is not None and value.numel()
    }
    least = 1e-6 * max(slope.abs().max() for slope in slopes.values())  # above what rounding leaves
    used = {name for name, slope in slopes.items() if slope.abs().max() > least}
    assert len(used) > len(list(fixed.parameters())) / 2
    for name in used & set(model.tuned):
        assert all(kernel.any() for kernel in banks[name].grad), name


@torch.no_grad()
def test_a_state_dict_makes_another_the_same(row):
    other = Tunable(row.plain, p=2).eval()
    assert other.load_state_dict(row.model.state_dict()) == ([], [])
    assert_same(other(row.x, OMEGA), row.model(row.x, OMEGA))


EXPORTED = ["Compact", "SAFMN", "SqueezeNet"]


@pytest.mark.parametrize("name", EXPORTED)
def test_a_network_is_exported_with_live_dials(name, tmp_path, exporter):
    """export() itself compares the file with the network, at several dials and sizes."""
    row = Row(name)
    shipping.export(row.model, tmp_path / "net.onnx", sample=row.x, free=("batch",))
    assert list(tmp_path.iterdir()) == [tmp_path / "net.onnx"]
