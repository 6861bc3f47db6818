"""Fixtures of all tests. The study is imported late, since tests in core/ also run without it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import torch

TOLERANCES = {
    torch.float64: {"rtol": 1e-10, "atol": 1e-12},
    torch.float32: {"rtol": 1e-4, "atol": 1e-5},
    torch.bfloat16: {"rtol": 2e-2, "atol": 2e-2},
    torch.float16: {"rtol": 1e-2, "atol": 1e-3},
}

NIGHTLY = Path(__file__).resolve().parents[1] / "data/bench/nightly.json"
"""What the long tests of `make nightly` took and measured when they last ran; the book shows it."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Store the time and the measurements (record_property) of a long test of `make nightly`."""
    if "TUNABLE_FAULTS" not in os.environ or report.when != "call" or report.duration < 10:
        return
    from study.disk import records
    from tunable_core.files import write_atomically

    test = report.nodeid.rpartition("::")[2]
    kept = json.loads(NIGHTLY.read_text()) if NIGHTLY.exists() else {}
    kept[test] = {
        "outcome": report.outcome,
        "seconds": round(report.duration, 1),
        "measured": ", ".join(f"{value} {what}" for what, value in report.user_properties),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": records.code()["commit"],
    }
    write_atomically(NIGHTLY, json.dumps(kept, indent=1, sort_keys=True) + "\n")


@pytest.fixture(autouse=True)
def seed():
    """Every test begins with the same random state."""
    torch.manual_seed(0)


@pytest.fixture
def close():
    """close(actual, expected): equal up to the rounding of their one type."""

    def check(actual: torch.Tensor, expected: torch.Tensor) -> None:
        torch.testing.assert_close(actual, expected, **TOLERANCES[expected.dtype])

    return check


@pytest.fixture(scope="session")
def exporter():
    """Exports share torch's registry, see exporting.one_registry."""
    from exporting import one_registry

    with one_registry():
        yield


@pytest.fixture
def images() -> list[torch.Tensor]:
    """Three colour gradients, [3, H, W] uint8, of three sizes from 20 to 28 pixels."""
    pictures = []
    for height, width in ((20, 24), (24, 20), (28, 28)):
        down = torch.linspace(0, 1, height)[:, None].expand(height, width)
        right = torch.linspace(0, 1, width)[None].expand(height, width)
        pictures.append((torch.stack([down, right, 1 - down * right]) * 255).to(torch.uint8))
    return pictures


@pytest.fixture
def patches(images: list[torch.Tensor]) -> torch.Tensor:
    """[3, 3, 16, 16] in [0, 1]: a clean patch of each image."""
    return torch.stack([image[:, :16, :16] for image in images]).float() / 255


@pytest.fixture
def config():
    """The smallest denoising run: 3 steps of 2 patches of 8 pixels on the embedded samples."""
    from study.controls import TunableConfig
    from study.runs import RunConfig
    from study.tasks import Denoising
    from study.training import Training
    from tunable_photo.resnet import ResNetConfig

    return RunConfig(
        name="tiny",
        task=Denoising(),
        control=TunableConfig(),
        network=ResNetConfig(blocks=1, channels=4),
        training=Training(steps=3, batch=2, patch=8),
        data="samples-train",
    )


@pytest.fixture(scope="session")
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the decoded training images, which all stores share: each image is decoded once."""
    return tmp_path_factory.mktemp("decoded")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_cache: Path) -> Path:
    """An empty store of runs and sweeps, and no data set but the embedded samples."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store/.decoded").symlink_to(image_cache)
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path / "store"))
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path / "no data"))
    return tmp_path / "store"
