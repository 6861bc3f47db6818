"""The features of VGG-19."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from study.images import datasets
from study.images.datasets import MissingData
from study.networks.torchvision_import import import_torchvision
from study.tasks import perceptual
from study.tasks.perceptual import STEPS, VGG19


@pytest.fixture(scope="module")
def public():
    """torchvision's own VGG-19 with random weights, large enough for a signal to reach the end."""
    torch.manual_seed(0)
    vgg = import_torchvision().models.vgg
    network = vgg.make_layers(vgg.cfgs["E"])  # without the classifier of 124 million weights
    for layer in network:
        layer.inplace = False
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network.requires_grad_(False)


@pytest.fixture(autouse=True)
def loads(request, monkeypatch):
    """Ours with the same weights; the list of its loads."""
    perceptual._kernels.cache_clear()
    names = []
    if "public" in request.fixturenames:

        def load(name):
            names.append(name)
            return request.getfixturevalue("public").state_dict()

        monkeypatch.setattr(perceptual.weights, "load", load)
    yield names
    perceptual._kernels.cache_clear()


@pytest.fixture
def image():
    """[2, 3, 40, 36] in [0, 1]."""
    return torch.rand(2, 3, 40, 36)


@pytest.mark.slow
def test_features_are_those_of_torchvision_at_the_indices_that_the_field_names(public, image, close):
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (perceptual.MEAN, perceptual.STD))
    found = VGG19(["conv5_4", "relu3_3", "pool1"])(image)
    for layer, index in {"pool1": 4, "relu3_3": 15, "conv5_4": 34}.items():
        expected = public[: index + 1]((image - mean) / std)
        assert expected.abs().max() > 0
        close(found[layer], expected)
    assert set(found) == {"conv5_4", "relu3_3", "pool1"}


def test_nothing_is_computed_beyond_the_deepest_layer_asked_for(public, image):
    assert VGG19(["relu1_2", "relu3_3"]).steps == STEPS[:16]
    tiny = image[..., :4, :4]  # the third pooling of it would fail
    assert VGG19(["relu3_3"])(tiny)["relu3_3"].shape == (2, 256, 1, 1)


def test_gradients_flow_to_the_image_and_not_to_the_weights(public, image):
    VGG19(["conv5_4"])(image.requires_grad_())["conv5_4"].abs().mean().backward()
    assert image.grad.abs().sum() > 0
    kernels = perceptual._kernels(image.device, torch.float32).values()
    assert not any(tensor.requires_grad for pair in kernels for tensor in pair)


def test_the_weights_are_loaded_once_for_all_instances(public, image, loads):
    for layers in (["relu1_1"], ["relu2_2"]):
        VGG19(layers)(image)
        VGG19(layers)(image)
    assert loads == ["vgg19"]


def test_under_autocast_it_runs_in_bf16_and_channels_last_and_gives_the_same(public, image):
    vgg = VGG19(["relu3_3"])
    expected = vgg(image)["relu3_3"]
    with torch.autocast("cpu", torch.bfloat16):
        found = vgg(image.contiguous(memory_format=torch.channels_last))["relu3_3"]
    assert found.dtype == torch.bfloat16
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert (found.float() - expected).norm() < 0.03 * expected.norm()


@pytest.mark.parametrize("layers", [["relu3_5"], [], ["relu3_3", "fc6"]])
def test_a_layer_that_there_is_not_is_refused(layers):
    with pytest.raises(ValueError, match=r"VGG-19 has no layer .*conv1_1, relu1_1"):
        VGG19(layers)


@pytest.mark.parametrize("shape", [(1, 1, 32, 32), (3, 32, 32), (1, 3, 15, 32)])
def test_images_that_are_not_an_rgb_batch_or_too_small_are_refused(public, shape):
    with pytest.raises(ValueError, match=r"VGG-19 to conv5_4 takes .* at least 16 x 16"):
        VGG19(["conv5_4"])(torch.zeros(shape))


@pytest.mark.parametrize(
    ("sha256", "expected"),
    [
        (datasets.EXTRACTS["vgg19"].sha256, perceptual.ORIGINAL),
        (datasets.rows_of("vgg19")[0]["sha256"], 1.0),
    ],
)
def test_the_scale_of_the_features_is_that_of_the_weights_whatever_their_file_is_called(
    monkeypatch, sha256, expected
):
    file = datasets.File(Path("weights.bin"), 1, sha256)
    monkeypatch.setattr(datasets, "load", lambda name: SimpleNamespace(files=[file]))
    assert perceptual.unit() == expected


def test_missing_weights_are_named_with_the_way_to_get_them(tmp_path, monkeypatch, image):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    vgg = VGG19(["relu1_1"])  # to make one costs nothing and needs nothing
    with pytest.raises(MissingData, match=rf"'vgg19'.*{tmp_path}.*`make data DATASETS=vgg19`"):
        vgg(image)


def test_the_real_network_reacts_to_an_edge_and_not_to_a_flat_image():
    if not datasets.available("vgg19"):
        pytest.skip("the weights of VGG-19 are not at hand (set TUNABLE_DATA)")
    flat = torch.full((1, 3, 64, 64), 0.5)
    edge = flat.clone()
    edge[..., 32:] = 1.0
    vgg = VGG19(["relu3_3"])
    inner = [vgg(x)["relu3_3"][..., 4:-4, 4:-4].std((-2, -1)).mean() for x in (flat, edge)]
    assert inner[1] > 100 * inner[0]
