"""Image sets: a registry with checksums, and verified reads.

data/registry.tsv has a row for each file: the sets it is in, its path below root(), size, sha256,
address and licence. The samples are photographs inside the wheels of scikit-image, scikit-learn and
matplotlib, available without a download; their size and sha256 are of the decoded pixels. Weights of
published models are registered in the same way; weights.py reads them.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import importlib.util
import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from study.disk import records
from study.disk.records import folder
from tunable_core.files import DamagedFile

REPOSITORY = records.ROOT
REGISTRY = REPOSITORY / "data" / "registry.tsv"
TRAINING = ("bsds500", "bsds500-clean", "bsds500-fit", "div2k")
"""Training sets. One image of bsds500, train/302003, is also Set5's woman; bsds500-clean is bsds500
without it, for new runs. No other image of these sets is in a test set (overlap.py). Settings are chosen
with bsds500-fit and bsds500-valid, a split of bsds500-clean: the 40 images with the smallest sha256 are
for validation."""
PAIRS = ("nam-train", "nam-test")
"""Sets of pairs of photographs, clean and noisy: the two halves of nam."""
SAMPLES = ("samples", "samples-train", "samples-test")
"""The embedded photographs: sets inside installed packages."""
PHOTOS = REPOSITORY / "data" / "photos"
"""Folder of the photographs of kodak in the repository: the set "photos"."""
ARCHIVES = {"div2k": range(1, 801), "div2k-valid": range(801, 901)}
"""Sets that are downloaded as one zip, with the numbers of its images."""


class Extract(NamedTuple):
    """A smaller file with some of the weights of a registered one."""

    file: str
    """Path below root()."""
    bytes: int
    sha256: str


EXTRACTS = {
    "alexnet": Extract(
        "weights/alexnet_features.safetensors",
        9879680,
        "bcee9da40f3c0920d814226a01368b8222e2fd5bcaf87875adbacab809ba4534",
    ),
    "vgg19": Extract(
        "weights/vgg19_features.safetensors",
        40051544,
        "73671d3aa6aa7a404c1ec2f04bcb4bf800b6c1fec7a37759ec0baa2bc141d646",
    ),
}
"""Weights, and the smaller file that is used instead if the whole one is missing. The file of alexnet
holds torchvision's weights; that of vgg19 holds the original weights of Simonyan and Zisserman in
float16. Torchvision's VGG-19 was trained separately, so the two give different trained networks."""
MAX_PIXELS = MAX_BYTES = 2**26
"""The largest image decoded and the largest file unpacked; DIV2K, the largest, has 2040 x 2040."""


class MissingData(FileNotFoundError):
    """A data set, or a file of it, is missing."""


@dataclass(frozen=True)
class File:
    """A file of a set: its path, size and sha256 (0 and "" if unknown)."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ImageSet:
    """The images of a set in the order of ids; each is read, verified and decoded when accessed.

    `images[3]` or `images["kodim04"]`: [3, H, W] uint8, RGB; `list(images)` decodes all of them.
    Raises MissingData or DamagedFile for a file that is missing or differs from the registered one,
    KeyError or IndexError for an image that is not in the set.
    """

    name: str
    ids: list[str]
    """File names without suffix; with their folder if names alone are not unique (nam)."""
    checksum: str
    """sha256 over the sorted sha256s in the registry: known without the files."""
    licence: str
    files: list[File] = field(repr=False)

    @property
    def all_files(self) -> list[File]:
        """Every file of the images; those of image i are at positions i, i + len(self), ..."""
        return self.files

    def __len__(self) -> int:
        """Number of images."""
        return len(self.ids)

    def __getitem__(self, which: int | str) -> Tensor:
        """One image by position or id, [3, H, W] uint8."""
        if isinstance(which, str):
            if which not in self.ids:
                raise KeyError(f"'{self.name}' has no image '{which}' (see describe(name).ids)")
            which = self.ids.index(which)
        if not -len(self) <= which < len(self):
            raise IndexError(f"'{self.name}' has {len(self)} images; got position {which}")
        return read(self.files[which], self.name)


def root() -> Path:
    """Folder of the data sets: $TUNABLE_DATA, or data/datasets of this repository."""
    return folder("TUNABLE_DATA", REPOSITORY / "data" / "datasets")


@functools.cache
def _registry(path: Path) -> dict[str, list[dict[str, str]]]:
    """Set name -> its rows in the order of their file names."""
    sets: dict[str, list[dict[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in sorted(rows, key=lambda row: row["file"]):
            for name in row["sets"].split():
                sets.setdefault(name, []).append(row)
    return sets


def rows_of(name: str) -> list[dict[str, str]]:
    """The set's rows of the registry; raises ValueError for an unknown name."""
    if name not in _registry(REGISTRY):
        raise ValueError(f"no data set is called '{name}' (there are: {', '.join(names())})")
    return _registry(REGISTRY)[name]


