"""Real noise: pairs stay pairs, and SIDD's own files are read."""

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image

from study.images import datasets, pairs
from study.images.datasets import MissingData
from study.tasks import RealDenoising
from tunable_core.files import DamagedFile
from tunable_core.training.crops import crops

NAM = pytest.mark.skipif(
    not datasets.available("nam"), reason="needs the nam images (make data DATASETS=nam)"
)


def photograph(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def sidd(tmp_path):
    """A scene of SIDD in small: 700 x 600 pixels, the noisy twin 1 grey level brighter."""
    clean = photograph(700, 600) // 2
    scene = tmp_path / "Data" / "0001_001_S6"
    scene.mkdir(parents=True)
    Image.fromarray(clean).save(scene / "0001_GT_SRGB_010.PNG")
    Image.fromarray(clean + 1).save(scene / "0001_NOISY_SRGB_010.PNG")
    return tmp_path


@pytest.fixture
def validation(tmp_path):
    """SIDD's validation files in small: 2 x 3 blocks of 8 pixels."""
    for position, name in enumerate(("ValidationGtBlocksSrgb", "ValidationNoisyBlocksSrgb")):
        blocks = np.arange(2 * 3 * 8 * 8 * 3).reshape(2, 3, 8, 8, 3) % 100 + 100 * position
        scipy.io.savemat(tmp_path / f"{name}.mat", {name: blocks.astype(np.uint8)})
    return tmp_path


def test_the_splits_of_nam_share_no_pair_and_leave_none_out():
    train, test = pairs.nam("train"), pairs.nam("test")
    assert not set(train.ids) & set(test.ids)
    assert len(train) + len(test) == 25
    assert set(test.ids) == set(pairs.NAM_TEST)
    assert train.checksum != test.checksum


def test_a_split_is_a_data_set_by_name():
    assert datasets.describe("nam-test").ids == pairs.nam("test").ids


@NAM
def test_a_pair_is_the_clean_and_the_noisy_image():
    found = datasets.load("nam-test")["13"]
    whole = datasets.load("nam")
    assert torch.equal(found, torch.cat([whole["clean/13"], whole["noisy/13"]]))


@NAM
def test_the_pairs_differ_by_noise_alone():
    for pair in pairs.nam("test"):
        clean, noisy = (side.float() for side in pair.chunk(2))
        assert 0.3 < (noisy - clean).std() < 15
        assert abs((noisy - clean).mean()) < 3


def test_pairs_are_there_only_with_both_of_their_halves(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    halves = pairs.nam("train")
    for file in halves.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_bytes(bytes(file.bytes))
    assert not datasets.available("nam-train")
    with pytest.raises(MissingData, match=r"'nam-train': 17 of 34 files are missing"):
        datasets.load("nam-train")
    for file in halves.noisy:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_bytes(bytes(file.bytes))
    assert datasets.available("nam-train")


def test_photographs_that_are_no_pairs_are_refused_by_the_task_of_pairs():
    with pytest.raises(ValueError, match=r"pairs of photographs, \[B, 6, H, W\]; got \[2, 3, 8, 8\]"):
        RealDenoising().pair(torch.rand(2, 3, 8, 8), torch.Generator())


def test_crops_of_a_pair_are_of_the_same_place_and_way_round():
    clean = torch.from_numpy(photograph(40, 50)).permute(2, 0, 1) // 2
    pair = torch.cat([clean, clean + 1])
    found = crops([pair], 16, 20, torch.Generator().manual_seed(0)).float() / 255
    clean, noisy, _ = RealDenoising().pair(found, torch.Generator())
    torch.testing.assert_close(noisy - clean, torch.full_like(clean, 1 / 255))


def test_training_crops_of_sidd_cover_the_image_and_stay_pairs(sidd):
    found = pairs.sidd_training(sidd)
    assert [tuple(pair.shape) for pair in found] == [(6, 512, 512)] * 4
    assert all(((pair[3:] - pair[:3]) == 1).all() for pair in found)
    whole = datasets.decode(next(sidd.glob("**/*GT*.PNG")))
    assert torch.equal(found[0][:3], whole[:, :512, :512])
    assert torch.equal(found[-1][:3], whole[:, -512:, -512:])


def test_a_scene_without_its_noisy_twin_is_named(sidd):
    next(sidd.glob("**/*NOISY*.PNG")).unlink()
    with pytest.raises(MissingData, match=r"0001_GT_SRGB_010\.PNG has no noisy twin 0001_NOISY"):
        pairs.sidd_training(sidd)


def test_a_folder_without_sidd_says_how_to_get_it(tmp_path):
    with pytest.raises(MissingData, match=r"unpack SIDD_Medium_Srgb\.zip there"):
        pairs.sidd_training(tmp_path)
    with pytest.raises(MissingData, match=r"ValidationGtBlocksSrgb\.mat is missing"):
        pairs.sidd_validation(tmp_path)


def test_validation_blocks_come_in_order_clean_then_noisy(validation):
    blocks = pairs.sidd_validation(validation)
    assert blocks.shape == (6, 6, 8, 8)
    assert ((blocks[:, 3:].int() - blocks[:, :3].int()) == 100).all()
    stored = scipy.io.loadmat(validation / "ValidationGtBlocksSrgb.mat")["ValidationGtBlocksSrgb"]
    assert np.array_equal(blocks[4, :3].permute(1, 2, 0).numpy(), stored[1, 1])


@pytest.mark.parametrize("content", [b"no mat", None])
def test_damaged_validation_files_are_named(validation, content):
    path = validation / "ValidationGtBlocksSrgb.mat"
    if content is None:
        scipy.io.savemat(path, {"ValidationGtBlocksSrgb": np.zeros((2, 3, 8, 8))})
    else:
        path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"ValidationGtBlocksSrgb\.mat"):
        pairs.sidd_validation(validation)
