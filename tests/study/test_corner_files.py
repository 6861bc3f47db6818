"""Checkpoints of the corners, loaded and interpolated as by programs for restoration."""

import pytest
import torch
from torch import nn

from study import configs, runs
from study.configs.denoising import compact
from study.networks.third_party import CompactConfig, SwinIRConfig
from study.networks.torchvision_import import import_torchvision
from tunable_core import Tunable
from tunable_photo.corner_files import KEY, save_at, save_corners

pytestmark = pytest.mark.filterwarnings("ignore:torch.meshgrid")
NETWORKS = {
    "Compact": CompactConfig(8, 2, scale=1),
    "Compact x4": CompactConfig(8, 2, scale=4),
    "SwinIR": SwinIRConfig(embedding=12, depths=(2, 2), heads=2, window=8),
}


@pytest.fixture(params=[*NETWORKS, "released"])
def model(request):
    """The released Compact network, or a small one with no parameter at its initial value."""
    if request.param == "released":
        run = runs.get(compact(configs.profile("laptop")), progress=False)
        return run.control.network.eval()
    model = Tunable(NETWORKS[request.param].build(), p=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def load():
    """Spandrel's loader, which chaiNNer and ComfyUI use."""
    import_torchvision()
    from spandrel import ModelLoader

    return ModelLoader("cpu").load_from_file


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_spandrel_knows_the_files_and_computes_the_same(model, load, tmp_path, suffix):
    names = [f"clean.{suffix}", f"grain.{suffix}"]
    x = torch.rand(1, 3, 16, 16)
    for path, corner in zip(save_corners(model, tmp_path, names), model.corners(), strict=True):
        found = load(path)
        assert found.scale == getattr(model.module.config, "scale", 1)
        with torch.inference_mode():
            torch.testing.assert_close(found.model.eval()(x), corner(x), atol=1e-5, rtol=0)


def test_interpolating_two_files_as_real_esrgan_does_is_at_omega(model, tmp_path):
    first, second = save_corners(model, tmp_path)
    networks = [torch.load(path, weights_only=True)[KEY] for path in (first, second)]
    for strength in (0.0, 0.3, 1.0):  # -dn
        expected = model.at([strength, 1 - strength]).state_dict()
        assert networks[0].keys() == expected.keys()
        for name, value in expected.items():
            if value.is_floating_point():
                mixed = strength * networks[0][name] + (1 - strength) * networks[1][name]
                torch.testing.assert_close(mixed, value, atol=1e-6, rtol=0)


def test_one_position_is_a_file_of_its_own(model, load, tmp_path):
    path = save_at(model, tmp_path / "more/half.safetensors", [0.5, 0.5])
    x = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        found = load(path).model.eval()(x)
        torch.testing.assert_close(found, model(x, [0.5, 0.5]), atol=1e-5, rtol=0)


def test_names_and_suffixes_that_do_not_fit_are_refused(tmp_path):
    model = Tunable(nn.Linear(2, 2), p=2)
    with pytest.raises(ValueError, match=r"needs 2 different names; got \['a\.pth'\]"):
        save_corners(model, tmp_path, ["a.pth"])
    with pytest.raises(ValueError, match="needs 2 different names"):
        save_corners(model, tmp_path, ["a.pth", "a.pth"])
    with pytest.raises(ValueError, match=r"must end in \.pth or \.safetensors; got 'a\.onnx'"):
        save_at(model, tmp_path / "a.onnx", [1.0, 0.0])
