"""The command `tunable`: photographs in, photographs out, with the dials where you want them.

tunable denoise in.png out.png --omega 0.7 0.3
tunable sweep in.png strip.png
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro
from torch import Tensor, nn
from tqdm.auto import tqdm
from tyro.conf import FlagCreatePairsOff, Positional

from tunable_core import named_runs, photos
from tunable_core.export import fixed
from tunable_core.files import write_atomically
from tunable_core.omega import path
from tunable_core.photos import SUFFIXES, Photo, PhotoError
from tunable_core.resampling import REACH, Bicubic, upscale
from tunable_core.tiling import enlargement, reach, tiled

FAILURES = (ValueError, TypeError, OSError, ImportError, MemoryError, RuntimeError)
"""What becomes one sentence and exit code 2."""
MARGIN = 64
"""Pixels around the square of a sweep that the network sees and that are not shown."""


@dataclass(frozen=True)
class Denoise:
    """Denoise a photograph, or every photograph of a folder.

    Reads and writes PNG, JPEG and TIFF of 8 or 16 bits, grey or colour. Alpha and colour profile are
    kept, other metadata is not. Large photographs are worked on tile by tile. With --run of a network
    for super-resolution the photograph is enlarged instead, and its alpha by cubic interpolation.
    """

    input: Positional[Path]
    """The photograph, or a folder of them."""
    output: Positional[Path]
    """Where the result goes: a file, or a folder for a folder."""
    omega: tuple[float, ...]
    """The dials, each in [0, 1]; for the released network fidelity, then preservation of noise."""
    run: str = ""
    """A trained run of the store, by name; the released denoiser if none is given."""
    tile: int | None = None
    """The largest square worked on at once, in pixels; smaller ones need less memory. 512 if none is
    given, or 256 for a network that enlarges."""
    force: bool = False
    """Replace what is at the output already."""

    def __call__(self) -> int:
        """Do it; returns the exit code."""
        pairs = _pairs(self.input, self.output, self.force)
        work = _worker(fixed(_trained(self.run), self.omega), self.tile)
        if self.input.is_dir():
            return _each(pairs, work, self.force)
        _convert(*pairs[0], work, self.force)
        return 0


@dataclass(frozen=True)
class Sweep:
    """Show a photograph at several positions along the dials, side by side in one picture."""

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
    """A trained run of the store, by name; the released denoiser if none is given."""
    force: bool = False
    """Replace what is at the output already."""

    def __call__(self) -> int:
        """Do it; returns the exit code."""
        if len(self.start) != len(self.stop) or self.steps < 2 or self.side < 1:
            raise ValueError("a sweep needs as many dials at start as at stop, 2 steps and 1 pixel")
        if self.input.is_dir():
            raise PhotoError(f"{self.input} is a folder; a sweep shows one photograph")
        ((source, target),) = _pairs(self.input, self.output, self.force)
        seen = self.side + 2 * MARGIN
        photo = _middle(photos.read(source), seen)
        control = _trained(self.run)
        omegas = path(self.start, self.stop, self.steps)
        results = [_worker(fixed(control, omega), seen)(photo) for omega in omegas]
        scale = len(results[0].pixels) // len(photo.pixels)
        results.insert(0, _worker(Bicubic(scale), seen)(photo) if scale > 1 else photo)
        content = _strip([_middle(p, self.side) for p in results], omegas, target.suffix[1:].lower())
        _write(target, content, self.force)
        return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, or 2 where anything could not be done, with a sentence for each."""
    command = tyro.cli(
        Denoise | Sweep,
        prog="tunable",
        description="Photographs through a network whose dials are turned after training.",
        args=arguments,
        config=(FlagCreatePairsOff,),
    )
    try:
        return command()
    except KeyboardInterrupt:
        return 130
    except FAILURES as error:
        return _complain(error)


def _complain(error: Exception) -> int:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    print(f"tunable: {reason}", file=sys.stderr)
    return 2


def _trained(name: str) -> nn.Module:
    return (named_runs.load(name) if name else named_runs.released()).control


