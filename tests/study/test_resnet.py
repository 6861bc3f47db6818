"""The ResNet at half the resolution: any size, the same cost as at full resolution, ONNX export."""

import pytest
import torch

from study.controls import TunableControl, complexity
from tunable_core import Live, Tunable, export
from tunable_photo.resnet import ResNet, ResNetConfig

HALF = ResNetConfig(2, 8, image_skip=True, stride=2)


@pytest.mark.parametrize("sides", [(8, 8), (9, 8), (8, 13), (1, 1), (7, 5)])
@pytest.mark.parametrize("image_skip", [False, True])
def test_an_image_of_any_size_keeps_its_size(sides, image_skip):
    network = ResNetConfig(1, 4, image_skip=image_skip, stride=2).build()
    assert network(torch.rand(2, 3, *sides)).shape == (2, 3, *sides)


def test_an_odd_image_is_seen_as_the_even_one_it_is_a_part_of():
    network = HALF.build().eval()
    x = torch.rand(1, 3, 41, 41)
    even = network(x[..., :40, :40])
    torch.testing.assert_close(network(x)[..., :16, :16], even[..., :16, :16])


def test_twice_the_channels_at_half_the_resolution_cost_the_same():
    whole, half = (
        complexity(TunableControl(config.build(), 2), [1.0, 0.0])["multiply_adds"]
        for config in (ResNetConfig(8, 32), ResNetConfig(8, 64, stride=2))
    )
    assert half == pytest.approx(whole, rel=0.01)


def test_a_saved_one_comes_back_with_all_its_settings(tmp_path):
    net = ResNet(2, 4, image_skip=True, head_relu=False, scale=2, enlargement="balanced")
    model, x = Tunable(net, p=2), torch.rand(1, 3, 8, 8)
    loaded = Tunable.load(model.save(tmp_path))
    assert loaded.module.config == net.config
    assert torch.equal(loaded(x, [0.3, 0.8]), model(x, [0.3, 0.8]))
    assert "import tunable_photo.resnet  # has ResNet" in (tmp_path / "README.md").read_text()


def test_it_folds_and_saves_like_the_whole(tmp_path):
    model = Tunable(HALF.build(), 2).eval()
    x, omega = torch.rand(1, 3, 11, 14), [0.7, 0.3]
    y = model(x, omega)
    torch.testing.assert_close(Live(model)(x, omega), y, rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "saved")
    torch.testing.assert_close(Tunable.load(tmp_path / "saved")(x, omega), y)


@pytest.mark.slow
def test_it_exports_like_the_whole(tmp_path, exporter):
    export(Tunable(HALF.build(), 2).eval(), tmp_path / "half.onnx")  # compared at several sizes
