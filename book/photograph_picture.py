"""Draw the picture of two files before and after `tunable denoise`: `python book/photograph_picture.py`.

It is for README.md and the page "Use it". The grey photograph is `camera` of scikit-image with noise of
sigma 15; the JPEG is Grace Hopper's portrait from matplotlib, with its own noise.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
from torch import Tensor

from study.chapters.photographs_data import CLEAN, reported_file
from study.figures import plots
from study.images import datasets
from tunable_photo.networks import network

PICTURE = Path(__file__).parent / "_static" / "photographs.png"
SIDE = 150
"""Side of the squares that are shown, in pixels."""


def files() -> dict[str, tuple[Tensor, tuple[int, int]]]:
    """By name: the image [3, H, W] in [0, 1], and top and left of the square that is shown."""
    portrait = datasets.load("samples-train")["grace_hopper"].float() / 255
    return {"grey": (reported_file("grey")[0], (55, 180)), "JPEG": (portrait, (70, 265))}


def main() -> None:
    """Draw the picture with the default network of the command."""
    model, pieces, titles = network().eval(), [], []
    for name, (file, (top, left)) in files().items():
        for title, image in (("before", file), ("after", model(file[None], CLEAN).detach()[0])):
            pieces.append(image[:, top : top + SIDE, left : left + SIDE])
            titles.append(f"{name}, {title}")
    plots.style()
    figure = plots.strip(pieces, titles, columns=4)
    figure.savefig(PICTURE, dpi=110, bbox_inches="tight")
    plt.close(figure)


if __name__ == "__main__":
    main()
