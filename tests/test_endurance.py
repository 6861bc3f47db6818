"""What takes long, for `make nightly` alone (TUNABLE_FAULTS): very large photographs, a soak."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from tunable_core import photos
from tunable_core.photos import Photo

pytestmark = pytest.mark.skipif(
    "TUNABLE_FAULTS" not in os.environ, reason="takes many minutes: make nightly"
)

# A network as wide as the released one, and as hungry for each tile, with a ninth of its layers.
DENOISE = """
import sys
import torch
from tunable_core import cli, records
from tunable_core.controls import TunableConfig
from tunable_core.networks import ResNetConfig
control = TunableConfig().build(ResNetConfig(1, 32, image_skip=True).build(), 2)
cli._trained = lambda name: control
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
def test_100_megapixels_are_denoised_within_2_gigabytes(tmp_path, channels, depth, suffix):
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    source.write_bytes(photos.encode(noisy(100_000_000, channels, depth), suffix))
    command = [sys.executable, "-c", DENOISE, str(source), str(target)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 2048, f"{ended.stdout} MiB"
    assert photos.read(target).pixels.shape == (10_000, 10_000, channels)
