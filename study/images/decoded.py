"""The images of a training, decoded once into memory-mapped files that all processes share."""

from __future__ import annotations

import hashlib
from pathlib import Path

import PIL
from torch import Tensor

from study.images.datasets import ImageSet
from tunable_core.files import DamagedFile, load_tensors, save_tensors
from tunable_core.training import processes


def decoded(images: ImageSet, folder: Path) -> list[Tensor]:
    """The images of a set as `list(images)` has them, but in files of that folder, one an image.

    A file is read when its pixels are used, and its memory belongs to the system's file cache: processes
    and trainings share it, and it is given back when memory is short. The images must not be written to.

    A file is named by the registered sha256 of what it was decoded from and by the version of Pillow, so
    an image that the registry replaces is decoded anew. Each process opens every file once and checks
    its sha256; a file that is missing or damaged is written again, whole or not at all. With several
    processes each decodes its share of the missing ones, and then all meet.
    Nothing removes a file: the folder can be deleted whenever no training runs.
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
