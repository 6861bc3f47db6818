"""Photographs with real noise, in pairs: nam, small and at hand, and SIDD, the benchmark's own files.

A pair is one image of six channels, [6, H, W] uint8: the clean RGB, then the noisy RGB, so that crops
and flips treat both alike.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.io
import torch
from torch import Tensor

from study.images import datasets
from study.images.datasets import File, ImageSet, MissingData
from tunable_core.files import DamagedFile

NAM_TEST = ("07", "13", "14", "17", "19", "20", "24", "25")
"""Pairs of nam for testing; the other 17 train. Pairs that show the same object are on one side."""
SIDD_BLOCKS = {"noisy": "ValidationNoisyBlocksSrgb", "clean": "ValidationGtBlocksSrgb"}
"""Variables of SIDD's validation files, each in a .mat of its name: [40, 32, 256, 256, 3] uint8."""
SIDD_CROP, SIDD_STEP = 512, 384
"""Training crops of SIDD and their distance, as NAFNet's authors cut them."""


@dataclass(frozen=True)
class PairSet(ImageSet):
    """As ImageSet, but each image is a pair [6, H, W]: clean, then noisy."""

    noisy: list[File] = field(default_factory=list, repr=False)

    @property
    def all_files(self) -> list[File]:
        """Every file that the pairs are read from; see ImageSet."""
        return [*self.files, *self.noisy]

    def __getitem__(self, which: int | str) -> Tensor:
        """One pair by position or id."""
        clean = super().__getitem__(which)
        position = self.ids.index(which) if isinstance(which, str) else which
        noisy = datasets.read(self.noisy[position], self.name)
        if noisy.shape != clean.shape:
            raise DamagedFile(
                f"{self.noisy[position].path} and its clean twin differ in size: "
                f"{list(noisy.shape)} and {list(clean.shape)}"
            )
        return torch.cat([clean, noisy])


def nam(split: str) -> PairSet:
    """The pairs of nam of one split, "train" or "test", whether or not the files are there."""
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test'; got {split!r}")
    whole = datasets.describe("nam")
    at = dict(zip(whole.ids, whole.files, strict=True))
    numbers = sorted(name.removeprefix("clean/") for name in whole.ids if name.startswith("clean/"))
    ids = [n for n in numbers if (n in NAM_TEST) == (split == "test")]
    clean, noisy = ([at[f"{side}/{n}"] for n in ids] for side in ("clean", "noisy"))
    digests = "\n".join(sorted(file.sha256 for file in (*clean, *noisy)))
    checksum = hashlib.sha256(digests.encode()).hexdigest()
    return PairSet(f"nam-{split}", ids, checksum, whole.licence, clean, noisy)


def sidd_training(folder: Path) -> list[Tensor]:
    """Crops of SIDD Medium sRGB: 512 pixels wide, 384 apart, [6, 512, 512] each.

    folder: where SIDD_Medium_Srgb.zip was unpacked, with Data/*/*GT_SRGB*.PNG beside *NOISY_SRGB*.PNG.
    Raises MissingData when there are none or a twin is missing.
    """
    cleans = sorted(Path(folder).glob("**/*GT_SRGB*.PNG"))
    if not cleans:
        raise MissingData(
            f"no *GT_SRGB*.PNG below {folder}: unpack SIDD_Medium_Srgb.zip there (it is given to those "
            f"who ask at the site of the Smartphone Image Denoising Dataset)"
        )
    pieces = []
    for path in cleans:
        twin = path.with_name(path.name.replace("GT_SRGB", "NOISY_SRGB"))
        if not twin.exists():
            raise MissingData(f"{path} has no noisy twin {twin.name}")
        pair = torch.cat([datasets.decode(p) for p in (path, twin)])
        for top in _starts(pair.shape[1]):
            for left in _starts(pair.shape[2]):
                pieces.append(pair[:, top : top + SIDD_CROP, left : left + SIDD_CROP].clone())
    return pieces


def _starts(side: int) -> list[int]:
    """First pixels of crops that cover a side, the last one flush with its end."""
    if side < SIDD_CROP:
        raise DamagedFile(f"a side of {side} pixels is smaller than SIDD's crops of {SIDD_CROP}")
    starts = list(range(0, side - SIDD_CROP + 1, SIDD_STEP))
    return starts if starts[-1] == side - SIDD_CROP else [*starts, side - SIDD_CROP]


def sidd_validation(folder: Path) -> Tensor:
    """The 1,280 validation blocks of SIDD, [1280, 6, 256, 256] uint8, clean then noisy.

    folder: holds ValidationNoisyBlocksSrgb.mat and ValidationGtBlocksSrgb.mat. The official protocol
    compares every block in 8 bits and averages over blocks.
    """
    return torch.cat([_blocks(Path(folder) / f"{v}.mat", v) for v in reversed(SIDD_BLOCKS.values())], 1)


def _blocks(path: Path, variable: str) -> Tensor:
    if not path.exists():
        raise MissingData(f"{path} is missing (it comes with the validation data of SIDD)")
    try:
        blocks = scipy.io.loadmat(path, variable_names=[variable])[variable]
    except Exception as error:  # scipy raises many kinds for what is broken
        raise DamagedFile(f"{path} has no readable variable {variable}: {error}") from error
    if blocks.ndim != 5 or blocks.shape[-1] != 3 or blocks.dtype != np.uint8:
        raise DamagedFile(
            f"{path}: blocks must be [., ., H, W, 3] uint8; got {blocks.shape} {blocks.dtype}"
        )
    return torch.from_numpy(blocks.reshape(-1, *blocks.shape[2:])).permute(0, 3, 1, 2).contiguous()
