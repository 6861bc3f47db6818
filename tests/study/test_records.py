"""Sealed records of code and machine."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from study.disk import records


def test_a_sealed_record_survives_json():
    record = records.seal({"name": "a", "numbers": [1, 2.5, None], "inner": {"b": 1, "a": 2}})
    assert records.sealed(json.loads(json.dumps(record)))


@pytest.mark.parametrize("change", [{"name": "b"}, {"more": 1}, {"sha256": "0" * 64}])
def test_a_changed_record_is_seen(change):
    assert not records.sealed(records.seal({"name": "a"}) | change)


@pytest.mark.parametrize("content", [{}, {"name": "a"}, [], "text", None])
def test_an_unsealed_record_is_refused(content):
    assert not records.sealed(content)


def test_the_record_of_the_code_changes_with_the_code(tmp_path, monkeypatch):
    for name in records.PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(records.ROOT / name, tmp_path / name, ignore=ignored)
    before = records.code()["core"]
    monkeypatch.setattr(records, "ROOT", tmp_path)
    assert records.code()["core"] == before
    for name in records.PACKAGES:
        (tmp_path / name / "__init__.py").write_text("changed")
        assert records.code()["core"] != before
        before = records.code()["core"]


def test_a_record_without_git_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "ROOT", tmp_path)
    assert records.code()["commit"] is None
    assert records.code()["clean"] is not True


@pytest.mark.parametrize(("system", "unit"), [("darwin", 1), ("linux", 1024)])
def test_peak_memory_is_in_mib_whatever_the_system_counts_in(monkeypatch, system, unit):
    usage = SimpleNamespace(ru_maxrss=300 * 2**20 // unit)
    resource = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: usage)
    monkeypatch.setitem(sys.modules, "resource", resource)
    monkeypatch.setattr(sys, "platform", system)
    assert records.peak_memory_mb("cpu") == 300


@pytest.mark.slow
def test_without_the_modules_of_unix_everything_is_imported_and_no_peak_memory_given():
    script = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(['resource', 'fcntl'])\n"
        "from study import configs\n"
        "from study.disk import records\n"
        "from tunable_photo import cli\n"
        "print(records.peak_memory_mb('cpu'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "None\n", done.stderr
