"""Runs: trained once, found by their content, refused if damaged."""

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import pandas as pd
import pytest
import torch
from forks import Job

from study import runs
from study.controls import DNIConfig, TunableConfig
from study.disk import records
from study.disk.tensors import load_tensors
from study.images import datasets
from study.images.degradations import gaussian_noise
from study.measuring import metrics
from study.measuring.sweep import DenoisingSweep, sweep
from study.networks.third_party import SwinIRConfig
from study.runs import RunConfig, locks, stored
from study.tasks import Denoising, RealDenoising
from study.training import Training, loop
from tunable_core.files import DamagedFile
from tunable_photo.resnet import ResNetConfig

pytestmark = pytest.mark.usefixtures("store")


def get(config, **options):
    return runs.get(config, progress=False, **options)


def same(one, other):
    """Whether two controls have the same weights, bit for bit."""
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0] | states[1])


@pytest.fixture
def no_training(monkeypatch):
    """Calling it makes any later training fail."""

    def refuse(*arguments, **settings):
        raise AssertionError("trained again")

    return lambda: monkeypatch.setattr(stored, "train", refuse)


@pytest.fixture
def no_rounding(monkeypatch):
    """Weights are kept in float32."""
    monkeypatch.setattr(stored, "HALF_FROM", float("inf"))


# Kept and found


def test_a_run_is_trained_once_and_loaded_afterwards(config, no_training):
    first = get(config)
    no_training()
    second = get(config)
    assert same(first.control, second.control)
    assert first.record == second.record
    pd.testing.assert_frame_equal(first.history, second.history)


def test_a_run_is_found_under_any_name(config, no_training):
    first = get(config)
    no_training()
    second = get(replace(config, name="renamed"))
    assert second.folder == first.folder
    assert same(first.control, second.control)


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
def test_buffers_that_a_fresh_network_has_too_are_not_kept(no_training):
    training = Training(steps=2, batch=2, patch=16)
    backbone = SwinIRConfig(12, (2,), heads=2, window=4)
    config = RunConfig("swin", Denoising(), TunableConfig(), backbone, training, "samples-train")
    first = get(config)
    held = load_tensors(first.folder / "weights.safetensors")[0]
    tables = {name for name, _ in first.control.named_buffers()}
    assert tables
    assert not tables & set(held)
    no_training()
    assert same(get(config).control, first.control)


SQUARES = DenoisingSweep("samples-test", sigmas=(15.0,), crop=24)


def test_without_its_weights_a_run_keeps_its_record_and_what_was_measured(config, no_training):
    first = get(config)
    measured = sweep(first, SQUARES, progress=False)
    pd.testing.assert_frame_equal(sweep(first.control, SQUARES, progress=False), measured)
    runs.drop_weights(first)
    no_training()
    again = get(config, weights=False)
    assert not list(again.folder.glob("*.safetensors"))
    assert again.state == first.state
    assert again.record["weights"] == first.record["weights"]
    pd.testing.assert_frame_equal(sweep(again, SQUARES, progress=False), measured)
    runs.drop_weights(again)
    assert get(config, weights=False).record == again.record


def test_weights_that_were_left_out_are_missed_in_words_and_trained_when_wanted(config):
    first = get(config)
    runs.drop_weights(first)
    assert runs.find(config) == first.folder
    assert runs.find(config, weights=True) is None
    with pytest.raises(runs.WithoutWeights, match="'tiny' is stored without its weights"):
        sweep(get(config, weights=False), SQUARES, progress=False)
    assert same(get(config).control, first.control)
    assert runs.find(config, weights=True) == first.folder


def test_a_record_without_weights_is_sealed_as_any(config):
    first = get(config)
    runs.drop_weights(first)
    path = first.folder / "run.json"
    path.write_text(path.read_text().replace(first.state[:8], "00000000"))
    with pytest.raises(DamagedFile, match="is not the record of this run"):
        get(config, weights=False)


