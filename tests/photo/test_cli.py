"""The command `tunable`: possible inputs, and their results."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import tunable_photo as photo_command
from tunable_core import Tunable
from tunable_photo import applying, cli, networks, photos, strips
from tunable_photo.photos import Photo
from tunable_photo.resnet import ResNet, ResNetConfig
from tunable_photo.tiling import Reach

DIALS = ("--omega", "0.7", "0.3", "--run", "tiny")


@dataclass
class Provider:
    """An installed package that knows networks by name, as importlib.metadata gives it."""

    known: dict[str, nn.Module]
    module: str = "provider.networks"

    def load(self):
        def find(name):
            if name not in self.known:
                raise FileNotFoundError(f"no run is called '{name}' (there: {', '.join(self.known)})")
            return self.known[name]

        return find


@pytest.fixture(scope="module")
def trained():
    """The network that --run tiny names."""
    torch.manual_seed(0)
    return Tunable(ResNet(1, 4, image_skip=True), p=2).eval()


@pytest.fixture(autouse=True)
def here(trained, tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(networks, "entry_points", lambda group: [Provider({"tiny": trained})])
    return tmp_path


def photo(height=20, width=30, channels=3, depth=np.uint8, profile=None):
    shape, full = (height, width, channels), np.iinfo(depth).max
    pixels = np.random.default_rng(height).integers(1, full, shape, depth, endpoint=True)
    return Photo(pixels, profile)


def save(path, what=None):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(photos.encode(what or photo(), path.suffix))
    return path


def tunable(*words):
    return cli.main([str(word) for word in words])


@pytest.fixture
def fails(capsys):
    """Runs the command, which must fail with one sentence; returns the sentence.

    The exit code is 2 if nothing could be started, 1 if a photograph failed.
    """

    def run(*words, code=2):
        assert tunable(*words) == code
        printed = capsys.readouterr()
        assert printed.out == ""
        (line,) = printed.err.splitlines()
        assert line.startswith("tunable: ")
        return line.removeprefix("tunable: ")

    return run


def expected(trained, what):
    """The output of the network for a photograph at DIALS, in its integer type, without tiles."""
    pixels = torch.from_numpy(what.pixels[..., : what.colours].astype(np.float32))
    x = pixels.permute(2, 0, 1)[None].expand(-1, 3, -1, -1) / what.full
    with torch.no_grad():
        y = trained(x, [0.7, 0.3])
    y = y.mean(1, keepdim=True) if what.colours == 1 else y
    return (y[0].clamp(0, 1) * what.full).permute(1, 2, 0).numpy()


def assert_close(output, wanted):
    """Equal up to the rounding of float32 and to integers."""
    assert np.abs(output.astype(float) - wanted).max() <= 0.5 + 1e-5 * np.iinfo(output.dtype).max


# denoise


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_photograph_comes_back_denoised_of_its_own_kind(here, trained, suffix, channels, depth):
    what = photo(channels=channels, depth=depth)
    save(here / f"in{suffix}", what)
    assert tunable("denoise", f"in{suffix}", f"out{suffix}", *DIALS) == 0
    output = photos.read(here / f"out{suffix}").pixels
    assert output.dtype == depth
    assert_close(output[..., : what.colours], expected(trained, what))
    np.testing.assert_array_equal(output[..., what.colours :], what.pixels[..., what.colours :])


def test_tiles_leave_no_trace(here, trained):
    what = photo(75, 110, depth=np.uint16)
    save(here / "in.png", what)
    assert tunable("denoise", "in.png", "out.png", *DIALS, "--tile", "32") == 0
    assert_close(photos.read(here / "out.png").pixels, expected(trained, what))


def test_the_network_never_sees_more_than_a_tile(here, trained, monkeypatch):
    save(here / "in.png", photo(75, 110))
    seen, plain = [], ResNetConfig(1, 4).build()
    plain.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[2:]))
    monkeypatch.setattr(Tunable, "at", lambda model, omega: plain)
    monkeypatch.setattr(applying, "enlargement", lambda network: 1)
    monkeypatch.setattr(applying, "reach", lambda network, **_: Reach(4, 1))
    assert tunable("denoise", "in.png", "out.png", *DIALS, "--tile", "32") == 0
    assert len(seen) > 6
    assert max(max(shape) for shape in seen) <= 32


def test_the_dials_matter(here):
    save(here / "in.png")
    for name, omega in (("a", ("0", "1")), ("b", ("1", "0"))):
        assert tunable("denoise", "in.png", f"{name}.png", "--omega", *omega, "--run", "tiny") == 0
    assert (here / "a.png").read_bytes() != (here / "b.png").read_bytes()


@pytest.mark.parametrize(
    "words",
    [(*DIALS, "in.png", "out.png"), ("--run", "tiny", "--omega", "0.7", "0.3", "in.png", "out.png")],
)
def test_options_may_stand_before_the_files(here, words):
    save(here / "in.png")
    assert tunable("denoise", *words) == 0
    assert (here / "out.png").exists()


def test_a_photograph_is_written_upright(here):
    image = Image.fromarray(photo(20, 30).pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(here / "in.jpg", exif=exif)
    assert tunable("denoise", "in.jpg", "out.jpg", *DIALS) == 0
    with Image.open(here / "out.jpg") as output:
        assert output.size == (20, 30)
        assert output.getexif().get(0x0112, 1) == 1


def test_the_profile_is_kept(here):
    save(here / "in.png", photo(profile=b"the profile"))
    assert tunable("denoise", "in.png", "out.tif", *DIALS) == 0
    assert photos.read(here / "out.tif").profile == b"the profile"


def test_another_format_and_a_new_folder_may_be_asked_for(here):
    save(here / "in.png", photo(depth=np.uint16))
    assert tunable("denoise", "in.png", "new/out.jpg", *DIALS) == 0
    with Image.open(here / "new" / "out.jpg") as image:
        assert image.format == "JPEG"


# Folders


@pytest.fixture
def folder(here):
    """Two valid photographs, a damaged one between them, and a file that is not a photograph."""
    save(here / "in" / "a.png", photo(20))
    save(here / "in" / "c.JPG", photo(24))
    (here / "in" / "b.png").write_bytes(photos.encode(photo(), ".png")[:200])
    (here / "in" / "notes.txt").write_text("not a photograph")
    return here / "in"


def test_a_bad_file_of_a_folder_does_not_lose_the_others(here, folder, capsys):
    assert tunable("denoise", "in", "out", *DIALS) == 1
    assert sorted(path.name for path in (here / "out").iterdir()) == ["a.png", "c.JPG"]
    printed = capsys.readouterr()
    (sentence,) = printed.err.splitlines()
    assert sentence.startswith("tunable: in/b.png cannot be read: ")
    assert printed.out == (
        "2 photographs done, 1 failed; left out: 1 file that is not a photograph (1 .txt)\n"
    )


def test_a_folder_of_good_files_ends_with_code_0(here, folder, capsys):
    (folder / "b.png").unlink()
    assert tunable("denoise", "in", "out", *DIALS) == 0
    assert sorted(path.name for path in (here / "out").iterdir()) == ["a.png", "c.JPG"]
    assert capsys.readouterr().err == ""


def test_what_is_in_the_folder_already_stays_unless_forced(here, folder):
    (folder / "b.png").unlink()
    (here / "out").mkdir()
    (here / "out" / "a.png").write_bytes(b"mine")
    assert tunable("denoise", "in", "out", *DIALS) == 1
    assert (here / "out" / "a.png").read_bytes() == b"mine"
    assert (here / "out" / "c.JPG").exists()
    assert tunable("denoise", "in", "out", *DIALS, "--force") == 0
    assert (here / "out" / "a.png").read_bytes() != b"mine"


def test_a_folder_without_photographs_is_refused(here, fails):
    (here / "in").mkdir()
    assert fails("denoise", "in", "out", *DIALS).startswith("in holds no file that ends in .png")


def test_a_folder_is_not_written_to_a_file(here, folder, fails):
    (here / "out.png").write_bytes(b"mine")
    assert "name a folder for the results" in fails("denoise", "in", "out.png", *DIALS, "--force")
    assert (here / "out.png").read_bytes() == b"mine"


@pytest.mark.parametrize("made", [True, False])
def test_a_file_is_written_into_a_folder_under_its_name(here, made):
    save(here / "in.png")
    if made:
        (here / "out").mkdir()
    assert tunable("denoise", "in.png", "out", *DIALS) == 0
    assert (here / "out" / "in.png").exists()


def test_several_photographs_and_folders_go_to_one_folder(here, folder, capsys):
    (folder / "b.png").unlink()
    save(here / "one.png")
    save(here / "two.tif")
    assert tunable("denoise", "one.png", "two.tif", "in", "out/", *DIALS) == 0
    names = sorted(path.name for path in (here / "out").iterdir())
    assert names == ["a.png", "c.JPG", "one.png", "two.tif"]
    assert capsys.readouterr().out.startswith("4 photographs done")


@pytest.mark.parametrize("exists", [True, False])
def test_several_photographs_do_not_go_to_one_file(here, fails, exists):
    for name in ("a.png", "b.png", *["out.png"] * exists):
        save(here / name)
    assert "name a folder for the results" in fails("denoise", "a.png", "b.png", "out.png", *DIALS)


def test_two_photographs_of_one_name_do_not_overwrite_each_other(here, fails):
    save(here / "one" / "a.png")
    save(here / "two" / "a.png")
    assert fails("denoise", "one", "two", "out", *DIALS) == (
        "one/a.png and two/a.png would both become out/a.png: give them other names"
    )


def test_sub_folders_are_counted_or_taken_with_their_structure(here, folder, capsys):
    (folder / "b.png").unlink()
    save(folder / "x" / "d.png")
    (folder / "x" / "y").mkdir()
    save(folder / "x" / "y" / "a.png")
    assert tunable("denoise", "in", "out", *DIALS) == 0
    assert "and 1 sub-folder (--recursive)" in capsys.readouterr().out
    assert not (here / "out" / "x").exists()
    assert tunable("denoise", "in", "all", "--recursive", *DIALS) == 0
    found = sorted(str(path.relative_to(here / "all")) for path in (here / "all").rglob("*.*"))
    assert found == ["a.png", "c.JPG", "x/d.png", "x/y/a.png"]


def test_results_inside_the_input_folder_are_not_taken_for_photographs(here, folder, capsys):
    (folder / "b.png").unlink()
    for _ in range(2):
        assert tunable("denoise", "in", "in/out", "--recursive", "--force", *DIALS) == 0
        assert capsys.readouterr().out.startswith("2 photographs done")


def test_a_folder_is_gone_on_with(here, folder, capsys, monkeypatch):
    (folder / "b.png").unlink()
    read = photos.read

    def interrupted(path):
        if path.name == "c.JPG":
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(photos, "read", interrupted)
    assert tunable("denoise", "in", "out", *DIALS) == 130
    assert capsys.readouterr().err == (
        "tunable: interrupted after 1 of 2 photographs (--skip-existing continues)\n"
    )
    monkeypatch.setattr(photos, "read", read)
    first = (here / "out" / "a.png").stat().st_mtime_ns
    assert tunable("denoise", "in", "out", "--skip-existing", *DIALS) == 0
    assert capsys.readouterr().out.startswith("1 photograph done, 1 skipped as it exists; left out")
    assert (here / "out" / "a.png").stat().st_mtime_ns == first
    assert (here / "out" / "c.JPG").exists()


def test_a_finished_folder_needs_no_network(here, folder, capsys, monkeypatch):
    (folder / "b.png").unlink()
    assert tunable("denoise", "in", "out", *DIALS) == 0
    monkeypatch.setattr(cli, "network", None)
    capsys.readouterr()
    assert tunable("denoise", "in", "out", "--skip-existing", *DIALS) == 0
    assert capsys.readouterr().out.startswith("0 photographs done, 2 skipped as they exist")


def test_force_and_skip_existing_exclude_each_other(here, fails):
    save(here / "in.png")
    assert "give one of them" in fails(
        "denoise", "in.png", "out.png", "--force", "--skip-existing", *DIALS
    )


def test_every_failure_names_its_photograph(here, capsys, monkeypatch):
    def failing(self, photo):
        raise MemoryError

    for name in ("a.png", "b.png"):
        save(here / name)
    monkeypatch.setattr(applying.Worker, "__call__", failing)
    assert tunable("denoise", "a.png", "b.png", "out", *DIALS) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"tunable: {name}: needs more memory than is free: give a smaller --tile"
        for name in ("a.png", "b.png")
    ]


# Names and the version


@pytest.mark.parametrize(
    "words",
    [
        ("denoise", *DIALS, "--", "-in.png", "-out.png"),
        ("denoise", *DIALS, "--", "./-in.png", "./-out.png"),
        ("denoise", "-in.png", "-out.png", *DIALS),
        ("denoise", "--force", *DIALS, "--", "-in.png", "-out.png"),
        ("denoise", "--force", "-in.png", "-out.png", *DIALS),
        ("denoise", "-in.png", *DIALS, "--", "-out.png"),
    ],
)
def test_a_name_may_begin_with_a_dash(here, words):
    save(here / "-in.png")
    assert tunable(*words) == 0
    assert (here / "-out.png").exists()


def test_the_version_is_printed(capsys):
    assert tunable("--version") == 0
    assert re.fullmatch(r"tunable \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


# Never lost


@pytest.mark.parametrize("kind", ["same", "symlink", "hard link", "folder"])
def test_the_input_is_never_overwritten(here, fails, kind):
    path, other = save(here / "in" / "photo.png"), here / "other.png"
    words = {"same": [path, path], "folder": [path.parent, here / "in"]}.get(kind, [path, other])
    if kind == "symlink":
        other.symlink_to(path)
    if kind == "hard link":
        os.link(path, other)
    before = path.read_bytes()
    assert fails("denoise", *words, *DIALS, "--force").endswith(
        "is the input, which is never overwritten: name another output"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [("denoise", *DIALS), ("sweep", "--run", "tiny", "--steps", "2")])
def test_an_output_is_replaced_only_when_forced(here, fails, words):
    save(here / "in.png")
    (here / "out.png").write_bytes(b"mine")
    assert fails(words[0], "in.png", "out.png", *words[1:]) == (
        "out.png exists already (--force replaces it, --skip-existing leaves it)"
    )
    assert (here / "out.png").read_bytes() == b"mine"
    assert tunable(words[0], "in.png", "out.png", *words[1:], "--force") == 0
    assert photos.read(here / "out.png")


def test_a_link_is_kept_and_its_file_replaced(here):
    save(here / "in.png")
    (here / "album").mkdir()
    (here / "album" / "mine.png").write_bytes(b"mine")
    (here / "out.png").symlink_to(here / "album" / "mine.png")
    assert tunable("denoise", "in.png", "out.png", *DIALS, "--force") == 0
    assert (here / "out.png").is_symlink()
    assert photos.read(here / "album" / "mine.png")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644)])
def test_a_result_has_the_permissions_of_a_new_file(here, mask, mode):
    save(here / "in.png")
    before = os.umask(mask)
    try:
        assert tunable("denoise", "in.png", "out.png", *DIALS) == 0
    finally:
        os.umask(before)
    assert (here / "out.png").stat().st_mode & 0o777 == mode


def test_a_failed_write_leaves_the_old_file_and_no_part_of_a_new_one(here, fails, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    save(here / "in.png")
    (here / "out.png").write_bytes(b"mine")
    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in fails("denoise", "in.png", "out.png", *DIALS, "--force", code=1)
    assert sorted(path.name for path in here.iterdir()) == ["in.png", "out.png"]
    assert (here / "out.png").read_bytes() == b"mine"


# sweep


SWEEP = ("--run", "tiny", "--steps", "2", "--side", "200", "--start", "0.7", "0.3")


def shown(path, number, side=200):
    """The pixels of one of the photographs in a sweep."""
    left = number * (side + strips.GAP)
    return photos.read(path).pixels[strips.TITLE :, left : left + side]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sweep_shows_the_input_and_what_denoise_would_write(here, trained, channels):
    what = photo(300, 500, channels)
    save(here / "in.png", what)
    assert tunable("sweep", "in.png", "s.png", *SWEEP) == 0
    middle = slice(50, 250), slice(150, 350)
    np.testing.assert_array_equal(shown(here / "s.png", 0), what.pixels[middle])
    assert_close(shown(here / "s.png", 1), expected(trained, what)[middle])
    assert not np.array_equal(shown(here / "s.png", 1), shown(here / "s.png", 2))


@pytest.mark.parametrize(("channels", "profile"), [(1, b"a grey profile"), (3, b"a profile")])
def test_a_sweep_has_the_colours_of_the_photograph(here, channels, profile):
    save(here / "in.png", photo(300, 500, channels, profile=profile))
    assert tunable("sweep", "in.png", "s.png", *SWEEP) == 0
    found = photos.read(here / "s.png")
    assert (found.profile, found.colours) == (profile, channels)


def test_a_sweep_shows_transparent_parts_over_white(here):
    what = photo(300, 500, 4)
    what.pixels[..., 3] = 0
    save(here / "in.png", what)
    assert tunable("sweep", "in.png", "s.png", *SWEEP) == 0
    assert (shown(here / "s.png", 0) == 255).all()


def test_a_sweep_of_a_small_square_can_be_read(here):
    save(here / "in.png", photo(300, 500))
    assert tunable("sweep", "in.png", "s.png", *SWEEP[:4], "--side", "40") == 0
    assert photos.read(here / "s.png").pixels.shape[1] >= 3 * strips.LEAST


def test_a_sweep_of_a_folder_is_refused(here, fails):
    save(here / "in" / "a.png")
    assert "name one photograph and one picture" in fails("sweep", "in", "strip.png", "--run", "tiny")


# Refusals: one sentence on stderr; code 2, or 1 where a photograph was at fault


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"hello", "in.png", "in.png is not a PNG, JPEG, TIFF, WebP or BMP image"),
        (b"hello", "in.gif", "in.gif: the extension must be one of .png"),
        (photos.encode(photo(), ".png")[:300], "in.png", "in.png cannot be read: "),
        (photos.encode(photo(), ".tif")[:300], "in.tif", "in.tif "),
    ],
)
def test_a_file_that_is_not_a_photograph_is_refused(here, fails, content, name, sentence):
    (here / name).write_bytes(content)
    assert fails("denoise", name, "out.png", *DIALS, code=1).startswith(sentence)
    assert not (here / "out.png").exists()


def test_a_photograph_that_is_not_there_is_refused_before_any_work(here, fails, monkeypatch):
    save(here / "a.png")
    monkeypatch.setattr(cli, "network", None)
    assert fails("denoise", "a.png", "b.png", "out", *DIALS) == "b.png does not exist"


def test_an_output_that_cannot_be_written_is_refused_before_any_work(here, fails, monkeypatch):
    save(here / "in.png")
    monkeypatch.setattr(cli, "network", None)
    assert fails("denoise", "in.png", "out.gif", *DIALS).startswith("out.gif: the extension must be")


def test_alpha_is_not_lost_in_a_jpeg(here, fails):
    save(here / "in.png", photo(channels=4))
    assert fails("denoise", "in.png", "out.jpg", *DIALS, code=1) == (
        "in.png: out.jpg: a JPEG has no alpha; write a PNG, a TIFF or a WebP"
    )


@pytest.mark.parametrize(
    ("omega", "sentence"),
    [
        (["0.7", "1.3"], "omega must lie in [0, 1]; got 1.3 in position 2"),
        (["0.7"], "omega must be [2] or [B, 2], one dial per objective; got shape [1]"),
        (["nan", "0"], "omega must be finite numbers in [0, 1]"),
    ],
)
def test_dials_that_the_network_has_not_are_refused(here, fails, omega, sentence):
    save(here / "in.png")
    assert fails("denoise", "in.png", "out.png", "--omega", *omega, "--run", "tiny").startswith(sentence)


def test_a_tile_too_small_is_refused(here, fails):
    save(here / "in.png")
    sentence = fails("denoise", "in.png", "out.png", *DIALS, "--tile", "8", code=1)
    assert sentence.startswith("in.png: tile must be at least 9 pixels")


# The share of the noise

DIAL = {"omega": [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]], "kept": [0.9, 0.5, 0.2], "sigma": [0, 35]}


def noisy(sigma, depth=np.uint8, channels=3):
    noise = np.random.default_rng(0).normal(0, sigma / 255, (128, 128, channels))
    full = np.iinfo(depth).max
    return Photo((np.clip(0.5 + noise, 0, 1) * full).astype(depth))


@pytest.fixture
def model(here, trained):
    """A saved network with a measured dial: the words that name it."""
    (trained.save(here / "model") / "dial.json").write_text(json.dumps(DIAL))
    return "--run", "model"


@pytest.mark.parametrize(
    ("keep", "omega"), [(0.9, (0.0, 1.0)), (0.5, (0.5, 0.5)), (0.2, (1.0, 0.0)), (0.3, (5 / 6, 1 / 6))]
)
def test_a_share_of_the_noise_is_asked_for_as_the_dial_was_measured(here, model, capsys, keep, omega):
    save(here / "in.png", noisy(10))
    assert tunable("denoise", "in.png", "a.png", "--keep", keep, *model) == 0
    assert tunable("denoise", "in.png", "b.png", "--omega", *omega, *model) == 0
    assert np.array_equal(photos.read(here / "a.png").pixels, photos.read(here / "b.png").pixels)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("keep", "omega", "nearest"), [(0.05, (1, 0), "0.05 becomes 0.20"), (1, (0, 1), "1 becomes 0.90")]
)
def test_a_share_that_the_dial_does_not_reach_is_clipped_with_a_sentence(
    here, model, capsys, keep, omega, nearest
):
    save(here / "in.png", noisy(10))
    assert tunable("denoise", "in.png", "a.png", "--keep", keep, *model) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(nearest)
    assert "between 0.20 and 0.90" in line
    assert tunable("denoise", "in.png", "b.png", "--omega", *omega, *model) == 0
    assert np.array_equal(photos.read(here / "a.png").pixels, photos.read(here / "b.png").pixels)


@pytest.mark.parametrize("keep", ["-0.1", "1.5", "nan"])
def test_an_invalid_share_is_refused(here, model, fails, keep):
    save(here / "in.png")
    sentence = fails("denoise", "in.png", "out.png", f"--keep={keep}", *model)
    assert sentence.startswith("--keep must be a share of the noise in [0, 1]; got ")


@pytest.mark.parametrize("words", [(), ("--keep", "0.3", "--omega", "0.7", "0.3")])
def test_a_share_or_dials_are_needed_and_not_both(here, fails, words):
    save(here / "in.png")
    sentence = fails("denoise", "in.png", "out.png", *words)
    assert sentence.startswith("give one of --keep")


def test_a_share_needs_a_network_whose_dial_was_measured(here, fails):
    save(here / "in.png")
    sentence = fails("denoise", "in.png", "out.png", "--keep", "0.3", "--run", "tiny")
    assert sentence.startswith("--keep needs a network with a measured dial")


@pytest.mark.parametrize(("depth", "channels"), [(np.uint8, 3), (np.uint16, 1), (np.uint8, 1)])
def test_noise_far_stronger_than_in_training_is_warned_of_once(here, model, capsys, depth, channels):
    for name in ("a", "b"):
        save(here / "in" / f"{name}.png", noisy(70, depth, channels))
    assert tunable("denoise", "in", "out", "--keep", "0.3", *model) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(r"noise of about (6|7)\d grey levels of 255, .* up to 35", line)


def test_noise_that_the_network_knows_is_not_warned_of(here, model, capsys):
    save(here / "in.png", noisy(35))
    assert tunable("denoise", "in.png", "out.png", "--keep", "0.3", *model) == 0
    assert capsys.readouterr().err == ""


# Which network


def test_without_a_run_the_released_denoiser_is_used(here):
    save(here / "in.png", photo(64, 96))
    assert tunable("denoise", "in.png", "out.png", "--omega", "1", "0") == 0
    assert not np.array_equal(photos.read(here / "out.png").pixels, photos.read(here / "in.png").pixels)


def test_a_released_network_is_found_by_its_name(here):
    save(here / "in.png", photo(64, 96))
    for name in ("photo", "paper"):
        assert tunable("denoise", "in.png", f"{name}.png", "--omega", "1", "0", "--run", name) == 0
    assert tunable("denoise", "in.png", "default.png", "--omega", "1", "0") == 0
    pixels = {n: photos.read(here / f"{n}.png").pixels for n in ("photo", "paper", "default")}
    assert np.array_equal(pixels["default"], pixels["photo"])
    assert not np.array_equal(pixels["default"], pixels["paper"])


def test_a_run_may_be_a_folder_of_a_saved_network(here, trained):
    what = photo()
    save(here / "in.png", what)
    trained.save(here / "model")
    assert tunable("denoise", "in.png", "out.png", *DIALS[:3], "--run", "model") == 0
    assert_close(photos.read(here / "out.png").pixels, expected(trained, what))


def test_a_saved_network_of_another_architecture_is_refused(here, fails):
    save(here / "in.png")
    Tunable(nn.Conv2d(3, 3, 1), p=2).save(here / "model")
    sentence = fails("denoise", "in.png", "out.png", *DIALS[:3], "--run", "model")
    assert sentence.startswith("model holds a Tunable of a Conv2d, whose architecture is not stored")


def test_an_unknown_name_is_refused_with_the_known_ones(here, fails):
    save(here / "in.png")
    sentence = fails("denoise", "in.png", "out.png", "--omega", "1", "0", "--run", "tny")
    assert sentence == "no run is called 'tny' (there: tiny)"


@pytest.mark.parametrize("entries", [[], [EntryPoint("study", "no_such_package.named:f", "g")]])
def test_where_no_package_knows_names_the_way_out_is_given(here, fails, monkeypatch, entries):
    monkeypatch.setattr(networks, "entry_points", lambda group: entries)
    save(here / "in.png")
    sentence = fails("denoise", "in.png", "out.png", *DIALS)
    assert sentence.startswith("--run tiny is neither a released network (paper")
    assert "nor a folder written by Tunable.save" in sentence
    assert "clone of the repository" in sentence


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_damaged_network_is_refused(here, fails, trained, name):
    save(here / "in.png")
    (trained.save(here / "model") / name).write_bytes(b"")
    sentence = fails("denoise", "in.png", "out.png", *DIALS[:3], "--run", "model")
    assert sentence.startswith(f"model/{name} is damaged (")


def test_an_interrupt_ends_quietly(here, monkeypatch, capsys):
    def interrupt(path):
        raise KeyboardInterrupt

    save(here / "in.png")
    monkeypatch.setattr(photos, "read", interrupt)
    assert tunable("denoise", "in.png", "out.png", *DIALS) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("missing", ["tyro", "numpy", "PIL"])
def test_without_the_extra_the_command_names_it(monkeypatch, capsys, missing):
    for name in [name for name in sys.modules if name.startswith("tunable_photo.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(photo_command, "cli")
    monkeypatch.setitem(sys.modules, missing, None)
    assert photo_command.main() == 2
    assert capsys.readouterr().err == (
        f"tunable: this command needs the package {missing}: pip install 'tunable-core[photo]'\n"
    )


@pytest.mark.slow
def test_the_installed_command_fails_without_a_traceback(here):
    command = shutil.which("tunable", path=os.path.dirname(sys.executable))
    if command is None:
        pytest.skip("the package is not installed here, so there is no command")
    (here / "in.png").write_bytes(b"hello")
    ended = subprocess.run(
        [command, "denoise", "in.png", "out.png", "--omega", "1", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == "tunable: in.png is not a PNG, JPEG, TIFF, WebP or BMP image\n"
