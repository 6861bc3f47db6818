"""A network on photographs of any size, with transparent parts, within the free memory."""

import numpy as np
import pytest
import torch
from torch import nn

from study.networks.style import StyleNetConfig
from study.networks.third_party import NAFNetConfig
from study.tasks.style import read as read_style
from tunable_photo import applying, memory
from tunable_photo.applying import Worker, filled
from tunable_photo.photos import Photo, PhotoError, encode
from tunable_photo.resampling import Bicubic


class Pooled(nn.Module):
    """A convolution scaled by the mean of the image, as in NAFNet's channel attention."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        y = self.layer(x)
        return x + 0.3 * y * y.mean((2, 3), keepdim=True)


GLOBAL = {
    "pooled": Pooled,
    "NAFNet": lambda: NAFNetConfig(4, (1, 1), 1, (1, 1)).build(),
    "style": lambda: StyleNetConfig(4, 1).build(),
}


@pytest.fixture(params=GLOBAL)
def network(request):
    torch.manual_seed(0)
    return GLOBAL[request.param]().eval()


def photo(height=70, width=90, channels=3, depth=np.uint8):
    full = np.iinfo(depth).max
    random = np.random.default_rng(0)
    return Photo(random.integers(1, full, (height, width, channels), depth, endpoint=True))


@torch.no_grad()
def whole(network, what):
    x = torch.from_numpy(what.pixels.astype(np.float32)).permute(2, 0, 1)[None] / what.full
    return (network(x)[0].clamp(0, 1) * what.full).permute(1, 2, 0).numpy()


# Networks that look at the whole image


def test_a_photograph_larger_than_a_tile_is_seen_whole(network, monkeypatch):
    worker = Worker(network)
    monkeypatch.setattr(worker, "tile", 32)  # the default, made small
    what = photo()
    wanted = whole(network, what)
    assert np.abs(worker(what).pixels.astype(float) - wanted).max() <= 0.51


def test_one_that_needs_more_memory_than_there_is_is_refused_with_a_way_out(network, monkeypatch):
    monkeypatch.setattr(memory, "free", lambda device: 10_000)
    worker = Worker(network)
    monkeypatch.setattr(worker, "tile", 32)
    with pytest.raises(PhotoError, match=r"90 x 70 pixels need about .* GB .*--tile 64 ") as caught:
        worker(photo())
    assert "\n" not in str(caught.value)


def test_the_tile_that_is_advised_fits(monkeypatch):
    worker = Worker(Pooled())
    monkeypatch.setattr(worker, "tile", 32)
    half = memory.needed(worker.network, 300, 300)
    monkeypatch.setattr(memory, "free", lambda device: half / applying.SHARE)
    with pytest.raises(PhotoError, match="--tile 256 "):
        worker(photo(600, 600))


def test_a_tile_that_is_given_is_used_and_said_to_approximate(network, capsys):
    worker = Worker(network, tile=48)
    assert worker(photo()).pixels.shape == (70, 90, 3)
    worker(photo())
    (sentence,) = capsys.readouterr().err.splitlines()  # once
    assert sentence.endswith("tiles of 48 pixels approximate it; edges may show")


@pytest.mark.parametrize("net", [nn.Conv2d(3, 8, 3, padding=1), nn.Sequential(nn.Conv2d(3, 3, 1))])
def test_the_memory_needed_grows_with_the_image(net):
    small, large = memory.needed(net, 100, 100), memory.needed(net, 200, 300)
    assert large == pytest.approx(6 * small, rel=1e-3)
    assert small >= memory.RESERVE * 100 * 100 * 4 * (3 + net(torch.rand(1, 3, 8, 8)).shape[1]) * 0.99


def test_tensors_that_are_gone_do_not_count():
    one, four = nn.ReLU(), nn.Sequential(*(nn.ReLU() for _ in range(4)))
    assert memory.needed(four, 64, 64) <= 1.6 * memory.needed(one, 64, 64)


def test_some_memory_is_free():
    assert memory.free("cpu") > 0


# Transparent parts


def cut_out(channels=4, depth=np.uint8):
    """A bright disc; round it alpha is 0 and the hidden colour black."""
    full = np.iinfo(depth).max
    y, x = np.mgrid[:60, :60] - 29.5
    inside = np.hypot(y, x) < 20
    pixels = np.zeros((60, 60, channels), depth)
    pixels[inside] = [*[round(0.8 * full)] * (channels - 1), full]
    return Photo(pixels)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("make", [lambda: Bicubic(4), lambda: nn.AvgPool2d(5, 1, 2)])
def test_a_cut_out_has_no_dark_outline(make, channels, depth):
    what = cut_out(channels, depth)
    result = Worker(make())(what)
    seen = result.pixels[..., -1] > 0
    colours = result.pixels[seen][:, :-1] / result.full
    assert seen.any()
    assert colours.min() > 0.79


def test_tiles_see_the_same_hidden_colours():
    what, network = cut_out(), nn.AvgPool2d(5, 1, 2, count_include_pad=False)
    wide = Worker(network)(what).pixels
    np.testing.assert_array_equal(Worker(network, tile=24)(what).pixels, wide)


def test_alpha_and_visible_colours_are_not_filled():
    what = cut_out()
    result = filled(what)
    visible = what.pixels[..., -1] > 0
    np.testing.assert_array_equal(result[visible], what.pixels[visible])
    np.testing.assert_array_equal(result[..., -1], what.pixels[..., -1])


def test_a_photograph_with_nothing_hidden_is_not_copied():
    what = photo(channels=4)
    assert filled(what) is what.pixels


def test_one_that_is_hidden_altogether_stays():
    what = Photo(np.zeros((300, 20, 4), np.uint8))
    assert not filled(what).any()


def test_hidden_parts_larger_than_a_band_are_filled_near_what_is_visible():
    pixels = np.zeros((700, 20, 4), np.uint8)
    pixels[:300] = (200, 150, 100, 255)
    result = filled(Photo(pixels))
    assert (result[300 : 300 + applying.NEAR, :, :3] == (200, 150, 100)).all()


# Exact


def test_convolutions_are_not_rounded_to_tf32(monkeypatch):
    seen = []

    class Asking(nn.Module):
        def forward(self, x):
            seen.append(torch.backends.cudnn.allow_tf32)
            return x

    worker = Worker(Asking())
    seen.clear()
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=True):
        worker(photo())
    assert seen == [False]


def test_a_style_image_of_16_bits_is_rounded(tmp_path):
    pixels = np.full((64, 64, 3), 257 * 100 + 200, np.uint16)
    (tmp_path / "style.png").write_bytes(encode(Photo(pixels), ".png"))
    assert (read_style(tmp_path / "style.png") == 101).all()
