"""Photographs with real noise, in pairs: the data set nam, split for training and testing.

A pair is one image of six channels, [6, H, W] uint8: the clean RGB, then the noisy RGB, so that both get
the same crops and flips.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import torch
from torch import Tensor

from study.images import datasets
from study.images.datasets import File, ImageSet
from tunable_core.files import DamagedFile

NAM_TEST = ("07", "13", "14", "17", "19", "20", "24", "25")
"""Test pairs of nam; the other 17 are for training. Pairs of the same object are in the same half."""


@dataclass(frozen=True)
class PairSet(ImageSet):
    """As ImageSet, but each image is a pair [6, H, W]: clean, then noisy."""

    noisy: list[File] = field(default_factory=list, repr=False)

    @property
    def all_files(self) -> list[File]:
        """Every file of the pairs; see ImageSet."""
        return [*self.files, *self.noisy]

    def __getitem__(self, which: int | str) -> Tensor:
        """One pair by position or id."""
        clean = super().__getitem__(which)
        position = self.ids.index(which) if isinstance(which, str) else which
        noisy = datasets.read(self.noisy[position], self.name)
        if noisy.shape != clean.shape:
            raise DamagedFile(
                f"{self.noisy[position].path} and its clean image differ in size: "
                f"{list(noisy.shape)} and {list(clean.shape)}"
            )
        return torch.cat([clean, noisy])


def nam(split: str) -> PairSet:
    """The pairs of nam of one split, "train" or "test", whether or not the files exist."""
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
