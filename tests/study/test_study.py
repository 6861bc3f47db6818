"""The runs of the study at its budgets."""

import re
import sys
from dataclasses import replace

import pytest

from study import configs, runs
from study.__main__ import main
from study.disk import records
from study.images import downloads
from study.runs import locks

PROFILES = list(configs.PROFILES)


@pytest.fixture(params=PROFILES)
def budget(request):
    return configs.profile(request.param)


def run_main(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["study", *words])
    main()


def test_an_unknown_profile_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="smoke, laptop, gpu, paper; got 'laptpo'"):
        configs.profile("laptpo")


def test_no_run_is_listed_twice(budget):
    listed = configs.all_runs(budget)
    assert len({config.key for config in listed}) == len(listed)
    assert len({config.name for config in listed}) == len(listed)


def test_the_gpu_budget_is_the_paper_s_size_and_sampling_with_a_shorter_schedule():
    gpu, paper = configs.profile("gpu"), configs.profile("paper")
    assert gpu.network == paper.network
    for field in ("batch", "patch", "omega"):
        assert getattr(gpu.training, field) == getattr(paper.training, field)
    assert all(config.name.startswith("denoising") for config in configs.all_runs(gpu))


def test_every_run_is_of_its_budget(budget):
    for config in configs.all_runs(budget):
        if config.name.startswith(("denoising", "ablation")):
            assert config.network == budget.network or config == configs.without_skip(budget)
        assert config.data in (budget.data, f"{budget.data}-clean", "nam-train")
        if config.name.startswith("denoising"):
            assert replace(config.training, seed=0) == budget.training


def test_a_budget_has_as_many_seeds_of_each_method_as_it_says(budget):
    for method in configs.METHODS:
        first = configs.denoising(method, budget)
        repeated = [
            config
            for config in configs.all_runs(budget)
            if replace(config, name="", training=first.training) == replace(first, name="")
            and not config.name.startswith("ablation")
        ]
        assert sorted(config.training.seed for config in repeated) == list(
            configs.seeds_of(method, budget)
        )


def test_all_runs_hold_both_readings_of_equation_9(budget):
    found = [c for c in configs.all_runs(budget) if c.name.startswith("denoising")]
    targets = {config.task.noise_target for config in found}
    assert targets == {"fixed", "eq9"}


@pytest.mark.parametrize("name", [n for n in PROFILES if configs.PROFILES[n].ablations])
def test_an_ablation_changes_one_thing(name):
    budget = configs.profile(name)
    for changed in configs.ABLATIONS:
        of = "rank 4" if changed.startswith("rank 4, ") else "as released"
        base, config = configs.ablation(of, budget), configs.ablation(changed, budget)
        parts = config.control != base.control, config.training.omega != base.training.omega
        assert sum(parts) == (changed != of)
        assert replace(config.training, omega=base.training.omega) == base.training


def test_an_unknown_method_or_ablation_is_refused_with_the_names_there_are(budget):
    with pytest.raises(ValueError, match=r"method must be one of tunable, dni, .*; got 'dnl'"):
        configs.denoising("dnl", budget)
    with pytest.raises(ValueError, match=r"ablation must be one of as released, .*; got 'none'"):
        configs.ablation("none", budget)


def test_the_smoke_profile_needs_no_data_set():
    assert configs.profile("smoke").data == "samples-train"


def test_an_unknown_method_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"method must be .*tunable.*dni.*got 'dnj'"):
        configs.denoising("dnj", configs.profile("smoke"))


@pytest.mark.usefixtures("store")
def test_make_data_gets_all_that_the_runs_of_a_budget_are_trained_with(budget):
    needed = set().union(*map(configs.needs, configs.all_runs(budget)))
    assert needed <= set(downloads.PROFILES[budget.name])
    assert bool(needed) == (budget.name != "smoke")


def test_a_run_needs_its_images_its_teachers_and_its_paintings(config):
    laptop = configs.profile("laptop")
    assert configs.needs(config) == set()
    assert configs.needs(configs.denoising("tunable", laptop)) == {"bsds500"}
    assert configs.needs(configs.backbones.nafnet("tunable", "laptop")) == {"nam"}
    assert configs.needs(configs.style.transfer("tunable", laptop)) == {"bsds500", "style", "vgg19"}
    clean = {"bsds500-clean", "vgg19"}
    assert configs.needs(configs.super_resolution.resnet("tunable", laptop)) == clean
    assert configs.needs(configs.super_resolution.swinir("fixed", laptop)) == {"bsds500-clean"}


@pytest.mark.usefixtures("store")
def test_listing_trains_nothing(monkeypatch, capsys):
    monkeypatch.setattr(runs, "get", None)
    run_main(monkeypatch, "--profile", "smoke", "--list")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(configs.all_runs(configs.profile("smoke")))
    assert all(line.endswith(": missing") for line in lines)


