"""Photographs side by side under their titles, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tunable_photo.raster import Photo, in_8_bits

LEAST = 160
"""Smallest width of a photograph, in pixels; narrower ones are enlarged by whole factors."""
GAP, TITLE = 8, 28
"""Pixels between photographs, and above each for its title."""


def strip(pictures: Sequence[Photo], titles: Sequence[str]) -> Photo:
    """Photographs of one size in a row, as 8-bit grey or RGB, with alpha over white.

    Pixel values are not converted, so the result has the colour profile of the first.
    """
    height, width = pictures[0].pixels.shape[:2]
    zoom = max(1, -(-LEAST // width))
    size = (len(titles) * (zoom * width + GAP) - GAP, zoom * height + TITLE)
    grey = pictures[0].colours == 1
    sheet = Image.new("L" if grey else "RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for i, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        left = i * (zoom * width + GAP)
        draw.text((left + zoom * width // 2, TITLE // 2), title, "black", font, anchor="mm")
        pixels = over_white(picture).repeat(zoom, 0).repeat(zoom, 1)
        sheet.paste(Image.fromarray(pixels[..., 0] if grey else pixels), (left, TITLE))
    pixels = np.asarray(sheet)
    return replace(pictures[0], pixels=pixels[..., None] if grey else pixels, exif=None, dpi=None)


def over_white(photo: Photo) -> np.ndarray:
    """[H, W, 1 or 3] uint8: the photograph as it looks on white paper."""
    pixels = in_8_bits(photo.pixels)
    if not photo.alpha:
        return pixels
    share = pixels[..., -1:] / 255
    return (share * pixels[..., :-1] + (1 - share) * 255).round().astype(np.uint8)
