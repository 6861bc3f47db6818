"""Style transfer from its runs to its tables."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from PIL import Image

from study import configs, runs
from study.controls import PixelBlend
from study.images import datasets
from study.measuring import sweep_files
from study.measuring.style_sweep import StyleSweep, ring
from study.measuring.sweep import average, key, measure, sweep
from study.networks import StyleNetConfig
from study.runs import named
from study.tasks.style import StyleLoss
from tunable_core.omega import simplex_grid

SMOKE, LAPTOP = configs.profile("smoke"), configs.profile("laptop")


@pytest.fixture
def tiny(store):
    """The smoke run on embedded photographs, shorter."""
    return configs.style.transfer("tunable", SMOKE, steps=2)


def what(config, **settings):
    omegas = tuple(tuple(w) for w in simplex_grid(3, 1).tolist())
    return StyleSweep(
        "samples-test",
        omegas=omegas,
        styles=config.task.styles,
        layer=config.task.layer,
        every=3,
        crop=64,
        **settings,
    )


# Runs


def test_the_released_runs_are_known_without_any_data(store):
    config = configs.style.transfer("tunable", LAPTOP)
    assert [each.name for each in config.task.styles] == ["mosaic", "edtaonisl", "kandinsky"]
    assert config.task.layer == "relu3_3"
    assert config.build().num_objectives == 3


def test_the_runs_that_keep_the_colours_are_beside_the_released_ones(store):
    released = configs.style.transfer("tunable", LAPTOP)
    keeping = configs.style.keeping("tunable")
    assert [each.name for each in keeping.task.styles] == [each.name for each in released.task.styles]
    assert keeping.network.around == "colours"
    assert keeping.key != released.key
    assert keeping.name != released.name


def test_smoke_needs_no_data_set_and_says_what_stands_in(tiny):
    assert [each.name for each in tiny.task.styles] == list(configs.style.STAND_INS)
    assert tiny.task.layer == "pixels"
    run = runs.get(tiny, progress=False)
    assert {f"style {name}" for name in configs.style.STAND_INS} <= set(run.history.columns)


def test_only_smoke_takes_stand_ins(store):
    for budget in (LAPTOP, configs.profile("paper")):
        made = configs.style.transfer("tunable", budget)
        assert [each.name for each in made.task.styles] == list(configs.style.STYLES)


def test_a_run_is_found_again_by_its_name_and_its_record_names_no_place(tiny):
    run = runs.get(tiny, progress=False)
    again = named.load(tiny.name)
    assert again.config == dataclasses.replace(tiny)
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(again.control(x, [0.2, 0.3, 0.5]), run.control(x, [0.2, 0.3, 0.5]))


def test_a_style_of_the_user_s_takes_the_place_of_one_of_the_paper_s(store, tmp_path):
    Image.new("RGB", (90, 80), "red").save(tmp_path / "my wave.png")
    config = configs.style.transfer(
        "tunable", LAPTOP, ["mosaic", str(tmp_path / "my wave.png")], steps=7
    )
    assert [each.name for each in config.task.styles] == ["mosaic", "my-wave"]
    assert config.name == "style-tunable-mosaic-my-wave-laptop-seed0"
    assert config.training.steps == 7
    assert config.training.omega.draw(2, torch.Generator()).shape == (1, 2)
    assert str(tmp_path) not in str(config.describe())
    assert config.key != configs.style.transfer("tunable", LAPTOP, steps=7).key


@pytest.mark.parametrize(
    "make", [lambda method: configs.style.transfer(method, LAPTOP), configs.style.keeping]
)
def test_dni_has_no_more_steps_in_all_than_the_others(make):
    steps = {}
    for method in configs.style.METHODS:
        config = make(method)
        stages = config.build().stages()
        steps[method] = sum(config.training.steps * stage.share for stage in stages)
    assert steps["tunable"] == steps["film"]
    assert steps["tunable"] <= steps["dni"] < steps["tunable"] + 3


def test_the_paper_s_profile_has_the_paper_s_network_and_training():
    config = configs.style.transfer("tunable", configs.profile("paper"))
    assert config.network == StyleNetConfig()
    training = config.training
    assert (training.steps, training.batch, training.patch) == (40_000, 4, 384)
    assert (training.lr, training.weight_decay, training.schedule) == (1e-4, 1e-5, "constant")
    assert training.omega.kind == "uniform"


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method must be one of tunable, dni, film; got 'dynet'"):
        configs.style.transfer("dynet", SMOKE)


def test_two_trainings_with_one_seed_give_the_same_network(tiny, store, tmp_path, monkeypatch):
    first = runs.get(tiny, progress=False)
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path / "another store"))
    second = runs.get(tiny, progress=False)
    assert first.folder != second.folder
    for a, b in zip(first.control.parameters(), second.control.parameters(), strict=True):
        assert torch.equal(a, b)


# Sweeps


def test_a_sweep_measures_what_the_training_minimises(tiny):
    control = tiny.build().eval()
    frame = measure(control, what(tiny), progress=False)
    assert len(frame) == 3
    image = datasets.load("samples-test")["astronaut"].float()[None, :, 224:288, 224:288] / 255
    loss = StyleLoss(tiny.task.styles, tiny.task.layer)
    for row in frame.itertuples():
        omega = torch.tensor([row.omega_1, row.omega_2, row.omega_3])
        with torch.no_grad():
            output = control(image, omega)
            total, means = loss(output, image, image, omega)
        found = [row.loss_1, row.loss_2, row.loss_3]
        assert found == pytest.approx([mean.item() for mean in means.values()], rel=1e-4)
        assert total.item() == pytest.approx((omega * torch.tensor(found)).sum().item(), rel=1e-4)
        outside = ((output < 0) | (output > 1)).float().mean()
        assert row.outside == pytest.approx(outside.item())


def test_a_kept_sweep_is_found_without_style_images_and_weights(tiny, monkeypatch):
    control = tiny.build().eval()
    before = sweep(control, what(tiny), progress=False)
    monkeypatch.setattr(StyleLoss, "look", None)
    after = sweep(control, what(tiny), progress=False)
    assert before.equals(after)
    assert {"loss_1", "gram_3", "vgg_2", "tv", "uv", "psnr"} <= set(average(after, _dials(3)))


def test_sweeps_of_other_styles_or_weights_are_separate(tiny):
    control = tiny.build().eval()
    first = what(tiny)
    other = [dataclasses.replace(each, gram=9.0) for each in first.styles]
    second = dataclasses.replace(first, styles=tuple(other))
    frames = [sweep(control, each, progress=False) for each in (first, second)]
    assert frames[0]["loss_1"].lt(frames[1]["loss_1"]).all()


def test_a_heavier_weight_of_the_colours_is_another_sweep_with_larger_losses(tiny):
    control = tiny.build().eval()
    first = what(tiny)
    heavier = tuple(dataclasses.replace(each, uv=2.0) for each in first.styles)
    second = dataclasses.replace(first, styles=heavier)
    frames = [sweep(control, each, progress=False) for each in (first, second)]
    assert key(control, first) != key(control, second)
    assert frames[0]["loss_1"].lt(frames[1]["loss_1"]).all()


@pytest.mark.usefixtures("store")
def test_a_sweep_is_found_by_the_file_of_vgg_19_that_it_looked_through(monkeypatch):
    config = configs.style.transfer("tunable", LAPTOP)
    control, seen = config.build(), what(config)
    keys = {}
    for file in datasets.digests("vgg19"):
        used = [file, *(one for one in datasets.digests("vgg19") if one != file)]
        with monkeypatch.context() as patch:
            patch.setattr(datasets, "digests", lambda name, used=used: used)
            keys[file] = sweep_files.keys(control, seen)
    first = {file: found[0] for file, found in keys.items()}
    assert len({*first.values()}) == len(first) == 2
    assert len({frozenset(found) for found in keys.values()}) == 1  # each is found with either file
    pixels = dataclasses.replace(seen, layer="pixels")
    assert len(sweep_files.keys(control, pixels)) == 1


def test_the_ring_goes_corner_to_corner_and_back_with_equal_steps():
    omegas = torch.tensor(ring(3, 4))
    assert len(omegas) == 13
    assert [omegas[i].argmax().item() for i in (0, 4, 8, 12)] == [0, 1, 2, 0]
    assert torch.equal(omegas[0], omegas[-1])
    torch.testing.assert_close(omegas.sum(1), torch.ones(13))
    steps = omegas.diff(dim=0).norm(dim=1)
    torch.testing.assert_close(steps, steps[:1].expand(12))


def test_a_blend_in_pixels_serves_three_dials(tiny, close):
    control = tiny.build().eval()
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        corners = control.outputs(x, torch.eye(3))
        mixed = PixelBlend(control)(x, [0.2, 0.3, 0.5])
    close(mixed, sum(w * y for w, y in zip((0.2, 0.3, 0.5), corners, strict=True)))


def _dials(p):
    return [f"omega_{i + 1}" for i in range(p)]
