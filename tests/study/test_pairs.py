"""Real noise: pairs stay pairs."""

import pytest
import torch

from study.images import datasets, pairs
from study.images.datasets import MissingData
from study.tasks import RealDenoising
from study.training.crops import crops

NAM = pytest.mark.skipif(
    not datasets.available("nam"), reason="needs the nam images (make data DATASETS=nam)"
)


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
    clean = torch.randint(128, (3, 40, 50), dtype=torch.uint8)
    pair = torch.cat([clean, clean + 1])
    found = crops([pair], 16, 20, torch.Generator().manual_seed(0)).float() / 255
    clean, noisy, _ = RealDenoising().pair(found, torch.Generator())
    torch.testing.assert_close(noisy - clean, torch.full_like(clean, 1 / 255))
