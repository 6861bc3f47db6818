"""Records: of code and machine, sealed."""

import json
import shutil

import pytest

from tunable_core import records


def test_a_sealed_record_survives_json():
    record = records.seal({"name": "a", "numbers": [1, 2.5, None], "inner": {"b": 1, "a": 2}})
    assert records.sealed(json.loads(json.dumps(record)))


@pytest.mark.parametrize("change", [{"name": "b"}, {"more": 1}, {"sha256": "0" * 64}])
def test_a_changed_record_is_seen(change):
    assert not records.sealed(records.seal({"name": "a"}) | change)


@pytest.mark.parametrize("content", [{}, {"name": "a"}, [], "text", None])
def test_what_was_never_sealed_is_no_record(content):
    assert not records.sealed(content)


def test_the_record_of_the_code_changes_with_the_code(tmp_path, monkeypatch):
    copied = tmp_path / "tunable_core"
    shutil.copytree(records.PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    before = records.code()["core"]
    monkeypatch.setattr(records, "PACKAGE", copied)
    assert records.code()["core"] == before
    (copied / "omega.py").write_text("changed")
    assert records.code()["core"] != before


def test_a_record_without_git_has_no_commit(tmp_path, monkeypatch):
    (tmp_path / "tunable_core").mkdir()
    monkeypatch.setattr(records, "PACKAGE", tmp_path / "tunable_core")
    assert records.code()["commit"] is None
    assert records.code()["clean"] is not True
