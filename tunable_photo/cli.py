"""The command `tunable`: process photographs with the dials at the positions you want.

tunable denoise in.png out.png --keep 0.3
tunable denoise in.png out.png --omega 0.7 0.3
tunable denoise in.png out.png --mask mask.png --inside 1 0 --outside 0.3 0.7 --feather 8
tunable denoise photos cleaned --recursive --skip-existing --keep 0.3
tunable sweep in.png strip.png
"""

from __future__ import annotations

import importlib.metadata
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro
from tyro.conf import FlagCreatePairsOff, Positional

from tunable_core.omega import path
from tunable_photo import jobs, masks, photos
from tunable_photo.applying import Worker
from tunable_photo.jobs import FAILURES, complain
from tunable_photo.networks import DEFAULT, dial, network
from tunable_photo.photos import SUFFIXES, Photo, PhotoError
from tunable_photo.resampling import Bicubic
from tunable_photo.strips import strip

DIALS = ("--omega", "--inside", "--outside", "--start", "--stop")
"""Options that take several numbers."""
MARGIN = 64
"""Margin in pixels around the square of a sweep: input of the network, but not shown."""


@dataclass(frozen=True)
class Denoise:
    """Denoise a photograph, several, or every photograph of a folder.

    Reads and writes PNG and TIFF of 8 or 16 bits, JPEG, WebP and BMP, grey or colour, by the extension
    of the output. Kept: alpha, ICC profile, print resolution (dpi), EXIF data, and the chunks of a PNG
    that define its colours; an output format that cannot hold the alpha or the colours is refused.
    Dropped: EXIF orientation (the pixels are turned), thumbnails, XMP, IPTC and comments; a BMP has no
    EXIF data.

    If --run names a network for super-resolution, the photograph is enlarged instead, and its alpha by
    cubic interpolation. Large photographs are processed tile by tile.

    Exit code: 0 for success, 1 if a photograph failed, 2 if nothing could be started.
    """

    paths: Positional[tuple[Path, ...]]
    """The photograph and the file to write; or several photographs and folders, and the folder to write
    to (created if it has no extension). After --, names may begin with a dash."""
    keep: float | None = None
    """The share of the noise to keep, in [0, 1]: 0.3 keeps three tenths of the grain. It is set through
    the measured dial of the network, and is right on average over test photographs. Give --keep or
    --omega."""
    omega: tuple[float, ...] = ()
    """The dials, each in [0, 1]; for the released networks first fidelity, then noise preservation."""
    mask: Path | None = None
    """A picture of the photograph's size: --inside applies where it is white, --outside where it is
    black, and a mixture of both where it is grey."""
    inside: tuple[float, ...] = ()
    """With --mask: the dials inside the mask, as for --omega."""
    outside: tuple[float, ...] = ()
    """With --mask: the dials outside the mask."""
    feather: float = 0.0
    """With --mask: the blur of its edge, in pixels (standard deviation of a Gaussian)."""
    run: str = DEFAULT
    """The network. photo: for photographs as cameras, phones and scanners write them, grey or colour,
    JPEG or not, with noise of up to about 35 grey levels of 255. paper: the network of the paper, for
    colour images with independent noise of 5 to 30 grey levels in each channel, which no camera writes;
    it does little on grey photographs and JPEGs. Or a folder written by Tunable.save, or, in a clone of
    the repository, the name of a trained run."""
    tile: int | None = None
    """The largest square processed at once, in pixels; a smaller one needs less memory. Default 512, or
    256 for a network that enlarges. A network whose output depends on the whole image is given the
    whole image, unless a tile is given: the result is then an approximation."""
    recursive: bool = False
    """Include the photographs in sub-folders; the output folder gets the same sub-folders."""
    force: bool = False
    """Replace existing results; if the result is a link, the file it points to."""
    skip_existing: bool = False
    """Leave existing results, to continue with a folder after an interruption."""

    def __call__(self) -> int:
        """Do it; returns the exit code."""
        if self.force and self.skip_existing:
            raise ValueError("--force replaces what --skip-existing leaves: give one of them")
        masked = self.mask is not None and self.inside and self.outside
        if (self.keep is not None) + bool(self.omega) + bool(masked) != 1:
            raise ValueError(
                "give one of --keep, the share of the noise to keep, --omega, the dials, or --mask "
                "with --inside and --outside"
            )
        if not masked and (self.mask or self.inside or self.outside or self.feather):
            raise ValueError("--mask needs --inside and --outside; these and --feather need --mask")
        wanted = jobs.collect(self.paths, recursive=self.recursive)
        if masked and len(wanted.pairs) > 1:
            raise ValueError("--mask is for one photograph: name only one")
        if wanted.single and not self.skip_existing:
            jobs.check_free(wanted.pairs[0][1], self.force)
        return wanted.run(self._worker, force=self.force, skip=self.skip_existing)

    def _worker(self) -> Worker:
        """The worker that maps photographs to their results."""
        control: Any = network(self.run)
        known, omega = dial(self.run), self.omega
        strongest = known.sigma[1] if known else None
        if self.mask is not None:
            net, mask = (
                masks.Masked(control, self.inside, self.outside),
                masks.read(self.mask, self.feather),
            )
            return Worker(net, self.tile, strongest, mask)
        if self.keep is not None:
            if known is None:
                raise ValueError(
                    f"--keep needs a network with a measured dial, such as --run {DEFAULT}: use that "
                    f"network, or give --omega"
                )
            omega = known.omega_for(self.keep)
            if sentence := known.clipped(self.keep):
                print(f"tunable: {sentence}", file=sys.stderr)
        return Worker(control.at(omega), self.tile, strongest)


