"""The drawings of the chapter on the rivals: `python book/drawings.py` writes controls/images/*.svg.

The files are part of the repository. They are identical on every machine: text is drawn as outlines, the
background is white, ids are hashed with a fixed salt, and no date is written.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import matplotlib as mpl

from study.figures.method_diagrams import DRAWINGS

IMAGES = Path(__file__).resolve().parent / "controls" / "images"
LOOK = {"svg.fonttype": "path", "svg.hashsalt": "tunable"}


def svg(name: str) -> str:
    """One of DRAWINGS as SVG text."""
    file = io.StringIO()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(LOOK)
        DRAWINGS[name]().savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def main(folder: Path = IMAGES) -> int:
    """Write every drawing, and delete files without a drawing."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        if old.stem not in DRAWINGS:
            old.unlink()
    for name in DRAWINGS:
        (folder / f"{name}.svg").write_text(svg(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
