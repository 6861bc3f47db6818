"""datasets.py on small files that the tests write, on the samples, and on real data if available."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from study.images import datasets, downloads
from study.images.datasets import MissingData
from study.images.downloads import DownloadFailed
from study.tasks import weights
from study.training.crops import crops
from tunable_core.files import DamagedFile

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
IMAGES = ["0001.png", "0002.png", "0003.png"]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def png(seed=0, mode="RGB", size=(7, 5), form="PNG"):
    depth = {"RGB": (3,), "RGBA": (4,), "L": ()}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], *depth), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


class Shelf:
    """A folder for data, a registry of what is put on the shelf, and a server that counts calls."""

    def __init__(self, folder, monkeypatch):
        self.root, self.registry, self.patch = folder / "data", folder / "registry.tsv", monkeypatch
        self.rows, self.served, self.asked = [], {}, []
        monkeypatch.setenv("TUNABLE_DATA", str(self.root))
        monkeypatch.setattr(datasets, "REGISTRY", self.registry)
        monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)

    def register(self, name, file, content):
        url = f"https://example.org/{file}"
        self.served[url] = content
        self.rows.append([name, file, str(len(content)), sha256(content), url, "free"])
        lines = [["sets", "file", "bytes", "sha256", "url", "licence"], *self.rows]
        self.registry.write_text("".join("\t".join(line) + "\n" for line in lines))
        datasets._registry.cache_clear()

    def put(self, file, content):
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def archive(self, members):
        self.patch.setattr(datasets, "ARCHIVES", {"div2k": range(1, 4)})
        self.register("div2k", "div2k/HR.zip", zipped(members))

    def serve(self, url, output, cache):
        self.asked.append(url.rpartition("/")[2])
        Path(output).write_bytes(self.served[url])

    def download(self, name):
        return downloads.download(name, progress=False, downloader=self.serve)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    shelf = Shelf(tmp_path, monkeypatch)
    for number in (1, 2, 3):
        shelf.register("tiny", f"tiny/{number}.png", png(number))
    yield shelf
    datasets._registry.cache_clear()


@pytest.fixture
def real(monkeypatch):
    folder = os.environ.get("TUNABLE_DATA") or SHARED
    if not Path(folder).is_dir():
        pytest.skip("no data sets at hand (set TUNABLE_DATA)")
    monkeypatch.setenv("TUNABLE_DATA", str(folder))


# The registry


@pytest.fixture(scope="module")
def registry():
    return datasets._registry(datasets.REGISTRY)


@pytest.mark.parametrize(
    ("name", "count"),
    {
        "kodak": 24, "bsds500": 400, "bsds500-clean": 399, "bsd100": 100, "cbsd68": 68, "set5": 5,
        "set14": 14, "nam": 50, "urban100": 100, "style": 3,
        "div2k": 800, "div2k-valid": 100, "samples": 12,
    }.items(),
)  # fmt: skip
def test_a_set_has_as_many_images_as_the_literature_says(name, count):
    assert len(datasets.describe(name)) == len(set(datasets.describe(name).ids)) == count


def test_every_file_is_registered_once():
    with datasets.REGISTRY.open(encoding="utf-8") as file:
        files = [line.split("\t")[1] for line in file]
    assert len(files) == len(set(files))


def test_every_address_is_https_and_every_sha256_is_one(registry):
    rows = [row for name in registry for row in registry[name]]
    assert all(row["url"].startswith("https://") for row in rows)
    assert all(len(row["sha256"]) == 64 and int(row["sha256"], 16) for row in rows)


def test_no_test_set_has_a_training_image(registry):
    hashes = {name: {row["sha256"] for row in rows} for name, rows in registry.items()}
    training = hashes["bsds500"] | hashes["div2k"] | hashes["samples-train"]
    parts = {"bsds500-clean", "bsds500-fit", "bsds500-valid"}  # of the training images
    others = set(registry) - {"bsds500", "div2k", "samples", "samples-train", *parts}
    assert not any(training & hashes[name] for name in others)


def test_the_clean_training_set_lacks_one_image_alone():
    whole, clean = (set(datasets.describe(name).ids) for name in ("bsds500", "bsds500-clean"))
    assert whole - clean == {"302003"}
    assert clean < whole


def test_cbsd68_is_part_of_bsd100():
    assert set(datasets.describe("cbsd68").ids) < set(datasets.describe("bsd100").ids)


def test_sets_of_the_profiles_exist():
    assert all(set(wanted) <= set(datasets.names()) for wanted in downloads.PROFILES.values())


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'kodac'.*kodak"):
        datasets.describe("kodac")


# Sets and their files


def test_root_is_in_the_repository_unless_tunable_data_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_DATA", "")
    assert datasets.root() == Path(datasets.__file__).parents[2] / "data" / "datasets"
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    assert datasets.root() == tmp_path.resolve()


def test_checksum_is_known_without_the_files(shelf):
    before = datasets.describe("tiny").checksum
    shelf.download("tiny")
    assert datasets.load("tiny").checksum == before


def test_images_are_in_the_order_of_their_names_whatever_the_registry(shelf):
    shelf.register("tiny", "tiny/0.png", png(4))
    assert datasets.describe("tiny").ids == ["0", "1", "2", "3"]


def test_checksum_changes_with_the_content(shelf):
    before = datasets.describe("tiny").checksum
    shelf.register("tiny", "tiny/4.png", png(4))
    assert datasets.describe("tiny").checksum != before


def test_a_missing_set_says_what_where_and_how_to_get_it(shelf):
    pattern = rf"'tiny': 3 of 3 .*{shelf.root}.*make data DATASETS=tiny.*TUNABLE_DATA"
    with pytest.raises(MissingData, match=pattern):
        datasets.load("tiny")


def test_a_set_with_a_truncated_file_is_not_available(shelf):
    shelf.download("tiny")
    assert datasets.available("tiny")
    shelf.put("tiny/2.png", png(2)[:-1])
    assert not datasets.available("tiny")


def test_images_are_found_by_position_and_by_id_and_in_turn(shelf):
    images = shelf.download("tiny")
    assert images.ids == ["1", "2", "3"]
    assert all(torch.equal(image, images[i]) for image, i in zip(images, images.ids, strict=True))


@pytest.mark.parametrize(("which", "error"), [(3, IndexError), (-4, IndexError), ("4", KeyError)])
def test_an_image_that_the_set_does_not_have_is_named(shelf, which, error):
    with pytest.raises(error, match=f"'tiny' has .*{which}"):
        datasets.describe("tiny")[which]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_an_image_is_uint8_rgb_channels_first(shelf, mode):
    content = png(5, mode)
    shelf.register("one", "one/a.png", content)
    image = shelf.download("one")["a"]
    expected = np.array(Image.open(io.BytesIO(content)).convert("RGB"))
    assert image.dtype == torch.uint8
    assert image.is_contiguous()
    assert np.array_equal(image.permute(1, 2, 0), expected)


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (lambda content: None, MissingData, "missing"),
        (lambda content: content[:-9], DamagedFile, "bytes, not"),
        (lambda content: content[:-1] + b"x", DamagedFile, "sha256"),
    ],
    ids=["missing", "truncated", "tampered"],
)
def test_a_file_that_is_not_as_registered_is_refused(shelf, spoil, error, says):
    images = shelf.download("tiny")
    path, content = shelf.root / "tiny" / "2.png", spoil(png(2))
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(error, match=f"2.png .*{says}.*make data DATASETS=tiny"):
        images["2"]


@pytest.mark.parametrize(
    "content",
    [b"<html>not here</html>", png().replace(b"IDAT", b"IDOT"), png(form="TIFF")],
    ids=["page", "broken", "other format"],
)
def test_a_file_that_is_no_image_is_refused(shelf, content):
    shelf.register("one", "one/a.png", content)
    with pytest.raises(DamagedFile, match=r"a\.png is not a readable PNG or JPEG"):
        shelf.download("one")["a"]


def test_a_decompression_bomb_is_refused(shelf, monkeypatch):
    images = shelf.download("tiny")
    monkeypatch.setattr(datasets, "MAX_PIXELS", 34)
    with pytest.raises(DamagedFile, match="7 x 5 is more than 34 pixels"):
        images[0]


def test_ids_distinguish_files_of_one_name():
    assert {"noisy/01", "clean/01"} < set(datasets.describe("nam").ids)


# Samples


def test_every_sample_has_the_pixels_that_were_registered():
    assert all(image.shape[0] == 3 for image in datasets.load("samples"))


def test_samples_split_into_train_and_test():
    parts = [datasets.describe(f"samples-{part}").ids for part in ("train", "test")]
    assert sorted(parts[0] + parts[1]) == sorted(datasets.describe("samples").ids)


def test_a_sample_with_other_pixels_is_noticed(tmp_path, monkeypatch):
    pixels = datasets.load("samples")["chelsea"].permute(1, 2, 0).numpy().copy()
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(tmp_path / "chelsea.png")
    monkeypatch.setattr(datasets, "_installed", lambda file: tmp_path / Path(file).name)
    with pytest.raises(DamagedFile, match=r"chelsea.*sha256.*requirements.lock"):
        datasets.describe("samples")["chelsea"]


@pytest.mark.slow
def test_samples_are_read_without_importing_their_packages():
    code = (
        "import sys; from study.images import datasets; datasets.load('samples')['china']\n"
        "sys.exit(any(name in sys.modules for name in ('skimage', 'sklearn', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("name", "part"), [("bsds500-clean", "train"), ("cbsd68", "test")])
def test_samples_take_the_place_of_a_missing_set_with_a_warning(tmp_path, monkeypatch, name, part):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    with pytest.warns(UserWarning, match=f"'{name}' is not in .*'samples-{part}'.*make data"):
        assert datasets.load_or_samples(name).name == f"samples-{part}"
    with pytest.warns(UserWarning, match="samples-train"):
        assert datasets.load_or_samples(name, split="train").name == "samples-train"


def test_the_photographs_of_the_repository_take_the_place_of_kodak(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    with pytest.warns(UserWarning, match="'kodak' is not in .*4 photographs of 'photos'"):
        photos = datasets.load_or_samples("kodak")
    assert photos.ids == ["kodim04", "kodim07", "kodim15", "kodim23"]
    assert [tuple(photo.shape) for photo in photos] == [(3, 768, 512), *[(3, 512, 768)] * 3]
    assert torch.equal(datasets.describe("kodak")["kodim23"], photos["kodim23"])
    assert not datasets.available("kodak")


def test_a_changed_photograph_of_the_repository_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path / "none"))
    for name in ("kodim04", "kodim07", "kodim15", "kodim23"):
        shutil.copy(datasets.PHOTOS / f"{name}.png", tmp_path)
    monkeypatch.setattr(datasets, "PHOTOS", tmp_path)
    damaged = bytearray((tmp_path / "kodim04.png").read_bytes())
    damaged[-20] ^= 1
    (tmp_path / "kodim04.png").write_bytes(damaged)
    with pytest.raises(datasets.DamagedFile, match=r"kodim04\.png does not match its registered sha256"):
        datasets.load("photos")["kodim04"]


def test_samples_stand_back_where_the_set_is_there(shelf):
    shelf.download("tiny")
    assert datasets.load_or_samples("tiny").name == "tiny"


# Downloads


def test_samples_need_no_download():
    def none(url, output, cache):
        raise AssertionError(url)

    assert len(downloads.download("samples", progress=False, downloader=none)) == 12


def test_a_finished_download_is_not_repeated(shelf):
    shelf.download("tiny")
    shelf.asked.clear()
    shelf.download("tiny")
    assert shelf.asked == []


def test_an_interrupted_download_continues_with_the_missing_files(shelf):
    shelf.put("tiny/2.png", png(2))
    shelf.download("tiny")
    assert sorted(shelf.asked) == ["1.png", "3.png"]


def test_a_wrong_file_is_replaced(shelf):
    path = shelf.put("tiny/2.png", b"wrong")
    shelf.download("tiny")
    assert path.read_bytes() == png(2)


def test_a_wrong_file_stays_until_its_replacement_is_verified(shelf):
    path = shelf.put("tiny/2.png", b"wrong")
    shelf.served["https://example.org/tiny/2.png"] = b"wrong as well"
    with pytest.raises(DownloadFailed, match=r"tiny/2.png .*example.org.*sha256"):
        shelf.download("tiny")
    assert path.read_bytes() == b"wrong"


def test_a_tampered_download_leaves_nothing_behind(shelf):
    shelf.register("one", "one/a.png", png())
    shelf.served["https://example.org/one/a.png"] = png(9)
    with pytest.raises(DownloadFailed):
        shelf.download("one")
    assert list((shelf.root / "one").iterdir()) == []


def test_a_lost_connection_is_one_sentence(shelf):
    def cut(url, output, cache):
        raise ConnectionError("the line is dead")

    with pytest.raises(DownloadFailed, match=r"tiny/.*https://.*the line is dead.*try again"):
        downloads.download("tiny", progress=False, downloader=cut)


def test_a_downloaded_file_can_be_read_by_everyone(shelf):
    shelf.download("tiny")
    assert (shelf.root / "tiny" / "1.png").stat().st_mode & 0o777 == 0o644


# Archives


def members(*, of=IMAGES):
    return [("HR/", b""), *((f"HR/{name}", png(seed)) for seed, name in enumerate(of))]


def test_images_of_an_archive_are_unpacked_and_read(shelf):
    shelf.archive(members())
    images = shelf.download("div2k")
    assert images.ids == ["0001", "0002", "0003"]
    assert (shelf.root / "div2k" / "HR" / "0002.png").read_bytes() == png(1)
    assert len(list(images)) == 3


def test_the_archive_may_go_once_it_is_unpacked(shelf):
    shelf.archive(members())
    shelf.download("div2k")
    (shelf.root / "div2k" / "HR.zip").unlink()
    shelf.download("div2k")
    assert shelf.asked == ["HR.zip"]


def test_an_unpacked_image_is_verified_at_each_read(shelf):
    shelf.archive(members())
    images = shelf.download("div2k")
    shelf.put("div2k/HR/0002.png", png(1)[:-1] + b"x")
    with pytest.raises(DamagedFile, match=r"0002.png .*sha256"):
        images["0002"]


def test_a_damaged_unpacked_image_is_unpacked_again(shelf):
    shelf.archive(members())
    shelf.download("div2k")
    shelf.put("div2k/HR/0002.png", png(1)[:-1] + b"x")
    assert len(list(shelf.download("div2k"))) == 3


def test_images_that_no_verified_archive_accounts_for_are_not_trusted(shelf):
    shelf.archive(members())
    for name in IMAGES:
        shelf.put(f"div2k/HR/{name}", png())
    shelf.put("div2k/HR.tsv", b"of another archive\n0001.png\t5\tabc\n")
    assert not datasets.available("div2k")
    with pytest.raises(MissingData, match="not verified"):
        datasets.describe("div2k")["0001"]


def link():
    member = zipfile.ZipInfo("HR/link.png")
    member.external_attr = 0o120777 << 16
    return member


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ("../outside.png", "points out"),
        ("HR/../../outside.png", "points out"),
        ("/outside.png", "points out"),
        ("C:/outside.png", "points out"),
        ("..\\outside.png", "points out"),
        (link(), "is a link"),
    ],
    ids=str,
)
def test_an_archive_that_reaches_outside_its_folder_is_refused(shelf, member, says):
    shelf.archive([*members(), (member, b"x")])
    with pytest.raises(DamagedFile, match=says):
        shelf.download("div2k")
    assert [path.name for path in shelf.root.rglob("*.*")] == ["HR.zip"]


def test_a_member_that_unpacks_to_too_much_is_refused(shelf, monkeypatch):
    monkeypatch.setattr(downloads, "MAX_BYTES", 50)
    shelf.archive(members())
    with pytest.raises(DamagedFile, match="over 50"):
        shelf.download("div2k")


def test_only_the_images_expected_are_unpacked(shelf):
    shelf.archive([*members(), ("HR/run.py", b"x"), ("HR/0004.png", png()), ("0001.png", b"x")])
    shelf.download("div2k")
    assert sorted(path.name for path in (shelf.root / "div2k").rglob("*.p*")) == IMAGES


def test_an_archive_that_lacks_an_image_is_refused(shelf):
    shelf.archive(members(of=IMAGES[:2]))
    with pytest.raises(DamagedFile, match=r"HR/0003.png"):
        shelf.download("div2k")
    assert not datasets.available("div2k")


# Weights


def stored(state, save):
    file = io.BytesIO()
    save(state, file)
    return file.getvalue()


CONVOLUTIONS = {"0.weight": torch.arange(6.0).view(2, 3), "0.bias": torch.ones(2)}
WHOLE = {f"features.{key}": value for key, value in CONVOLUTIONS.items()}
WHOLE["classifier.1.weight"] = torch.zeros(4)


@pytest.fixture
def alexnet(shelf, monkeypatch):
    """Where the whole file and its extract lie; the server has the whole one."""
    shelf.register("alexnet", "weights/alexnet.pth", stored(WHOLE, torch.save))
    extract = safetensors.torch.save(CONVOLUTIONS)
    expected = datasets.Extract("weights/alexnet.safetensors", len(extract), sha256(extract))
    monkeypatch.setattr(datasets, "EXTRACTS", {"alexnet": expected})
    return "weights/alexnet.pth", "weights/alexnet.safetensors", extract


def same(found, expected):
    return found.keys() == expected.keys() and all(found[k].equal(expected[k]) for k in found)


def test_convolutions_are_read_from_the_whole_file(shelf, alexnet):
    shelf.download("alexnet")
    assert same(weights.load("alexnet"), CONVOLUTIONS)


def test_an_extract_serves_where_the_whole_file_is_not(shelf, alexnet):
    _, place, extract = alexnet
    shelf.put(place, extract)
    assert same(weights.load("alexnet"), CONVOLUTIONS)
    shelf.download("alexnet")
    assert shelf.asked == []


def test_a_damaged_extract_is_refused_and_a_download_takes_its_place(shelf, alexnet):
    _, place, extract = alexnet
    shelf.put(place, extract[:-1] + b"x")
    with pytest.raises(DamagedFile, match=r"alexnet.safetensors .*sha256.*make data DATASETS=alexnet"):
        weights.load("alexnet")
    shelf.download("alexnet")
    assert same(weights.load("alexnet"), CONVOLUTIONS)


def test_weights_of_another_sha256_are_not_unpickled(shelf, alexnet, monkeypatch):
    place, _, _ = alexnet
    spoilt = shelf.served["https://example.org/weights/alexnet.pth"][:-1] + b"x"
    shelf.put(place, spoilt)
    monkeypatch.setattr(torch, "load", lambda *args, **settings: pytest.fail("it was unpickled"))
    with pytest.raises(DamagedFile, match="sha256"):
        weights.load("alexnet")


def test_missing_weights_say_what_where_and_how_to_get_them(shelf, alexnet):
    with pytest.raises(MissingData, match=rf"'alexnet'.*{shelf.root}.*make data DATASETS=alexnet"):
        weights.load("alexnet")


def test_arrays_are_read_without_pickle(shelf):
    arrays = {"mean": np.arange(4.0)}
    shelf.register("model", "weights/model.npz", stored(arrays, lambda a, f: np.savez(f, **a)))
    shelf.download("model")
    assert same(weights.load("model"), {"mean": torch.arange(4.0, dtype=torch.float64)})
    objects = {"mean": np.array([{}], dtype=object)}
    shelf.register("evil", "weights/evil.npz", stored(objects, lambda a, f: np.savez(f, **a)))
    shelf.download("evil")
    with pytest.raises(ValueError, match="allow_pickle"):
        weights.load("evil")


# Crops


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(height, width, base=0):
    """[3, H, W] uint8, each pixel's number in all channels."""
    pixels = torch.arange(base, base + height * width, dtype=torch.uint8)
    return pixels.view(1, height, width).expand(3, -1, -1)


