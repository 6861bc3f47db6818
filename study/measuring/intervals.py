"""Confidence of a number: bootstrap intervals over test images and seeds, and one-sided tests.

The interval is scipy's percentile bootstrap. Images are resampled jointly for all methods that were
measured on them (paired), seeds separately for each method. A method with one seed has no spread over
seeds; the interval is then for these networks on other images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
"""Level of the two-sided intervals and of the one-sided tests."""


@dataclass(frozen=True)
class Block:
    """Measurements of one method on one set of images."""

    values: np.ndarray
    """[seeds, images, k]: k numbers per image, such as a metric at k positions of the dials."""
    images: tuple[str, ...]
    """Ids of the images; blocks with the same ids are paired. () for numbers of which only the mean is
    known, such as printed ones: values is then [1, 1, k]."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float
    above: bool = False
    """Whether the number is above 0 by a one-sided test at 5 %."""
    below: bool = False
    """Whether the number is below 0 by a one-sided test at 5 %."""
    images: int = 0
    """Number of test images; 0 for a number without an interval, such as a printed one."""
    seeds: int = 0
    """Number of seeds, of the method that has fewest."""

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A number without an interval."""
        return cls(value, value, value, value > 0, value < 0)

    def text(self, form: str = "+.2f") -> str:
        """The number and its interval, such as "+0.12 [+0.08, +0.15]", or "+0.12" without one."""
        if self.low == self.value == self.high:
            return plain(self.value, form)
        return f"{plain(self.value, form)} [{plain(self.low, form)}, {plain(self.high, form)}]"


def sided(
    found: Estimate, more: str = "below", less: str = "above", *, unit: str = "dB", form: str = ".2f"
) -> str:
    """A difference as size and side: "0.12 dB below [0.08, 0.15]".

    more: the side of a positive number, less: of a negative one. An interval that contains 0 is
    written "[0.04 above, 0.15 below]".
    """
    unit = f" {unit}" if unit else ""
    text = f"{abs(found.value):{form}}{unit} {more if found.value >= 0 else less}"
    if found.low == found.value == found.high:
        return text
    low, high = (f"{abs(end):{form}}" for end in (found.low, found.high))
    if found.low < 0 < found.high:
        return f"{text} [{low} {less}, {high} {more}]"
    return f"{text} [{low}, {high}]" if found.low >= 0 else f"{text} [{high}, {low}]"


def plain(value: float, form: str) -> str:
    """A number as text, with "0.00" for "-0.00"."""
    text = format(value, form)
    return format(0.0, form).lstrip("+") if text.strip("+-0.") == "" else text


def estimate(statistic: Callable[..., np.ndarray], *blocks: Block) -> Estimate:
    """A statistic of the means of some blocks, with its interval.

    statistic: takes one array of means [..., k] for each block and returns [...].
    Each set of images is resampled jointly for its blocks, and the seeds separately for each block.
    """
    groups, of = _groups(blocks)
    origin = [np.arange(size) for size in groups]

    def resampled(*drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        means = []
        for block, (seeds, images) in zip(blocks, of, strict=True):
            s = np.zeros((1,), int) if seeds is None else drawn[seeds]
            i = np.zeros((1,), int) if images is None else drawn[images]
            means.append(block.values[s[..., :, None], i[..., None, :]].mean((-3, -2)))
        shape = np.broadcast_shapes(*(mean.shape[:-1] for mean in means))
        return np.asarray(statistic(*(np.broadcast_to(m, (*shape, m.shape[-1])) for m in means)))

    value = float(resampled(*origin))
    if not groups:
        return Estimate.exact(value)
    settings = {"vectorized": True, "method": "percentile", "confidence_level": LEVEL}
    from scipy import stats  # it takes half a second, and most programs need no interval

    found = stats.bootstrap(
        origin, resampled, n_resamples=RESAMPLES, batch=250, rng=np.random.default_rng(0), **settings
    )
    spread = found.bootstrap_distribution
    above, below = np.mean(spread <= 0) < 1 - LEVEL, np.mean(spread >= 0) < 1 - LEVEL
    low, high = map(float, found.confidence_interval)
    images = sum({block.images: len(block.images) for block in blocks}.values())
    seeds = min(len(block.values) for block in blocks)
    return Estimate(value, low, high, bool(above), bool(below), images, seeds)


def _groups(blocks: Sequence[Block]) -> tuple[list[int], list[tuple[int | None, int | None]]]:
    """Sizes of the groups to resample, and for each block the positions of its seeds and its images in
    them; None for a group of one, which cannot be resampled."""
    sizes: list[int] = []
    places: dict[tuple[str, ...], int] = {}
    of = []
    for block in blocks:
        seeds = images = None
        if len(block.values) > 1:
            seeds = len(sizes)
            sizes.append(len(block.values))
        if len(block.images) > 1:
            if block.images not in places:
                places[block.images] = len(sizes)
                sizes.append(len(block.images))
            images = places[block.images]
        of.append((seeds, images))
    return sizes, of


def lead(ours: Block, theirs: Block, *, sign: int = 1) -> Estimate:
    """By how much the first is better than the second in its metric; sign: -1 if lower is better."""
    return estimate(lambda a, b: sign * (a[..., 0] - b[..., 0]), ours, theirs)


def count(cells: Sequence[Sequence[Estimate]]) -> Estimate:
    """The number of cells in which no rival is better; cells: for each cell the leads over its rivals.

    value counts by the numbers alone; low counts the cells in which every lead is significant in its
    one-sided test, high those in which no rival's lead is.
    """
    value = sum(all(each.value >= 0 for each in cell) for cell in cells)
    flat = [each for cell in cells for each in cell]
    if not any(each.images for each in flat):
        return Estimate.exact(value)
    low = sum(all(each.above for each in cell) for cell in cells)
    high = len(cells) - sum(any(each.below for each in cell) for cell in cells)
    images = max(each.images for each in flat)
    seeds = min(each.seeds for each in flat if each.images)
    return Estimate(value, low, max(high, value), True, False, images, seeds)
