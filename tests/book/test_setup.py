"""`make setup` under a Python that only records its calls: when, where and how it installs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
exec 3>> "{log}"
echo "$* | user=$PIP_USER target=$PIP_TARGET path=$PYTHONPATH data=$TUNABLE_DATA runs=$TUNABLE_RUNS" >&3
case "$*" in
  *venv*--clear*) rm -rf .venv ;;
esac
case "$*" in
  *venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


class Clone:
    """A folder with the files that `make` reads, a fake Python, and the log of its calls."""

    def __init__(self, at: Path):
        self.folder, self.log, self.python = at / "a clone", at / "log", at / "python"
        self.folder.mkdir()
        for name in ("Makefile", "requirements.lock", "requirements.hashes", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder)
        self.python.write_text(PYTHON.format(log=self.log))
        self.python.chmod(0o755)

    def make(self, *words: str, **variables: str) -> list[str]:
        """The calls of Python by this make, one per line, without the queries of its version."""
        self.log.write_text("")
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("PIP_", "PYTHON", "TUNABLE_", "MAKE"))
        }
        subprocess.run(
            ["make", *words, f"PYTHON={self.python}"],
            cwd=self.folder,
            env={**kept, **variables},
            check=True,
            capture_output=True,
        )
        return [line for line in self.log.read_text().splitlines() if line.startswith("-m")]


@pytest.fixture
def clone(tmp_path) -> Clone:
    return Clone(tmp_path)


def test_setup_installs_once(clone):
    assert any("pip install" in line for line in clone.make("setup"))
    assert clone.make("setup") == []


def test_setup_installs_again_when_the_lock_changes(clone):
    clone.make("setup")
    later = clone.folder.joinpath(".venv/.installed").stat().st_mtime + 10
    os.utime(clone.folder / "requirements.lock", (later, later))
    assert any("requirements.lock" in line for line in clone.make("setup"))


def test_a_renamed_folder_gets_a_new_venv(clone):
    clone.make("setup")
    old = clone.folder / ".venv/bin/script-with-the-old-path"
    old.touch()
    clone.folder = clone.folder.rename(clone.folder.with_name("renamed"))
    assert any("pip install" in line for line in clone.make("setup"))
    assert not list(clone.folder.rglob(old.name))
    assert clone.make("setup") == []


def test_a_venv_whose_python_is_gone_is_made_anew(clone):
    clone.make("setup")
    clone.folder.joinpath(".venv/bin/python").unlink()
    assert any("pip install" in line for line in clone.make("setup"))


def test_an_interrupted_setup_is_finished_by_the_next(clone):
    clone.make("setup")
    clone.folder.joinpath(".venv/.installed").unlink()
    assert any("pip install" in line for line in clone.make("setup"))


def test_settings_of_the_caller_do_not_install_elsewhere(clone):
    asked = clone.make("setup", PIP_USER="1", PIP_TARGET="/elsewhere", PYTHONPATH="/other")
    installs = [line for line in asked if "pip install" in line]
    assert installs
    assert all("| user=0 target= path= " in line for line in installs)


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_a_home_written_as_a_tilde_reaches_python_as_it_stands(clone, way):
    clone.make("setup")
    given = {"TUNABLE_DATA": "~/sets", "TUNABLE_RUNS": "~/runs"}
    if way == "argument":
        (asked,) = clone.make("data", *(f"{name}={value}" for name, value in given.items()))
    else:
        (asked,) = clone.make("data", **given)
    assert "data=~/sets runs=~/runs" in asked
