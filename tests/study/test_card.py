"""A published network: its own weights, and a model card without typed numbers."""

import dataclasses
import re

import pandas as pd
import pytest
import torch

from study import runs
from study.disk.tensors import digest, load_tensors
from study.images import datasets
from study.measuring.card import save_model

pytestmark = pytest.mark.usefixtures("store")
COMMA = re.compile(r"(?<=\d),(?=\d)")


@pytest.fixture
def run(config, store):
    return runs.get(config, progress=False)


@pytest.fixture
def frame(run):
    """A sweep of two images and two omegas."""
    rows = [
        {"image": image, "sigma": 15.0, "omega_1": w, "omega_2": 1 - w, "psnr": 30 + w + shift}
        for w in (0.0, 1.0)
        for image, shift in (("a", 0.25), ("b", 0.75))
    ]
    frame = pd.DataFrame(rows)
    settings = {"images": "kodak", "sigmas": [15.0]}
    weights = digest(run.control.state_dict())[:16]
    frame.attrs["record"] = {"name": "mine", "weights": weights, "settings": settings}
    return frame


def read(folder):
    return (folder / "README.md").read_text()


def rows(text):
    """The rows of all tables of a card, by their first cell."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in lines}


def test_the_weights_are_those_of_the_run(run, tmp_path):
    folder = save_model(run, tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "weights.safetensors"]
    one, other = (f / "weights.safetensors" for f in (folder, run.folder))
    assert one.read_bytes() == other.read_bytes()


def test_the_lines_of_the_card_load_the_network(run, tmp_path, monkeypatch, patches):
    monkeypatch.chdir(save_model(run, tmp_path))
    (code,) = re.findall(r"```python\n(.*?)```", read(tmp_path), re.DOTALL)
    names = {}
    exec(code, names)
    with torch.no_grad():
        loaded, known = (control(patches, [0.3, 0.8]) for control in (names["control"], run.control))
    assert torch.equal(loaded, known)


def test_a_run_trained_without_git_has_no_known_commit(run, tmp_path):
    elsewhere = dataclasses.replace(run, record=run.record | {"commit": None, "clean": False})
    assert rows(read(save_model(elsewhere, tmp_path)))["commit"] == ["not known"]


def test_the_card_has_the_numbers_of_the_record(run, tmp_path):
    table = rows(read(save_model(run, tmp_path)))
    for name in ("steps", "batch", "patch", "lr", "seed"):
        assert table[name] == [str(run.record["config"]["training"][name])]
    assert float(table["reconstruction"][0]) == pytest.approx(
        run.record["final"]["reconstruction"], rel=1e-4
    )
    assert table["time"][0].startswith(f"{run.record['seconds']:,.0f} s on {run.record['device']}")
    assert (run.record["commit"] or "not known") in table["commit"][0]
    assert f"{run.record['parameters']:,} numbers" in read(tmp_path)


def test_another_record_gives_another_card(run, tmp_path):
    before = read(save_model(run, tmp_path))
    run.record["seconds"] = 4321.0
    assert "4,321 s on" in read(save_model(run, tmp_path))
    assert "4,321 s on" not in before


def test_every_dial_is_said_to_weigh_its_objective(run, tmp_path):
    table = rows(read(save_model(run, tmp_path)))
    assert table["omega_1"][0].startswith("reconstruction: L_rec: L1 distance to the clean image")
    assert table["omega_2"][0].startswith("noise: L_noise: L1 distance to y_eta")


def test_the_card_names_data_and_licences(run, tmp_path):
    text = read(save_model(run, tmp_path))
    data = datasets.describe("samples-train")
    assert f"{len(data)} images, `samples-train` (checksum `{data.checksum}`)" in text
    assert f"Code and weights: MIT. Training images: {data.licence}." in text


def test_a_sweep_of_these_weights_is_shown_as_means(run, tmp_path, frame):
    text = read(save_model(run, tmp_path, sweeps=[frame]))
    assert "On 2 images of `kodak`, sigma = 15.0" in text
    assert "| omega_1 | omega_2 | psnr |" in text
    assert "| 0 | 1 | 30.5 |" in text
    assert "| 1 | 0 | 31.5 |" in text


def test_a_sweep_of_other_weights_is_refused_and_nothing_written(run, tmp_path, frame):
    with torch.no_grad():
        next(run.control.parameters()).add_(1)
    with pytest.raises(ValueError, match="the sweep 'mine' was measured with other weights"):
        save_model(run, tmp_path / "model", sweeps=[frame])
    assert not (tmp_path / "model").exists()


def test_a_control_alone_says_that_it_has_no_record(run, tmp_path):
    text = read(save_model(run.control, tmp_path))
    assert "No record of its training was given" in text
    assert "## Measured" not in text
    tensors, _ = load_tensors(tmp_path / "weights.safetensors")
    assert all(torch.equal(tensors[n], v) for n, v in run.control.state_dict().items())
