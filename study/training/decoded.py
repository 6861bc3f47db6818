"""Decode the images of a training once, into memory-mapped files that all processes share."""

from __future__ import annotations

import hashlib
from pathlib import Path

import PIL
from torch import Tensor

from study.disk.tensors import load_tensors, save_tensors
from study.images.datasets import ImageSet
from study.training import processes
from tunable_core.files import DamagedFile


def decoded(images: ImageSet, folder: Path) -> list[Tensor]:
    """The images of a set as in `list(images)`, but memory-mapped from files in a folder.

    A file is read when its pixels are used, and its memory is part of the system's file cache: processes
    and trainings share it, and it is freed when memory is short. The images must not be written to.

    A file is named by the registered sha256 of the encoded image and the version of Pillow, so an image
    that is replaced in the registry is decoded again. Each process opens every file once and checks its
    sha256; a missing or damaged file is written again, atomically. With several processes each decodes a
    share of the missing files, and then waits for the others.
    Files are never removed: the folder can be deleted when no training runs.
    Raises MissingData or DamagedFile as ImageSet does.
    """
    if processes.count() > 1:
        for position in range(processes.rank(), len(images), processes.count()):
            _mapped(images, position, folder)
        processes.meet()
    return [_mapped(images, position, folder) for position in range(len(images))]


def _mapped(images: ImageSet, position: int, folder: Path) -> Tensor:
    path = folder / f"{_name(images, position)}.safetensors"
    try:
        return load_tensors(path)[0]["image"]
    except (FileNotFoundError, DamagedFile):
        save_tensors(path, {"image": images[position]})
        return load_tensors(path)[0]["image"]


def _name(images: ImageSet, position: int) -> str:
    sources = [file.sha256 for file in images.all_files[position :: len(images)]]
    return hashlib.sha256(" ".join([*sources, PIL.__version__]).encode()).hexdigest()[:32]