def test_a_run_with_other_settings_is_another_run(config):
    first, second = get(config), get(replace(config, network=ResNetConfig(1, 5)))
    assert first.folder != second.folder
    assert second.control.network.module.head.out_channels == 5


def test_a_run_lies_in_the_store_under_its_name_and_key(config, store):
    assert runs.find(config) is None
    assert get(config).folder == runs.find(config) == store / "runs" / f"tiny-{config.key}"


def test_a_finished_run_leaves_its_files_and_no_checkpoint(config, store, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    folder = get(config).folder
    assert sorted(p.name for p in folder.iterdir()) == [
        "history.csv",
        "run.json",
        "weights.safetensors",
    ]
    assert list((store / "runs").iterdir()) == [folder]


def test_a_run_is_found_again_without_its_images(config, monkeypatch, no_training):
    distant = replace(config, data="kodak")
    with monkeypatch.context() as at_hand:
        at_hand.setattr(datasets, "available", lambda name: True)
        at_hand.setattr(datasets, "load", lambda name, load=datasets.load: load("samples-train"))
        get(distant)
    no_training()
    assert not datasets.available("kodak")
    assert get(distant).config == distant


def test_without_its_images_a_run_is_trained_on_the_samples_with_a_warning(config):
    with pytest.warns(UserWarning, match=r"run 'tiny' is not in .* embedded samples .*make data"):
        run = get(replace(config, data="kodak"))
    assert run.config.data == run.record["data"]["name"] == "samples-train"
    assert runs.find(replace(config, data="kodak")) is None


def test_the_samples_are_trained_on_once_for_what_is_missing(config, no_training):
    with pytest.warns(UserWarning, match="embedded samples"):
        first = get(replace(config, data="kodak"))
    no_training()
    assert get(config).folder == first.folder
    with pytest.warns(UserWarning, match="embedded samples"):
        assert get(replace(config, data="bsds500")).folder == first.folder


@pytest.mark.parametrize("task", [RealDenoising(), Denoising()])
def test_the_samples_never_take_the_place_of_pairs_of_photographs(config, task, no_training):
    no_training()
    with pytest.raises(
        datasets.MissingData, match=r"'nam-train': 34 of 34 .*`make data DATASETS=nam` gets"
    ):
        get(replace(config, task=task, data="nam-train"))


def test_an_unknown_data_set_is_refused_before_training(config, no_training):
    no_training()
    with pytest.raises(ValueError, match="no data set is called 'kodac'"):
        get(replace(config, data="kodac"))


def test_on_log_sees_the_history_grow(config, monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    lengths = []
    get(config, on_log=lambda history: lengths.append(len(history)))
    assert lengths == [1, 2, 3]


def test_the_network_of_a_run_is_ready_to_be_used(config):
    assert not get(config).control.training


# The record


def test_the_record_says_what_was_trained_by_what_and_how_it_ended(config):
    run = get(config)
    record = run.record
    assert record["config"] == config.describe()
    assert (record["name"], record["key"]) == (config.name, config.key)
    assert record["data"] == {
        "name": "samples-train",
        "checksum": datasets.describe("samples-train").checksum,
    }
    assert record["parameters"] == sum(p.numel() for p in run.control.parameters())
    assert record["versions"]["torch"] == torch.__version__
    assert record["threads"] == torch.get_num_threads()
    assert record["final"]["loss"] == pytest.approx(run.history["loss"].iloc[-1], rel=1e-5)
    assert record["peak_memory_mb"] > 0
    assert record["seconds"] >= 0
    assert {"commit", "clean", "core", "device", "started", "weights"} <= record.keys()
    assert len(record["core"]) == 64


# The config


def test_the_description_is_whole_and_survives_json(config):
    described = config.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["training"]["omega"]["kind"] == "uniform"
    control = {"phi": "affine", "kernels": None, "start": "shared", "apart": None}
    control |= {"type": "TunableConfig", "tuned": ["*"], "untuned": []}
    assert described["control"] == control


def test_a_network_is_drawn_from_the_seed_alone(config):
    torch.manual_seed(1)
    one = config.build()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert same(one, config.build())
    assert torch.equal(torch.get_rng_state(), state)
    assert not same(one, replace(config, training=replace(config.training, seed=1)).build())


# Stored weights


def test_weights_in_float16_change_the_output_by_less_than_a_hundredth_decibel(
    config, monkeypatch, patches
):
    precise, images = config.build(), list(datasets.load(config.data))
    loop.train(precise, config.task, images, config.training, progress=False)
    monkeypatch.setattr(stored, "HALF_FROM", 1)
    rounded = get(config).control
    assert not same(rounded, precise)
    degraded = gaussian_noise(patches, 15, torch.Generator().manual_seed(0))
    with torch.no_grad():
        quality = [metrics.psnr(c(degraded, [0.5, 0.5]), patches) for c in (precise, rounded)]
    torch.testing.assert_close(*quality, atol=0.01, rtol=0)


def test_large_tensors_are_kept_in_float16_and_small_ones_in_float32(config):
    folder = get(replace(config, network=ResNetConfig(1, 12))).folder
    tensors, _ = load_tensors(folder / "weights.safetensors")
    for tensor in tensors.values():
        assert tensor.dtype == (torch.float16 if tensor.numel() >= 1024 else torch.float32)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16, torch.float32}


@pytest.mark.usefixtures("no_rounding")
def test_weights_in_float32_are_those_that_were_trained(config):
    precise, images = config.build(), list(datasets.load(config.data))
    loop.train(precise, config.task, images, config.training, progress=False)
    assert same(get(config).control, precise)


@dataclass(frozen=True)
class IndexedConfig:
    """A network with a table of large integers, as attention has."""

    def build(self):
        network = ResNetConfig(1, 4).build()
        network.register_buffer("index", torch.arange(4096))
        return network


def test_integers_are_kept_as_they_are(config):
    run = get(replace(config, network=IndexedConfig()))
    assert torch.equal(run.control.network.module.index, torch.arange(4096))


# Damage


@pytest.mark.parametrize("name", ["weights.safetensors", "history.csv", "run.json"])
def test_a_truncated_file_of_a_run_is_refused(config, name):
    folder = get(config).folder
    path = folder / name
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) * 2 // 3])
    with pytest.raises(DamagedFile, match=rf"tiny-{config.key}.*delete"):
        get(config)


