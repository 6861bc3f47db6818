"""The files of the live page: complete, small, and made from the stored runs."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import re
from pathlib import Path

import live_assets
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from study import configs
from study.images import datasets
from tunable_core.tunable import Tunable
from tunable_photo import networks
from tunable_photo.resnet import ResNet

ROOT = Path(__file__).resolve().parents[2]


def test_the_vendored_files_are_those_that_are_named():
    folder = ROOT / "book/vendor"
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text().splitlines())
    found = {}
    for path in (folder / "onnxruntime-web").glob("ort*"):
        content = path.read_bytes()
        content = lzma.decompress(content) if path.suffix == ".xz" else content
        name = path.relative_to(folder).as_posix().removesuffix(".xz")
        found[name] = hashlib.sha256(content).hexdigest()
    assert found == sums


@pytest.mark.parametrize("model", live_assets.MODELS, ids=lambda model: model.name)
def test_every_position_of_the_dials_is_an_omega_of_the_network(model):
    p = model.config(configs.profile("laptop")).task.loss.p if model.config else 2
    assert len(model.base) == p
    for slider in model.of_dials:
        assert len(slider.direction) == p
        end = torch.tensor(model.base) + torch.tensor(slider.direction)
        assert ((end >= 0) & (end <= 1)).all()


@pytest.fixture(scope="module")
def without_runs(tmp_path_factory) -> Path:
    """The folder LIVE of a book whose store is empty; its ONNX file is tested in the browser."""
    folder = tmp_path_factory.mktemp("extra")

    def export(net: nn.Module, path: Path, **settings: object) -> Path:
        path.write_bytes(b"network")
        return path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_assets, "export", export)
        patch.setenv("TUNABLE_RUNS", str(folder / "store"))
        assert live_assets.write(folder / "live", ROOT / "book") == ["photo"]
    return folder / "live"


def test_a_network_without_a_run_is_left_out_and_the_released_one_stays(without_runs):
    (entry,) = json.loads((without_runs / "manifest.json").read_text())["models"]
    assert entry["run"] == "photo"
    assert [path.name for path in without_runs.glob("*.onnx")] == ["photo.onnx"]


def test_the_released_network_is_loaded_as_it_is(without_runs):
    (entry,) = json.loads((without_runs / "manifest.json").read_text())["models"]
    file = without_runs / entry["weights"]["file"].partition("?")[0]
    assert file.read_bytes() == (networks.RELEASED / "photo/model.safetensors").read_bytes()
    assert entry["form"] == {
        "blocks": 8,
        "channels": 64,
        "stride": 2,
        "head_relu": False,
        "image_skip": True,
        "mean": [0.0, 0.0, 0.0],
    }


def test_the_service_worker_lies_beside_the_pages_and_is_off(without_runs):
    assert (without_runs.parent / "isolate.js").exists()
    assert json.loads((without_runs / "manifest.json").read_text())["isolate"] is False


def test_the_runtime_comes_packed_and_whole(without_runs):
    runtime = json.loads((without_runs / "manifest.json").read_text())["runtime"]
    for device, name in live_assets.RUNTIME.items():
        packed = without_runs / runtime[device]["file"]
        assert packed.stat().st_size == runtime[device]["bytes"] < 5_000_000
        vendored = ROOT / f"book/vendor/onnxruntime-web/{name}.xz"
        assert gzip.decompress(packed.read_bytes()) == lzma.decompress(vendored.read_bytes())
        assert not list(packed.parent.glob("*.xz"))


@pytest.mark.parametrize("name", live_assets.CROPS)
def test_a_photograph_is_a_square_that_lies_within_its_image(name, tmp_path):
    top, left = live_assets.CROPS[name]
    height, width = datasets.load("samples-test")[name].shape[1:]
    assert top + live_assets.CROP <= height
    assert left + live_assets.CROP <= width
    picture = live_assets.photograph(name, 128, tmp_path)
    assert picture.shape == (3, 128, 128)
    with Image.open(tmp_path / f"{name}-128.webp") as file:
        pixels = torch.from_numpy(np.array(file)).permute(2, 0, 1)
    assert torch.equal(pixels.float() / 255, picture)


def test_the_noise_is_normal():
    noise = live_assets.normal(3 * 128 * 128)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert abs((noise[1:] * noise[:-1]).mean()) < 0.02


def test_the_address_of_a_network_changes_with_its_content(tmp_path):
    """Browsers cache files: the page works offline, and never with an old network."""
    found = []
    for content in (b"one", b"other"):
        (tmp_path / "net.onnx").write_bytes(content)
        found.append(live_assets.addressed(tmp_path / "net.onnx"))
    assert found[0]["file"] != found[1]["file"]
    assert {entry["file"].partition("?")[0] for entry in found} == {"net.onnx"}
    assert [entry["bytes"] for entry in found] == [3, 5]


@pytest.mark.parametrize(("name", "known"), [("denoise", 2), ("joint", 1), ("style", 0)])
def test_a_frame_has_the_numbers_that_its_network_is_judged_by(name, known):
    """PSNR if the clean photograph is the target, the kept share if only noise was added."""
    model = next(model for model in live_assets.MODELS if model.name == name)
    clean = torch.rand(3, 16, 16)
    noisy = clean[None] + 0.1 * torch.randn(1, 3, 16, 16)
    ((decibels, share),) = live_assets.measures(model, noisy, clean, noisy)
    assert [decibels, share].count(None) == 2 - known
    if known:
        assert decibels == pytest.approx(20, abs=1)
    if known == 2:
        assert share == pytest.approx(1)


@pytest.mark.parametrize(
    ("form", "own"), [((1, 8), True), ((1, 12), False), ((1, 8, False, True, 2), False)]
)
def test_the_page_runs_the_networks_that_it_can_and_leaves_others_to_onnx(form, own, tmp_path):
    model = next(model for model in live_assets.MODELS if model.name == "denoise")
    found = live_assets.weights(model, Tunable(ResNet(*form), p=2), tmp_path)
    assert bool(found) == own
    assert (tmp_path / "denoise.safetensors").exists() == own


def test_the_kernel_that_is_shown_moves_as_the_network_mixes_it():
    model = next(model for model in live_assets.MODELS if model.name == "denoise")
    network = Tunable(ResNet(1, 8), p=2)
    with torch.no_grad():
        network.module.get_parameter("body.0.conv2.weight")[0, 3, 5] += 9  # one kernel goes far
    found = live_assets.inside(model, network)
    kernel = found["kernel"]
    assert (kernel["name"], kernel["layer"]) == ("body.0.conv2.weight", 2)
    omega = torch.tensor([0.3, 0.6])
    alpha = torch.tensor(found["weight"][2]) @ omega + torch.tensor(found["bias"][2])
    mixed = network.mix(omega)["body.0.conv2.weight"][3, 5].flatten()
    torch.testing.assert_close(alpha @ torch.tensor(kernel["values"]), mixed, atol=1e-4, rtol=1e-4)


def test_every_address_of_a_view_names_a_network_and_a_value_for_each_slider():
    """Views that the pages and notebooks of the book link to; see address.js."""
    view = re.compile(
        r"live\.html#network=([\w-]+)&(?:amp;)?photograph=(\w+)&(?:amp;)?sliders=([\d.,]+)"
    )
    files = [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    found = [match for file in files for match in view.findall(file.read_text(encoding="utf-8"))]
    models = {model.name: model for model in live_assets.MODELS}
    assert found
    for network, photograph, values in found:
        assert photograph in live_assets.CROPS
        sliders = models[network].sliders
        for slider, value in zip(sliders, map(float, values.split(",")), strict=True):
            assert 0 <= value <= slider.most