def test_crops_are_a_batch_of_bytes():
    batch = crops([numbered(9, 12), numbered(10, 8)], 4, 5, generator())
    assert (batch.shape, batch.dtype) == ((5, 3, 4, 4), torch.uint8)


def test_the_same_seed_makes_the_same_crops_and_another_makes_others():
    images = [numbered(9, 12), numbered(10, 8)]
    first, same, other = (crops(images, 4, 5, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_crop_is_a_window_up_to_flips_and_transposition():
    image = numbered(6, 5)
    windows = {
        tuple(image[0, y : y + 3, x : x + 3].flatten().tolist()) for y in range(4) for x in range(3)
    }
    for crop in crops([image], 3, 200, generator())[:, 0]:
        turns = [t.flip(axes) for t in (crop, crop.T) for axes in ([], [0], [1], [0, 1])]
        assert len({tuple(turn.flatten().tolist()) for turn in turns} & windows) == 1


def test_every_position_orientation_and_image_is_equally_likely():
    images = [numbered(3, 4), numbered(4, 3, base=100)]  # 2 images, 6 places, 8 orientations each
    draws = crops(images, 2, 9600, generator())[:, 0].flatten(1).tolist()
    counts = Counter(map(tuple, draws))
    assert len(counts) == 2 * 6 * 8
    assert max(abs(count - 100) for count in counts.values()) < 50  # five standard deviations


def test_all_channels_are_cut_at_the_same_place():
    image = torch.stack([numbered(9, 12)[0] + channel for channel in range(3)])
    batch = crops([image], 4, 8, generator())
    assert torch.equal(batch[:, 2], batch[:, 0] + 2)


def test_an_image_smaller_than_the_patch_is_named():
    with pytest.raises(ValueError, match="image 1 is 10 x 3 pixels, smaller than the patch of 4"):
        crops([numbered(9, 12), numbered(10, 3)], 4, 5, generator())


@pytest.mark.parametrize(("images", "patch", "batch"), [([], 4, 5), ([1], 0, 5), ([1], 4, 0)])
def test_crops_of_nothing_are_refused(images, patch, batch):
    with pytest.raises(ValueError, match="must be 1 or more"):
        crops([numbered(9, 12) for _ in images], patch, batch, generator())


# The command line


def test_list_shows_what_is_here(shelf, capsys):
    assert downloads.main(["--list"]) == 0
    assert "no    free" in capsys.readouterr().out
    shelf.download("tiny")
    assert downloads.main(["--list"]) == 0
    assert "yes   free" in capsys.readouterr().out


def test_a_set_that_is_here_is_confirmed(shelf, capsys):
    shelf.download("tiny")
    assert downloads.main(["tiny"]) == 0
    assert f"tiny: 3 files, verified, in {shelf.root}" in capsys.readouterr().out


def test_failure_is_one_line_and_an_exit_status(capsys):
    assert downloads.main(["kodac"]) == 1
    assert capsys.readouterr().err.startswith("error: no data set is called 'kodac'")


def test_the_smoke_profile_needs_nothing(capsys):
    assert downloads.main(["--profile", "smoke"]) == 0
    assert "no data set" in capsys.readouterr().out


# Real data


def test_all_images_of_kodak_are_whole(real):
    if not datasets.available("kodak"):
        pytest.skip("kodak is not at hand")
    with warnings.catch_warnings(action="error"):
        shapes = Counter(tuple(image.shape) for image in datasets.load("kodak"))
    assert shapes == {(3, 512, 768): 18, (3, 768, 512): 6}


@pytest.mark.parametrize(("name", "tensors"), [("alexnet", 10), ("niqe", 3), ("vgg19", 32)])
def test_the_real_weights_are_whole(real, name, tensors):
    if not datasets.available(name):
        pytest.skip(f"{name} is not at hand")
    assert len(weights.load(name)) == tensors


@pytest.mark.parametrize("name", ["bsds500", "bsd100", "cbsd68", "set5", "set14", "nam", "style"])
def test_the_first_and_last_image_of_a_set_are_whole(real, name):
    if not datasets.available(name):
        pytest.skip(f"{name} is not at hand")
    images = datasets.load(name)
    assert images[0].ndim == images[-1].ndim == 3


@pytest.mark.parametrize("name", [*datasets.names(), *datasets.PAIRS])
def test_the_command_that_a_missing_set_is_named_with_downloads_it(name, monkeypatch, tmp_path):
    if datasets.is_sample(name) or name == "photos":
        pytest.skip("every clone has it")
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    with pytest.raises(MissingData) as caught:
        datasets.load(name)
    assert "\n" not in str(caught.value)
    (words,) = re.findall("`make data DATASETS=([^`]*)`", str(caught.value))
    wanted = []
    monkeypatch.setattr(
        downloads, "download", lambda each: wanted.append(each) or datasets.describe(each)
    )
    assert downloads.main(words.split()) == 0
    rows = {row["file"] for each in wanted for row in datasets.rows_of(each)}
    missing = {
        file.path.relative_to(tmp_path).as_posix()
        for file in datasets.describe(name).all_files
        if not file.path.is_file()
    }
    assert missing <= rows or name in datasets.ARCHIVES
