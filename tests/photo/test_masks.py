"""`tunable denoise --mask`: here but not there."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tunable_core import Tunable
from tunable_photo import cli, photos
from tunable_photo.photos import Photo

INSIDE, OUTSIDE = (0.9, 0.1), (0.3, 0.7)
WORDS = ("--run", "tiny", "--mask", "mask.png", "--inside", "0.9", "0.1", "--outside", "0.3", "0.7")


class Half(nn.Module):
    """At half the resolution, for images of any size."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.Sequential(nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x):
        return self.up(self.down(x))[..., : x.shape[2], : x.shape[3]] + 0.5


@pytest.fixture
def model():
    """The network that --run tiny names."""
    return Tunable(Half(), 2).eval()


@pytest.fixture(autouse=True)
def here(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "network", lambda run: model)
    monkeypatch.setattr(cli, "dial", lambda run: None)
    return tmp_path


def photo(height=64, width=96, channels=3, depth=np.uint8):
    pixels = np.random.default_rng(0).integers(1, np.iinfo(depth).max, (height, width, channels), depth)
    (path := Path("in.png")).write_bytes(photos.encode(Photo(pixels), path.suffix))
    return pixels


def mask(height=64, width=96):
    """White on the right half."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, width // 2 :] = 255
    Image.fromarray(pixels).save("mask.png")
    return pixels


def denoise(*words):
    return cli.main(["denoise", "in.png", "out.png", *words])


def expected(model, pixels, omega):
    """The result of the whole photograph with a map of dials, in its integer type."""
    full = np.iinfo(pixels.dtype).max
    x = torch.from_numpy(pixels.astype(np.float32) / full).permute(2, 0, 1)[None]
    with torch.no_grad():
        y = model(x.expand(-1, 3, -1, -1), omega)
    y = y.mean(1, keepdim=True) if x.shape[1] == 1 else y
    return (y[0].clamp(0, 1) * full).permute(1, 2, 0).numpy()


def as_map(share):
    """The dials at every pixel for a mask [H, W] in [0, 1]."""
    ends = [torch.tensor(omega)[None, :, None, None] for omega in (OUTSIDE, INSIDE)]
    return torch.lerp(*ends, torch.as_tensor(share, dtype=torch.float32))


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_each_side_of_the_mask_has_its_own_dials(model, channels, depth):
    pixels, share = photo(channels=channels, depth=depth), mask() / 255
    assert denoise(*WORDS) == 0
    output = photos.read(Path("out.png")).pixels.astype(float)
    assert np.abs(output - expected(model, pixels, as_map(share))).max() <= 1
    inside, outside = (expected(model, pixels, torch.tensor(omega)) for omega in (INSIDE, OUTSIDE))
    assert np.abs(output[:, 60:] - inside[:, 60:]).max() <= 1
    assert np.abs(output[:, :36] - outside[:, :36]).max() <= 1
    assert np.abs(inside - outside).max() > 10


def test_alpha_stays_as_it_is():
    pixels, _ = photo(channels=4), mask()
    assert denoise(*WORDS) == 0
    np.testing.assert_array_equal(photos.read(Path("out.png")).pixels[..., 3], pixels[..., 3])


def test_tiles_agree_with_the_whole():
    photo(75, 111)
    mask(75, 111)
    assert denoise(*WORDS, "--feather", "3") == 0
    whole = photos.read(Path("out.png")).pixels.astype(int)
    assert denoise(*WORDS, "--feather", "3", "--tile", "32", "--force") == 0
    assert np.abs(photos.read(Path("out.png")).pixels - whole).max() <= 1


def test_only_tiles_with_an_edge_need_a_map(model, monkeypatch):
    photo(64, 128)
    mask(64, 128)
    seen = []
    call = type(model).__call__
    monkeypatch.setattr(
        type(model), "__call__", lambda self, x, w: seen.append(w.ndim) or call(self, x, w)
    )
    assert denoise(*WORDS, "--tile", "40") == 0
    seen = seen[-2 * 4 :]  # the first calls measure the network
    assert seen.count(4) < len(seen)
    assert {1, 4} == {*seen}


def test_a_feather_softens_the_edge(model):
    pixels, share = photo(), mask() / 255
    assert denoise(*WORDS, "--feather", "4") == 0
    soft = photos.read(Path("out.png")).pixels.astype(float)
    hard = expected(model, pixels, as_map(share))
    assert np.abs(soft[:, :20] - hard[:, :20]).max() <= 1
    gauss = torch.tensor([math.erf(v / (4 * 2**0.5)) for v in torch.arange(-47.5, 48)])
    wanted = expected(model, pixels, as_map((0.5 + gauss / 2).expand(64, -1)))
    assert np.abs(soft - wanted).max() < np.abs(hard - wanted).max() / 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--mask", "mask.png"), "--inside and --outside"),
        (("--mask", "mask.png", "--inside", "1", "0"), "--inside and --outside"),
        ((*WORDS, "--omega", "1", "0"), "give one of --keep"),
        (("--omega", "1", "0", "--feather", "3"), "these and --feather need --mask"),
        (("--omega", "1", "0", "--inside", "1", "0"), "these and --feather need --mask"),
        ((*WORDS, "--feather", "-1"), "--feather must be a width in pixels, 0 or more; got -1"),
        ((*WORDS[:-1], "7"), "omega must lie in [0, 1]; got 7 in position 2"),
    ],
)
def test_what_does_not_go_together_is_refused(capsys, words, sentence):
    photo()
    mask()
    assert denoise(*words) == 2
    assert sentence in capsys.readouterr().err


def test_a_mask_of_another_size_is_refused(capsys):
    photo()
    mask(64, 95)
    assert denoise(*WORDS) == 1
    assert "the mask has 95 x 64 pixels, and the photograph 96 x 64" in capsys.readouterr().err


def test_a_mask_belongs_to_one_photograph(capsys, here):
    photo()
    mask()
    (here / "folder").mkdir()
    for name in ("a.png", "b.png"):
        (here / "folder" / name).write_bytes((here / "in.png").read_bytes())
    assert cli.main(["denoise", "folder", "out", *WORDS]) == 2
    assert "--mask is for one photograph" in capsys.readouterr().err


def test_a_network_that_cannot_take_a_map_is_refused(capsys, monkeypatch):
    photo()
    mask()
    monkeypatch.setattr(cli, "network", lambda run: nn.Conv2d(3, 3, 1))
    assert denoise(*WORDS) == 2
    assert "--mask needs a network with tunable convolutions" in capsys.readouterr().err