@pytest.mark.parametrize("name", ["weights.safetensors", "history.csv"])
def test_a_missing_file_of_a_run_is_refused(config, name):
    (get(config).folder / name).unlink()
    with pytest.raises(DamagedFile, match=rf"tiny-{config.key} is a damaged run .*delete it"):
        get(config)


@pytest.mark.parametrize("name", ["weights.safetensors", "history.csv"])
def test_a_changed_byte_of_a_run_is_refused(config, name):
    path = get(config).folder / name
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=rf"tiny-{config.key}.*delete"):
        get(config)


def test_a_changed_record_is_refused(config):
    path = get(config).folder / "run.json"
    text = path.read_text()
    path.write_text(text.replace('"seconds": ', '"seconds": 1'))
    assert path.read_text() != text
    with pytest.raises(DamagedFile, match=r"run\.json is not the record of this run, or was changed"):
        get(config)


def test_a_whole_run_in_the_place_of_another_is_refused(config):
    seeded = replace(config, training=replace(config.training, seed=1))
    folder, other = get(config).folder, get(seeded).folder
    shutil.rmtree(folder)
    shutil.copytree(other, folder)
    with pytest.raises(DamagedFile, match=r"run\.json is not the record of this run"):
        get(config)


def test_whole_weights_of_another_run_are_refused(config):
    seeded = replace(config, training=replace(config.training, seed=1))
    folder, other = get(config).folder, get(seeded).folder
    shutil.copy(other / "weights.safetensors", folder)
    with pytest.raises(DamagedFile, match=r"is not the file that run\.json records; delete"):
        get(config)


# Kills

