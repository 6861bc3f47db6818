"""Checkpoints, runs, sweeps and images with flipped bits, cut short or swapped: named, never used.

All kinds of files and of damage are tested here; damage that is specific to one kind is tested there.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from study import runs
from study.controls import FixedConfig
from study.images import datasets
from study.images.datasets import MissingData
from study.measuring.sweep import DenoisingSweep, find, sweep
from study.training import loop
from tunable_core.files import DamagedFile
from tunable_photo.resnet import ResNetConfig

PLACES = 12
"""Bytes that are flipped, and lengths that are tried, of each file: spread evenly, the ends included."""
WHAT = DenoisingSweep(images="photos", sigmas=(5.0,), omegas=((0.0, 1.0),))


def flipped(content: bytes, share: float) -> bytes:
    """One bit of one byte is another."""
    damaged = bytearray(content)
    damaged[round(share * (len(content) - 1))] ^= 1 << random.Random(share).randrange(8)
    return bytes(damaged)


def cut(content: bytes, share: float) -> bytes:
    return content[: round(share * (len(content) - 1))]


@pytest.fixture
def image_cache(tmp_path):
    """A folder of this test alone, so that every training decodes its images."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.fixture(params=[flipped, cut], ids=["flipped", "cut"])
def damages(request):
    """Every damage of that kind to a file's content."""
    return lambda content: [request.param(content, share) for share in np.linspace(0, 1, PLACES)]


@pytest.fixture
def photos(store, monkeypatch, tmp_path):
    """A data set of two photographs of one size in files of one size, under TUNABLE_DATA."""
    folder = tmp_path / "data"
    (folder / "photos").mkdir(parents=True)
    header, *rows = datasets.REGISTRY.read_text().splitlines()
    lines = [header, *(row for row in rows if row.startswith("samples "))]
    for name in ("a", "b"):
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"photos/{name}.png", compress_level=0)
        content = (folder / f"photos/{name}.png").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f"photos\tphotos/{name}.png\t{len(content)}\t{digest}\thttps://example.org\tfree")
    (tmp_path / "registry.tsv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(datasets, "REGISTRY", tmp_path / "registry.tsv")
    monkeypatch.setenv("TUNABLE_DATA", str(folder))
    datasets._registry.cache_clear()
    yield folder / "photos"
    datasets._registry.cache_clear()


@pytest.fixture
def config(config, photos, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    return replace(config, data="photos")


def another(config):
    """A run of the same kind and size, with another seed."""
    return replace(config, training=replace(config.training, seed=1))


def interrupted(config) -> Path:
    """The checkpoint of a training that was stopped in its middle."""

    def stop(history):
        if len(history) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.get(config, progress=False, on_log=stop)
    return runs.store() / "runs" / f"{config.name}-{config.key}.part" / "checkpoint.safetensors"


def refused(config, path: Path, contents, names: Path | None = None) -> None:
    """With each of these contents in the file, the run is refused by a sentence that names the file."""
    whole = path.read_bytes()
    for content in contents:
        assert content != whole
        path.write_bytes(content)
        with pytest.raises(DamagedFile, match=(names or path).name):
            runs.get(config, progress=False)
        path.write_bytes(whole)
    runs.get(config, progress=False)


# Checkpoints


def test_a_damaged_checkpoint(config, damages):
    path = interrupted(config)
    refused(config, path, damages(path.read_bytes()))


def test_the_checkpoint_of_another_run(config):
    swapped = interrupted(another(config)).read_bytes()
    refused(config, interrupted(config), [swapped])


# Runs


@pytest.mark.parametrize("part", ["run.json", "weights.safetensors", "history.csv"])
def test_a_damaged_run(config, damages, part):
    folder = runs.get(config, progress=False).folder
    refused(config, folder / part, damages((folder / part).read_bytes()), names=folder)


@pytest.mark.parametrize("part", ["run.json", "weights.safetensors", "history.csv"])
def test_a_part_of_another_run(config, part):
    swapped = (runs.get(another(config), progress=False).folder / part).read_bytes()
    folder = runs.get(config, progress=False).folder
    refused(config, folder / part, [swapped], names=folder)


# Sweeps


def control(seed: int):
    torch.manual_seed(seed)
    return FixedConfig().build(ResNetConfig(1, 4).build(), 2)


def swept(label="mine", seed=0, what=WHAT) -> Path:
    """A stored sweep."""
    before = set((runs.store() / "sweeps").glob("*"))
    sweep(control(seed), what, label=label, progress=False)
    (path,) = set((runs.store() / "sweeps").glob("*")) - before
    return path


@pytest.mark.usefixtures("photos")
def test_a_damaged_sweep(damages):
    path = swept()
    whole = path.read_bytes()
    for content in damages(whole):
        path.write_bytes(content)
        with pytest.raises(DamagedFile, match=path.name):
            sweep(control(0), WHAT, progress=False)
        with pytest.raises(DamagedFile, match=path.name):
            find(control(0), WHAT)


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"what": replace(WHAT, sigmas=(9.0,))}],
    ids=["weights", "settings"],
)
def test_the_sweep_of_another(other):
    path = swept()
    shutil.copy(swept(**other), path)
    with pytest.raises(DamagedFile, match=path.name):
        sweep(control(0), WHAT, progress=False)