@pytest.mark.usefixtures("store")
def test_the_list_says_what_a_run_took_and_reached_as_its_record_does(monkeypatch, capsys, config):
    monkeypatch.setattr(configs, "all_runs", lambda budget: [config])
    record = runs.get(config, progress=False).record
    run_main(monkeypatch, "--profile", "smoke", "--list")
    expected = f"on {record['device']}.*; reached loss {record['final']['loss']:.3g}, reconstruction"
    assert re.fullmatch(rf"tiny-{config.key}: \d+ s {expected} .*\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("seconds", "device", "words"),
    [
        (98.4, "NVIDIA H200", "98 s on NVIDIA H200"),
        (1422.4, "CPU arm64", "24 min on CPU arm64, 1 thread"),
        (40_000, "CPU arm64", "11.1 h on CPU arm64, 1 thread"),
    ],
)
def test_the_time_of_a_training_is_in_a_unit_that_can_be_read(seconds, device, words):
    assert records.took({"seconds": seconds, "device": device, "threads": 1}) == words


@pytest.mark.usefixtures("store")
def test_what_is_missing_is_trained_and_what_is_there_is_not(monkeypatch, capsys, config):
    monkeypatch.setattr(configs, "all_runs", lambda budget: [config, replace(config, data="samples")])
    runs.get(config, progress=False)
    trained = []
    monkeypatch.setattr(runs, "get", lambda config, wait: trained.append(config))
    run_main(monkeypatch, "--profile", "smoke")
    assert trained == [replace(config, data="samples")]
    assert f"tiny-{config.key}: missing" not in capsys.readouterr().out


@pytest.mark.usefixtures("store")
def test_the_missing_are_named_one_a_line_to_be_fanned_out(monkeypatch, capsys, config):
    other = replace(config, training=replace(config.training, seed=1))
    monkeypatch.setattr(configs, "all_runs", lambda budget: [config, other])
    runs.get(config, progress=False)
    run_main(monkeypatch, "--profile", "smoke", "--missing")
    assert capsys.readouterr().out == f"tiny-{other.key}\n"


@pytest.mark.usefixtures("store")
def test_weights_are_left_out_of_what_is_there_and_nothing_is_trained(monkeypatch, config):
    other = replace(config, training=replace(config.training, seed=1))
    monkeypatch.setattr(configs, "all_runs", lambda budget: [config, other])
    runs.get(config, progress=False)
    run_main(monkeypatch, "--profile", "smoke", "--without-weights")
    assert runs.find(config) is not None
    assert runs.find(config, weights=True) is None
    assert runs.find(other) is None


@pytest.mark.usefixtures("store")
def test_what_another_process_trains_is_left_to_it(monkeypatch, capsys, config):
    trained = []

    def get(config, wait):
        if config.training.seed == 0:
            raise locks.Busy("another process is training it")
        trained.append(config)

    other = replace(config, training=replace(config.training, seed=1))
    monkeypatch.setattr(configs, "all_runs", lambda budget: [config, other])
    monkeypatch.setattr(runs, "get", get)
    run_main(monkeypatch, "--profile", "smoke")
    assert trained == [other]
    assert "another process is training it" in capsys.readouterr().out


@pytest.mark.usefixtures("store")
def test_only_runs_of_that_name_are_trained(monkeypatch):
    trained = []
    monkeypatch.setattr(runs, "get", lambda config, wait: trained.append(config))
    run_main(monkeypatch, "--profile", "smoke", "--only", "eq9-2x8-seed0")
    assert [config.task.noise_target for config in trained] == ["eq9"]


def test_the_networks_of_table_2_differ_in_their_control_alone():
    for make in (configs.backbones.swinir, configs.backbones.nafnet):
        tunable, fixed = (make(control, "laptop") for control in ("tunable", "fixed"))
        assert replace(tunable, name="", control=fixed.control) == replace(fixed, name="")


def test_the_joint_runs_of_the_readings_differ_in_the_task_alone(budget):
    adapted, literal = (configs.joint("tunable", budget, reading=r) for r in ("adapted", "literal"))
    assert replace(adapted, name="", task=literal.task) == replace(literal, name="")


def test_dni_without_the_skip_differs_from_dni_from_scratch_in_nothing_else():
    budget = configs.profile("laptop")
    with_skip, without = configs.denoising("dni-scratch", budget), configs.without_skip(budget)
    assert without.network == replace(with_skip.network, image_skip=False)
    assert replace(without, name=with_skip.name, network=with_skip.network) == with_skip
    assert without in configs.all_runs(budget)
