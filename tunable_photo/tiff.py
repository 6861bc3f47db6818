"""TIFF files, by tifffile: 16-bit samples, pages, and EXIF data in separate directories."""

from __future__ import annotations

import contextlib
import io
import logging
import struct

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from tunable_photo import raster
from tunable_photo.metadata import (
    ORIENTATION,
    RESOLUTION,
    orientation,
    resolution,
    tidy,
    turned,
    written,
)
from tunable_photo.raster import Photo, PhotoError, bands, imagecodecs, upright

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF files begin."""
POINTERS = (int(IFD.Exif), int(IFD.GPSInfo))
"""Tags that hold the offset of another directory of EXIF data."""
INVERTED, GREY, RGB = 0, 1, 2
"""Photometric interpretations that are read at 16 bits: MinIsWhite, MinIsBlack, RGB."""


def read(file: io.BufferedReader) -> Photo | int:
    """A photograph of 16 bits; for one of 8 bits the number of the page, for Pillow to read.

    Pages marked as reduced copies of another (thumbnails) are left out. Raises PhotoError for a file
    that is cut short, holds several images, or has samples of another type.
    """
    import tifffile

    with _complaints(tifffile.logger()) as complaints, tifffile.TiffFile(file) as tiff:
        pages = [(i, page.aspage()) for i, page in enumerate(tiff.pages)]
        whole = [(i, page) for i, page in pages if not page.is_reduced]
        if len(whole) != 1:
            raise PhotoError(f"holds {len(whole)} images: save the one you want to a file of its own")
        ((number, page),) = whole
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))
        if "invalid value offset" in complaints.getvalue() or max(ends) > tiff.filehandle.size:
            raise PhotoError("is cut short")
        if page.imagewidth * page.imagelength > raster.MAX_PIXELS:
            raise PhotoError(raster.too_large())
        if page.bitspersample <= 8:
            return number
        if page.dtype != np.uint16 or page.bitspersample != 16:
            kind = {"f": "floating-point", "i": "signed", "c": "complex"}.get(
                page.dtype.kind if page.dtype else "", "unsigned"
            )
            raise PhotoError(
                f"has {kind} samples of {page.bitspersample} bits: save it with 8 or 16 unsigned bits"
            )
        pixels = _samples(page)
        exif = Image.Exif()
        exif.endian = tiff.byteorder
        with contextlib.suppress(Exception):  # damaged EXIF data must not prevent reading
            exif.load_from_fp(file, page.offset)
        turn = orientation({ORIENTATION: page.tags.valueof(ORIENTATION, default=1)})
        dpi = resolution({tag: _number(page.tags.valueof(tag)) for tag in RESOLUTION})
        return Photo(upright(pixels, turn), page.iccprofile, tidy(exif), turned(dpi, turn))


def encode(photo: Photo) -> memoryview:
    """Encode as TIFF with the photograph's bits and metadata, without PNG's chunks."""
    import tifffile

    exif = written(photo) or Image.Exif()
    directories = {tag: dict(exif.get_ifd(tag)) for tag in POINTERS}
    tags = [
        (tag, *_typed(value), True) for tag, value in exif.items() if tag not in (*POINTERS, *RESOLUTION)
    ]
    pixels = photo.pixels[..., 0] if photo.pixels.shape[2] == 1 else photo.pixels
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        np.ascontiguousarray(pixels),
        byteorder="<",
        photometric="rgb" if photo.colours == 3 else "minisblack",
        planarconfig="contig" if pixels.ndim == 3 else None,
        extrasamples=["unassalpha"] if photo.alpha else None,
        compression="zlib",
        predictor=True,
        iccprofile=photo.profile,
        resolution=photo.dpi,
        resolutionunit="inch" if photo.dpi else None,
        software=False,
        metadata=None,
        extratags=tags,
    )
    if any(directories.values()):
        _append(buffer, {tag: found for tag, found in directories.items() if found})
    return buffer.getbuffer()


def _append(buffer: io.BytesIO, directories: dict[int, dict]) -> None:
    """Append directories to a TIFF, and a new first directory that points to them.

    The entries of the old first directory are copied unchanged: the offsets in them stay valid.
    """
    (first,) = struct.unpack_from("<I", buffer.getbuffer(), 4)
    (count,) = struct.unpack_from("<H", buffer.getbuffer(), first)
    content = bytes(buffer.getbuffer()[first + 2 : first + 2 + 12 * count])
    entries = [content[place : place + 12] for place in range(0, len(content), 12)]
    for pointer, tags in directories.items():
        end = _end(buffer)
        directory = ImageFileDirectory_v2(group=pointer)
        for tag, value in tags.items():
            directory[tag] = value
        buffer.write(directory.tobytes(end))
        entries.append(struct.pack("<HHII", pointer, 4, 1, end))
    end = _end(buffer)
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    buffer.write(struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))
    buffer.seek(4)
    buffer.write(struct.pack("<I", end))


def _end(buffer: io.BytesIO) -> int:
    """The next even offset at the end, where a directory may begin."""
    end = buffer.seek(0, io.SEEK_END)
    return end + buffer.write(bytes(end % 2))


def _samples(page) -> np.ndarray:
    """[H, W] or [H, W, C] uint16 of a page, with black 0 and straight (not premultiplied) alpha."""
    colours = {INVERTED: 1, GREY: 1, RGB: 3}.get(page.photometric)
    if colours is None:
        name = getattr(page.photometric, "name", page.photometric)
        raise PhotoError(f"has 16 bits and colours of type {name}: save it as grey or RGB")
    extra = page.samplesperpixel - colours
    if extra not in (0, 1):
        raise PhotoError(
            f"has {extra} channels besides its colours: save it with none, or with alpha only"
        )
    imagecodecs()
    pixels = page.asarray().astype(np.uint16, copy=False)
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if page.photometric == INVERTED:
        pixels[..., :1] = 65535 - pixels[..., :1]
    if 1 in page.extrasamples:
        for rows, _ in bands(len(pixels)):
            band, alpha = pixels[rows][..., :colours], pixels[rows][..., colours:].astype(np.float64)
            band[:] = (band / np.maximum(alpha, 1) * 65535).round().clip(0, 65535)
    return pixels


def _number(value) -> float | int | None:
    """A tag's value as a number; tifffile returns a fraction as two integers."""
    if isinstance(value, tuple) and len(value) == 2:
        return value[0] / value[1] if value[1] else None
    return value


def _typed(value) -> tuple[str | int, int, object]:
    """Type, count and value of an EXIF tag, in tifffile's form."""
    if isinstance(value, str):
        return "s", 0, value
    if isinstance(value, bytes):
        return "B", len(value), value
    return "H", 1, int(value)


@contextlib.contextmanager
def _complaints(logger: logging.Logger):
    """Collect the log messages of a library in a buffer instead of showing them."""
    handler = logging.StreamHandler(io.StringIO())
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield handler.stream
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
