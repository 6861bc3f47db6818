"""Long tests, for `make nightly` only (TUNABLE_FAULTS): large photographs and files, many trainings."""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tunable_photo import photos
from tunable_photo.editors import export_for_editors
from tunable_photo.photos import Photo

pytestmark = pytest.mark.skipif(
    "TUNABLE_FAULTS" not in os.environ, reason="takes many minutes: make nightly"
)

SOAK_SECONDS = 30 * 60

# One small training after another, each removed when it is done, with a checkpoint in every moment.
TRAIN = """
import itertools
import shutil
import sys
from dataclasses import replace
import psutil
import torch
from study import runs, configs
from study.training import loop
torch.set_num_threads(1)
loop.CHECKPOINT_SECONDS, loop.LOG_EVERY = 0, 5
config = configs.denoising("tunable", configs.profile("smoke"))
gone = runs.store() / "gone"  # in one step, lest a kill leaves half a run
shutil.rmtree(gone, ignore_errors=True)
for seed in itertools.count(int(sys.argv[1])):
    settings = replace(config.training, steps=30, seed=seed)
    runs.get(replace(config, training=settings), progress=False).folder.rename(gone)
    shutil.rmtree(gone)
    memory = psutil.Process().memory_info()
    print(seed, memory.rss - memory.shared, flush=True)  # without what is mapped from files
"""

# A network as wide as the released one, and as hungry for each tile, with a ninth of its layers.
DENOISE = """
import sys
import torch
from tunable_photo import cli
from study.disk import records
from study.controls import TunableConfig
from tunable_photo.resnet import ResNetConfig
control = TunableConfig().build(ResNetConfig(1, 32, image_skip=True).build(), 2)
cli.network = lambda name: control
code = cli.main(["denoise", sys.argv[1], sys.argv[2], "--omega", "1", "0"])
print(records.peak_memory_mb("cpu"))
sys.exit(code)
"""


def noisy(pixels: int, channels: int, depth: type) -> Photo:
    """A square photograph that hardly compresses."""
    side, full = round(pixels**0.5), np.iinfo(depth).max
    random = np.random.default_rng(0)
    image = np.empty((side, side, channels), depth)
    for row in image:
        row[:] = full * (0.5 + 0.05 * random.standard_normal(row.shape, np.float32)).clip(0, 1)
    return Photo(image)


@pytest.mark.parametrize(
    ("channels", "depth", "suffix"),
    [(3, np.uint8, ".png"), (4, np.uint8, ".tif"), (3, np.uint8, ".jpg"), (3, np.uint16, ".png")],
)
def test_100_megapixels_are_denoised_within_2_gigabytes(
    tmp_path, channels, depth, suffix, record_property
):
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    source.write_bytes(photos.encode(noisy(100_000_000, channels, depth), suffix))
    command = [sys.executable, "-c", DENOISE, str(source), str(target)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    record_property("MiB of memory at most", int(ended.stdout))
    assert int(ended.stdout) < 2048, f"{ended.stdout} MiB"
    assert photos.read(target).pixels.shape == (10_000, 10_000, channels)


def test_the_released_network_is_exported_for_editors(tmp_path, record_property):
    written = export_for_editors(tmp_path / "photo.onnx").stat().st_size
    record_property("MB in the file", round(written / 1e6, 1))
    assert written > 1e6


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_trained_killed_and_resumed_for_half_an_hour_nothing_grows(store, record_property):
    chance, end = random.Random(0), time.monotonic() + SOAK_SECONDS
    seed, sizes, memories, growths = 0, [], [], []
    while time.monotonic() < end:
        command = [sys.executable, "-c", TRAIN, str(seed)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(chance.uniform(5, 120))
        process.kill()
        with process:
            finished = [[int(number) for number in line.split()] for line in process.stdout]
        assert process.returncode == -signal.SIGKILL, "it ended by itself"
        sizes.append(size(store))
        whole = [private for _, private in finished[1:]]  # the first may be the end of one begun before
        if len(whole) > 1:
            memories += whole
            growths.append(whole[-1] / whole[0])
        if finished:
            seed = finished[-1][0] + 1
    third = len(sizes) // 3
    record_property("kills", len(sizes))
    record_property("trainings", seed)
    record_property("MiB at most in the folder", round(max(sizes) / 2**20, 1))
    record_property("MiB of memory at most", max(memories) >> 20)
    record_property("times the memory of a process's first training, at most", round(max(growths), 3))
    assert statistics.median(growths) < 1.05
    assert max(growths) < 1.15
    assert max(sizes[-third:]) <= 1.2 * max(sizes[:third])
