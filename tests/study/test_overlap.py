"""No photograph is both trained and tested on: pixels are compared at several scales."""

import pytest
import torch
from torch.nn import functional as F

from study.images import datasets, overlap
from study.images.pairs import nam

TESTED = ("kodak", "set5", "set14", "bsd100", "cbsd68", "samples-test")
TRAINED = ("bsds500", "samples-train")


def lumas(name):
    images = datasets.load(name)
    return {f"{name}/{each}": images[each] for each in images.ids}


@pytest.fixture(scope="module")
def photographs():
    return lumas("samples-train")


def test_a_part_of_a_photograph_at_another_size_is_found(photographs):
    name, image = next(iter(photographs.items()))
    height, width = image.shape[-2:]
    part = image[:, height // 8 : height // 8 + 7 * height // 10, : 8 * width // 10].float()
    small = F.interpolate(part[None], scale_factor=0.61, mode="bicubic", antialias=True)[0]
    (pair,) = overlap.shared(photographs, {"part": small.clamp(0, 255).byte()})
    assert (pair.first, pair.second) == (name, "part")


def test_it_is_found_from_both_sides(photographs):
    name, image = list(photographs.items())[3]
    half = F.interpolate(image[None].float(), scale_factor=0.5, mode="area")[0].byte()
    assert [pair[:2] for pair in overlap.shared({"half": half}, photographs)] == [("half", name)]


def test_noise_and_other_photographs_are_no_pair(photographs):
    noise = torch.randint(0, 256, (3, 120, 160), generator=torch.Generator().manual_seed(0))
    assert overlap.shared(photographs, {"noise": noise.byte()}) == []
    assert overlap.shared(photographs, lumas("samples-test")) == []


def test_the_same_light_is_not_the_same_photograph():
    """Bright above and dark below, with other detail."""
    random = torch.Generator().manual_seed(0)
    light = torch.linspace(230, 20, 120)[None, :, None].expand(3, 120, 160)
    both = [light + 20 * torch.rand((1, 120, 160), generator=random) for _ in range(2)]
    first, second = (image.clamp(0, 255).byte() for image in both)
    assert overlap.shared({"first": first}, {"second": second}) == []
    assert len(overlap.shared({"first": first}, {"copy": first})) == 1


@pytest.mark.slow
def test_of_all_sets_one_pair_is_shared_and_bsds500_clean_leaves_it_out():
    there = [name for name in (*TRAINED, *TESTED) if datasets.available(name)]
    if not {"bsds500", "set5"} <= set(there):
        pytest.skip("bsds500 and set5 are not available")
    trained = {k: v for name in TRAINED if name in there for k, v in lumas(name).items()}
    tested = {k: v for name in TESTED if name in there for k, v in lumas(name).items()}
    found = [pair[:2] for pair in overlap.shared(trained, tested)]
    assert found == [("bsds500/302003", "set5/005")]
    assert "302003" not in datasets.describe("bsds500-clean").ids


@pytest.mark.slow
def test_no_scene_of_nam_is_trained_and_tested_on():
    if not datasets.available("nam"):
        pytest.skip("nam is not available")
    trained, tested = ({i: nam(part)[i][:3] for i in nam(part).ids} for part in ("train", "test"))
    assert overlap.shared(trained, tested) == []
