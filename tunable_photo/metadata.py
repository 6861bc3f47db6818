"""EXIF data and print resolution of a photograph: which tags are kept, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

from tunable_photo.raster import Photo

ORIENTATION = int(Base.Orientation)
RESOLUTION = (int(Base.XResolution), int(Base.YResolution), int(Base.ResolutionUnit))
SIDES = (int(Base.ExifImageWidth), int(Base.ExifImageHeight))
KEPT = tuple(
    int(tag)
    for tag in (
        *(Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime),
        *(Base.Artist, Base.HostComputer, Base.Copyright, Base.Rating),
        *(Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords, Base.XPSubject),
    )
)
"""Tags of the first directory that describe the photograph; the others describe its storage."""
INCHES = {2: 1.0, 3: 2.54}
"""Factor from each unit of resolution in EXIF (2: per inch, 3: per centimetre) to pixels per inch."""


def tidy(exif: Image.Exif) -> bytes | None:
    """EXIF data without orientation, resolution and thumbnail, serialised; None if nothing is left.

    Kept are the tags of KEPT, the exposure (with its interoperability directory, which may name Adobe
    RGB) and the location. Unreadable data count as none.
    """
    try:
        kept = Image.Exif()
        for tag in KEPT:
            if tag in exif:
                kept[tag] = exif[tag]
        for pointer in (IFD.Exif, IFD.GPSInfo):
            if found := dict(exif.get_ifd(pointer)):
                kept.get_ifd(pointer).update(found)
        if interoperability := dict(exif.get_ifd(IFD.Interop)):
            kept.get_ifd(IFD.Exif)[int(IFD.Interop)] = interoperability
        content = (
            kept.tobytes() if len(kept) or kept.get_ifd(IFD.Exif) or kept.get_ifd(IFD.GPSInfo) else None
        )
        if content:
            loaded(content)
        return content
    except Exception:  # Pillow raises many kinds for damaged data
        return None


def loaded(content: bytes) -> Image.Exif:
    """The EXIF data that tidy() serialised."""
    exif = Image.Exif()
    exif.load(content)
    return exif


def orientation(exif: Mapping[int, Any]) -> int:
    """The EXIF orientation, 1 to 8; 1 if it is missing or invalid."""
    found = exif.get(ORIENTATION, 1)
    return found if found in range(1, 9) else 1


def resolution(tags: Mapping[int, Any]) -> tuple[float, float] | None:
    """Pixels per inch along x and y from EXIF or TIFF tags; None if they have none."""
    try:
        x, y, unit = (tags[tag] for tag in RESOLUTION)
        return checked((float(x) * INCHES[unit], float(y) * INCHES[unit]))
    except (TypeError, ValueError, KeyError, ZeroDivisionError, OverflowError):
        return None


def checked(dpi: Any) -> tuple[float, float] | None:
    """A pair of resolutions as floats, or None for invalid values."""
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 0.1 <= x <= 1e5 and 0.1 <= y <= 1e5 else None


def turned(dpi: tuple[float, float] | None, orientation: int) -> tuple[float, float] | None:
    """The resolution along x and y after an orientation from 5 to 8 has exchanged the sides."""
    return (dpi[1], dpi[0]) if dpi and orientation >= 5 else dpi


def written(photo: Photo, *, alone: bool = False) -> Image.Exif | None:
    """The EXIF data for a file of the photograph, with its size and resolution filled in.

    alone: the format stores the resolution in EXIF only, so EXIF data are created if there are none.
    """
    if photo.exif is None and not (alone and photo.dpi):
        return None
    exif = loaded(photo.exif) if photo.exif else Image.Exif()
    inner = exif.get_ifd(IFD.Exif)
    for tag, side in zip(SIDES, reversed(photo.pixels.shape[:2]), strict=True):
        if tag in inner:
            inner[tag] = side
    if interoperability := dict(exif.get_ifd(IFD.Interop)):
        inner[int(IFD.Interop)] = interoperability
    if photo.dpi:
        for tag, value in zip(RESOLUTION, (*photo.dpi, 2), strict=True):
            exif[tag] = value
    return exif
