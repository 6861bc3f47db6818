"""The package as users install it: a wheel in an empty environment, without a clone."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("tunable_core", "tunable_photo", "study", "pyproject.toml", "README.md", "LICENSE")
pytestmark = pytest.mark.slow


def run(*words, cwd) -> subprocess.CompletedProcess:
    """A program with none of the caller's Python settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=clean, capture_output=True, text=True, timeout=1800
    )


def installed(folder: Path, *words) -> Path:
    """A new virtual environment, filled by `pip install`; returns the folder of its programs."""
    venv.create(folder / "venv")
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q")
    ended = run(*pip, *words, cwd=folder)
    if ended.returncode:
        skip_offline(ended)
    return programs


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A copy of what the package is built from: building writes beside it."""
    place = tmp_path_factory.mktemp("clone")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, place / name)
    return place


@pytest.fixture(scope="module")
def wheel(clone) -> Path:
    built = run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", clone / "dist", clone, cwd=clone
    )
    if built.returncode:
        skip_offline(built)
    (path,) = (clone / "dist").glob("*.whl")
    return path


def skip_offline(ended: subprocess.CompletedProcess) -> None:
    """Skip without access to a package index; in CI it is required."""
    if "CI" not in os.environ and "No matching distribution found" in ended.stderr:
        pytest.skip("pip finds no package index here")
    pytest.fail(ended.stderr[-2000:])


def test_the_wheel_holds_the_library_and_the_command_with_its_denoiser_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "tunable_core",
        "tunable_photo",
    }
    released = {"config.json", "model.safetensors", "README.md"}
    networks = {
        f"tunable_photo/released/{run}/{name}" for run in ("photo", "paper") for name in released
    }
    assert networks | {"tunable_photo/released/photo/dial.json"} < set(names)
    assert {"tunable_core/py.typed", "tunable_photo/py.typed"} < set(names)


def test_the_command_of_the_wheel_denoises_a_photograph(wheel, tmp_path):
    same_torch = f"torch=={torch.__version__.partition('+')[0]}"  # another may bring gigabytes for a GPU
    # compiling all of torch takes longer than the test
    programs = installed(tmp_path, "--no-compile", f"{wheel}[photo]", same_torch)
    pixels = np.random.default_rng(0).normal(128, 20, (64, 96, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    omega = ("--omega", "0.7", "0.3")
    ended = run(programs / "tunable", "denoise", "photo.png", "out.png", *omega, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    with Image.open(tmp_path / "out.png") as output:
        assert output.size == (96, 64)
        assert not np.array_equal(np.asarray(output), pixels)
    named = ("denoise", "photo.png", "named.png", *omega, "--run", "denoising-dni-8x32-seed0")
    ended = run(programs / "tunable", *named, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "tunable: --run denoising-dni-8x32-seed0 is neither a released network"
    )


def test_an_editable_install_has_the_study_too(clone, tmp_path):
    programs = installed(tmp_path, "--no-deps", "-e", clone)
    code = "import study, importlib.util as u; print(study.__file__, u.find_spec('tunable_core').origin)"
    ended = run(programs / "python", "-c", code, cwd=tmp_path)
    assert ended.stdout.split() == [
        str(clone / name / "__init__.py") for name in ("study", "tunable_core")
    ]
