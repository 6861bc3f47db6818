"""Photographs in files: PNG, JPEG and TIFF of 8 or 16 bits, grey or colour, with or without alpha.

Pillow reads and writes 8 bits. It cannot hold 16 bits in colour, so for those imagecodecs does, with
tifffile, of the same author, which scikit-image brings along: both give and take the very samples of
the file, grey and alpha included.
"""

from __future__ import annotations

import contextlib
import io
import logging
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
"""Extensions of files that are read and written; what a file holds, its content says."""
MAX_PIXELS = 2 * Image.MAX_IMAGE_PIXELS
"""Larger images are refused, as Pillow refuses them: about 179 million pixels."""
BAND = 256
"""Rows that are converted at once."""
MODES = {
    **dict.fromkeys(("1", "L"), "L"),
    **dict.fromkeys(("LA", "La"), "LA"),
    **dict.fromkeys(("RGB", "RGBX", "P"), "RGB"),
    **dict.fromkeys(("RGBA", "RGBa", "PA"), "RGBA"),
}
"""What each mode of Pillow becomes; the others are refused."""
TURNS = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
"""How each EXIF orientation is put upright."""


class PhotoError(ValueError):
    """A file is no photograph that can be read, or cannot hold the one to be written."""


@dataclass(frozen=True)
class Photo:
    """A photograph, upright."""

    pixels: np.ndarray
    """[H, W, C] uint8 or uint16: grey, grey and alpha, RGB, or RGB and alpha."""
    profile: bytes | None = None
    """ICC profile. Of all that a file may say of its image, this alone is kept: it decides colours."""

    @property
    def colours(self) -> int:
        """Channels without alpha: 1 or 3."""
        return self.pixels.shape[2] - 1 + self.pixels.shape[2] % 2

    @property
    def alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.pixels.shape[2] > self.colours

    @property
    def full(self) -> int:
        """The value of white."""
        return np.iinfo(self.pixels.dtype).max


def read(path: Path) -> Photo:
    """The photograph in a file; raises PhotoError, in one sentence, for whatever is none."""
    _check_suffix(path)
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is large or odd but readable is read
            return _read(file)
    except PhotoError as error:
        raise PhotoError(f"{path} {error}") from error
    except FileNotFoundError as error:
        raise PhotoError(f"{path} does not exist") from error
    except UnidentifiedImageError as error:
        raise PhotoError(f"{path} is not a PNG, JPEG or TIFF image") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{path} {_too_large()}") from error
    except Exception as error:  # decoders raise many kinds for what is broken
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PhotoError(f"{path} cannot be read: {reason}") from error


def _read(file: io.BufferedReader) -> Photo:
    start = file.read(26)
    file.seek(0)
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        photo = _read_tiff(file)
        if photo is not None:
            return photo
        file.seek(0)
    with Image.open(file, formats=("PNG", "JPEG", "TIFF")) as image:
        if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
            raise PhotoError(f"holds {image.n_frames} images, not one")
        if image.format == "PNG" and start[24] == 16:
            turn, profile = image.getexif().get(0x0112, 1), image.info.get("icc_profile")
            content = Path(file.name).read_bytes()  # file.read() would hold it twice
            return Photo(_upright(_imagecodecs().png_decode(content), turn), profile)
        if image.mode not in MODES:
            raise PhotoError(f"is of type {image.mode}: save it as grey or RGB, of 8 or 16 bits")
        image.load()
        mode = MODES[image.mode]
        if mode in ("L", "RGB") and image.has_transparency_data:
            mode = {"L": "LA", "RGB": "RGBA"}[mode]
        profile = image.info.get("icc_profile")
        ImageOps.exif_transpose(image, in_place=True)
        return Photo(_samples(image if image.mode == mode else image.convert(mode)), profile)


def _samples(image: Image.Image) -> np.ndarray:
    """[H, W, C] uint8 of a picture of Pillow's, in bands: at once it would be held three times."""
    width, height = image.size
    pixels = np.empty((height, width, len(image.getbands())), np.uint8)
    for rows in _bands(height):
        band = np.asarray(image.crop((0, rows.start, width, rows.stop)))
        pixels[rows] = band.reshape(-1, *pixels.shape[1:])
    return pixels


def _bands(height: int) -> list[slice]:
    return [slice(top, min(height, top + BAND)) for top in range(0, height, BAND)]