def names() -> list[str]:
    """The names of all data sets."""
    return sorted(_registry(REGISTRY))


def describe(name: str) -> ImageSet:
    """The set's ids, checksum, licence and paths, whether or not its files exist.

    Raises ValueError for an unknown name.
    """
    if name in PAIRS:
        from study.images.pairs import nam  # it imports this module

        return nam(name.removeprefix("nam-"))
    rows, base = rows_of(name), root()
    if name in ARCHIVES:
        archive = base / rows[0]["file"]
        known = _manifest(archive, rows[0]["sha256"])
        unpacked, images = archive.with_suffix(""), [f"{number:04d}.png" for number in ARCHIVES[name]]
        files = [File(unpacked / image, *known.get(image, (0, ""))) for image in images]
    else:
        place = _installed if is_sample(name) else functools.partial(_place, base)
        files = [File(place(row["file"]), int(row["bytes"]), row["sha256"]) for row in rows]
    if name in EXTRACTS and not files[0].path.is_file():
        place, *expected = EXTRACTS[name]
        files = [File(base / place, *expected)] if (base / place).is_file() else files
    ids = [file.path.stem for file in files]
    if len(set(ids)) < len(ids):
        ids = [f"{file.path.parent.name}/{file.path.stem}" for file in files]
    licence = " / ".join(dict.fromkeys(row["licence"] for row in rows))
    return ImageSet(name, ids, checksum(name), licence, files)


def checksum(name: str) -> str:
    """The checksum of a set, as in describe(), computed quickly, for keys.

    Raises ValueError for an unknown name.
    """
    if name in PAIRS:
        return describe(name).checksum
    return hashlib.sha256("\n".join(sorted(row["sha256"] for row in rows_of(name))).encode()).hexdigest()


def digests(name: str) -> list[str]:
    """sha256 of each file that holds the weights of that name.

    The first is of the file in use or, if there is none, of the file that would be downloaded.
    """
    found = [describe(name).files[0].sha256, rows_of(name)[0]["sha256"]]
    if name in EXTRACTS:
        found.append(EXTRACTS[name].sha256)
    return list(dict.fromkeys(found))


def is_sample(name: str) -> bool:
    """Whether the set is inside installed packages."""
    return name in SAMPLES


def _place(base: Path, file: str) -> Path:
    """The path of a file of a set: below base, or among the photographs of the repository."""
    own = PHOTOS / Path(file).name
    return own if own.is_file() and not (base / file).is_file() else base / file


def _installed(file: str) -> Path:
    """The path of a file in its installed package, found without importing the package."""
    package, _, inside = file.partition("/")
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent / inside if spec and spec.origin else Path(file)


def way_out(*missing: str) -> str:
    """The command, in backquotes, that downloads missing sets."""
    if all(map(is_sample, missing)):
        return "installing requirements.lock"
    wanted = " ".join("nam" if name in PAIRS else name for name in missing)
    return f"`make data DATASETS={wanted}`" if len(missing) == 1 else f'`make data DATASETS="{wanted}"`'


