"""Batches: the same rows for any number of processes, and the next batch made ahead."""

import threading
from dataclasses import replace

import pytest
import torch

from study.controls import Stage
from study.tasks import Denoising, DenoisingDeblurring, SuperResolution
from study.training import Training, processes
from study.training.batches import ahead, batch
from study.training.crops import check_sizes, crops
from tunable_core.omega import OmegaSampling

SETTINGS = Training(batch=6, patch=48, omega=OmegaSampling(groups=3))
STAGE = Stage("it", ("",))


class Whole(Denoising):
    """A task whose pair() knows nothing of rows."""

    def pair(self, patches, generator):
        assert len(patches) == SETTINGS.batch
        return super().pair(patches, generator)


class Sparse(Denoising):
    """Remembers how many rows it degraded."""

    rows = 0

    def apply(self, patches, *drawn):
        Sparse.rows = len(patches)
        return super().apply(patches, *drawn)


@pytest.fixture
def photographs():
    return [torch.randint(256, (3, 60, 70 + extra), dtype=torch.uint8) for extra in range(5)]


def shares(monkeypatch, count, task, images, settings, stage=STAGE):
    """The batch of step 3 as each of several processes makes it."""
    for rank in range(count):
        monkeypatch.setattr(processes, "count", lambda: count)
        monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
        yield batch(task, images, stage, 2, settings, 3)
    monkeypatch.undo()


@pytest.mark.parametrize("task", [Denoising(), DenoisingDeblurring(), SuperResolution(), Whole()])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_processes_make_the_rows_of_one_process(task, count, photographs, monkeypatch):
    whole = batch(task, photographs, STAGE, 2, SETTINGS, 3)
    parts = list(shares(monkeypatch, count, task, photographs, SETTINGS))
    for values, expected in zip(zip(*parts, strict=True), whole, strict=True):
        assert all(len(value) == SETTINGS.batch // count for value in values)
        assert torch.equal(torch.cat(values), expected)


def test_levels_are_those_of_the_rows(photographs, monkeypatch):
    conditioned = replace(STAGE, omega=(1.0, 0.0), conditioned=True)
    whole = batch(DenoisingDeblurring(), photographs, conditioned, 2, SETTINGS, 3)
    parts = list(shares(monkeypatch, 3, DenoisingDeblurring(), photographs, SETTINGS, conditioned))
    assert torch.equal(torch.cat([part.dials for part in parts]), whole.dials)
    assert all(part.omega.tolist() == [1, 0] for part in parts)


def test_one_omega_in_a_step_is_for_all_processes(photographs, monkeypatch):
    settings = replace(SETTINGS, omega=OmegaSampling())
    first, second = shares(monkeypatch, 2, Denoising(), photographs, settings)
    assert first.omega.shape == (2,)
    assert torch.equal(first.omega, second.omega)


def test_a_process_degrades_only_its_rows(photographs, monkeypatch):
    list(shares(monkeypatch, 3, Sparse(), photographs, SETTINGS))
    assert Sparse.rows == SETTINGS.batch // 3


def test_only_the_images_of_its_rows_are_read(photographs):
    class Images(list):
        """Remembers which images are asked for."""

        read = 0

        def __getitem__(self, position):
            Images.read += 1
            return super().__getitem__(position)

    crops(Images(photographs), 48, 6, torch.Generator().manual_seed(0), slice(2, 4))
    assert Images.read == 2


def test_a_batch_that_cannot_be_divided_is_refused(photographs, monkeypatch):
    with pytest.raises(ValueError, match="a batch of 6 cannot be divided among 4 processes"):
        list(shares(monkeypatch, 4, Denoising(), photographs, SETTINGS))


def test_an_image_smaller_than_a_patch_is_found_whether_or_not_it_is_drawn(photographs):
    with pytest.raises(ValueError, match="image 4 is 60 x 74 pixels, smaller than the patch of 61"):
        check_sizes([*(torch.zeros(3, 61, 61) for _ in range(4)), photographs[4]], 61)


# Ahead


def test_every_step_comes_once_and_in_order():
    asked = []
    assert list(ahead(lambda step: asked.append(step) or step, range(3, 9))) == [*range(3, 9)]
    assert asked == [*range(3, 9)]


def test_no_step_is_no_batch():
    assert list(ahead(lambda step: step, [])) == []


def test_the_next_is_made_while_this_one_is_used():
    begun = [threading.Event() for _ in range(3)]
    for step in ahead(lambda step: begun[step].set(), range(3)):
        assert step is None
        assert begun[1].wait(10)


def test_not_more_than_one_is_made_before_it_is_asked_for():
    asked = []
    batches = ahead(lambda step: asked.append(step) or step, range(9))
    assert next(batches) == 0
    batches.close()
    assert asked in ([0], [0, 1])


def test_what_goes_wrong_surfaces_at_its_own_step():
    def make(step):
        if step == 2:
            raise LookupError("step 2")
        return step

    seen = []
    with pytest.raises(LookupError, match="step 2"):
        seen.extend(ahead(make, range(5)))
    batches = ahead(make, range(5))
    assert [next(batches), next(batches)] == [0, 1]


def test_closing_ends_the_thread():
    batches = ahead(lambda step: threading.current_thread(), range(5))
    maker = next(batches)
    assert maker is not threading.current_thread()
    batches.close()
    assert not maker.is_alive()
