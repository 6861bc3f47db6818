"""Files are complete or absent, and damaged files are refused."""

import errno
import os
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import safetensors.torch
import torch

from study import runs
from study.disk import records
from study.disk.tensors import digest, load_tensors, save_tensors
from study.images import datasets
from tunable_core import files
from tunable_core.files import DamagedFile, write_atomically

TENSORS = {
    "matrix": torch.arange(6.0).view(2, 3),
    "half": torch.arange(3.0).half(),
    "bfloat16": torch.arange(3.0).bfloat16(),
    "double": torch.tensor([1e-300], dtype=torch.float64),
    "integer": torch.tensor([2**53 + 1]),
    "byte": torch.tensor([0, 255], dtype=torch.uint8),
    "boolean": torch.tensor([True, False]),
    "number": torch.tensor(7.0),
    "empty": torch.zeros(0, 3),
    "strided": torch.arange(6.0).view(2, 3).T,
    "channels last": torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
    "trainable": torch.nn.Parameter(torch.ones(2)),
}


def full_disk(*arguments, **settings):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_write_makes_folders_and_the_file(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "note.txt", "omega: ω")
    assert (tmp_path / "a" / "b" / "note.txt").read_text(encoding="utf-8") == "omega: ω"


def test_a_write_replaces_the_old_file(tmp_path):
    for content in (b"a long old content", b"new"):
        write_atomically(tmp_path / "note", content)
    assert (tmp_path / "note").read_bytes() == b"new"


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "note"
    write_atomically(path, "old")
    monkeypatch.setattr(os, call, full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_first_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_tensors(tmp_path / "weights", {"x": torch.ones(2)})
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_is_gone_after_the_next_write(tmp_path):
    (tmp_path / ".note.part").write_bytes(b"half of a long old cont")
    write_atomically(tmp_path / "note", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["note"]
    assert (tmp_path / "note").read_text() == "new"


def test_writers_at_once_take_turns_and_never_mix(tmp_path):
    contents = [bytes([number]) * 300_000 for number in range(8)]

    def write(content):
        for _ in range(20):
            write_atomically(tmp_path / "note", content)
            assert (tmp_path / "note").read_bytes() in contents

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, contents))
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    def interrupt(handle):
        raise KeyboardInterrupt

    path = tmp_path / "note"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "note", "private")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "note").stat().st_mode) == 0o666 & ~mask


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "note"
    path.write_text("old")
    path.chmod(0o600)
    write_atomically(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path, there):
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("fails", [True, False])
def test_on_windows_a_file_is_closed_before_it_is_renamed_or_deleted(tmp_path, monkeypatch, fails):
    monkeypatch.setattr(files, "fcntl", None)
    alone, replace, unlink, held = files._alone, os.replace, files.Path.unlink, []

    def refuse(source, target):
        assert held[0].closed
        return full_disk() if fails else replace(source, target)

    def delete(path, **how):
        assert held[0].closed
        unlink(path, **how)

    monkeypatch.setattr(files, "_alone", lambda part: held.append(alone(part)) or held[0])
    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(files.Path, "unlink", delete)
    if fails:
        with pytest.raises(OSError, match="No space"):
            write_atomically(tmp_path / "note", "new")
    else:
        write_atomically(tmp_path / "note", "new")
    assert len(list(tmp_path.iterdir())) == (not fails)


@pytest.mark.parametrize(
    ("variable", "place"), [("TUNABLE_DATA", datasets.root), ("TUNABLE_RUNS", runs.store)]
)
def test_a_folder_named_with_a_tilde_is_below_home(monkeypatch, tmp_path, variable, place):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(variable, "~/here")
    assert place() == tmp_path / "here"


@pytest.mark.skipif(not (records.ROOT / ".git").exists(), reason="needs a clone")
@pytest.mark.parametrize(
    "name",
    [
        "data/runs/a-0123456789.lock",
        "data/runs/a-0123456789.part/checkpoint.safetensors",
        "data/sweeps/.a.csv.part",
        "data/bench/layers-cpu.part",
        ".photo.png.part",
    ],
)
def test_git_sees_nothing_that_is_there_for_a_while_only(name):
    git = shutil.which("git") or pytest.skip("needs git")
    command = [git, "-C", str(records.ROOT), "check-ignore", "-q", name]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_of_every_kind_come_back_as_they_were(tmp_path, name):
    given = TENSORS[name]
    save_tensors(tmp_path / "file", {name: given})
    back = load_tensors(tmp_path / "file")[0][name]
    assert back.dtype == given.dtype
    assert torch.equal(back, given)


def test_tensors_that_share_memory_come_back_each(tmp_path):
    layer = torch.nn.Linear(3, 3)
    tied = torch.nn.Sequential(layer, layer)
    save_tensors(tmp_path / "file", tied.state_dict())
    back = load_tensors(tmp_path / "file")[0]
    assert back.keys() == tied.state_dict().keys()
    assert torch.equal(back["1.weight"], layer.weight)


def test_metadata_comes_back(tmp_path):
    save_tensors(tmp_path / "file", {"x": torch.ones(2)}, stage="1", note="ω = 0.5")
    metadata = load_tensors(tmp_path / "file")[1]
    assert metadata["stage"] == "1"
    assert metadata["note"] == "ω = 0.5"


def test_the_file_is_an_ordinary_safetensors_file(tmp_path):
    save_tensors(tmp_path / "file", {"x": torch.arange(3.0)})
    assert torch.equal(safetensors.torch.load_file(tmp_path / "file")["x"], torch.arange(3.0))


def test_the_digest_knows_names_types_shapes_and_values():
    variants = [
        {"x": torch.zeros(4)},
        {"y": torch.zeros(4)},
        {"x": torch.zeros(4, dtype=torch.int32)},
        {"x": torch.zeros(2, 2)},
        {"x": torch.tensor([0.0, 0.0, 0.0, -0.0])},
        {"x": torch.zeros(4), "y": torch.zeros(0)},
    ]
    assert len({digest(tensors) for tensors in variants}) == len(variants)


def test_the_digest_ignores_the_order_of_names_and_the_layout_in_memory():
    x, y = torch.rand(1, 3, 4, 4), torch.rand(2)
    other = {"y": y, "x": x.contiguous(memory_format=torch.channels_last)}
    assert digest({"x": x, "y": y}) == digest(other)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_tensors(path, {"x": torch.arange(3.0), "y": torch.tensor(1)}, step="200")
    return path, path.read_bytes()


def test_any_flipped_byte_is_detected(saved):
    path, content = saved
    missed = []
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        try:
            load_tensors(path)
            missed.append(f"{position}: {content[max(0, position - 8) : position + 8]}")
        except DamagedFile:
            pass
    assert not missed


@pytest.mark.parametrize("kept", [0, 4, 0.5, -1])
def test_a_truncated_file_is_detected_and_named(saved, kept):
    path, content = saved
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(DamagedFile, match=r"weights\.safetensors is damaged .*delete it"):
        load_tensors(path)


def test_a_safetensors_file_of_someone_else_is_refused(tmp_path):
    safetensors.torch.save_file({"x": torch.ones(2)}, tmp_path / "foreign")
    with pytest.raises(DamagedFile, match="foreign does not match its own sha256"):
        load_tensors(tmp_path / "foreign")
