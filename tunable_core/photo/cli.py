"""The command `tunable`: photographs in, photographs out, with the dials where you want them.

tunable denoise in.png out.png --omega 0.7 0.3
tunable denoise photos cleaned --recursive --skip-existing --omega 0.7 0.3
tunable sweep in.png strip.png
"""

from __future__ import annotations

import importlib.metadata
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from tyro.conf import FlagCreatePairsOff, Positional

from tunable_core.omega import path
from tunable_core.onnx import fixed
from tunable_core.photo import jobs, photos
from tunable_core.photo.applying import Worker
from tunable_core.photo.jobs import FAILURES, complain
from tunable_core.photo.networks import network
from tunable_core.photo.photos import SUFFIXES, Photo, PhotoError
from tunable_core.photo.resampling import Bicubic
from tunable_core.photo.strips import strip

DIALS = ("--omega", "--start", "--stop")
"""Options that take several numbers."""
MARGIN = 64
"""Pixels around the square of a sweep that the network sees and that are not shown."""


@dataclass(frozen=True)
class Denoise:
    """Denoise a photograph, several, or every photograph of a folder.

    Reads and writes PNG and TIFF of 8 or 16 bits, JPEG, WebP and BMP, grey or colour, by the extension
    of the output. Kept: alpha, ICC profile, print resolution (dpi), EXIF data, and the chunks of a PNG
    that define its colours; what a format cannot hold of alpha and colours is refused. Dropped: EXIF
    orientation (the pixels are turned), thumbnails, XMP, IPTC and comments; a BMP has no EXIF data.

    With --run of a network for super-resolution the photograph is enlarged instead, and its alpha by
    cubic interpolation. Large photographs are worked on tile by tile.

    Exit code: 0 if all went well, 1 if a photograph failed, 2 if nothing could be begun.
    """

    paths: Positional[tuple[Path, ...]]
    """The photograph and the file to write; or photographs and folders of them, and a folder to write
    to (one without an extension is made). Behind -- names may begin with a dash."""
    omega: tuple[float, ...]
    """The dials, each in [0, 1]; for the released network fidelity, then preservation of noise."""
    run: str = ""
    """A folder written by Tunable.save, or, in a clone of the repository, the name of a trained run; the
    released denoiser if none is given."""
    tile: int | None = None
    """The largest square worked on at once, in pixels; smaller ones need less memory. 512 if none is
    given, or 256 for a network that enlarges. A network that looks at the whole image sees it whole
    unless a tile is given, which approximates that."""
    recursive: bool = False
    """Take the photographs of sub-folders too; the output folder has the same sub-folders."""
    force: bool = False
    """Replace results that exist; through a link, the file that it names."""
    skip_existing: bool = False
    """Leave results that exist, to go on with a folder that was interrupted."""

    def __call__(self) -> int:
        """Do it; returns the exit code."""
        if self.force and self.skip_existing:
            raise ValueError("--force replaces what --skip-existing leaves: give one of them")
        wanted = jobs.collect(self.paths, recursive=self.recursive)
        if wanted.single and not self.skip_existing:
            jobs.check_free(wanted.pairs[0][1], self.force)
        return wanted.run(
            lambda: Worker(fixed(network(self.run), self.omega), self.tile),
            force=self.force,
            skip=self.skip_existing,
        )


@dataclass(frozen=True)
class Sweep:
    """Show a photograph at several positions along the dials, side by side in one picture.

    The picture has the colour profile of the photograph. A network that looks at the whole image sees
    the square that is shown with 64 pixels around it.
    """

    input: Positional[Path]
    """The photograph."""
    output: Positional[Path]
    """The picture to write."""
    start: tuple[float, ...] = (0.0, 1.0)
    """The dials of the first position."""
    stop: tuple[float, ...] = (1.0, 0.0)
    """The dials of the last position."""
    steps: int = 5
    """How many positions, both ends included."""
    side: int = 256
    """The square that is shown, from the middle of the photograph, in pixels."""
    run: str = ""
    """A folder written by Tunable.save, or, in a clone of the repository, the name of a trained run; the
    released denoiser if none is given."""
    force: bool = False
    """Replace what is at the output already."""

    def __call__(self) -> int:
        """Do it; returns the exit code."""
        if len(self.start) != len(self.stop) or self.steps < 2 or self.side < 1:
            raise ValueError("a sweep needs as many dials at start as at stop, 2 steps and 1 pixel")
        if self.input.is_dir() or self.output.is_dir():
            raise PhotoError(
                f"{self.input if self.input.is_dir() else self.output} is a folder; a sweep shows one "
                f"photograph in one picture"
            )
        ((source, target),) = jobs.collect([self.input, self.output]).pairs
        jobs.check_free(target, self.force)
        seen = self.side + 2 * MARGIN
        photo = replace(photos.read(source), exif=None)
        photos.check_target(target, replace(photo, pixels=photo.pixels[:1, :1, : photo.colours]))
        photo = _middle(photo, seen)
        control = network(self.run)
        omegas = path(self.start, self.stop, self.steps)
        results = [Worker(fixed(control, omega), seen)(photo) for omega in omegas]
        scale = len(results[0].pixels) // len(photo.pixels)
        results.insert(0, Worker(Bicubic(scale), seen)(photo) if scale > 1 else photo)
        titles = ["input", *(f"({', '.join(f'{v:.3g}' for v in omega.tolist())})" for omega in omegas)]
        picture = strip([_middle(each, self.side) for each in results], titles)
        jobs.write(target, photos.encode(picture, target.suffix), self.force)
        return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, 1 where a photograph failed, or 2 where nothing could be begun."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["--version"]:
        print(f"tunable {importlib.metadata.version('tunable-core')}")
        return 0
    command = tyro.cli(
        Denoise | Sweep,
        prog="tunable",
        description="Photographs through a network whose dials are turned after training. "
        "`tunable --version` prints the version.",
        args=_with_paths(words),
        config=(FlagCreatePairsOff,),
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.meshgrid")  # of SwinIR's own code
            return command()
    except KeyboardInterrupt:
        return 130
    except FAILURES as error:
        complain(error)
        return 2


def _with_paths(words: list[str]) -> list[str]:
    """The words with all paths before the first option, which tyro can tell apart from them.

    Besides the words that stand there already, these are what follows --, what begins with a dash and
    ends as a photograph does, and what follows the numbers of an option of DIALS and is no number.
    """
    end = words.index("--") if "--" in words else len(words)
    paths, others, dials = [], [], False
    for word in words[:end]:
        if word.startswith("-") and Path(word).suffix.lower() in SUFFIXES:
            word = f"./{word}"
        path = dials and not word.startswith("-") and not _number(word)
        (paths if path else others).append(word)
        dials = word in DIALS or (dials and not word.startswith("--"))
    paths += [f"./{word}" if word.startswith("-") else word for word in words[end + 1 :]]
    first = next((i for i, word in enumerate(others) if word.startswith("-")), len(others))
    return [*others[:first], *paths, *others[first:]]


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _middle(photo: Photo, side: int) -> Photo:
    starts = [max(0, (length - side) // 2) for length in photo.pixels.shape[:2]]
    rows, columns = (slice(start, start + side) for start in starts)
    return replace(photo, pixels=photo.pixels[rows, columns])
