"""A repeated training: the same bits on this machine, and measured by the same sweep."""

from dataclasses import dataclass, replace

import pytest
from torch import nn

from study import configs, runs
from study.chapters.denoising_details import pair
from study.controls import DNIConfig, DyNetConfig
from study.measuring.reruns import again, apart, begun_alike, unordered
from study.measuring.sweep import DenoisingSweep, key, repeats, sweep

WHAT = DenoisingSweep(images="samples-test", sigmas=(15.0,), omegas=((0.0, 1.0), (1.0, 0.0)), crop=16)


@pytest.fixture
def kept(config, store):
    """A run, and a sweep of it."""
    return sweep(runs.get(config, progress=False), WHAT, progress=False)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_on_this_machine(config, kept):
    differences = apart(kept, again(config, WHAT, progress=False))
    assert list(differences.index) == [(0.0, 1.0), (1.0, 0.0)]
    assert (differences == 0).all(axis=None)


def test_another_seed_does_not(config, kept):
    other = replace(config, training=replace(config.training, seed=1))
    sweep(runs.get(other, progress=False), WHAT, progress=False)
    assert (apart(kept, again(other, WHAT, progress=False))["psnr"] != 0).all()


def test_every_time_is_kept(config, kept):
    run = runs.get(config, progress=False)
    for times in (1, 2):
        again(config, WHAT, progress=False)
        names = [frame.attrs["record"]["name"] for frame in repeats(run, WHAT)]
        assert names == [f"again-{n}-{config.name}-{key(run, WHAT)}" for n in range(1, times + 1)]
    assert repeats(run, replace(WHAT, crop=20)) == []


def test_without_the_sweep_nothing_is_trained(config, store):
    with pytest.raises(FileNotFoundError, match="run 'tiny' is not in the store"):
        again(config, WHAT, progress=False)


@pytest.mark.slow
def test_runs_that_begin_with_the_same_training_are_found_and_compared(config, store):
    config = replace(config, network=replace(config.network, blocks=2))  # DyNet halves them
    configs = [
        replace(config, name=name, control=control)
        for name, control in {
            "dni": DNIConfig(),
            "scratch": DNIConfig(fine_tune=None),
            "dynet": DyNetConfig(),
            "tunable": config.control,
        }.items()
    ]
    configs.append(replace(configs[0], name="other", training=replace(config.training, seed=1)))
    assert begun_alike(configs).empty  # nothing is trained for it
    for each in configs:
        runs.get(each, progress=False)
    pairs = begun_alike(configs)
    assert pairs[["first", "second"]].values.tolist() == [["dni", "scratch"]]
    assert pairs.steps.item() == config.training.steps
    assert pairs.difference.item() == 0  # on a CPU


def test_the_difference_of_two_histories_is_measured(config, store, monkeypatch):
    alike = [replace(config, control=DNIConfig()), replace(config, control=DNIConfig(fine_tune=None))]
    found = {c.key: runs.get(c, progress=False) for c in alike}
    found[alike[1].key].history.loc[0, "loss"] *= 1.001
    monkeypatch.setattr(runs, "get", lambda config, **_: found[config.key])
    assert begun_alike(alike).difference.item() == pytest.approx(0.001, rel=0.01)


class Bordered(nn.Module):
    """A convolution of a reflected image, one more reflected, and one enlarged and shrunk again."""

    def __init__(self, enlarge: bool) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 3)
        self.enlarge = enlarge

    def forward(self, x):
        x = self.second(nn.functional.pad(self.first(x), [1] * 4, mode="reflect"))
        if self.enlarge:
            x = nn.functional.interpolate(x, scale_factor=2, mode="bicubic")[..., ::2, ::2]
        return x


@dataclass(frozen=True)
class BorderedConfig:
    enlarge: bool

    def build(self) -> nn.Module:
        return Bordered(self.enlarge)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore:'saved_variables'")  # from third-party code
def test_trainings_of_the_study_add_in_order_but_for_convolutions(store):
    kinds = {}
    for config in configs.all_runs(configs.profile("smoke")):
        kinds.setdefault((type(config.task), type(config.network)), config)
    assert len(kinds) > 5
    assert all(unordered(config) == ["convolution"] for config in kinds.values())


def test_operators_without_an_order_are_named(config, store):
    plain = unordered(config)
    assert plain == ["convolution"]
    reflected = unordered(replace(config, network=BorderedConfig(False)))
    assert reflected == ["convolution", "reflected border"]
    enlarged = unordered(replace(config, network=BorderedConfig(True)))
    assert enlarged == ["convolution", "reflected border", "interpolation"]


@pytest.mark.parametrize(
    ("first", "second", "short"),
    [
        ("denoising-dni-8x32-seed0", "denoising-dynet-8x32-seed0", "denoising, dni and dynet, seed0"),
        ("sr-a-smooth-8x32-x-seed1", "sr-b-8x32-x-seed1", "sr, a-smooth and b, seed1"),
        ("denoising-dni-8x32-seed0", "joint-fixed-8x32-seed0", "{first} and {second}"),
    ],
)
def test_two_runs_of_one_seed_have_a_short_name(first, second, short):
    assert pair(first, second) == short.format(first=first, second=second)
