"""Two jobs of two processes on one store: each run is trained by one of them, as by a single job."""

from __future__ import annotations

import json
import time
from pathlib import Path

import filelock
import pytest
import torch
from forks import Job

from study.disk.tensors import load_tensors

SCRIPT = """
import sys
from dataclasses import replace
from datetime import timedelta
import torch
torch.set_num_threads(1)
from study.runs import locks
from study.training import processes
from study import runs, configs
from study.__main__ import main
base = configs.denoising("tunable", configs.profile("smoke"))
def seeded(seed):
    training = replace(base.training, seed=seed, precision="float32")
    return replace(base, name=f"seed{seed}", training=training)
"""
BOTH = (
    SCRIPT
    + """
configs.all_runs = lambda budget: [seeded(0), seeded(1)]
sys.argv = ["study", "--profile", "smoke"]
main()
"""
)
PATIENCE = 4
"""Seconds that the processes wait for each other in a test."""
WAITING = (
    SCRIPT
    + f"""
processes.PATIENCE, locks.POLL = timedelta(seconds={PATIENCE}), 0.5
processes.join()
sys.stdout.write("waiting\\n")  # one write, since both processes say it into one pipe
sys.stdout.flush()
runs.get(seeded(0), progress=False)
sys.stdout.write("found\\n")
"""
)
ASTRAY = (
    SCRIPT
    + """
processes.join()
try:
    runs.get(seeded(processes.rank()), progress=False)
except ValueError as error:
    print(error, flush=True)
"""
)


def job(store: Path, script: str, processes: int = 2) -> Job:
    """Start the script on a store."""
    store.mkdir(parents=True, exist_ok=True)
    return Job(script, processes=processes, TUNABLE_RUNS=store)


def weights(store: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Run name -> its weights, for the finished runs of a store."""
    found = {}
    for path in (store / "runs").glob("*/run.json"):
        found[json.loads(path.read_text())["name"]] = load_tensors(
            path.with_name("weights.safetensors")
        )[0]
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, dict[str, torch.Tensor]]:
    """The weights of both runs, trained by one job that has the store to itself."""
    store = tmp_path_factory.mktemp("alone") / "store"
    job(store, BOTH).ended()
    return weights(store)


def check_same(found, expected) -> None:
    for name, tensors in found.items():
        for part, tensor in tensors.items():
            torch.testing.assert_close(tensor, expected[name][part], atol=1e-5, rtol=1e-4, msg=name)


def test_two_jobs_at_once_train_every_run_as_one_job_does(tmp_path, alone):
    store = tmp_path / "store"
    for started in [job(store, BOTH) for _ in range(2)]:
        started.ended()
    found = weights(store)
    assert found.keys() == {"seed0", "seed1"}
    check_same(found, alone)


def test_the_two_runs_differ_by_more_than_the_tolerance_of_these_tests(alone):
    with pytest.raises(AssertionError):
        check_same({"seed0": alone["seed1"]}, alone)


def test_a_job_leaves_a_run_that_another_trains_to_it_and_all_its_processes_say_so(tmp_path, alone):
    store = tmp_path / "store"
    (store / "runs").mkdir(parents=True)
    missing = [line for line in listing(store).ended().splitlines() if line.startswith("seed0")]
    with filelock.FileLock(store / "runs" / f"{missing[0]}.lock"):
        output = job(store, BOTH).ended()
    assert output.count("another process is training 'seed0'") == 2
    found = weights(store)
    assert found.keys() == {"seed1"}
    check_same(found, alone)


def listing(store: Path) -> Job:
    return job(store, BOTH.replace('"smoke"]', '"smoke", "--missing"]'), processes=1)


@pytest.mark.slow
def test_the_other_processes_keep_their_patience_while_the_first_waits_for_a_lock(tmp_path):
    store = tmp_path / "store"
    (store / "runs").mkdir(parents=True)
    name = next(line for line in listing(store).ended().splitlines() if line.startswith("seed0"))
    with filelock.FileLock(store / "runs" / f"{name}.lock"):
        waiting = job(store, WAITING)
        assert waiting.stdout.readline() == "waiting\n"
        time.sleep(PATIENCE + 2)
        assert waiting.codes == [None, None]
    assert waiting.ended().count("found") == 2


def test_processes_with_different_runs_are_refused_by_name(tmp_path):
    output = job(tmp_path / "store", ASTRAY).ended()
    assert output.count("the processes of one job must work on the same run") == 2
    assert "process 0 is at 'seed0-" in output
    assert "process 1 is at 'seed1-" in output
    assert not weights(tmp_path / "store")