def _pairs(source: Path, target: Path, force: bool) -> list[tuple[Path, Path]]:
    """Every photograph with the place of its result; refuses what would overwrite an input."""
    if not source.exists():
        raise PhotoError(f"{source} does not exist")
    if target.exists() and target.samefile(source):
        raise PhotoError(f"{target} is the input, which is never overwritten")
    if not source.is_dir():
        if target.is_dir():
            raise PhotoError(f"{target} is a folder; name the file to write")
        photos.check_target(target)
        _check_free(target, force)
        return [(source, target)]
    if target.exists() and not target.is_dir():
        raise PhotoError(f"{source} is a folder and {target} is not; name a folder to write to")
    files = [p for p in sorted(source.iterdir()) if p.suffix.lower() in SUFFIXES and p.is_file()]
    if not files:
        raise PhotoError(f"{source} holds no file that ends in {', '.join(SUFFIXES)}")
    return [(file, target / file.name) for file in files]


def _each(pairs: list[tuple[Path, Path]], work: Callable[[Photo], Photo], force: bool) -> int:
    """Convert all that can be; says what could not, and returns 2 then."""
    failed = 0
    for source, target in tqdm(pairs, desc="photographs", delay=2, disable=None):
        try:
            _convert(source, target, work, force)
        except FAILURES as error:
            failed += 1
            with tqdm.external_write_mode(file=sys.stderr):
                _complain(error)
    if failed:
        print(f"tunable: {failed} of {len(pairs)} photographs could not be done", file=sys.stderr)
    return 2 if failed else 0


def _convert(source: Path, target: Path, work: Callable[[Photo], Photo], force: bool) -> None:
    _check_free(target, force)
    photo = photos.read(source)
    photos.check_target(target, alpha=photo.alpha)
    photo = work(photo)  # that it was read from is given up before the file is made
    _write(target, photos.encode(photo, target.suffix), force)


def _check_free(target: Path, force: bool) -> None:
    if target.exists() and not force:
        raise FileExistsError(f"{target} exists already (--force replaces it)")


def _write(target: Path, content: bytes, force: bool) -> None:
    _check_free(target, force)  # it may have come in the meantime
    write_atomically(target, content)


def _worker(network: nn.Module, tile: int | None) -> Callable[[Photo], Photo]:
    """What maps a photograph through the network, tile by tile, in the photograph's own integers."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layout = torch.channels_last  # that of pixels in files, too
    network = network.eval().to(device, memory_format=layout)
    scale = enlargement(network)
    side = (512 if scale == 1 else 256) if tile is None else tile

    def work(photo: Photo) -> Photo:
        def call(piece: Tensor) -> Tensor:
            x = piece.to(device, torch.float32) / photo.full
            colours, alpha = x[:, : photo.colours], x[:, photo.colours :]
            y = network(colours.expand(-1, 3, -1, -1).contiguous(memory_format=layout))
            y = y.mean(1, keepdim=True) if photo.colours == 1 else y
            if photo.alpha:
                y = torch.cat([y, alpha if scale == 1 else upscale(alpha, scale)], 1)
            y = (y.clamp(0, 1) * photo.full).round().cpu().to(piece.dtype)
            return y.contiguous(memory_format=layout)

        image = torch.from_numpy(photo.pixels).permute(2, 0, 1)[None]
        if (size := scale**2 * image[0, 0].numel()) > photos.MAX_PIXELS:
            raise PhotoError(
                f"the result would have {size / 1e6:.0f} million pixels, over "
                f"{photos.MAX_PIXELS / 1e6:.0f}: enlarge it part by part"
            )
        margins = {}
        if max(image.shape[2:]) > side:
            seen = reach(network, scale=scale)
            margins = {"overlap": max(seen.pixels, REACH), "align": seen.period}
        output = tiled(call, image, side, scale=scale, **margins)[0]
        return replace(photo, pixels=output.permute(1, 2, 0).numpy())

    return work


def _middle(photo: Photo, side: int) -> Photo:
    starts = [max(0, (length - side) // 2) for length in photo.pixels.shape[:2]]
    rows, columns = (slice(start, start + side) for start in starts)
    return replace(photo, pixels=photo.pixels[rows, columns])


def _strip(pictures: Sequence[Photo], omegas: Tensor, kind: str) -> bytes:
    """The input and its results under their dials, as a picture file of that kind."""
    import matplotlib as mpl

    mpl.use("Agg")
    from tunable_core import plots  # it takes a second, which only this needs

    images = []
    for photo in pictures:
        colours = torch.from_numpy(photo.pixels[..., : photo.colours].copy()).float() / photo.full
        images.append(colours.permute(2, 0, 1).expand(3, -1, -1))
    plots.style()
    titles = ["input", *(plots.dials([round(v, 3) for v in omega.tolist()]) for omega in omegas)]
    figure, buffer = plots.strip(images, titles), io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=200)
    plots.plt.close(figure)
    return buffer.getvalue()
