"""Keys of runs: equal for equal configs, different for everything that determines the weights."""

import dataclasses
import json
import re
import typing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from study.controls import CFSNetConfig, DNIConfig, FiLMConfig, TunableConfig
from study.controls.base import Stage
from study.images import datasets
from study.runs import keys, named
from study.tasks import Denoising, StyleTransfer
from study.tasks.style import Style
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNetConfig

DEFAULTS = Path(__file__).with_name("defaults.json")


def variants(value, path=""):
    """(path, changed) for every field at any depth of a config, each changed alone."""
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        content, here = getattr(value, field.name), f"{path}{field.name}"
        if dataclasses.is_dataclass(content):
            changes = variants(content, f"{here}.")
        else:
            changes = [(here, changed(content, hints[field.name]))]
        for name, change in changes:
            yield name, replace(value, **{field.name: change})


def changed(value, hint):
    """Another value that the field allows."""
    if isinstance(value, tuple):
        return tuple(changed(item, None) for item in value) or (0.1, 0.2)
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value / 2 + 0.1
        case None:
            return 3
        case _:
            others = typing.get_args(hint) or ("samples-test",)
            return next(other for other in others if other != value)


def test_the_key_changes_with_every_field_but_the_name(config):
    for base in (config, replace(config, control=DNIConfig())):
        keys = {path: variant.key for path, variant in variants(base)}
        assert keys.pop("name") == base.key
        if not getattr(base.control, "draws_omegas", True):
            idle = [path for path in keys if path.startswith("training.omega")]
            assert idle
            assert all(keys.pop(path) == base.key for path in idle)
        assert len(keys) >= 17
        assert base.key not in keys.values()
        assert len(set(keys.values())) == len(keys), keys


def test_the_key_changes_with_the_method(config):
    assert replace(config, control=DNIConfig()).key != config.key


def test_the_key_changes_with_the_content_of_the_images(config, monkeypatch):
    before = config.key
    monkeypatch.setattr(datasets, "checksum", lambda name: "0" * 64)
    assert config.key != before


@pytest.mark.parametrize(
    ("control", "decides"),
    [(TunableConfig(), True), (FiLMConfig(), True), (DNIConfig(), False), (CFSNetConfig(), False)],
)
def test_the_sampling_of_omegas_is_in_the_key_of_controls_that_draw_them(config, control, decides):
    config = replace(config, control=control)
    other = replace(config, training=replace(config.training, omega=OmegaSampling("simplex")))
    assert (config.key != other.key) == decides


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Denoising(sigma=(15, 50)), Denoising(sigma=(15.0, 50.0))),
        (Denoising(nu=1), Denoising(nu=1.0)),
        (Denoising(sigma=(-0.0, 50.0)), Denoising(sigma=(0.0, 50.0))),
        (Denoising(sigma=(np.float64(5), np.int64(30))), Denoising()),
        (
            StyleTransfer((Style("a", "0" * 64, gram=1),)),
            StyleTransfer((Style("a", "0" * 64, gram=1.0),)),
        ),
    ],
)
def test_equal_configs_have_equal_keys(config, one, other):
    assert one == other
    assert replace(config, task=one).key == replace(config, task=other).key


def test_large_seeds_have_keys_of_their_own(config):
    one, other = (replace(config, training=replace(config.training, seed=s)) for s in (2**60, 2**60 + 1))
    assert one.key != other.key


def test_a_changed_default_changes_the_key(config):
    changed = dataclasses.make_dataclass(
        "ResNetConfig", [("head_relu", bool, False)], bases=(ResNetConfig,), frozen=True
    )
    assert replace(config, network=changed(1, 4)).key != config.key


def test_a_field_added_later_changes_no_key_while_it_has_the_value_of_before(config):
    added = dataclasses.field(default=0.1, metadata={keys.BEFORE: 0.0})
    wider = dataclasses.make_dataclass(
        "ResNetConfig", [("dropout", float, added)], bases=(ResNetConfig,), frozen=True
    )
    assert replace(config, network=wider(1, 4, dropout=0.0)).key == config.key
    assert replace(config, network=wider(1, 4)).key != config.key


def test_the_key_changes_with_the_meaning_of_the_task(config):
    @dataclass(frozen=True)
    class Denoising2(Denoising):
        meaning: ClassVar[int] = 2

    @dataclass(frozen=True)
    class Denoising1(Denoising):
        pass

    Denoising1.__name__ = Denoising2.__name__ = "Denoising"
    assert replace(config, task=Denoising1()).key == config.key
    assert replace(config, task=Denoising2()).key != config.key


def test_the_key_changes_with_the_file_of_the_teacher_that_is_in_use(config, monkeypatch):
    config = replace(config, task=StyleTransfer((Style("a", "0" * 64),)))
    extract = datasets.File(Path("vgg19"), 1, datasets.EXTRACTS["vgg19"].sha256)
    whole = datasets.File(Path("vgg19"), 1, datasets.rows_of("vgg19")[0]["sha256"])
    found = {}
    describe = datasets.describe
    for file in (extract, whole):
        with monkeypatch.context() as context:
            context.setattr(
                datasets,
                "describe",
                lambda name, file=file: (
                    replace(describe(name), files=[file]) if name == "vgg19" else describe(name)
                ),
            )
            found[file.sha256] = keys.keys(config)
            assert config.key == found[file.sha256][0]
    assert found[extract.sha256] == found[whole.sha256][::-1]


def test_a_task_without_teachers_has_one_key(config):
    assert keys.keys(config) == [config.key]


def defaults() -> dict[str, dict]:
    """Every default of every class of configs, as plain data."""
    classes = {
        kind
        for module in named.MODULES
        for kind in vars(module).values()
        if dataclasses.is_dataclass(kind) and kind is not Stage
    }
    return {
        kind.__name__: {
            f.name: keys.plain(
                f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            )
            for f in dataclasses.fields(kind)
            if (f.default, f.default_factory) != (dataclasses.MISSING, dataclasses.MISSING)
        }
        for kind in classes
    }


def test_no_two_classes_of_configs_share_a_name():
    """A record names the classes of its config by their names alone."""
    known: dict[str, set[type]] = {}
    for module in named.MODULES:
        for kind in vars(module).values():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind):
                known.setdefault(kind.__name__, set()).add(kind)
    assert {name: kinds for name, kinds in known.items() if len(kinds) > 1} == {}


def test_the_defaults_of_released_configs_are_those_that_were_written_down():
    """A changed default gives every run that relies on it another key: released runs are lost.

    A field that was added needs metadata={"before": the value that earlier runs had}.
    """
    written = json.loads(DEFAULTS.read_text())
    now = json.loads(json.dumps(defaults()))
    assert {name: now.get(name) for name in written} == written


def test_the_defaults_of_every_config_of_a_released_run_are_written_down():
    records = (datasets.REPOSITORY / "data/runs").glob("*/run.json")
    used = {kind for path in records for kind in re.findall(r'"type": "(\w+)"', path.read_text())}
    assert len(used) > 10
    assert sorted((used & defaults().keys()) - json.loads(DEFAULTS.read_text()).keys()) == []
