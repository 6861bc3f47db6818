"""How training pairs are made."""

import pytest
import torch

from study import tasks
from study.images.degradations import gaussian_blur
from study.tasks import (
    Denoising,
    DenoisingDeblurring,
    Photographs,
    RealDenoising,
    StyleTransfer,
    SuperResolution,
    Task,
    base,
)
from study.tasks.joint import Joint
from study.tasks.style import Style, style
from study.training.adversary import AdversarialLoss


def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def patches():
    return torch.rand(200, 3, 24, 24)


@pytest.mark.parametrize(
    "task", [Denoising(), DenoisingDeblurring(), DenoisingDeblurring(levels="beta")]
)
def test_pairs_depend_on_the_generator_alone(task, patches):
    first, second = (task.pair(patches, generator()) for _ in range(2))
    assert torch.equal(first.degraded, second.degraded)
    assert first.degraded.shape == patches.shape
    assert torch.equal(first.clean, patches)


def test_the_joint_levels_are_what_was_done(patches):
    flat = torch.full_like(patches, 0.5)
    pair = DenoisingDeblurring().pair(flat, generator())
    noise = (pair.degraded - flat).flatten(1).std(1) * 255
    torch.testing.assert_close(noise / 30, pair.levels[:, 0], rtol=0.1, atol=0)
    still = DenoisingDeblurring(sigma=(0.0, 1e-6)).pair(patches, generator())
    expected = gaussian_blur(patches, 4 * still.levels[:, 1])
    torch.testing.assert_close(still.degraded, expected, atol=1e-6, rtol=0)


def test_uniform_levels_cover_their_ranges(patches):
    levels = DenoisingDeblurring().pair(patches, generator()).levels
    assert levels.min(0).values[0] >= 5 / 30
    assert levels.max() <= 1
    assert levels.mean(0).tolist() == pytest.approx([17.5 / 30, 0.5], abs=0.06)


def test_beta_levels_are_often_single_and_mostly_weak():
    task = DenoisingDeblurring(levels="beta")
    levels = task.pair(torch.rand(2000, 3, 21, 21), generator()).levels
    without = (levels == 0).float().mean(0)
    assert without.tolist() == pytest.approx([0.25, 0.25], abs=0.03)
    assert not (levels == 0).all(1).any()
    noise = levels[levels[:, 0] > 0, 0]
    assert noise.mean().item() == pytest.approx(1 / 3, abs=0.03)
    assert (noise < 0.25).float().mean().item() == pytest.approx(0.5, abs=0.04)  # sqrt(0.25)


def test_the_conditioning_of_a_degradation_is_the_levels_of_its_pair(patches):
    task = DenoisingDeblurring(sigma=(15.0, 15.0), rho=(2.0, 2.0))
    levels = task.pair(patches, generator()).levels
    torch.testing.assert_close(
        levels, torch.tensor([task.conditioning(sigma=15.0, rho=2.0)]).expand_as(levels)
    )
    assert DenoisingDeblurring().conditioning(sigma=15.0, rho=1.0) == (0.5, 0.25)


def test_levels_outside_of_training_are_warned_of_once_with_the_range(monkeypatch):
    monkeypatch.setattr(base, "_warned", set())
    task = DenoisingDeblurring()
    task.warn_outside(sigma=(5.0, 30.0), rho=(0.0, 4.0))  # a warning would be an error here
    with pytest.warns(UserWarning, match=r"sigma = 50 lies outside \[5, 30\], the range of training"):
        task.warn_outside(sigma=(5.0, 50.0), rho=(0.0,))
    with pytest.warns(UserWarning, match=r"rho = 4\.5 lies outside \[0, 4\]"):
        task.warn_outside(rho=(4.5,))
    task.warn_outside(sigma=(60.0,), rho=(5.0,))  # said already
    with pytest.warns(UserWarning, match=r"outside \[0, 20\]"):
        DenoisingDeblurring(sigma=(0.0, 20.0)).warn_outside(sigma=(60.0,))


def test_a_pair_of_real_noise_is_its_two_halves():
    pairs = torch.rand(2, 6, 8, 8)
    clean, noisy, levels = RealDenoising().pair(pairs, generator())
    assert torch.equal(torch.cat([clean, noisy], 1), pairs)
    assert levels is None


def test_the_joint_task_has_the_objectives_of_its_reading(patches):
    for reading in ("adapted", "clean", "literal"):
        loss = DenoisingDeblurring(reading=reading, gamma=3.0).loss
        omega = torch.tensor([0.3, 0.7])
        _, parts = loss(patches, patches, patches, omega)
        expected = Joint(reading, gamma=3.0).blur(patches, patches, patches, omega).mean()
        torch.testing.assert_close(parts["blur"], expected)


def test_a_task_is_used_without_knowing_which(patches):
    style = Style("a", "0" * 64)
    found = [
        Denoising(),
        RealDenoising(),
        DenoisingDeblurring(),
        SuperResolution(),
        StyleTransfer((style,)),
        Photographs(),
    ]
    assert {type(task).__name__ for task in found} == set(tasks.__all__) - {"Pair", "Task"}
    assert all(isinstance(task, Task) and task.meaning >= 1 for task in found)
    assert [task.teachers for task in found] == [(), (), (), ("vgg19",), ("vgg19",), ()]
    assert [task.own_images for task in found] == [(), (), (), (), (style.sha256,), ()]
    assert [tuple(task.ranges) for task in found[:3]] == [("sigma",), (), ("sigma", "rho")]
    assert [tuple(task.ranges) for task in found[3:]] == [(), (), ("sigma",)]
    assert [isinstance(task.loss, AdversarialLoss) for task in found] == [i == 3 for i in range(6)]


def test_a_task_without_loss_is_none():
    class Half(Task):
        def apply(self, patches):
            return tasks.Pair(patches, patches)

    with pytest.raises(TypeError, match=r"abstract.*loss"):
        Half()


@pytest.mark.parametrize("task", [Denoising(), DenoisingDeblurring(), SuperResolution(), Photographs()])
def test_images_are_degraded_the_same_at_every_call(task, patches):
    first = task.degrade(patches)
    torch.rand(3)
    assert torch.equal(task.degrade(patches), first)
    assert not torch.equal(first.mean(), patches.mean())


TASKS = [
    Denoising(),
    DenoisingDeblurring(),
    DenoisingDeblurring(levels="beta"),
    Photographs(),
    RealDenoising(),
    SuperResolution(vgg=0.0),
    StyleTransfer((style("coffee"),), layer="pixels"),
]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_the_rows_of_a_pair_are_those_of_the_whole_batch(task, count, layout):
    channels = 6 if isinstance(task, RealDenoising) else 3
    patches = torch.rand(6, channels, 48, 48).contiguous(memory_format=layout)
    drawn = generator()
    whole = task.pair(patches, drawn)
    for size, rank in ((6 // count, rank) for rank in range(count)):
        rows = slice(rank * size, (rank + 1) * size)
        alone = generator()
        part = task.pair(patches[rows], alone, batch=6, rows=rows)
        for expected, found in zip(whole, part, strict=True):
            assert (found is None) == (expected is None)
            assert found is None or torch.equal(found, expected[rows])
        assert torch.equal(alone.get_state(), drawn.get_state())
