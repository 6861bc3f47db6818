"""What the live page loads: whole, small, and made from the runs that are there."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from pathlib import Path

import live_assets
import numpy as np
import pytest
import torch
from PIL import Image

from study import configs
from study.images import datasets

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
    p = model.config(configs.profile("laptop")).task.loss.p
    assert len(model.base) == p
    for slider in model.of_dials:
        assert len(slider.direction) == p
        end = torch.tensor(model.base) + torch.tensor(slider.direction)
        assert ((end >= 0) & (end <= 1)).all()


@pytest.fixture
def without_runs(tmp_path, monkeypatch) -> Path:
    """The folder LIVE of a book whose store is empty."""
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path / "store"))
    assert live_assets.write(tmp_path / "live", ROOT / "book") == []
    return tmp_path / "live"


def test_a_network_that_is_not_there_is_left_out(without_runs):
    assert json.loads((without_runs / "manifest.json").read_text())["models"] == []
    assert not list(without_runs.glob("*.onnx"))


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
