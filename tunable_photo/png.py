"""PNG files: chunks that define colours, and 16-bit samples, which Pillow does not support in colour."""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from tunable_photo.metadata import written
from tunable_photo.raster import Photo, PhotoError, imagecodecs

HEADER = 33
"""Bytes of signature and IHDR, after which other chunks may follow."""
COLOURS = ("cICP", "sRGB", "gAMA", "cHRM")
"""The chunks that define colours, besides the ICC profile."""
PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Left, top, step across and step down of Adam7's seven passes."""
SRGB = {"gAMA": (45455,), "cHRM": (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)}
"""Content of these chunks for sRGB, in units of 1e-5."""


def chunks(content: bytes | mmap.mmap) -> Iterator[tuple[str, int, int]]:
    """Name, start and length of the body of every chunk, up to the end of the file."""
    place = 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        yield content[place + 4 : place + 8].decode("latin-1"), place + 8, length
        place += 12 + length


def colour_chunks(content: bytes | mmap.mmap) -> dict[str, bytes]:
    """The bodies of the chunks that define colours; content may be the beginning of a PNG."""
    found = {}
    for name, start, length in chunks(content):
        if name == "IDAT":
            break
        if name in COLOURS and start + length <= len(content):
            found[name] = content[start : start + length]
    return found


def only_png_holds(photo: Photo) -> str:
    """The chunk, which only PNG has, that sets colours other than sRGB; "" if there is none."""
    found: Mapping[str, bytes] = photo.chunks
    if "cICP" in found:
        return "" if found["cICP"][:2] == b"\x01\x0d" else "cICP"  # primaries of BT.709, curve of sRGB
    if photo.profile or "sRGB" in found:
        return ""
    for name, wanted in SRGB.items():
        body = found.get(name)
        if body is None or len(body) != 4 * len(wanted):
            continue
        values = struct.unpack(f">{len(wanted)}I", body)
        if any(abs(a - b) > 500 for a, b in zip(values, wanted, strict=True)):
            return name
    return ""


def decode16(content: bytes | mmap.mmap) -> np.ndarray:
    """[H, W] or [H, W, C] uint16 of a PNG of 16 bits, interlaced or not."""
    if content[28] == 0:
        return imagecodecs().png_decode(content)
    # libpng warns about interlacing on the terminal, so each pass is decoded as an image of its own
    width, height = struct.unpack_from(">II", content, 16)
    channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(content[25])
    if channels is None:
        raise PhotoError("is a PNG of an unknown colour type: save it as grey or RGB")
    places = [(slice(y, None, dy), slice(x, None, dx)) for x, y, dx, dy in PASSES]
    sides = [(len(range(height)[rows]), len(range(width)[columns])) for rows, columns in places]
    lengths = [rows * (1 + 2 * channels * columns) if columns else 0 for rows, columns in sides]
    data = b"".join(content[s : s + n] for name, s, n in chunks(content) if name == "IDAT")
    raw = zlib.decompressobj().decompress(data, sum(lengths) + 1)
    if len(raw) < sum(lengths):
        raise PhotoError("is cut short")
    clear = b"".join(_chunk(n, content[s : s + k]) for n, s, k in chunks(content) if n == "tRNS")
    whole, start = np.empty(0, np.uint16), 0
    for (rows, columns), (high, wide), length in zip(places, sides, lengths, strict=True):
        if not length:
            continue
        header = struct.pack(">II", wide, high) + content[24:28] + b"\0"
        body = zlib.compress(raw[start : start + length], 0)
        parts = _chunk("IHDR", header) + clear + _chunk("IDAT", body) + _chunk("IEND", b"")
        part = imagecodecs().png_decode(content[:8] + parts)
        if not whole.size:
            whole = np.empty((height, width, *part.shape[2:]), np.uint16)
        whole[rows, columns], start = part, start + length
    return whole


def encode16(pixels: np.ndarray, photo: Photo) -> memoryview:
    """A PNG of [H, W] or [H, W, C] uint16 with the photograph's profile, resolution, EXIF and chunks."""
    extra = _extra(photo)
    room = len(extra) + pixels.nbytes + pixels.nbytes // 64 + len(pixels) + 4096
    content = memoryview(bytearray(room))  # saves two copies of the file
    size = len(imagecodecs().png_encode(pixels, out=content[len(extra) :]))
    content[:HEADER] = content[len(extra) :][:HEADER].tobytes()
    content[HEADER : HEADER + len(extra)] = extra
    return content[: len(extra) + size]


def _extra(photo: Photo) -> bytes:
    """The chunks after the header: colours, profile, resolution, EXIF."""
    found = dict(photo.chunks)
    if photo.profile:
        found.pop("sRGB", None)  # the specification allows one of the two
        found["iCCP"] = b"ICC profile\0\0" + zlib.compress(photo.profile)
    if photo.dpi:
        found["pHYs"] = struct.pack(">IIB", *(round(value / 0.0254) for value in photo.dpi), 1)
    if exif := written(photo):
        found["eXIf"] = exif.tobytes().removeprefix(b"Exif\0\0")
    return b"".join(_chunk(name, body) for name, body in found.items())


def _chunk(name: str, body: bytes) -> bytes:
    named = name.encode() + body
    return struct.pack(">I", len(body)) + named + struct.pack(">I", zlib.crc32(named))
