"""Convert the pictures of the pages to WebP, in two widths, loaded when they become visible.

The PNG of a chart becomes a lossless WebP, that of a photograph a lossy WebP of high quality. The PNG is
kept next to it, at the address that ends in .png.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import light
from PIL import Image

PHONE = 640
"""Width in pixels of the small version."""
QUALITY = 92
CHART = 3.0
"""A PNG of at most this many times the bytes of its lossy WebP is a chart, and stays lossless."""
SMALLEST = 8_000
"""Pictures of fewer bytes are not converted."""
TAG = re.compile(r"<img\b[^>]*>")
SOURCE = re.compile(r'\bsrc="([^":?#]+\.(?:png|jpe?g))"')


def lighten(html: Path, cache: Path) -> None:
    """Rewrite the pictures of every page of a built book, in place.

    cache: a folder of converted pictures, so that unchanged pictures are not converted again.
    """
    made: dict[Path, list[tuple[str, int, int]]] = {}
    used: set[str] = set()
    for path in light.built(html):
        text, first = path.read_text(encoding="utf-8"), True

        def smaller(found: re.Match, page: Path = path) -> str:
            nonlocal first
            tag = found[0]
            if "loading=" not in tag and not first:
                tag = tag.replace("<img", '<img loading="lazy" decoding="async"', 1)
            first = False
            source = SOURCE.search(tag)
            place = (page.parent / source[1]).resolve() if source else None
            if place is None or not place.is_file() or place.stat().st_size < SMALLEST:
                return tag
            if place not in made:
                made[place] = versions(place, cache, used)
            return _tag(tag, source, made[place])

        new = TAG.sub(smaller, text)
        if new != text:
            path.write_text(new, encoding="utf-8")
    if cache.is_dir():
        for left in cache.iterdir():
            if left.name not in used:
                left.unlink()


def versions(picture: Path, cache: Path, used: set[str]) -> list[tuple[str, int, int]]:
    """Write the versions next to the picture; returns name, width and height, the widest last."""
    cache.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()[:24]
    with Image.open(picture) as opened:
        width, height = opened.size
    whole = [("", width, height)]
    small = [(f"-{PHONE}", PHONE, round(height * PHONE / width))] if width > 1.25 * PHONE else []
    names = {suffix: f"{digest}{suffix}.webp" for suffix, *_ in [*small, *whole]}
    used.update(names.values())
    if not all((cache / name).exists() for name in names.values()):
        sizes = {suffix: (wide, high) for suffix, wide, high in [*whole, *small]}
        encode(picture, {cache / names[suffix]: size for suffix, size in sizes.items()})
    found = []
    for suffix, wide, high in [*small, *whole]:
        target = picture.with_name(f"{picture.stem}{suffix}.webp")
        shutil.copyfile(cache / names[suffix], target)
        found.append((target.name, wide, high))
    return found


def encode(picture: Path, targets: dict[Path, tuple[int, int]]) -> None:
    """The picture as WebP in these sizes, the full size first: charts lossless, photographs lossy."""
    with Image.open(picture) as opened:
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    chart = None
    for target, size in targets.items():
        shown = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
        part = target.with_suffix(".part")
        if not chart:
            shown.save(part, "WEBP", quality=QUALITY, method=4)
        if chart is None:
            chart = picture.stat().st_size <= CHART * part.stat().st_size
        if chart:
            shown.save(part, "WEBP", lossless=True, quality=50, method=3)
        part.replace(target)


def _tag(tag: str, source: re.Match, found: list[tuple[str, int, int]]) -> str:
    """The tag with all versions, of which the browser chooses by the width of the page."""
    folder = source[1].rpartition("/")[0]
    places = [(f"{folder}/{name}" if folder else name, wide, high) for name, wide, high in found]
    widest, wide, high = places[-1]
    put = f'src="{widest}"'
    if len(places) > 1:
        listed = ", ".join(f"{place} {width}w" for place, width, _ in places)
        put += f' srcset="{listed}" sizes="(max-width: 40rem) 100vw, 48rem"'
    if not re.search(r"\b(?:width|height)=|style=", tag):
        put += f' width="{wide}" height="{high}"'
    return tag.replace(source[0], put, 1)
