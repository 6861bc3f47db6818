"""Read and write photographs: PNG, JPEG, TIFF, WebP and BMP, grey or colour, with or without alpha.

Pillow reads and writes 8 bits. It does not support 16 bits in colour, which imagecodecs and tifffile
read and write instead: both keep the exact samples of the file, also with grey and alpha.
"""

from __future__ import annotations

import io
import mmap
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from tunable_photo import metadata, png, raster, tiff
from tunable_photo.raster import Photo, PhotoError, bands, in_8_bits

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
"""Extensions of files that are read and written; the format of an input is found from its content."""
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
"""Pillow's names of the formats."""
MODES = {
    **dict.fromkeys(("1", "L"), "L"),
    **dict.fromkeys(("LA", "La"), "LA"),
    **dict.fromkeys(("RGB", "RGBX", "P"), "RGB"),
    **dict.fromkeys(("RGBA", "RGBa", "PA"), "RGBA"),
}
"""The mode that each mode of Pillow is converted to; the others are refused."""
NAMES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
    ".bmp": "BMP",
}
"""The usual name of the format of each extension; all others are PNG."""
SIDES = {"JPEG": 65_500, "WebP": 16_383}
"""The longest side that a format can hold, pixels."""
EXIF_IN_JPEG = 65_000
"""The most bytes of EXIF data in one segment of a JPEG."""


def read(path: Path) -> Photo:
    """Read a photograph; raises PhotoError for a file that cannot be read as one."""
    _check_suffix(path)
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large or unusual files are read if possible
            return _read(file)
    except PhotoError as error:
        raise PhotoError(f"{path} {error}") from error
    except FileNotFoundError as error:
        raise PhotoError(f"{path} does not exist") from error
    except UnidentifiedImageError as error:
        raise PhotoError(f"{path} is not a PNG, JPEG, TIFF, WebP or BMP image") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{path} {raster.too_large()}") from error
    except Exception as error:  # decoders raise many kinds for damaged files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PhotoError(f"{path} cannot be read: {reason}") from error


def _read(file: io.BufferedReader) -> Photo:
    start = file.read(26)
    file.seek(0)
    page = tiff.read(file) if start[:4] in tiff.STARTS else 0
    if isinstance(page, Photo):
        return page
    file.seek(0)
    with Image.open(file, formats=FORMATS) as image:
        frames = getattr(image, "n_frames", 1)
        if image.format in ("PNG", "WEBP") and frames > 1:
            raise PhotoError(f"holds {frames} images: save the one you want to a file of its own")
        if page:
            image.seek(page)
        exif = image.getexif()
        turn = metadata.orientation(exif)
        carried: dict = {
            "profile": image.info.get("icc_profile"),
            "exif": metadata.tidy(exif),
            "dpi": metadata.turned(_dpi(image, exif), turn),
        }
        if image.format == "PNG":
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                carried["chunks"] = png.colour_chunks(content)
                if start[24] == 16:
                    return Photo(raster.upright(png.decode16(content), turn), **carried)
        if image.mode not in MODES:
            raise PhotoError(f"is of type {image.mode}: save it as grey or RGB, of 8 or 16 bits")
        image.load()
        mode = MODES[image.mode]
        if mode in ("L", "RGB") and image.has_transparency_data:
            mode = {"L": "LA", "RGB": "RGBA"}[mode]
        ImageOps.exif_transpose(image, in_place=True)
        return Photo(_samples(image if image.mode == mode else image.convert(mode)), **carried)


def _dpi(image: Image.Image, exif: Image.Exif) -> tuple[float, float] | None:
    """Pixels per inch from the format, or else from EXIF."""
    return metadata.checked(image.info.get("dpi")) or metadata.resolution(exif)


def _samples(image: Image.Image) -> np.ndarray:
    """[H, W, C] uint8 of a Pillow image, converted in bands, which needs a third of the memory."""
    width, height = image.size
    pixels = np.empty((height, width, len(image.getbands())), np.uint8)
    for rows, _ in bands(height):
        band = np.asarray(image.crop((0, rows.start, width, rows.stop)))
        pixels[rows] = band.reshape(-1, *pixels.shape[1:])
    return pixels


def check_target(path: Path, photo: Photo | None = None, scale: int = 1) -> None:
    """Raise PhotoError for a path to which no photograph, or not this one, can be written.

    photo: the photograph to write, enlarged `scale` times. A format that cannot hold its alpha, colour
    profile or colour chunks (PNG) is refused, so that its look never changes silently.
    """
    _check_suffix(path)
    if photo is None:
        return
    kind = NAMES.get(path.suffix.lower(), "PNG")
    chunk = png.only_png_holds(photo)
    side = scale * max(photo.pixels.shape[:2])
    if photo.alpha and kind in ("JPEG", "BMP"):
        raise PhotoError(f"{path}: a {kind} has no alpha; write a PNG, a TIFF or a WebP")
    if chunk and kind != "PNG":
        raise PhotoError(f"{path}: a {kind} cannot hold colours given by a {chunk} chunk; write a PNG")
    if photo.profile and kind == "BMP":
        raise PhotoError(f"{path}: a BMP holds no colour profile; write a PNG, JPEG, TIFF or WebP")
    if side > SIDES.get(kind, side):
        raise PhotoError(
            f"{path}: a {kind} has at most {SIDES[kind]} pixels a side, not {side}; write a PNG"
        )
    if kind == "JPEG" and len(photo.exif or b"") > EXIF_IN_JPEG:
        raise PhotoError(f"{path}: a JPEG holds at most {EXIF_IN_JPEG} bytes of EXIF data; write a PNG")


def encode(photo: Photo, suffix: str) -> bytes | memoryview:
    """Encode for a file with that extension; PNG and TIFF keep the photograph's bits, others have 8."""
    kind = NAMES.get(suffix.lower(), "PNG")
    if kind == "TIFF":
        return tiff.encode(photo)
    pixels = photo.pixels[..., 0] if photo.pixels.shape[2] == 1 else photo.pixels
    if kind == "PNG" and pixels.dtype == np.uint16:
        return png.encode16(np.ascontiguousarray(pixels), photo)
    settings: dict = {"icc_profile": photo.profile}
    if photo.dpi:
        settings["dpi"] = photo.dpi
    if exif := metadata.written(photo, alone=kind == "WebP"):
        settings["exif"] = exif.tobytes()
    if kind == "PNG":
        settings["pnginfo"] = info = PngImagePlugin.PngInfo()
        for name, body in photo.chunks.items():
            info.add(name.encode(), body)
    settings |= {
        "JPEG": {"quality": 95, "subsampling": 0},
        "WebP": {"quality": 95, "exact": True},
    }.get(kind, {})
    buffer = io.BytesIO()
    Image.fromarray(in_8_bits(pixels)).save(buffer, format=kind, **settings)
    return buffer.getbuffer()


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise PhotoError(f"{path}: the extension must be one of {', '.join(SUFFIXES)}")
