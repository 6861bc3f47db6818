"""The degradation of photographs: levels, means, correlations, and that its JPEG is Pillow's own."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from study.images import photographs
from study.images.photographs import (
    FIELDS,
    Levels,
    demosaicked,
    draw_levels,
    in_grey,
    photograph,
    shaped_noise,
    through_jpeg,
)
from study.tasks import Photographs
from tunable_core.objectives import noise_target


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def levels(count, sigma=20.0, slope=0.0, shares=(1.0, 0.0, 0.0), rho=0.0, grey=False, quality=0, kind=0):
    """The same level for each of count images, their grids at their first pixel."""
    whole = {"dtype": torch.long}
    return Levels(
        torch.full((count,), sigma),
        torch.full((count,), slope),
        torch.tensor([shares] * count),
        torch.full((count,), rho),
        torch.tensor([grey] * count),
        torch.full((count,), quality, **whole),
        torch.full((count,), kind, **whole),
        torch.zeros(count, 2, **whole),
    )


def white(count, side=128):
    return torch.randn(count, FIELDS, side, side, generator=generator())


def flat(value, count=4, side=128):
    return torch.full((count, 3, side, side), value)


def correlation(a, b):
    return float(np.corrcoef(a.flatten(), b.flatten())[0, 1])


KINDS = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.2, 0.3)]


@pytest.mark.parametrize("rho", [0.0, 0.4, 1.2])
@pytest.mark.parametrize("shares", KINDS)
def test_noise_of_every_kind_has_its_level_and_no_mean(shares, rho):
    file, clean = photograph(flat(0.5), levels(4, 20.0, shares=shares, rho=rho), white(4))
    noise = 255 * (file - clean)
    assert noise.std().item() == pytest.approx(20, rel=0.03)
    assert noise.mean(dim=(0, 2, 3)).abs().max() < 1
    assert noise.std(dim=(0, 2, 3)).tolist() == pytest.approx([20] * 3, rel=0.04)


@pytest.mark.parametrize("slope", [-0.8, 0.0, 0.8])
def test_the_variance_is_linear_in_the_brightness(slope):
    for brightness in (0.25, 0.5, 0.75):
        file, clean = photograph(flat(brightness), levels(4, 10.0, slope), white(4))
        expected = 100 * (1 + slope * (2 * brightness - 1))
        assert (255 * (file - clean)).var().item() == pytest.approx(expected, rel=0.05)


def test_common_noise_is_equal_in_the_channels_and_colour_noise_independent():
    common = shaped_noise(white(2), *levels(2, shares=KINDS[1])[2:4], torch.zeros(2, 2))
    assert torch.equal(common[:, 0], common[:, 1])
    colour = shaped_noise(white(2), *levels(2, shares=KINDS[0])[2:4], torch.zeros(2, 2))
    assert abs(correlation(colour[:, 0], colour[:, 2])) < 0.02
    assert abs(correlation(colour[..., 1:], colour[..., :-1])) < 0.02


def test_mosaic_noise_is_correlated_between_pixels_as_bilinear_interpolation_leaves_it():
    noise = demosaicked(white(8)[:, 4:], torch.zeros(8, 2, dtype=torch.long))
    red, green = noise[:, 0], noise[:, 1]
    # Red alternates between a value v and the mean of two neighbours; neighbours share half of v.
    assert correlation(red[:, :, 1:], red[:, :, :-1]) == pytest.approx(2 / 3, abs=0.03)
    assert correlation(green[:, :, 1:], green[:, :, :-1]) == pytest.approx(0.4, abs=0.03)
    assert noise.var(dim=(0, 2, 3)).tolist() == pytest.approx([1, 1, 1], rel=0.03)


def test_the_mosaic_of_an_image_that_was_cropped_is_that_of_the_whole():
    whole = white(1, 40)[:, 4:]
    at = torch.zeros(1, 2, dtype=torch.long)
    seen = demosaicked(whole[:, :, 3:, 5:], at + torch.tensor([3, 5]))
    torch.testing.assert_close(
        seen[:, :, 1:-1, 1:-1], demosaicked(whole, at)[:, :, 3:, 5:][:, :, 1:-1, 1:-1]
    )


def test_larger_grain_has_longer_correlations():
    found = []
    for rho in (0.0, 0.5, 1.0):
        noise = shaped_noise(white(2), *levels(2, rho=rho)[2:4], torch.zeros(2, 2))
        found.append(correlation(noise[..., 1:], noise[..., :-1]))
    assert found[0] < 0.05 < found[1] < 0.6 < found[2]


def test_a_grey_photograph_is_grey_with_its_noise():
    patches = torch.rand(2, 3, 32, 32, generator=generator())
    given = levels(2, shares=(0.0, 1.0, 0.0), grey=True)
    file, clean = photograph(patches, given, white(2, 32))
    for image in (file, clean):
        assert torch.equal(image[:, 0], image[:, 1])
        assert torch.equal(image[:, 0], image[:, 2])
    torch.testing.assert_close(clean, in_grey(patches))


@pytest.mark.parametrize("quality", [60, 80, 98])
@pytest.mark.parametrize("kind", [0, 2])
def test_its_jpeg_is_pillows_own(quality, kind):
    image = torch.rand(1, 3, 48, 64, generator=generator())
    at = torch.zeros(1, 2, dtype=torch.long)
    ours = through_jpeg(image, torch.tensor([quality]), torch.tensor([kind]), at)
    buffer = io.BytesIO()
    pixels = (image[0] * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality, subsampling=kind)
    theirs = np.asarray(Image.open(buffer))
    assert np.array_equal((ours[0] * 255).round().byte().permute(1, 2, 0).numpy(), theirs)


def test_the_grid_of_a_jpeg_lies_where_its_offset_says():
    image = torch.rand(1, 3, 48, 48, generator=generator())
    settings = torch.tensor([60]), torch.tensor([0])
    down, right = 3, 5
    padded = np.pad(image[0].numpy(), ((0, 0), (down, 0), (right, 0)), mode="reflect")
    whole = through_jpeg(torch.tensor(padded[None]), *settings, torch.zeros(1, 2, dtype=torch.long))
    ours = through_jpeg(image, *settings, torch.tensor([[down, right]]))
    assert torch.equal(ours, whole[:, :, down:, right:])
    assert not torch.equal(ours, through_jpeg(image, *settings, torch.zeros(1, 2, dtype=torch.long)))


def test_without_noise_and_jpeg_a_file_is_the_image_in_8_bits():
    patches = torch.rand(2, 3, 32, 32, generator=generator())
    file, _ = photograph(patches, levels(2, sigma=0.0), white(2, 32))
    assert torch.equal(file, (patches * 255).round() / 255)


def test_a_file_is_clipped():
    file, _ = photograph(flat(0.95, 1), levels(1, 30.0), white(1))
    assert file.max() == 1
    assert file.min() >= 0


def test_levels_are_drawn_as_documented():
    drawn = draw_levels(20_000, (0.0, 35.0), generator())
    share = lambda condition: condition.float().mean().item()  # noqa: E731
    assert share(drawn.sigma == 0) == pytest.approx(0.1, abs=0.01)
    assert drawn.sigma.max().item() == pytest.approx(35, abs=0.1)
    assert drawn.sigma[drawn.sigma > 0].mean().item() == pytest.approx(17.5, abs=0.3)
    assert share(drawn.grey) == pytest.approx(0.2, abs=0.01)
    assert share(drawn.quality > 0) == pytest.approx(0.5, abs=0.015)
    with_jpeg = drawn.quality[drawn.quality > 0]
    assert (with_jpeg.min(), with_jpeg.max()) == (60, 98)
    assert share(drawn.subsampling == 2) == pytest.approx(0.75, abs=0.015)
    assert share(drawn.slope == 0) == pytest.approx(0.5, abs=0.015)
    assert drawn.slope.abs().max() <= 0.9
    assert drawn.slope[drawn.slope != 0].mean().abs() < 0.03
    assert share(drawn.rho > 0) == pytest.approx(1 / 3, abs=0.015)
    assert drawn.rho.max() <= photographs.GRAIN[1]
    assert drawn.rho[drawn.rho > 0].min() >= photographs.GRAIN[0]
    torch.testing.assert_close(drawn.shares.sum(1), torch.ones(20_000))
    colour = drawn.shares[~drawn.grey]
    assert [share(colour[:, i] == 1) for i in range(3)] == pytest.approx(photographs.KINDS, abs=0.015)
    assert (drawn.shares[drawn.grey, 1] == 1).all()


def test_pairs_depend_on_the_generator_alone_and_rows_are_those_of_the_batch():
    task, patches = Photographs(), torch.rand(12, 3, 32, 32, generator=generator())
    first, second = (task.pair(patches, generator(5)) for _ in range(2))
    assert torch.equal(first.degraded, second.degraded)
    assert torch.equal(first.clean, second.clean)
    assert not torch.equal(first.degraded, task.pair(patches, generator(6)).degraded)
    rows = slice(4, 8)
    mine = task.pair(patches[rows], generator(5), batch=12, rows=rows)
    assert torch.equal(mine.degraded, first.degraded[rows])


def test_both_objectives_ask_for_the_share_of_noise_that_the_dial_names():
    clean, file = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    loss = Photographs().loss
    for kept in (0.0, 0.3, 1.0):
        output = noise_target(clean, file, kept)
        total, parts = loss(output, clean, file, torch.tensor([1 - kept, kept]))
        assert total.item() == pytest.approx(0, abs=1e-6)
        assert all(part.item() == pytest.approx(0, abs=1e-6) for part in parts.values())
    total, _ = loss(clean, clean, file, torch.tensor([0.0, 1.0]))
    assert total > 0.1
