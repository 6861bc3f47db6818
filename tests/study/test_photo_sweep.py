"""Measuring on photographs in files, and the rivals there."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from study.controls import Blend, WaveletBlend
from study.measuring import metrics
from study.measuring.photo_rivals import NonLocalMeans
from study.measuring.photo_sweep import KINDS, PhotoSweep, in_file
from study.measuring.sweep import average, measure


@pytest.fixture
def scene():
    """Smooth shapes with an edge, [3, 64, 64]."""
    y, x = torch.meshgrid(*(torch.linspace(0, 1, 64),) * 2, indexing="ij")
    return torch.stack([0.2 + 0.5 * x, 0.7 - 0.3 * y, 0.3 + 0.3 * (x > y)])


class Smoothing(nn.Module):
    """A denoiser that is known: the mean of 3 x 3 pixels."""

    def forward(self, x):
        return nn.functional.avg_pool2d(nn.functional.pad(x, (1,) * 4, mode="replicate"), 3, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_noise_of_its_level_and_8_bits(scene, kind):
    file, clean = in_file(scene, kind, 20.0)
    assert torch.equal(file, (file * 255).round() / 255)
    expected = 20 if not KINDS[kind].quality else 15
    assert (255 * (file - clean)).std().item() == pytest.approx(expected, rel=0.1)
    assert torch.equal(file, in_file(scene, kind, 20.0)[0])


def test_a_jpeg_is_the_one_that_pillow_writes_of_the_colour_file(scene):
    colour, _ = in_file(scene, "colour", 20.0)
    pixels = (colour * 255).round().byte().permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=95, subsampling="4:2:0")
    found, _ = in_file(scene, "jpeg95", 20.0)
    assert np.array_equal(
        (found * 255).round().byte().permute(1, 2, 0).numpy(), np.asarray(Image.open(buffer))
    )


def test_the_sweep_has_a_row_for_each_kind_level_and_position():
    what = PhotoSweep("samples-test", kinds=("grey", "jpeg80"), sigmas=(10.0, 30.0), every=2, crop=32)
    frame = measure(Blend(Smoothing()), what, progress=False)
    assert len(frame) == len(what) * 11 == 2 * 4 * 11
    mean = average(frame, ("kind", "omega_1"))
    assert mean.index.names == ["kind", "omega_1"]
    assert mean.loc[("grey", 0.0), "kept"] == pytest.approx(
        0.9 + 0.1 * mean.loc[("grey", 1.0), "kept"], abs=1e-4
    )
    assert (frame.groupby(["image", "kind", "sigma"])["input"].nunique() == 1).all()


@pytest.mark.parametrize("fault", [{"kinds": ("gray",)}, {"sigmas": (-1.0,)}, {"sigmas": ()}])
def test_faulty_settings_are_refused(fault):
    with pytest.raises(ValueError):
        PhotoSweep(**fault)


def test_a_wavelet_blend_gives_back_brightness_alone(scene):
    file, _ = in_file(scene, "colour", 20.0)
    blend = WaveletBlend(Smoothing())
    x = file[None]
    clean, half, full = blend.outputs(x, [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    torch.testing.assert_close(clean, Smoothing()(x))
    given = full - clean
    torch.testing.assert_close(given[:, 0], given[:, 1])
    torch.testing.assert_close(half, (clean + full) / 2)
    torch.testing.assert_close(blend(x, [0.5, 0.5]), half)


def test_without_thresholds_a_wavelet_blend_gives_all_brightness_back(scene):
    file, _ = in_file(scene, "grey", 20.0)
    blend = WaveletBlend(Smoothing(), (0.0,) * 5)
    torch.testing.assert_close(blend(file[None], [0.0, 1.0]), file[None], atol=1e-5, rtol=0)
    shrunk = WaveletBlend(Smoothing())(file[None], [0.0, 1.0])
    assert (shrunk - Smoothing()(file[None])).std() < 0.95 * (file[None] - Smoothing()(file[None])).std()


def test_non_local_means_denoises_and_leaves_a_clean_image(scene):
    file, clean = in_file(scene, "colour", 20.0)
    output = NonLocalMeans()(file[None])
    assert metrics.psnr(output, clean[None]) > metrics.psnr(file[None], clean[None]) + 4
    assert (NonLocalMeans()(clean[None]) - clean[None]).abs().mean() < 0.005
    flat = torch.full((1, 3, 16, 16), 0.5)
    torch.testing.assert_close(NonLocalMeans()(flat), flat)
