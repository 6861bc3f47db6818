"""Runs by name: the right run, or an error of one sentence; never a training."""

import json
import shutil
from dataclasses import field, make_dataclass, replace

import pytest
import torch

from study import configs, runs
from study.controls import CFSNetConfig, DNIConfig, DyNetConfig, FiLMConfig, TunableConfig
from study.networks.third_party import NAFNetConfig, SwinIRConfig
from study.runs import keys, named, stored
from tunable_core.omega import OmegaSampling
from tunable_photo import networks, resnet
from tunable_photo.resnet import ResNetConfig

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def run(config, store):
    return runs.get(config, progress=False)


@pytest.fixture
def no_training(monkeypatch, run):
    monkeypatch.setattr(stored, "train", None)


@pytest.mark.usefixtures("no_training")
def test_a_run_is_loaded_by_its_name_or_by_its_folder(run):
    for name in ("tiny", run.folder.name):
        found = named.load(name)
        assert found.config == run.config
        states = found.control.state_dict(), run.control.state_dict()
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0] | states[1])


def test_names_are_those_of_the_finished_runs(run, store):
    (store / "runs" / "other-0123456789.part").mkdir()
    assert named.names() == [run.folder.name]


@pytest.mark.parametrize(
    "control",
    [TunableConfig(untuned=("tail.*",)), DNIConfig(None), DyNetConfig(), CFSNetConfig(), FiLMConfig()],
)
@pytest.mark.parametrize("network", [ResNetConfig(2, 4), SwinIRConfig(depths=(2, 2)), NAFNetConfig()])
def test_every_config_is_rebuilt_from_its_description(config, tmp_path, control, network):
    sampling = OmegaSampling("simplex", corners=(0.6, 0.1))
    training = replace(config.training, omega=sampling, clip=float("inf"))
    config = replace(config, control=control, network=network, training=training)
    (tmp_path / "run.json").write_text(json.dumps({"config": config.describe()}))
    assert named.rebuilt(tmp_path) == config


@pytest.mark.usefixtures("no_training")
def test_a_record_from_before_a_field_was_added_has_the_value_of_before(run, monkeypatch):
    added = field(default=0.1, metadata={keys.BEFORE: 0.0})
    wider = make_dataclass(
        "ResNetConfig", [("dropout", float, added)], bases=(ResNetConfig,), frozen=True
    )
    monkeypatch.setattr(resnet, "ResNetConfig", wider)
    found = named.load("tiny")
    assert found.config.network == wider(1, 4, dropout=0.0)
    assert found.folder == run.folder


@pytest.mark.usefixtures("no_training")
def test_a_name_that_is_not_there_is_refused_with_those_that_are(run):
    with pytest.raises(named.MissingRun, match=f"no run is called 'tny' .*there: {run.folder.name}"):
        named.load("tny")


def test_a_name_that_two_runs_have_is_refused_with_both(config, run):
    other = runs.get(replace(config, network=ResNetConfig(1, 5)), progress=False)
    both = ", ".join(sorted([run.folder.name, other.folder.name]))
    with pytest.raises(ValueError, match=f"several runs are called 'tiny': name one of {both}"):
        named.load("tiny")
    assert named.load(other.folder.name).config.network == ResNetConfig(1, 5)


@pytest.mark.usefixtures("no_training")
def test_the_command_finds_a_run_by_its_name(run):
    found = networks.network("tiny").state_dict()
    assert all(torch.equal(found[name], value) for name, value in run.control.state_dict().items())
    with pytest.raises(FileNotFoundError, match="no run is called 'tny'"):
        networks.network("tny")


@pytest.mark.usefixtures("no_training")
def test_the_released_denoiser_is_never_trained_but_named_with_the_way_to_get_it(run):
    released = configs.photographs.photo(configs.profile("laptop"))
    with pytest.raises(named.MissingRun) as caught:
        configs.released()
    for part in (f"{released.name}-{released.key}", "`make runs`", "data/runs", run.folder.name):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("no_training")
def test_the_released_denoiser_is_found(config, run, monkeypatch):
    monkeypatch.setattr(configs.photographs, "photo", lambda budget: config)
    assert configs.released().folder == run.folder


@pytest.mark.usefixtures("no_training")
def test_the_released_denoiser_without_its_weights_is_named_and_not_trained(config, run, monkeypatch):
    monkeypatch.setattr(configs.photographs, "photo", lambda budget: config)
    runs.drop_weights(run)
    with pytest.raises(named.MissingRun, match=r"tiny-\w+ is without its weights in .*check out"):
        configs.released()


@pytest.mark.usefixtures("no_training")
def test_a_run_without_its_weights_is_loaded_by_its_name_and_not_trained(run):
    runs.drop_weights(run)
    with pytest.raises(runs.WithoutWeights, match="'tiny' is stored without its weights"):
        _ = named.load("tiny").control


@pytest.mark.usefixtures("no_training")
def test_a_record_that_is_not_this_folders_is_refused(run):
    shutil.move(run.folder, run.folder.with_name("tiny-0123456789"))
    with pytest.raises(ValueError, match="tiny-0123456789 was written by another version"):
        named.load("tiny")


@pytest.mark.parametrize("change", ["type", "function", "field", "json"])
def test_a_record_of_another_version_is_refused(run, change):
    record = dict(run.record)
    if change == "type":
        record["config"]["network"]["type"] = "UNetConfig"
    if change == "function":
        record["config"]["network"] = {"type": "write_atomically", "path": "here", "content": "anything"}
    if change == "field":
        record["config"]["network"]["depth"] = 3
    text = json.dumps(record)
    (run.folder / "run.json").write_text(text[:-9] if change == "json" else text)
    with pytest.raises(ValueError, match=r"run.json describes no run of this version"):
        named.load("tiny")
