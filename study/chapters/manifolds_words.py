"""The sentences of the chapter of kernel manifolds: templates beside their thresholds."""

from __future__ import annotations

from study.chapters.findings import Either

STRAIGHT = Either(
    threshold=1e-9,
    above="The kernels do not move on straight lines: up to {value:.1e} of a block's variance lies off "
    "its line.",
    otherwise="Along the dial the kernels of every block move on a straight line, up to rounding "
    "({value:.0e} of the variance lies off it). This follows from the affine aggregation and would hold "
    "without training.",
)
"""value: the largest share of variance off the line."""
CLUSTERS = Either(
    threshold=0.9,
    above="The map of the paper's Figure 8 reproduces, one cluster for each block: {value:.0%} of the "
    "points have their nearest neighbour in their own block.",
    otherwise="The map of the paper's Figure 8 does not reproduce with one cluster for each block: only "
    "{value:.0%} of the points have their nearest neighbour in their own block.",
)
"""value: share of a map's points whose nearest neighbour is of their own block."""
ORDER = Either(
    threshold=0.5,
    above="In {ordered} of {blocks} clusters the points are in the order of the dial.",
    otherwise="But in only {ordered} of {blocks} clusters are the points in the order of the dial.",
)
"""value: share of the blocks whose points in the map are in the order of the dial."""
CHANCE = Either(
    threshold=0.9,
    above="Random segments give the same kind of map ({value:.0%} of their points have their nearest "
    "neighbour in their own block), so the map says nothing about training.",
    otherwise="Random segments do not give the same kind of map: only {value:.0%} of their points have "
    "their nearest neighbour in their own block.",
)
"""value: share of the points of random segments whose nearest neighbour is in their own block."""
LENGTH = Either(
    threshold=1.5,
    above="Training decides how far each block moves: between {least:.2f} (block {first}) and "
    "{most:.2f} (block {last}) times the norm of its kernels in the {task} network.",
    otherwise="All blocks of the {task} network move about as far: {least:.2f} to {most:.2f} times the "
    "norm of their kernels (blocks {first} and {last}).",
)
"""value: the longest segment over the shortest."""
DIRECTIONS = Either(
    threshold=0.3,
    above="Some blocks move in related directions: the largest cosine between two is {value:.2f}.",
    otherwise="The blocks move in unrelated directions: no cosine between two exceeds {value:.2f}.",
)
"""value: the largest cosine between the directions of two blocks."""