def _read_tiff(file: io.BufferedReader) -> Photo | None:
    """A TIFF of 16 bits; None for one that Pillow can read as well. Refuses any that is cut short."""
    import tifffile

    with _complaints(tifffile.logger()) as complaints, tifffile.TiffFile(file) as tiff:
        if len(tiff.pages) != 1:
            raise PhotoError(f"holds {len(tiff.pages)} images, not one")
        page = tiff.pages[0]
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))
        if "invalid value offset" in complaints.getvalue() or max(ends) > tiff.filehandle.size:
            raise PhotoError("is cut short")
        if page.imagewidth * page.imagelength > MAX_PIXELS:
            raise PhotoError(_too_large())
        if page.dtype != np.uint16:
            return None
        extra = page.samplesperpixel - {1: 1, 2: 3}.get(page.photometric, 0)
        if page.photometric not in (1, 2) or extra not in (0, 1) or 1 in page.extrasamples:
            raise PhotoError("is a TIFF of an unusual kind: save it as grey or RGB, alpha unassociated")
        _imagecodecs()
        pixels = page.asarray().astype(np.uint16, copy=False)
        if page.axes == "SYX":
            pixels = np.moveaxis(pixels, 0, -1)
        return Photo(_upright(pixels, page.tags.valueof(274, default=1)), page.iccprofile)


@contextlib.contextmanager
def _complaints(logger: logging.Logger):
    """What a library logs, caught in a buffer and shown to nobody."""
    handler = logging.StreamHandler(io.StringIO())
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield handler.stream
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def check_target(path: Path, alpha: bool = False) -> None:
    """Refuse a path that no photograph, or none with alpha, can be written to; raises PhotoError."""
    _check_suffix(path)
    if alpha and path.suffix.lower() in (".jpg", ".jpeg"):
        raise PhotoError(f"{path}: a JPEG has no alpha; write a PNG or a TIFF")


def encode(photo: Photo, suffix: str) -> bytes | memoryview:
    """The bytes of a file with that extension, of the photograph's bits; a JPEG has 8."""
    kind = suffix.lower()
    pixels = photo.pixels[..., 0] if photo.pixels.shape[2] == 1 else photo.pixels
    if kind in (".png", ".tif", ".tiff") and pixels.dtype == np.uint16:
        return _encode16(np.ascontiguousarray(pixels), photo, kind)
    if pixels.dtype == np.uint16:
        rounded = np.empty(pixels.shape, np.uint8)
        for rows in _bands(len(pixels)):
            rounded[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
        pixels = rounded
    settings = {
        ".png": {"format": "PNG"},
        ".tif": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
        ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    }[{".jpeg": ".jpg", ".tiff": ".tif"}.get(kind, kind)]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, icc_profile=photo.profile, **settings)
    return buffer.getvalue()


def _encode16(pixels: np.ndarray, photo: Photo, kind: str) -> bytes | memoryview:
    codecs = _imagecodecs()
    if kind == ".png":
        chunk = _profile_chunk(photo.profile)
        room = len(chunk) + pixels.nbytes + pixels.nbytes // 64 + len(pixels) + 4096
        content = memoryview(bytearray(room))  # without, two more copies of the file would be made
        size = len(codecs.png_encode(pixels, out=content[len(chunk) :]))
        content[:33] = content[len(chunk) :][:33].tobytes()  # the header, before the profile
        content[33 : 33 + len(chunk)] = chunk
        return content[: len(chunk) + size]
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        pixels,
        photometric="rgb" if photo.colours == 3 else "minisblack",
        planarconfig="contig" if pixels.ndim == 3 else None,
        extrasamples=["unassalpha"] if photo.alpha else None,
        compression="zlib",
        predictor=True,
        iccprofile=photo.profile,
        metadata=None,
    )
    return buffer.getvalue()


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise PhotoError(f"{path}: the extension must be one of {', '.join(SUFFIXES)}")


def _too_large() -> str:
    return f"has more than {MAX_PIXELS / 1e6:.0f} million pixels"


def _upright(pixels: np.ndarray, turn: int) -> np.ndarray:
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.ascontiguousarray(TURNS.get(turn, lambda a: a)(pixels))


def _imagecodecs():
    try:
        import imagecodecs
    except ImportError as error:
        raise PhotoError("has 16 bits, which needs: pip install 'tunable-core[photo]'") from error
    return imagecodecs


def _profile_chunk(profile: bytes | None) -> bytes:
    """The chunk of a PNG that holds an ICC profile; empty without one."""
    if not profile:
        return b""
    body = b"iCCPICC profile\0\0" + zlib.compress(profile)
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