SCRIPT = """
import os, pathlib, signal, sys
import torch
torch.set_num_threads({threads})
from tunable_core import files
from study import runs
from study.training import loop
from study.controls import *
from tunable_photo.resnet import ResNetConfig
from tunable_core.omega import OmegaSampling
from study.runs import RunConfig
from study.tasks import Denoising, RealDenoising
from study.training import Training

loop.LOG_EVERY, loop.CHECKPOINT_SECONDS = 1, 0

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def on_log(history):
    if len(history) == {rows}:
        if {writing}:
            os.fsync = die
        else:
            die()

runs.get({config!r}, progress=False, on_log=on_log)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("no_rounding")
@pytest.mark.parametrize("writing", [False, True], ids=["between steps", "writing a checkpoint"])
def test_a_run_killed_in_mid_training_ends_with_the_bits_of_an_undisturbed_one(
    config, store, monkeypatch, writing
):
    config = replace(config, control=DNIConfig(1.0))
    threads = torch.get_num_threads()
    script = SCRIPT.format(config=config, threads=threads, rows=5, writing=writing)
    killed = Job(script)
    killed.rest()
    assert killed.codes == [-signal.SIGKILL], killed.errors
    assert runs.find(config) is None
    part = store / "runs" / f"tiny-{config.key}.part"
    assert (part / "checkpoint.safetensors").exists()
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    resumed = get(config)
    assert not part.exists()
    monkeypatch.setenv("TUNABLE_RUNS", str(store / "another"))
    undisturbed = get(config)
    assert same(resumed.control, undisturbed.control)
    pd.testing.assert_frame_equal(resumed.history, undisturbed.history, check_exact=True)
    assert resumed.record["weights"] == undisturbed.record["weights"]


def test_a_training_that_fails_leaves_no_run(config):
    def stop(history):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(config, on_log=stop)
    assert runs.find(config) is None


def test_what_a_process_killed_at_the_very_end_left_goes(config, store):
    folder = get(config).folder
    (store / "runs" / f"{folder.name}.part").mkdir()
    (store / "runs" / f"{folder.name}.part" / "checkpoint.safetensors").write_bytes(b"a state")
    (store / "runs" / f"{folder.name}.lock").touch()
    get(config)
    assert list((store / "runs").iterdir()) == [folder]


def contents(store):
    """Every file below the runs of a store that is not of a finished run."""
    return {p for p in (store / "runs").rglob("*") if ".part" in str(p) or p.suffix == ".lock"}


@pytest.mark.parametrize("weights", [True, False])
def test_reading_a_run_leaves_the_checkpoint_and_lock_of_another_process(config, store, weights):
    run = get(config)
    if not weights:
        runs.drop_weights(run)
    part = store / "runs" / f"{run.folder.name}.part"
    part.mkdir()
    (part / "checkpoint.safetensors").write_bytes(b"a state")
    with held(f"{run.folder}.lock"):
        before = contents(store)
        get(config, weights=weights)
        assert contents(store) == before
        assert len(before) == 3


def test_reading_a_run_without_weights_leaves_the_checkpoint_of_the_training_that_makes_them(
    config, store
):
    run = get(config)
    runs.drop_weights(run)
    checkpoint = store / "runs" / f"{run.folder.name}.part" / "checkpoint.safetensors"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"a state")
    get(config, weights=False)
    assert checkpoint.exists()


@pytest.mark.parametrize("name", ["tiny", "nu-0.9", "v1.5.part"])
def test_every_run_has_a_checkpoint_of_its_own(config, monkeypatch, name):
    seen = []

    def watch(*arguments, checkpoint, **settings):
        seen.append(checkpoint)
        raise KeyboardInterrupt

    monkeypatch.setattr(stored, "train", watch)
    for seed in (0, 1):
        seeded = replace(config, name=name, training=replace(config.training, seed=seed))
        with pytest.raises(KeyboardInterrupt):
            get(seeded)
    assert seen[0] != seen[1]


def test_the_checkpoint_of_another_run_is_refused(config, store, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(loop, "LOG_EVERY", 1)

    def stop(history):
        if len(history) == 2:
            raise KeyboardInterrupt

    seeded = replace(config, training=replace(config.training, seed=1))
    with pytest.raises(KeyboardInterrupt):
        get(seeded, on_log=stop)
    (other,) = store.rglob("checkpoint.safetensors")
    mine = store / "runs" / f"tiny-{config.key}.part" / other.name
    mine.parent.mkdir()
    shutil.copy(other, mine)
    with pytest.raises(
        DamagedFile, match=rf"{mine.name} is the state of another training .*{config.key}"
    ):
        get(config)


def test_the_seconds_of_a_resumed_run_are_those_of_all_its_sessions(config, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    clock = iter(range(0, 10**6, 100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    undisturbed = get(replace(config, training=replace(config.training, seed=1))).record["seconds"]

    def stop(history):
        if len(history) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(config, on_log=stop)
    assert get(config).record["seconds"] > 0.6 * undisturbed


def test_a_full_disk_at_the_end_costs_no_training(config, monkeypatch):
    """If the weights cannot be written, the trained state is still in the checkpoint."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    replace_file = os.replace

    def full(source, target):
        if "weights" in str(target):
            raise OSError(28, "No space left on device")
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        get(config)
    monkeypatch.setattr(os, "replace", replace_file)
    steps = []
    pair = type(config.task).pair
    monkeypatch.setattr(type(config.task), "pair", lambda *a: steps.append(1) or pair(*a))
    get(config)
    assert not steps