def _present(file: File, name: str) -> bool:
    """Whether the file exists with its registered size; of a sample the size of the pixels counts."""
    there = file.path.is_file()
    return there and (is_sample(name) or file.path.stat().st_size == file.bytes > 0)


def available(name: str) -> bool:
    """Whether all files of the set exist with the right size; checksums are verified at each read."""
    return all(_present(file, name) for file in describe(name).all_files)


def load(name: str) -> ImageSet:
    """The set; raises MissingData if files are missing, ValueError for an unknown name."""
    images = describe(name)
    wanted = images.all_files
    missing = [file.path for file in wanted if not _present(file, name)]
    if missing:
        raise MissingData(
            f"data set '{name}': {len(missing)} of {len(wanted)} files are missing or incomplete, "
            f"the first {missing[0]} ({way_out(name)} gets them, or set TUNABLE_DATA to a folder "
            f"that has them)"
        )
    return images


def load_or_samples(name: str, split: str | None = None) -> ImageSet:
    """The set or, if it is missing, photographs that every clone has, with a warning.

    split: which embedded samples are used instead, "train" or "test"; the two do not overlap. Default
    "train" for the sets of TRAINING and "test" for all others. For kodak and "test" the photographs of
    kodak in data/photos are used.
    """
    split = split or ("train" if name in TRAINING else "test")
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test'; got '{split}'")
    if available(name):
        return load(name)
    instead = describe("photos" if (name, split) == ("kodak", "test") else f"samples-{split}")
    warnings.warn(
        f"data set '{name}' is not in {root()}: the {len(instead)} photographs of "
        f"'{instead.name}' are used instead ({way_out(name)} gets it)",
        stacklevel=2,
    )
    return instead


def content(name: str) -> bytes:
    """The verified bytes of a set of one file; raises MissingData or DamagedFile."""
    (file,) = load(name).files
    return _verified(file, name)


def _verified(file: File, name: str) -> bytes:
    if not file.path.is_file() or not file.sha256:
        raise MissingData(f"{file.path} is missing or was not verified ({way_out(name)} gets it)")
    found = file.path.read_bytes()
    if not is_sample(name):
        _check(found, file, name)
    return found


def _check(found: bytes, file: File, name: str) -> None:
    remedy = f"{way_out(name)} replaces it"
    if len(found) != file.bytes:
        raise DamagedFile(f"{file.path} has {len(found)} bytes, not {file.bytes} ({remedy})")
    if hashlib.sha256(found).hexdigest() != file.sha256:
        raise DamagedFile(f"{file.path} does not match its registered sha256 ({remedy})")


def read(file: File, name: str) -> Tensor:
    """One file of a set as [3, H, W] uint8. The sha256 is checked before decoding, so the decoder only
    gets registered files."""
    pixels = _decode(_verified(file, name), file.path, f"{way_out(name)} replaces it")
    if is_sample(name):
        _check(pixels.tobytes(), file, name)
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def decode(path: Path) -> Tensor:
    """Decode an image file outside the registry, [3, H, W] uint8; raises DamagedFile if it fails."""
    pixels = _decode(path.read_bytes(), path, "it is not one of the study's own files")
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def _decode(content: bytes, path: Path, remedy: str) -> np.ndarray:
    """[H, W, 3] uint8; raises DamagedFile for anything but a PNG or JPEG of at most MAX_PIXELS."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width} x {image.height} is more than {MAX_PIXELS} pixels")
            return np.array(image.convert("RGB"))
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise DamagedFile(f"{path} is not a readable PNG or JPEG: {error} ({remedy})") from error


def _manifest(archive: Path, sha256: str) -> dict[str, tuple[int, str]]:
    """Size and sha256 of each image unpacked from the archive of that sha256; empty without one."""
    try:
        first, *lines = archive.with_suffix(".tsv").read_text().splitlines()
        entries = [line.split("\t") for line in lines]
        return {image: (int(size), digest) for image, size, digest in entries if first == sha256}
    except (OSError, ValueError):
        return {}