@pytest.mark.usefixtures("photos")
def test_a_sweep_whose_file_has_the_name_of_another():
    path = swept()
    path.rename(path.with_name(path.name.replace("mine", "yours")))
    with pytest.raises(DamagedFile, match=r"yours-photos-.*\.csv holds the sweep of 'mine' on 'photos'"):
        find(control(0), WHAT)


# Images


def used_nowhere(config, path: Path, error: type[Exception]) -> None:
    """Neither a training nor a sweep uses the image, and nothing of either is stored."""
    for use in (
        lambda: runs.get(config, progress=False),
        lambda: sweep(control(0), replace(WHAT, images="photos"), progress=False),
    ):
        with pytest.raises(error, match=rf"{path.name} .*make data DATASETS=photos"):
            use()
    assert runs.find(config) is None
    assert not list(runs.store().rglob("*.csv"))


def test_a_flipped_image(config, photos):
    path = photos / "b.png"
    whole = path.read_bytes()
    for share in np.linspace(0, 1, PLACES):
        path.write_bytes(flipped(whole, share))
        used_nowhere(config, path, DamagedFile)


def test_an_image_swapped_for_another_of_the_same_size(config, photos):
    path, other = photos / "b.png", photos / "a.png"
    assert path.stat().st_size == other.stat().st_size
    shutil.copy(other, path)
    used_nowhere(config, path, DamagedFile)


def test_an_image_cut_short_counts_as_missing_and_the_samples_take_its_place(config, photos):
    path = photos / "b.png"
    path.write_bytes(cut(path.read_bytes(), 0.5))
    with pytest.raises(MissingData, match=r"1 of 2 files .* incomplete, the first .*b\.png"):
        datasets.load("photos")
    with pytest.raises(DamagedFile, match=r"b\.png has .* bytes, not"):
        datasets.describe("photos")["b"]
    with pytest.warns(UserWarning, match="'photos' are not in"):
        assert runs.get(config, progress=False).config.data == "samples-train"


def test_a_folder_that_vanishes_in_the_middle_of_a_sweep(config, photos, monkeypatch):
    read = datasets.read

    def vanishing(file, name):
        image = read(file, name)
        shutil.rmtree(photos, ignore_errors=True)
        return image

    monkeypatch.setattr(datasets, "read", vanishing)
    with pytest.raises(MissingData, match=r"b\.png is missing .*make data DATASETS=photos"):
        sweep(control(0), WHAT, progress=False)
    assert not list(runs.store().rglob("*.csv"))


def test_a_folder_that_vanishes_in_the_middle_of_reading_for_a_training(config, photos, monkeypatch):
    read = datasets.read

    def vanishing(file, name):
        image = read(file, name)
        shutil.rmtree(photos, ignore_errors=True)
        return image

    monkeypatch.setattr(datasets, "read", vanishing)
    with pytest.raises(MissingData, match=r"b\.png is missing .*make data DATASETS=photos"):
        runs.get(config, progress=False)
    assert runs.find(config) is None
