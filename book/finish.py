"""The last step of the book: make the built HTML smaller, and write it as Markdown for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import light
import llms
import publication
import webp


def finish(html: Path, source: Path, cache: Path, pages: Sequence[str]) -> dict[str, float]:
    """Finish a built book in place; returns the seconds of each part.

    source: the staging folder, with publication.json. cache: a folder of converted pictures.
    pages: the names of the pages, in order.
    """
    about = json.loads((source / publication.NAME).read_text())
    parts: dict[str, Callable[[], None]] = {
        "styles and scripts": lambda: light.lighten(html),
        "pictures": lambda: webp.lighten(html, cache),
        "pages as Markdown": lambda: llms.write(html, pages, about),
    }
    took = {}
    for name, part in parts.items():
        began = time.monotonic()
        part()
        took[name] = time.monotonic() - began
    return took
