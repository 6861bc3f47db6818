"""Match photographs and folders to the files of their results, without overwriting any."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm.auto import tqdm

from tunable_core.files import write_atomically
from tunable_photo import photos
from tunable_photo.photos import SUFFIXES, Photo, PhotoError

FAILURES = (ValueError, TypeError, OSError, ImportError, MemoryError, RuntimeError)
"""Errors that are reported as one sentence."""
NO_MEMORY = "needs more memory than is free: give a smaller --tile"


@dataclass
class Jobs:
    """Photographs with the paths of their results."""

    pairs: list[tuple[Path, Path]] = field(default_factory=list)
    """Input file and output file."""
    single: bool = False
    """One file to one file, so no summary is needed."""
    others: Counter[str] = field(default_factory=Counter)
    """Number of files that are not photographs, by suffix."""
    folders: int = 0
    """Number of sub-folders that were left out."""

    def run(
        self, worker: Callable[[], Callable[[Photo], Photo]], *, force: bool = False, skip: bool = False
    ) -> int:
        """Process every photograph; returns 1 if any failed, else 0.

        worker: makes the function from a photograph to its result, which may have a `scale`; called
            once, and only if there is work.
        force: replace existing results. skip: leave and count them.
        A sentence at the end reports how many were done, skipped, failed and left out.
        """
        todo = [pair for pair in self.pairs if not (skip and pair[1].exists())]
        skipped, done = len(self.pairs) - len(todo), 0
        try:
            work = worker() if todo else None
            for source, target in tqdm(todo, desc="photographs", delay=2, disable=None):
                assert work is not None  # todo is not empty
                try:
                    convert(source, target, work, force)
                    done += 1
                except FAILURES as error:
                    with tqdm.external_write_mode(file=sys.stderr):
                        complain(error, source)
        except KeyboardInterrupt:
            if not self.single:
                after = f"{done} of {_count(len(todo), 'photograph')}"
                print(f"tunable: interrupted after {after} (--skip-existing continues)", file=sys.stderr)
            raise
        if not self.single or skipped:
            print(self._summary(done, skipped, len(todo) - done))
        return 1 if done < len(todo) else 0

    def _summary(self, done: int, skipped: int, failed: int) -> str:
        parts = [f"{_count(done, 'photograph')} done"]
        parts += [f"{skipped} skipped as {'it exists' if skipped == 1 else 'they exist'}"] * (
            skipped > 0
        )
        parts += [f"{failed} failed"] * (failed > 0)
        left = []
        if count := self.others.total():
            kinds = ", ".join(f"{n} {suffix}" for suffix, n in sorted(self.others.items()))
            nature = "is not a photograph" if count == 1 else "are not photographs"
            left.append(f"{_count(count, 'file')} that {nature} ({kinds})")
        if self.folders:
            left.append(f"{_count(self.folders, 'sub-folder')} (--recursive)")
        return ", ".join(parts) + (f"; left out: {' and '.join(left)}" if left else "")


def collect(paths: Sequence[Path], *, recursive: bool = False) -> Jobs:
    """The jobs for inputs and, as the last path, an output.

    One file goes to a file. Several files, and the files of folders, go to a folder and keep their
    names and, with recursive, their sub-folders. Names that begin with a dot are ignored, and so is an
    output folder inside an input folder.
    Raises PhotoError for an input that is missing or would be overwritten, or if two inputs have the
    same output.
    """
    if len(paths) < 2:
        raise PhotoError("name the photographs, or a folder of them, and where to write the results")
    *inputs, target = paths
    for path in inputs:
        if not path.exists():
            raise PhotoError(f"{path} does not exist")
    source = inputs[0]
    if len(inputs) == 1 and source.is_file() and not target.is_dir() and target.suffix:
        jobs = Jobs([(source, target)], single=True)
        photos.check_target(target)
    else:
        if not target.is_dir() and (target.exists() or target.suffix.lower() in SUFFIXES):
            raise PhotoError(f"{target} is a file; name a folder for the results of several photographs")
        jobs = Jobs()
        for path in inputs:
            if path.is_dir():
                _folder(jobs, path, target, recursive)
            else:
                jobs.pairs.append((path, target / path.name))
        if not jobs.pairs:
            raise PhotoError(
                f"{', '.join(map(str, inputs))} holds no file that ends in {', '.join(SUFFIXES)}"
                + (" (--recursive includes its sub-folders)" if jobs.folders else "")
            )
    _check(jobs.pairs)
    return jobs


def _folder(jobs: Jobs, folder: Path, target: Path, recursive: bool) -> None:
    """Add the photographs of a folder, and count the files and sub-folders that are left out."""
    away = target.resolve()
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and (here / name).resolve() != away
        )
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() in SUFFIXES and (path.is_file() or path.is_symlink()):
                jobs.pairs.append((path, target / path.relative_to(folder)))
            elif name[0] != ".":
                jobs.others[path.suffix.lower() or "without extension"] += 1
        if not recursive:
            jobs.folders += len(folders)
            return


def _check(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Refuse results that would overwrite an input or each other."""
    inputs = {_identity(source) for source, _ in pairs}
    places: dict[Path, Path] = {}
    for source, target in pairs:
        if target.exists() and _identity(target) in inputs:
            raise PhotoError(f"{target} is the input, which is never overwritten: name another output")
        first = places.setdefault(target, source)
        if first != source:
            raise PhotoError(f"{first} and {source} would both become {target}: give them other names")


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def convert(source: Path, target: Path, work: Callable[[Photo], Photo], force: bool) -> None:
    """Read a photograph, map it, write the result; raises one of FAILURES."""
    check_free(target, force)
    photo = photos.read(source)
    photos.check_target(target, photo, getattr(work, "scale", 1))
    photo = work(photo)  # drops the input's pixels before encoding, to halve peak memory
    write(target, photos.encode(photo, target.suffix), force)


def check_free(target: Path, force: bool) -> None:
    """Raise FileExistsError for an existing file, unless forced."""
    if target.exists() and not force:
        raise FileExistsError(
            f"{target} exists already (--force replaces it, --skip-existing leaves it)"
        )


def write(target: Path, content: bytes | memoryview, force: bool) -> None:
    """Write the file atomically; if it is a link, the file that it points to."""
    check_free(target, force)  # it may have been created meanwhile
    write_atomically(target, content)


def complain(error: BaseException, source: Path | None = None) -> None:
    """Print one sentence on stderr that names the photograph."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in reason:
        reason = NO_MEMORY
    named = source is None or reason.startswith(str(source))
    print(f"tunable: {reason if named else f'{source}: {reason}'}", file=sys.stderr)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
