"""The file for editors: image and map as inputs, any size, and its metadata."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tunable_core import Tunable
from tunable_photo.editors import ABOUT, FULL, export_for_editors
from tunable_photo.resnet import ResNetConfig

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("exporter")]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    found = Tunable(ResNetConfig(1, 4, image_skip=True, stride=2).build(), 2)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return found.eval()


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    return export_for_editors(tmp_path_factory.mktemp("editors") / "photo.onnx", model)


@pytest.fixture(scope="module")
def answer(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(image, strength):
        return torch.from_numpy(
            session.run(None, {"image": image.numpy(), "strength": strength.numpy()})[0]
        )

    return run


@pytest.mark.parametrize("sides", [(16, 16), (31, 48), (64, 33), (7, 9)])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 4.0])
def test_a_constant_map_is_the_network_at_one_omega(model, answer, sides, share):
    image = torch.rand(1, 3, *sides)
    fidelity = min(share, 1.0)
    with torch.no_grad():
        expected = model(image, [fidelity, 1 - fidelity])
    found = answer(image, torch.full((1, 1, *sides), share * FULL))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_map_may_vary_over_the_image(model, answer):
    image = torch.rand(1, 3, 40, 60)
    strength = torch.zeros(1, 1, 40, 60)
    strength[..., 30:] = FULL
    found = answer(image, strength)
    with torch.no_grad():
        left, right = model(image, [0.0, 1.0]), model(image, [1.0, 0.0])
    torch.testing.assert_close(found[..., :16], left[..., :16], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[..., 44:], right[..., 44:], rtol=1e-4, atol=1e-4)


def test_the_file_says_where_it_is_from(path):
    proto = onnx.load(path)
    assert {entry.key: entry.value for entry in proto.metadata_props} == ABOUT
    shapes = {
        x.name: [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim]
        for x in proto.graph.input
    }
    assert shapes["strength"][1] == 1
    assert shapes["image"][1] == 3
    assert all(isinstance(shapes[name][axis], str) for name in shapes for axis in (2, 3))
    assert np.isclose(FULL * 255, 25)