@dataclass(frozen=True)
class Sweep:
    """Show a photograph at several positions along the dials, side by side in one picture.

    The picture has the colour profile of the photograph. A network whose output depends on the whole
    image is given the square that is shown, with a margin of 64 pixels.
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
    """Number of positions, both ends included."""
    side: int = 256
    """Side of the square that is shown, from the middle of the photograph, in pixels."""
    run: str = DEFAULT
    """The network, as for `tunable denoise`."""
    force: bool = False
    """Replace an existing output."""

    def __call__(self) -> int:
        """Do it; returns the exit code."""
        if len(self.start) != len(self.stop) or self.steps < 2 or self.side < 1:
            raise ValueError(
                "--start and --stop must have as many dials, --steps be 2 or more, --side 1 or more"
            )
        if self.input.is_dir() or self.output.is_dir():
            raise PhotoError(
                f"{self.input if self.input.is_dir() else self.output} is a folder; name one "
                f"photograph and one picture"
            )
        ((source, target),) = jobs.collect([self.input, self.output]).pairs
        jobs.check_free(target, self.force)
        seen = self.side + 2 * MARGIN
        photo = replace(photos.read(source), exif=None)
        photos.check_target(target, replace(photo, pixels=photo.pixels[:1, :1, : photo.colours]))
        photo = _middle(photo, seen)
        control: Any = network(self.run)
        omegas = path(self.start, self.stop, self.steps)
        results = [Worker(control.at(omega), seen)(photo) for omega in omegas]
        scale = len(results[0].pixels) // len(photo.pixels)
        results.insert(0, Worker(Bicubic(scale), seen)(photo) if scale > 1 else photo)
        titles = ["input", *(f"({', '.join(f'{v:.3g}' for v in omega.tolist())})" for omega in omegas)]
        picture = strip([_middle(each, self.side) for each in results], titles)
        jobs.write(target, photos.encode(picture, target.suffix), self.force)
        return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, 1 if a photograph failed, or 2 if nothing could be started."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["--version"]:
        print(f"tunable {importlib.metadata.version('tunable-core')}")
        return 0
    command = tyro.cli(
        Denoise | Sweep,
        prog="tunable",
        description="Process photographs by a network whose dials are set after training. "
        "`tunable --version` prints the version.",
        args=_with_paths(words),
        config=(FlagCreatePairsOff,),
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.meshgrid")  # from SwinIR's own code
            return command()
    except KeyboardInterrupt:
        return 130
    except FAILURES as error:
        complain(error)
        return 2


def _with_paths(words: list[str]) -> list[str]:
    """The words, with all paths moved before the first option, so that tyro can recognise them.

    These are the words after --, words that begin with a dash and end in the extension of a photograph,
    and words after the numbers of an option of DIALS that are not numbers.
    """
    end = words.index("--") if "--" in words else len(words)
    paths: list[str] = []
    others: list[str] = []
    dials = False
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
