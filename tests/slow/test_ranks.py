"""Several processes train one run: the same result for any number, also after one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from forks import Job

from study.disk.tensors import load_tensors
from study.training import processes

SCRIPT = """
import os, sys
from dataclasses import replace
import torch
torch.set_num_threads(1)
from study.training import processes, loop
from study import runs, configs
from study.runs import stored
from tunable_core.omega import OmegaSampling
loop.CHECKPOINT_SECONDS, loop.LOG_EVERY, stored.HALF_FROM = 0, 5, float("inf")
steps, groups, task = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
budget = configs.profile("smoke")
if task == "denoising":
    config = configs.denoising("tunable", budget)
else:
    config = configs.super_resolution.resnet("tunable", budget)
    config = replace(config, task=replace(config.task, vgg=0.0))
omega = OmegaSampling("simplex", corners=(0.3, 0.3), groups=groups)
settings = replace(config.training, steps=steps, batch=4, lr=2e-4, omega=omega, precision="float32")
config = replace(config, name="it", training=settings)
os.write(1, f"pid {os.getpid()}\\n".encode())  # at once: others write there, too
runs.get(config, progress=False)
"""


def train(
    store: Path, processes: int, steps: int = 12, groups: int = 2, task: str = "denoising"
) -> None:
    """Train by several processes."""
    store.mkdir(parents=True, exist_ok=True)
    Job(SCRIPT, steps, groups, task, processes=processes, TUNABLE_RUNS=store).ended()


def weights(store: Path) -> dict[str, torch.Tensor]:
    (path,) = (store / "runs").glob("it-*/weights.safetensors")
    return load_tensors(path)[0]


def alike(one: Path, other: Path, atol: float = 1e-5) -> None:
    first, second = weights(one), weights(other)
    for name in first:
        torch.testing.assert_close(first[name], second[name], atol=atol, rtol=1e-4)


@pytest.mark.slow
def test_two_processes_train_as_one_does_with_two_groups(tmp_path):
    for count in (1, 2):
        train(tmp_path / str(count) / "store", count)
    alike(tmp_path / "1/store", tmp_path / "2/store")
    (record,) = (tmp_path / "2/store/runs").glob("it-*/run.json")
    assert '"processes": 2' in record.read_text()


@pytest.mark.slow
def test_one_omega_in_a_step_is_shared_by_all_processes(tmp_path):
    for count in (1, 2):
        train(tmp_path / str(count) / "store", count, groups=1)
    alike(tmp_path / "1/store", tmp_path / "2/store")


@pytest.mark.slow
def test_an_adversary_learns_in_two_processes_and_ends(tmp_path):
    train(tmp_path / "store", 2, steps=4, groups=4, task="super-resolution")
    assert all(value.isfinite().all() for value in weights(tmp_path / "store").values())


@pytest.mark.slow
def test_a_process_that_dies_ends_the_job_and_another_number_resumes(tmp_path):
    """Under torchrun itself."""
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "script.py").write_text(SCRIPT)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    job = subprocess.Popen(
        [sys.executable, *launcher, str(tmp_path / "script.py"), "90", "2", "denoising"],
        env=os.environ | {"TUNABLE_RUNS": str(store), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pids = [int(job.stdout.readline().split()[1]) for _ in range(2)]
    checkpoint = None
    deadline = time.monotonic() + 120
    while checkpoint is None:
        assert time.monotonic() < deadline
        checkpoint = next(store.glob("runs/it-*.part/checkpoint.safetensors"), None)
        time.sleep(0.05)
    os.kill(pids[1], signal.SIGKILL)
    _, errors = job.communicate(timeout=120)
    assert job.returncode != 0
    assert "Signal 9" in errors  # torchrun names the process that died
    assert checkpoint.exists()
    train(store, 1, steps=90)
    train(tmp_path / "undisturbed/store", 2, steps=90)
    alike(store, tmp_path / "undisturbed/store", atol=2e-3)  # rounding adds up over 90 steps


def test_alone_nothing_is_divided_or_waited_for():
    batch = torch.rand(5, 2)
    parameter = torch.nn.Parameter(torch.zeros(2))
    assert torch.equal(batch[processes.rows(5)], batch)
    processes.gradients([parameter])
    assert parameter.grad is None
    processes.meet()
    assert (processes.rank(), processes.count()) == (0, 1)


def test_a_batch_that_cannot_be_divided_is_refused(monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: 3)
    with pytest.raises(ValueError, match="a batch of 8 cannot be divided among 3 processes"):
        processes.rows(8)


def test_a_lost_process_is_one_sentence(monkeypatch):
    def closed(*arguments):
        raise RuntimeError("closed by peer\nand a trace")

    monkeypatch.setattr(processes, "count", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_gather_object", closed)
    sentence = r"process 0 of 2 has lost contact with another \(closed by peer\)"
    with pytest.raises(processes.RankLost, match=sentence) as raised:
        processes.meet()
    assert "\n" not in str(raised.value)
