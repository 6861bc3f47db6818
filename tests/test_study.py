"""The runs of the study at its budgets."""

import sys
from dataclasses import replace

import pytest

from tunable_core import runs, study
from tunable_core.controls import DNIConfig, TunableConfig

PROFILES = list(study.PROFILES)


@pytest.fixture(params=PROFILES)
def budget(request):
    return study.profile(request.param)


def run_main(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["study", *words])
    study.main()


def test_an_unknown_profile_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="smoke, laptop, paper; got 'laptpo'"):
        study.profile("laptpo")


def test_no_run_is_listed_twice(budget):
    configs = study.all_runs(budget)
    assert len({config.key for config in configs}) == len(configs)
    assert len({config.name for config in configs}) == len(configs)


def test_every_run_is_of_its_budget(budget):
    for config in study.all_runs(budget):
        assert config.network == budget.network
        assert config.data == budget.data
        assert replace(config.training, seed=0) == budget.training


def test_a_budget_has_as_many_seeds_of_the_tunable_network_as_it_says(budget):
    first = study.denoising("tunable", budget)
    repeated = [
        config
        for config in study.all_runs(budget)
        if replace(config, name="", training=first.training) == replace(first, name="")
    ]
    assert sorted(config.training.seed for config in repeated) == list(range(budget.seeds))


def test_all_runs_hold_both_readings_of_equation_9_and_dni(budget):
    kinds = {
        (type(config.control), config.task.noise_target)
        for config in study.all_runs(budget)
        if config.training.seed == 0
    }
    assert kinds == {(TunableConfig, "fixed"), (TunableConfig, "eq9"), (DNIConfig, "fixed")}


def test_the_smoke_profile_needs_no_data_set():
    assert study.profile("smoke").data == "samples-train"


def test_an_unknown_method_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"method must be .*tunable.*dni.*got 'dnj'"):
        study.denoising("dnj", study.profile("smoke"))


@pytest.mark.usefixtures("store")
def test_listing_trains_nothing(monkeypatch, capsys):
    monkeypatch.setattr(runs, "get", None)
    run_main(monkeypatch, "--profile", "smoke", "--list")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(study.all_runs(study.profile("smoke")))
    assert all(line.endswith(": missing") for line in lines)


@pytest.mark.usefixtures("store")
def test_what_is_missing_is_trained_and_what_is_there_is_not(monkeypatch, capsys, config):
    monkeypatch.setattr(study, "all_runs", lambda budget: [config, replace(config, data="samples")])
    runs.get(config, progress=False)
    trained = []
    monkeypatch.setattr(runs, "get", trained.append)
    run_main(monkeypatch, "--profile", "smoke")
    assert trained == [replace(config, data="samples")]
    assert f"tiny-{config.key}: in runs" in capsys.readouterr().out


@pytest.mark.usefixtures("store")
def test_only_runs_of_that_name_are_trained(monkeypatch):
    trained = []
    monkeypatch.setattr(runs, "get", trained.append)
    run_main(monkeypatch, "--profile", "smoke", "--only", "eq9")
    assert [config.task.noise_target for config in trained] == ["eq9"]
