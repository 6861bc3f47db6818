"""`python -m study.chapters.rivals_release`: measure, at the laptop budget, the untrained dials.

Chapter 3 shows the wavelet blend, and chapter 6 shows transport, where the store has their sweeps.
"""

from __future__ import annotations

from study.chapters.denoising import Denoising
from study.chapters.super_resolution import SuperResolution
from study.measuring.sweep import sweep


def main() -> None:
    """Measure what the store lacks."""
    noise = Denoising().data
    for what in (noise.squares, noise.dial, noise.beyond, *map(noise.whole, noise.images)):
        sweep(noise.controls["wavelets"], what)
    small = SuperResolution().data
    along = [small.along(statistics=True), small.along(statistics=False)]
    for large in (*along, *map(small.five, small.images)):
        sweep(small.controls["transport"], large)


if __name__ == "__main__":
    main()
