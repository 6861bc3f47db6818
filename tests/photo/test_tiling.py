"""Tiles: the result equals that of the whole image, and no tile is larger than given."""

import io
from functools import partial

import pytest
import torch
import tqdm
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tunable_photo import tiling
from tunable_photo.resnet import ResNetConfig
from tunable_photo.tiling import Reach, reach, spans, tiled


class Strided(nn.Module):
    """A long path at full resolution beside a short one at half, as in a U-net."""

    def __init__(self):
        super().__init__()
        self.long = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3)))
        self.down, self.up = nn.Conv2d(3, 12, 2, stride=2), nn.PixelShuffle(2)

    def forward(self, x):
        height, width = x.shape[2:]
        even = nn.functional.pad(x, (0, width % 2, 0, height % 2))
        return self.long(x) + self.up(self.down(even))[..., :height, :width]


class Thirds(nn.Module):
    """Blocks of 3 x 3 pixels, each mapped by itself."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 27, 3, stride=3), nn.PixelShuffle(3)

    def forward(self, x):
        height, width = x.shape[2:]
        return self.up(self.down(nn.functional.pad(x, (0, -width % 3, 0, -height % 3))))[
            ..., :height, :width
        ]


class Mean(nn.Conv2d):
    """A convolution that also looks at the mean of the image."""

    def forward(self, x):
        return super().forward(x) + x.mean((2, 3), keepdim=True)


def upscaler():
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(3, 3, 3, padding=1)
    )


NETWORKS = {
    "resnet": (lambda: ResNetConfig(1, 4).build(), 1, Reach(4, 1)),
    "half resolution": (lambda: ResNetConfig(1, 4, True, stride=2).build(), 1, Reach(8, 2)),
    "strided": (Strided, 1, Reach(3, 2)),
    "thirds": (Thirds, 1, Reach(2, 3)),
    "upscaler": (upscaler, 2, Reach(2, 1)),
    "point-wise": (lambda: nn.Conv2d(3, 3, 1), 1, Reach(0, 1)),
}


@pytest.fixture(params=NETWORKS)
def case(request):
    make, scale, known = NETWORKS[request.param]
    return make().eval(), scale, known


@pytest.fixture
def network():
    return ResNetConfig(1, 4).build().eval()


@pytest.fixture
def image():
    return torch.rand(2, 3, 46, 70)


class Watched:
    """A call that remembers the sizes it saw."""

    def __init__(self, call):
        self.call, self.seen = call, []

    def __call__(self, x):
        self.seen.append(tuple(x.shape[2:]))
        return self.call(x)


# The same result


@torch.no_grad()
def test_tiles_give_the_result_of_the_whole_image(case, image):
    network, scale, _ = case
    torch.testing.assert_close(
        tiled(network, image, tile=24, scale=scale), network(image), rtol=0, atol=1e-5
    )


@torch.no_grad()
def test_an_overlap_as_large_as_the_reach_gives_the_result_of_the_whole_image(network, image):
    output = tiled(network, image, tile=24, overlap=4, align=1)
    torch.testing.assert_close(output, network(image), rtol=0, atol=1e-5)


@torch.no_grad()
def test_an_overlap_one_pixel_smaller_does_not(network, image):
    difference = tiled(network, image, tile=24, overlap=3, align=1) - network(image)
    assert difference.abs().max() > 1e-4


@torch.no_grad()
def test_tiles_that_begin_off_a_networks_period_do_not(image):
    network = Strided()
    difference = tiled(network, image, tile=25, overlap=3, align=1) - network(image)
    assert difference.abs().max() > 1e-4


def test_the_output_has_the_type_of_the_call():
    image = torch.randint(0, 256, (1, 3, 40, 40), dtype=torch.uint8)
    output = tiled(lambda x: 255 - x, image, tile=16, overlap=2, align=1)
    assert output.dtype == torch.uint8
    assert torch.equal(output, 255 - image)


def test_the_output_may_have_other_channels(image):
    output = tiled(lambda x: x[:, :1], image, tile=24, overlap=2, align=1)
    assert torch.equal(output, image[:, :1])


def test_nothing_is_kept_for_gradients(network, image):
    assert not tiled(network, image, tile=24).requires_grad


# Memory


@pytest.mark.parametrize("sides", [(46, 70), (200, 300), (24, 301)])
def test_no_call_sees_more_than_a_tile(network, sides):
    watched = Watched(network)
    tiled(watched, torch.rand(1, 3, *sides), tile=24, overlap=4, align=1)
    assert max(max(seen) for seen in watched.seen) <= 24


def test_an_image_no_larger_than_the_tile_is_one_call(network, image):
    watched = Watched(network)
    tiled(watched, image, tile=70)
    assert watched.seen == [(46, 70)]


@given(
    length=st.integers(1, 400),
    tile=st.integers(1, 100),
    overlap=st.integers(0, 12),
    align=st.sampled_from([1, 2, 3, 8]),
)
def test_spans_keep_every_pixel_once_with_its_margins(length, tile, overlap, align):
    margin = -(-overlap // align) * align
    if length > tile and tile < 2 * margin + align:
        with pytest.raises(ValueError, match=f"at least {2 * margin + align} pixels"):
            spans(length, tile, overlap, align)
        return
    found = spans(length, tile, overlap, align)
    kept = [pixel for span in found for pixel in range(span.kept.start, span.kept.stop)]
    assert kept == list(range(length))
    for span in found:
        assert span.seen.stop - span.seen.start <= tile
        assert span.seen.start % align == 0
        assert span.seen.start <= max(0, span.kept.start - overlap)
        assert span.seen.stop >= min(length, span.kept.stop + overlap)


# Reach


def test_the_reach_and_period_of_known_networks_are_found(case):
    network, scale, known = case
    assert reach(network, scale=scale) == known


def test_the_reach_does_not_depend_on_the_weights(network):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert reach(network).pixels == 4


def test_the_reach_is_measured_once(network):
    calls = []
    network.register_forward_hook(lambda *passed: calls.append(passed))
    first = reach(network)
    measured = len(calls)
    assert measured
    assert reach(network) == first
    assert len(calls) == measured


def test_measuring_leaves_the_network_as_it_was(network):
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    reach(network)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_measuring_says_so_in_the_terminal(network, monkeypatch):
    shown = Terminal()
    monkeypatch.setattr(
        tiling,
        "tqdm",
        lambda **given: tqdm.tqdm(**given | {"file": shown, "delay": 0, "mininterval": 0}),
    )
    reach(network)
    assert "measuring the reach" in shown.getvalue()


def test_a_network_that_sees_the_whole_image_is_refused(image):
    with pytest.raises(ValueError, match=r"Mean has a reach over 256 pixels.* give overlap"):
        tiled(Mean(3, 3, 1), image, tile=24)


def test_a_network_that_sees_the_whole_image_is_tiled_with_an_overlap_of_ones_own(image):
    assert tiled(Mean(3, 3, 1), image, tile=48, overlap=8).shape == image.shape


# Refusals


def test_a_tile_too_small_is_refused_with_the_least_it_may_be(network, image):
    with pytest.raises(
        ValueError, match=r"tile must be at least 9 pixels, for two margins of 4 .*got 8"
    ):
        tiled(network, image, tile=8)
    tiled(network, image[..., :12, :14], tile=9)


def test_a_function_needs_an_overlap(image):
    with pytest.raises(ValueError, match="give overlap, in pixels"):
        tiled(lambda x: x, image, tile=24)


def test_a_call_that_changes_the_size_is_refused(image):
    with pytest.raises(
        ValueError, match=r"with scale=1 an image of .* must become \[B, C, 20, 18\]; got"
    ):
        tiled(lambda x: x.repeat(1, 1, 2, 2), image, tile=24, overlap=4, align=1)


def test_one_image_without_a_batch_is_refused(network):
    with pytest.raises(ValueError, match=r"\[B, C, H, W\]; got \[3, 40, 40\]"):
        tiled(network, torch.rand(3, 40, 40), tile=24)


# Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr(tiling, "tqdm", partial(tqdm.tqdm, file=shown))
    return shown


def test_a_short_work_shows_no_bar(image, terminal):
    tiled(lambda x: x, image, tile=24, overlap=4, align=1)
    assert not terminal.getvalue().strip()


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_with_the_time_left_is_shown_after_two_seconds(image, terminal, progress, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: clock[0])

    def slow(x):
        clock[0] += 0.3
        return x

    tiled(slow, image, tile=24, overlap=4, align=1, progress=progress)
    assert ("<00:" in terminal.getvalue()) == progress
