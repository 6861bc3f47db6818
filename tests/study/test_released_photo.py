"""The networks of the command are those of the store, and their dials are the measured ones."""

import json

import pandas as pd
import pytest
import torch

from study import configs
from study.chapters import photographs_release
from study.measuring.photo_sweep import ALONG
from tunable_core import Tunable
from tunable_photo import networks


@pytest.mark.parametrize("name", ["photo", "paper"])
def test_the_weights_that_the_command_brings_are_those_of_the_run(name):
    brought, stored = (
        networks.network(name).state_dict(),
        _stored(name).state_dict(),
    )
    assert brought.keys() == stored.keys()
    assert all(torch.equal(brought[key], stored[key]) for key in stored)
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        answers = [one.eval()(x, [0.7, 0.3]) for one in (networks.network(name), _stored(name))]
    assert torch.equal(*answers)


def _stored(name):
    return photographs_release.model(photographs_release.brought()[name])


def test_the_dial_that_the_command_brings_is_the_measured_one():
    written = json.loads((networks.RELEASED / "photo" / "dial.json").read_text())
    assert written == json.loads(json.dumps(photographs_release.measured()))


def test_the_dial_falls_from_preservation_to_fidelity():
    dial = networks.dial("photo")
    assert dial is not None
    assert dial.omega[0] == (0.0, 1.0)
    assert dial.omega[-1] == (1.0, 0.0)
    assert list(dial.kept) == sorted(dial.kept, reverse=True)


def test_a_dial_is_the_mean_over_kinds_levels_and_photographs():
    rows = [
        {"image": i, "kind": kind, "sigma": s, "omega_1": a, "omega_2": b, "kept": b * (1 + i) / 2}
        for i in (0, 1)
        for kind in ("grey", "colour")
        for s in (10.0, 20.0)
        for a, b in ALONG
    ]
    found = photographs_release.dial(pd.DataFrame(rows), (0.0, 35.0))
    assert found["omega"][0] == [0.0, 1.0]
    assert found["kept"][0] == pytest.approx(0.75)
    assert found["kept"][-1] == 0
    assert found["sigma"] == [0.0, 35.0]


def test_every_network_has_a_page_that_says_for_which_photographs_it_is():
    for name in networks.released():
        text = (networks.RELEASED / name / "README.md").read_text()
        assert photographs_release.brought()[name].name in text
        assert "photographs" in text


def test_the_run_must_be_in_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path))
    config = configs.photographs.photo(configs.profile("laptop"))
    with pytest.raises(FileNotFoundError, match="is not in the store"):
        photographs_release.model(config)


def test_the_network_is_a_tunable_of_two_dials():
    model = networks.network()
    assert isinstance(model, Tunable)
    assert model.p == 2
