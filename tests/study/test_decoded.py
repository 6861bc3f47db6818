"""Training images in memory-mapped files: the pixels of the decoded list, and never stale ones."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from study import runs
from study.images import datasets
from study.images.datasets import File, ImageSet
from study.images.pairs import PairSet
from study.runs import stored
from study.training import processes, train
from study.training.crops import crops
from study.training.decoded import decoded

MAPS = Path("/proc/self/maps")


def photograph(path, seed):
    """A small PNG of its own seed, as the registry knows it."""
    pixels = torch.randint(256, (20, 30, 3), generator=torch.Generator().manual_seed(seed)).byte()
    Image.fromarray(pixels.numpy()).save(path)
    return registered(path)


def registered(path):
    return File(path, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def photographs(tmp_path):
    """Three small PNGs as a set."""
    files = [photograph(tmp_path / f"{seed}.png", seed) for seed in range(3)]
    return ImageSet("kodak", [file.path.stem for file in files], "", "free", files)


def read(monkeypatch):
    """The names of the files that are read and decoded from now on."""
    seen, real = [], datasets.read

    def noted(file, name):
        seen.append(file.path.name)
        return real(file, name)

    monkeypatch.setattr(datasets, "read", noted)
    return seen


def test_pixels_are_those_of_the_decoded_list(photographs, tmp_path):
    for one, other in zip(decoded(photographs, tmp_path / "cache"), photographs, strict=True):
        assert torch.equal(one, other)
        assert one.dtype == torch.uint8


def test_patches_are_those_of_the_decoded_list(photographs, tmp_path):
    images = decoded(photographs, tmp_path / "cache"), list(photographs)
    first, second = (crops(i, 8, 64, torch.Generator().manual_seed(0)) for i in images)
    assert torch.equal(first, second)


def test_images_are_decoded_once(photographs, tmp_path, monkeypatch):
    seen = read(monkeypatch)
    for _ in range(2):
        decoded(photographs, tmp_path / "cache")
    assert seen == ["0.png", "1.png", "2.png"]


@pytest.mark.skipif(not MAPS.exists(), reason="needs /proc")
def test_images_are_mapped_and_not_copied(photographs, tmp_path):
    images = decoded(photographs, tmp_path / "cache")
    lines = [line.split() for line in MAPS.read_text().splitlines() if f"{tmp_path}/cache" in line]
    spans = [[int(end, 16) for end in line[0].split("-")] for line in lines]
    for image in images:
        assert any(start <= image.data_ptr() < stop for start, stop in spans)


def private():
    """Bytes of memory that belong to this process alone and cannot be freed by the system."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return 1000 * int(text.partition("Private_Dirty:")[2].split()[0])


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs /proc")
def test_images_that_were_read_take_no_memory_of_the_process(tmp_path):
    files = []
    for level in range(24):
        Image.new("RGB", (1200, 700), (level, 0, 0)).save(tmp_path / f"{level}.png")
        files.append(registered(tmp_path / f"{level}.png"))
    photographs = ImageSet("kodak", [file.path.stem for file in files], "", "free", files)
    decoded(photographs, tmp_path / "cache")
    before = private()
    images = decoded(photographs, tmp_path / "cache")
    size = sum(image.numel() for image in images)
    assert [image.max().item() for image in images] == list(range(24))
    assert private() - before < size / 4


def test_an_image_that_the_registry_replaces_is_decoded_anew(photographs, tmp_path):
    decoded(photographs, tmp_path / "cache")
    new = photograph(tmp_path / "1.png", 99)
    changed = replace(photographs, files=[photographs.files[0], new, photographs.files[2]])
    found = decoded(changed, tmp_path / "cache")
    assert torch.equal(found[1], datasets.decode(new.path))
    assert torch.equal(found[0], photographs[0])


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_file_is_written_again(photographs, tmp_path, damage):
    cache = tmp_path / "cache"
    decoded(photographs, cache)
    for path in cache.iterdir():
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content[:-1] if damage == "cut" else content)
    for one, other in zip(decoded(photographs, cache), photographs, strict=True):
        assert torch.equal(one, other)


def test_another_version_of_the_decoder_is_not_trusted(photographs, tmp_path, monkeypatch):
    decoded(photographs, tmp_path / "cache")
    seen = read(monkeypatch)
    monkeypatch.setattr("PIL.__version__", "another")
    decoded(photographs, tmp_path / "cache")
    assert len(seen) == 3


def test_a_pair_is_known_by_both_of_its_files(photographs, tmp_path):
    noisy = [photograph(tmp_path / f"noisy {seed}.png", seed) for seed in (10, 11, 12)]
    pairs = PairSet("nam-train", photographs.ids, "", "free", photographs.files, noisy)
    other = replace(pairs, noisy=noisy[::-1])
    for images in (pairs, other):
        for found, expected in zip(decoded(images, tmp_path / "cache"), images, strict=True):
            assert torch.equal(found, expected)


def test_each_process_decodes_its_share_before_they_meet(photographs, tmp_path, monkeypatch):
    seen = read(monkeypatch)
    met = []

    def meet():
        met.extend(seen)
        for position in (0, 2):  # what the other process does meanwhile
            monkeypatch.setattr(processes, "count", lambda: 1)
            decoded(replace(photographs, ids=["x"], files=[photographs.files[position]]), tmp_path / "c")

    monkeypatch.setattr(processes, "count", lambda: 2)
    monkeypatch.setattr(processes, "rank", lambda: 1)
    monkeypatch.setattr(processes, "meet", meet)
    assert len(decoded(photographs, tmp_path / "c")) == 3
    assert met == ["1.png"]
    assert sorted(seen) == ["0.png", "1.png", "2.png"]


@pytest.fixture
def image_cache(tmp_path):
    """A folder of this test alone."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.mark.usefixtures("no_rounding")
def test_a_run_has_the_weights_of_a_training_on_the_decoded_list(config, store):
    control = config.build()
    train(control, config.task, list(datasets.load(config.data)), config.training, progress=False)
    trained = runs.get(config, progress=False).control.state_dict()
    assert all(torch.equal(trained[name], value) for name, value in control.state_dict().items())
    assert len(list(stored.image_cache().iterdir())) == len(datasets.load(config.data))


def test_the_next_run_decodes_nothing(config, store, monkeypatch):
    runs.get(config, progress=False)
    seen = read(monkeypatch)
    runs.get(replace(config, training=replace(config.training, seed=1)), progress=False)
    assert seen == []


@pytest.fixture
def no_rounding(monkeypatch):
    monkeypatch.setattr(stored, "HALF_FROM", float("inf"))
