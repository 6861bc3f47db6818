"""Networks that enlarge, in the command line, in tiles and in the model card."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from study import runs
from study.controls import FiLMConfig, TunableConfig
from study.measuring.card import save_model
from study.measuring.protocols import SuperResolutionSweep
from study.measuring.sweep import sweep
from study.networks import DiscriminatorConfig
from study.networks.third_party import SwinIRConfig
from study.runs import RunConfig, named
from study.tasks import SuperResolution
from study.training import Training
from tunable_photo import applying, cli, photos, raster, strips
from tunable_photo.photos import Photo
from tunable_photo.resampling import upscale
from tunable_photo.resnet import ResNetConfig
from tunable_photo.tiling import enlargement, reach, tiled

pytestmark = pytest.mark.filterwarnings("ignore:torch.meshgrid")
RESNET = ResNetConfig(1, 4, image_skip=True, scale=4)
SWINIR = SwinIRConfig(12, (1,), heads=2, window=4, scale=4, upsampler="pixelshuffledirect")
CONTROLS = {
    "resnet": (TunableConfig(), RESNET),
    "swinir": (TunableConfig(untuned=("*norm*",)), SWINIR),
    "film": (FiLMConfig(), RESNET),  # it has no plain network at a fixed omega
}
CONFIG = RunConfig(
    name="tiny",
    task=SuperResolution(vgg=0.0, discriminator=DiscriminatorConfig(4)),
    control=TunableConfig(),
    network=RESNET,
    training=Training(steps=2, batch=2, patch=48),
    data="samples-train",
)
DIALS = (0.7, 0.3)


def built(name):
    control, network = CONTROLS[name]
    torch.manual_seed(1)
    return control.build(network.build(), 2).eval()


@pytest.fixture
def control(request, monkeypatch):
    """The network that the command line finds, whatever the run it is asked for."""
    found = built(getattr(request, "param", "resnet"))
    monkeypatch.setattr(cli, "network", lambda name: found)
    return found


def photo(height, width, channels=3, depth=np.uint8):
    full = np.iinfo(depth).max
    random = np.random.default_rng(height)
    return Photo(random.integers(1, full, (height, width, channels), depth, endpoint=True))


def enlarged(folder, what, *options):
    """The output of `tunable denoise` for a photograph."""
    (folder / "in.png").write_bytes(photos.encode(what, ".png"))
    words = ["denoise", str(folder / "in.png"), str(folder / "out.png"), "--omega", *map(str, DIALS)]
    assert cli.main([*words, *options]) == 0
    return photos.read(folder / "out.png").pixels


def as_tensor(pixels, full):
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / full


@torch.no_grad()
def expected(control, what):
    """Colours and alpha of the whole photograph at once, in its own integers."""
    x = as_tensor(what.pixels, what.full)
    y = control(x[:, : what.colours].expand(-1, 3, -1, -1), DIALS)
    y = y.mean(1, keepdim=True) if what.colours == 1 else y
    y = torch.cat([y, upscale(x[:, what.colours :], 4)], 1) if what.alpha else y
    return (y[0].clamp(0, 1) * what.full).permute(1, 2, 0).numpy()


def assert_close(output, wanted):
    assert output.shape == wanted.shape
    assert np.abs(output.astype(float) - wanted).max() <= 0.5 + 1e-5 * np.iinfo(output.dtype).max


@pytest.mark.parametrize("control", CONTROLS, indirect=True)
@pytest.mark.parametrize("sides", [(20, 30), (13, 7)])
def test_a_photograph_becomes_four_times_as_large(tmp_path, control, sides):
    what = photo(*sides)
    assert_close(enlarged(tmp_path, what), expected(control, what))


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_grey_stays_grey_and_alpha_is_enlarged_with_the_colours(tmp_path, control, channels, depth):
    what = photo(11, 14, channels, depth)
    output = enlarged(tmp_path, what)
    assert output.dtype == depth
    assert_close(output, expected(control, what))


@pytest.mark.parametrize("sides", [(1, 1), (1, 90), (90, 1)])
def test_a_photograph_may_be_one_pixel_wide(tmp_path, control, sides):
    what = photo(*sides, channels=4)
    assert_close(enlarged(tmp_path, what, "--tile", "40"), expected(control, what))


@pytest.mark.parametrize("control", ["swinir"], indirect=True)
def test_a_network_that_cannot_take_one_pixel_says_so(tmp_path, control, capsys):
    (tmp_path / "in.png").write_bytes(photos.encode(photo(1, 1), ".png"))
    words = ["denoise", str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--omega", "1", "0"]
    assert cli.main(words) == 1
    assert "needs images of 3 pixels or more" in capsys.readouterr().err


@pytest.mark.parametrize("control", CONTROLS, indirect=True)
@pytest.mark.parametrize("channels", [2, 3])
def test_tiles_leave_no_trace(tmp_path, control, channels):
    what = photo(75, 111, channels, np.uint16)
    output = enlarged(tmp_path, what, "--tile", "56")
    assert_close(output, expected(control, what))


def test_a_large_photograph_is_worked_on_in_smaller_tiles_than_one_that_keeps_its_size(
    tmp_path, control, monkeypatch
):
    asked = []
    monkeypatch.setattr(applying, "tiled", lambda *a, **k: asked.append(a[2]) or tiled(*a, **k))
    enlarged(tmp_path, photo(5, 5))
    assert asked == [256]


def test_a_result_too_large_to_be_read_again_is_refused_before_any_work(
    tmp_path, control, monkeypatch, capsys
):
    monkeypatch.setattr(raster, "MAX_PIXELS", 16 * 400 - 1)
    monkeypatch.setattr(applying, "tiled", None)
    (tmp_path / "in.png").write_bytes(photos.encode(photo(20, 20), ".png"))
    words = ["denoise", str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--omega", "1", "0"]
    assert cli.main(words) == 1
    assert "enlarge it part by part" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_sweep_shows_the_photograph_enlarged_beside_its_results(tmp_path, control):
    what = photo(60, 80)
    (tmp_path / "in.png").write_bytes(photos.encode(what, ".png"))
    words = ["sweep", str(tmp_path / "in.png"), str(tmp_path / "s.png"), "--steps", "2", "--side", "160"]
    assert cli.main([*words, "--start", "0.7", "0.3", "--stop", "1", "0"]) == 0
    middle = (slice(40, 200), slice(80, 240))  # of 240 x 320
    plain = upscale(as_tensor(what.pixels, 255))[0].clamp(0, 1).permute(1, 2, 0).numpy() * 255
    shown = photos.read(tmp_path / "s.png").pixels[strips.TITLE :]
    for left, whole in zip((0, 160 + strips.GAP), (plain, expected(control, what)), strict=True):
        assert_close(shown[:, left : left + 160], whole[middle])


@pytest.mark.parametrize("name", CONTROLS)
@torch.no_grad()
def test_the_enlargement_is_measured(name):
    control = built(name)
    network = control.at(DIALS)
    assert enlargement(network) == 4


def test_a_network_that_stretches_or_shrinks_is_refused():
    for stride in (2, (1, 2)):
        with pytest.raises(ValueError, match=r"an image of .* must become"):
            enlargement(torch.nn.Conv2d(3, 3, 2, stride=stride))


@pytest.mark.parametrize("name", ["resnet", "swinir"])
@torch.no_grad()
def test_tiles_of_odd_sizes_give_the_result_of_the_whole_image(name):
    network, image = built(name).at(DIALS).eval(), torch.rand(1, 3, 61, 75)
    seen = reach(network, scale=4)
    tile = 2 * (seen.pixels + seen.period) + 9
    torch.testing.assert_close(tiled(network, image, tile, scale=4), network(image), rtol=0, atol=1e-5)


# The model card of a trained network


@pytest.fixture
def trained(store):
    return runs.get(CONFIG, progress=False)


def test_a_trained_network_is_found_by_its_name_and_enlarges(tmp_path, trained):
    what = photo(9, 8)
    assert_close(enlarged(tmp_path, what, "--run", "tiny"), expected(trained.control, what))
    assert named.load("tiny").record == trained.record


def test_the_card_names_the_enlargement_and_the_measurements(tmp_path, trained):
    what = SuperResolutionSweep(images="samples-test", crop=64, perceptual=False, every=3)
    frame = sweep(trained.control, what, progress=False)
    text = (save_model(trained, tmp_path, sweeps=[frame]) / "README.md").read_text()
    count = frame["image"].nunique()
    assert f"On {count} images of `samples-test`, scale = 4, means over images:" in text
    assert "gives [B, 3, 4 H, 4 W]" in text
    names = {}
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        exec(code, names)
    x = torch.rand(1, 3, 5, 6)
    with torch.no_grad():
        assert torch.equal(names["control"](x, DIALS), trained.control(x, DIALS))