# One process trains a run


@contextlib.contextmanager
def held(lock):
    """Another process holds that lock, as one that trains the run does."""
    script = (
        "import sys, filelock\n"
        "with filelock.FileLock(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(lock)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.communicate(timeout=60)


@pytest.fixture
def other_process(config, store):
    """Holds the lock of the run, as another process that trains it does."""
    (store / "runs").mkdir(parents=True)
    with held(store / "runs" / f"tiny-{config.key}.lock") as process:
        yield process


def test_a_run_that_another_process_trains_is_left_to_it(config, other_process, no_training):
    no_training()
    with pytest.raises(locks.Busy, match=r"another process is training 'tiny' .*\.lock"):
        get(config, wait=False)


def test_the_lock_of_a_killed_process_does_not_block_others(config, other_process):
    other_process.kill()
    other_process.wait(timeout=60)
    assert get(config, wait=False).record["key"] == config.key


@pytest.mark.slow
def test_two_processes_at_once_train_a_run_once(store):
    script = (
        "from study import configs, runs\n"
        "run = runs.get(configs.denoising('tunable', configs.profile('smoke')), progress=False)\n"
        "print(run.record['started'], run.record['weights'])\n"
    )
    said = [job.ended() for job in [Job(script) for _ in range(2)]]
    assert said[0] == said[1] != ""
    (folder,) = (store / "runs").iterdir()
    assert folder.name.startswith("denoising-tunable-fixed-2x8-seed0-")


# The store


def test_the_store_is_in_the_repository_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path))
    assert runs.store() == tmp_path
    monkeypatch.delenv("TUNABLE_RUNS")
    assert runs.store() == records.ROOT / "data"


def test_a_config_is_frozen(config):
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.name = "other"


def test_runs_of_one_backbone_and_budget_belong_in_one_table(config):
    again = replace(config, training=replace(config.training, seed=1))
    runs.check_comparable([finished(config), finished(again)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": ResNetConfig(2, 4)}, "do not belong in one table: their network is ResNetConfig"),
        ({"data": "samples"}, "their data is samples and samples-train"),
        ({"training": loop.Training(steps=7, batch=2, patch=8)}, "trained with steps = 7 and 3"),
    ],
)
def test_runs_of_another_kind_are_refused_by_name(config, changes, message):
    other = replace(config, name="other", **changes)
    with pytest.raises(ValueError, match="'other' and 'tiny' .*" + message):
        runs.check_comparable([finished(config), finished(other)])


def finished(config):
    """A run of that config, without its network."""
    return runs.Run(config, None, {}, None, None)
