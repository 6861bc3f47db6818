"""A training once more: the same bits on this machine, and measured as its sweep was."""

from dataclasses import replace

import pytest

from tunable_core import reruns, runs
from tunable_core.reruns import again, apart
from tunable_core.sweep import DenoisingSweep, sweep

WHAT = DenoisingSweep(images="samples-test", sigmas=(15.0,), omegas=((0.0, 1.0), (1.0, 0.0)), crop=16)


@pytest.fixture
def kept(config, store):
    """A run, and a sweep of it."""
    return sweep(runs.get(config, progress=False), WHAT, "tiny", progress=False)


def test_the_same_seed_gives_the_same_numbers_on_this_machine(config, kept):
    differences = apart(kept, again(config, "tiny", "samples-test", progress=False))
    assert list(differences.index) == [(0.0, 1.0), (1.0, 0.0)]
    assert (differences == 0).all(axis=None)


def test_another_seed_does_not(config, kept):
    other = replace(config, training=replace(config.training, seed=1))
    assert (apart(kept, again(other, "tiny", "samples-test", progress=False))["psnr"] != 0).all()


def test_every_time_is_kept(config, kept):
    for times in (1, 2):
        again(config, "tiny", "samples-test", progress=False)
        found = reruns.reruns("tiny", "samples-test")
        assert [frame.attrs["record"]["name"] for frame in found] == [
            f"again-{time}-tiny" for time in range(1, times + 1)
        ]
    assert reruns.reruns("other", "samples-test") == []


def test_without_the_sweep_nothing_is_trained(config, store):
    with pytest.raises(FileNotFoundError, match="no sweep 'tiny' on 'samples-test'"):
        again(config, "tiny", "samples-test", progress=False)
