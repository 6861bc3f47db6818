"""Real faults of real runs: kills, full disks, folders that cannot be written or vanish.

TUNABLE_FAULTS says how often each kill is repeated (`make nightly`); twice otherwise.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest
import torch
from forks import Job

from study.disk import tensors
from study.images import datasets

pytestmark = pytest.mark.slow

REPEATS = int(os.environ.get("TUNABLE_FAULTS", "2"))
BEGIN = """
import sys
from pathlib import Path
from dataclasses import replace
import torch
torch.set_num_threads(1)
from study.images import datasets
from study.disk import tensors
from study import runs, configs
from study.training import loop
from study.controls import Blend
from study.measuring.sweep import DenoisingSweep, sweep
"""
TRAIN = """
loop.CHECKPOINT_SECONDS, loop.LOG_EVERY = 0, 5
config = configs.denoising("tunable", configs.profile("smoke"))
config = replace(config, training=replace(config.training, steps=120))
print("ready", flush=True)
print(runs.get(config, progress=False).record["weights"])
"""
SWEEP = """
config = configs.denoising("tunable", configs.profile("smoke"))
torch.manual_seed(0)
control = config.build()
print("ready", flush=True)
what = DenoisingSweep(images="samples-test", sigmas=(5.0, 30.0), crop=96)
sweep(control, what, label="it", progress=False)
"""
WRITE = """
print("ready", flush=True)
for i in range(10**6):
    tensors.save_tensors(Path(sys.argv[1]) / "it.safetensors", {"x": torch.full((300_000,), float(i))})
"""


def start(script: str, *arguments, **settings) -> Job:
    """A process that runs the script; it is ready when this returns."""
    process = Job(BEGIN + script, *arguments, **settings)
    assert process.stdout.readline() == "ready\n"
    return process


def killed_at_random(script: str, chance: random.Random, longest: float, *arguments) -> bool:
    """Whether the process was killed before its end."""
    process = start(script, *arguments)
    time.sleep(chance.uniform(0, longest))
    process.kill()
    process.rest()
    return process.codes != [0]


def ended(script: str, *arguments) -> str:
    return start(script, *arguments).ended()


def test_a_training_killed_again_and_again_ends_with_the_same_bits(store, monkeypatch, record_property):
    chance = random.Random(0)
    killed = sum(killed_at_random(TRAIN, chance, 1.5) for _ in range(REPEATS))
    resumed = ended(TRAIN)
    record_property("kills", killed)
    assert killed
    monkeypatch.setenv("TUNABLE_RUNS", str(store / "another"))
    assert ended(TRAIN) == resumed
    assert not list(store.rglob("*.part"))


def test_a_sweep_killed_again_and_again_is_the_same_table(store, monkeypatch, record_property):
    chance = random.Random(1)
    killed = sum(killed_at_random(SWEEP, chance, 0.4) for _ in range(REPEATS))
    record_property("kills", killed)
    assert killed
    ended(SWEEP)
    (disturbed,) = (store / "sweeps").rglob("it-samples-test-*.csv")
    monkeypatch.setenv("TUNABLE_RUNS", str(store / "another"))
    ended(SWEEP)
    (undisturbed,) = (store / "another/sweeps").rglob("it-samples-test-*.csv")
    tables = [path.read_bytes().partition(b"\n")[2] for path in (disturbed, undisturbed)]
    assert tables[0] == tables[1]


def test_a_file_written_by_a_killed_process_is_whole(tmp_path, record_property):
    chance = random.Random(2)
    record_property("kills", REPEATS)
    for _ in range(REPEATS):
        assert killed_at_random(WRITE, chance, 0.5, tmp_path)
        found, _ = tensors.load_tensors(tmp_path / "it.safetensors")
        assert (found["x"] == found["x"][0]).all()


def test_a_disk_that_is_full_costs_the_new_file_and_not_the_old(tmp_path):
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1]) / "it.safetensors"
tensors.save_tensors(path, {"x": torch.ones(10)})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
print("ready", flush=True)
try:
    tensors.save_tensors(path, {"x": torch.zeros(100_000)})
except OSError as error:
    print(error)
"""
    assert "too large" in ended(script, tmp_path)
    found, _ = tensors.load_tensors(tmp_path / "it.safetensors")
    assert torch.equal(found["x"], torch.ones(10))
    assert [path.name for path in tmp_path.iterdir()] == ["it.safetensors"]


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="needs root, to give it up")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    script = """
import os
os.setgid(65534); os.setuid(65534)
print("ready", flush=True)
try:
    runs.get(configs.denoising("tunable", configs.profile("smoke")), progress=False)
except OSError as error:
    print(error)
"""
    if not all(folder.stat().st_mode & 0o001 for folder in datasets.REPOSITORY.parents):
        pytest.skip(f"only its owner may enter the folders around {datasets.REPOSITORY}")
    closed = tmp_path / "store"
    closed.mkdir(mode=0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005 and folder.owner() == "root":
            folder.chmod(folder.stat().st_mode | 0o055)
    said = start(script, TUNABLE_RUNS=closed).ended()
    assert "Permission denied" in said
    assert str(closed) in said
    assert list(closed.iterdir()) == []


def test_a_data_folder_that_vanishes_is_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    source = os.environ.get("TUNABLE_FAULTS_DATA") or datasets.REPOSITORY.parent / "shared/data"
    if not (Path(source) / "set5").is_dir():
        pytest.skip("set5 is not at hand")
    shutil.copytree(Path(source) / "set5", tmp_path / "set5")
    images = datasets.load("set5")
    assert images[0].ndim == 3
    shutil.rmtree(tmp_path / "set5")
    with pytest.raises(datasets.MissingData, match=r"set5/.* is missing .*make data DATASETS=set5"):
        images[1]
