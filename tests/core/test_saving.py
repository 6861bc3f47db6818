"""A tunable network is saved to a folder and loaded again."""

import json
import os

import pytest
import torch
from residual import Residual
from torch import nn

from tunable_core import Tunable, saving


def trained(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def tied():
    layer = nn.PReLU()
    return nn.Sequential(nn.Conv2d(3, 3, 1), layer, nn.GroupNorm(1, 3), layer)


@pytest.mark.parametrize(
    ("net", "options"),
    [
        (lambda: Residual(1, 4), {}),
        (lambda: Residual(1, 4), {"phi": "se", "kernels": 3, "tuned": ("body.*",)}),
        (tied, {"phi": "identity", "untuned": ()}),
    ],
)
def test_a_saved_model_comes_back(net, options, tmp_path):
    model, x = trained(Tunable(net(), p=2, **options)), torch.rand(2, 3, 8, 8)
    loaded = Tunable.load(model.save(tmp_path / "model"), net())
    assert torch.equal(loaded(x, [0.3, 0.8]), model(x, [0.3, 0.8]))
    assert loaded.tuned == model.tuned


def test_the_folder_has_the_files_that_hubs_expect(tmp_path):
    folder = Tunable(Residual(1, 4), p=2).save(tmp_path)
    assert {file.name for file in folder.iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert json.loads((folder / "config.json").read_text())["p"] == 2
    (folder / "README.md").write_text("mine")
    Tunable(Residual(1, 4), p=2).save(tmp_path)
    assert (folder / "README.md").read_text() == "mine"


def test_a_folder_of_a_loadable_network_needs_no_network(tmp_path):
    model, x = trained(Tunable(Residual(2, 8, skip=True), p=2)), torch.rand(1, 3, 8, 8)
    loaded = Tunable.load(model.save(tmp_path))
    assert torch.equal(loaded(x, [0.3, 0.8]), model(x, [0.3, 0.8]))
    assert "import residual  # has Residual\n" in (tmp_path / "README.md").read_text()


def test_loading_a_class_that_is_not_imported_names_the_way_out(tmp_path, monkeypatch):
    folder = Tunable(Residual(), p=2).save(tmp_path)
    monkeypatch.delitem(saving.LOADABLE, "Residual")
    way = "a class that is not imported: import the module that defines Residual, or pass"
    with pytest.raises(ValueError, match=f"holds a Tunable of a Residual, {way} the network, as in"):
        Tunable.load(folder)
    assert Tunable.load(folder, Residual()).p == 2


def test_another_class_of_the_same_name_is_not_taken_for_the_loadable_one(tmp_path):
    other = type("Residual", (nn.Linear,), {})
    folder = Tunable(other(2, 2), p=2).save(tmp_path)
    with pytest.raises(ValueError, match="of a Residual, whose architecture is not stored: pass"):
        Tunable.load(folder)


def test_a_folder_of_another_network_asks_for_it(tmp_path):
    folder = Tunable(tied(), p=2).save(tmp_path)
    with pytest.raises(ValueError, match=r"of a Sequential, whose architecture is not stored: pass"):
        Tunable.load(folder)


def test_half_the_size_rounds_large_tensors_alone(tmp_path):
    model = trained(Tunable(Residual(2, 16), p=2))
    whole, half = model.save(tmp_path / "whole"), model.save(tmp_path / "half", half=True)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]
    loaded = Tunable.load(half).state_dict()
    for name, value in model.state_dict().items():
        kept = value.half().float() if value.numel() >= 1024 else value
        assert torch.equal(loaded[name], kept)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_the_weights_are_as_readable_as_the_config(tmp_path):
    folder = Tunable(Residual(1, 4), p=2).save(tmp_path)
    assert (folder / "model.safetensors").stat().st_mode == (folder / "config.json").stat().st_mode


def test_a_config_of_another_version_is_refused(tmp_path):
    folder = Tunable(Residual(1, 4), p=2).save(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["settings"]["depth"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json describes no Residual of this version: .*depth"):
        Tunable.load(folder)


def test_another_network_is_refused(tmp_path):
    folder = Tunable(Residual(1, 4), p=2).save(tmp_path)
    for other in (Residual(1, 8), Residual(2, 4), nn.Linear(2, 2)):
        with pytest.raises(ValueError, match=r"the Tunable in .* does not fit this"):
            Tunable.load(folder, other)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no saved Tunable: it has no config\.json"):
        Tunable.load(tmp_path, Residual(1, 4))
