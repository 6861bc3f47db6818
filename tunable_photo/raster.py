"""A photograph in memory, and operations that all file formats need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

MAX_PIXELS = 2 * (2**30 // 12)
"""Larger images are refused; Pillow's own limit, about 179 million pixels."""
BAND = 256
"""Number of rows that are converted at once."""
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
"""The operations that turn each EXIF orientation upright."""


class PhotoError(ValueError):
    """A file cannot be read as a photograph, or its format cannot hold the photograph to be written."""


@dataclass(frozen=True)
class Photo:
    """A photograph in memory, upright."""

    pixels: np.ndarray
    """[H, W, C] uint8 or uint16: grey, grey and alpha, RGB, or RGB and alpha."""
    profile: bytes | None = None
    """ICC profile."""
    exif: bytes | None = None
    """EXIF data without orientation, resolution and thumbnail, as metadata.tidy() returns them."""
    dpi: tuple[float, float] | None = None
    """Resolution in print along x and y, in pixels per inch."""
    chunks: Mapping[str, bytes] = field(default_factory=dict)
    """The PNG chunks that define colours, by name: cICP, sRGB, gAMA, cHRM."""

    @property
    def colours(self) -> int:
        """Number of channels without alpha: 1 or 3."""
        return self.pixels.shape[2] - 1 + self.pixels.shape[2] % 2

    @property
    def alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.pixels.shape[2] > self.colours

    @property
    def full(self) -> int:
        """The value of white."""
        return np.iinfo(self.pixels.dtype).max


def bands(height: int, halo: int = 0) -> list[tuple[slice, slice]]:
    """Bands of BAND rows: (rows, the same rows with up to `halo` more on either side)."""
    tops = range(0, height, BAND)
    ends = [min(height, top + BAND) for top in tops]
    return [
        (slice(top, end), slice(max(0, top - halo), min(height, end + halo)))
        for top, end in zip(tops, ends, strict=True)
    ]


def in_8_bits(pixels: np.ndarray) -> np.ndarray:
    """uint8 or uint16 to uint8, rounded to the nearest level; uint8 is returned as it is."""
    if pixels.dtype == np.uint8:
        return pixels
    rounded = np.empty(pixels.shape, np.uint8)
    for rows, _ in bands(len(pixels)):
        rounded[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return rounded


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """[H, W] or [H, W, C] to [H, W, C], turned as an EXIF orientation from 1 to 8 says."""
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.ascontiguousarray(TURNS.get(orientation, lambda a: a)(pixels))


def too_large() -> str:
    """The reason for refusing an image over MAX_PIXELS."""
    return f"has more than {MAX_PIXELS / 1e6:.0f} million pixels"


def imagecodecs():
    """The module imagecodecs; raises PhotoError if it is not installed."""
    try:
        import imagecodecs
    except ImportError as error:
        raise PhotoError("has 16 bits, which needs: pip install 'tunable-core[photo]'") from error
    return imagecodecs
