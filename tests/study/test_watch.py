"""Watching an adversarial training."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from dataclasses import replace

import pandas as pd
import pytest
import torch
from PIL import Image

from study import runs
from study.controls import DNIConfig, FixedConfig, TunableConfig
from study.images.artifacts import grid_peak
from study.networks import DiscriminatorConfig
from study.runs import watch
from study.tasks import SuperResolution
from study.training import Training
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNetConfig

SIDE = 96


@pytest.fixture
def config(config):
    """The smallest super-resolution run, with its adversary at every step."""
    return replace(
        config,
        task=SuperResolution(vgg=0.0, discriminator=DiscriminatorConfig(2, 2)),
        network=ResNetConfig(blocks=1, channels=4, scale=4),
        training=Training(steps=3, batch=2, patch=32, omega=OmegaSampling("simplex")),
    )


@pytest.mark.usefixtures("store")
def test_a_run_keeps_its_samples_and_says_when_they_were_taken(config):
    run = runs.get(config, progress=False)
    sheet = (run.folder / watch.SHEET).read_bytes()
    assert hashlib.sha256(sheet).hexdigest() == run.record["samples"]
    assert run.record["moments"] == [[0, 3]]
    assert run.record["warnings"] == []
    assert Image.open(io.BytesIO(sheet)).size == (2 * SIDE, 2 * SIDE)  # clean, then one moment


@pytest.mark.usefixtures("store")
def test_a_record_is_json_that_any_reader_takes_also_where_an_adversary_rested(config):
    config = replace(config, training=replace(config.training, omega=OmegaSampling(corners=(1.0, 0.0))))
    run = runs.get(config, progress=False)
    json.loads((run.folder / "run.json").read_text(), parse_constant=pytest.fail)
    assert run.record["moments"] == []


@pytest.mark.usefixtures("store")
def test_a_training_without_an_adversary_is_not_watched(config):
    from study.tasks import Denoising

    plain = replace(config, task=Denoising(), network=ResNetConfig(1, 4))
    run = runs.get(plain, progress=False)
    assert "samples" not in run.record
    assert not (run.folder / watch.SHEET).exists()


@pytest.mark.usefixtures("store")
def test_the_weights_that_it_learnt_from_are_named_in_the_record(config, monkeypatch):
    monkeypatch.setattr(
        SuperResolution, "teachers", property(lambda self: ("samples-test",)), raising=True
    )
    assert set(runs.get(config, progress=False).record["teachers"]) == {"samples-test"}


@pytest.mark.usefixtures("store")
def test_without_its_weights_a_run_says_which_file_and_trains_nothing(config, store):
    wanting = replace(config, task=replace(config.task, vgg=1.0))
    with pytest.raises(FileNotFoundError, match=r"'vgg19'.*`make data DATASETS=vgg19`"):
        runs.get(wanting, progress=False)
    assert not list(store.glob("runs/*/run.json"))
    fidelity = replace(wanting, control=FixedConfig(), task=config.task)
    assert runs.get(fidelity, progress=False).history["reconstruction"].notna().all()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("corners", "learns"), [((0.0, 1.0), True), ((1.0, 0.0), False)])
def test_the_history_holds_a_grid_peak_where_the_adversary_learns(config, corners, learns):
    config = replace(config, training=replace(config.training, omega=OmegaSampling(corners=corners)))
    assert runs.get(config, progress=False).history["grid"].notna().tolist() == [learns]


# By hand


def rows(steps, **columns):
    frame = pd.DataFrame({"stage": 0, "step": steps, "discriminator": 0.6, "detail": 1.0})
    return frame.assign(**columns)


def watching(tmp_path, control=None, **options):
    torch.manual_seed(0)
    control = control or TunableConfig().build(ResNetConfig(1, 4, scale=4).build(), 2)
    return watch.Watch(tmp_path / "samples", control, SuperResolution().degrade, **options)


def test_samples_are_evenly_spaced_and_the_last_is_the_end(tmp_path):
    one = watching(tmp_path, steps=1250)
    steps = [*range(100, 1201, 100), 1250]
    for count in range(1, len(steps) + 1):
        one(rows(steps[:count]))
    taken = [int(path.stem.split("-")[1]) for path in sorted(one.folder.glob("*.png"))]
    assert taken == [300, 500, 700, 900, 1100, 1250]


def test_a_stage_is_sampled_over_its_own_length_and_only_where_the_adversary_learns(tmp_path):
    control = DNIConfig(0.25).build(ResNetConfig(1, 4, scale=4).build(), 2)
    one = watching(tmp_path, control, steps=2400)
    one(rows([2400], discriminator=torch.nan))
    one(rows([100], stage=1))
    one(rows([600], stage=1))
    assert sorted(path.stem for path in one.folder.glob("*.png")) == ["1-0000100", "1-0000600"]


def test_a_sample_is_the_output_at_the_perceptual_corner_and_has_no_side_effect(tmp_path):
    one = watching(tmp_path, steps=100)
    one.control.train()
    before = torch.get_rng_state()
    one(rows([100]))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.control.training
    (path,) = one.folder.glob("*.png")
    shown = watch.datasets.decode(path)
    with torch.no_grad():
        expected = torch.cat(list(one.control(one.degraded, (0.0, 1.0))), -1)
    expected = (expected.clamp(0, 1) * 255).round()
    assert (shown.float() - expected).abs().max() <= 1


def test_the_grid_peak_is_that_of_photographs_at_the_perceptual_corner(tmp_path):
    one = watching(tmp_path, steps=100)
    with torch.no_grad():
        output = one.control(one.central, (0.0, 1.0)).clamp(0, 1)
    expected = grid_peak(output).mean().item()
    assert one.measure({"discriminator": 0.6})["grid"] == pytest.approx(expected)


def test_each_warning_is_given_once_and_the_next_listener_hears_everything(tmp_path):
    heard = []
    one = watching(tmp_path, steps=10_000, on_log=lambda history: heard.append(len(history)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for count in range(1, 9):
            one(rows([100 * (i + 1) for i in range(count)], discriminator=0.01))
    assert [str(w.message).split(":")[0] for w in caught] == ["the discriminator wins"]
    assert heard == list(range(1, 9))
