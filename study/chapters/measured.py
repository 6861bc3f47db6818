"""The common part of what the chapters measure: tables by test set and method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from study import runs
from study.measuring.sweep import average
from study.runs import Run, RunConfig


def repeated(first: Run, others: Iterable[RunConfig]) -> dict[int, Run]:
    """Seed to run: 0 is the first; of the others, from seed 1, those that the store has.

    Of the others their measurements are enough.
    """
    stored = {seed: config for seed, config in enumerate(others, 1) if runs.find(config)}
    return {0: first} | {s: runs.get(c, weights=False, progress=False) for s, c in stored.items()}


class OnImages(ABC):
    """Sweeps of several methods on several sets of test images."""

    images: Sequence[str]
    """The requested sets."""

    @property
    @abstractmethod
    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Set that was really used to method to its sweep."""

    @cached_property
    def means(self) -> dict[str, dict[str, pd.DataFrame]]:
        """As frames, averaged."""
        return {
            used: {method: average(frame) for method, frame in frames.items()}
            for used, frames in self.frames.items()
        }

    @cached_property
    def seed_frames(self) -> dict[str, dict[int, pd.DataFrame]]:
        """Method to seed to its sweep, where a chapter compares seeds."""
        return {}

    @cached_property
    def seed_means(self) -> dict[str, dict[int, pd.DataFrame]]:
        """As seed_frames, averaged."""
        return {m: {seed: average(f) for seed, f in of.items()} for m, of in self.seed_frames.items()}

    @property
    def seed_records(self) -> list[dict[str, Any]]:
        """The records of seed_frames."""
        return [frame.attrs["record"] for of in self.seed_frames.values() for frame in of.values()]

    @property
    def first(self) -> str:
        """The first set that was really used."""
        return next(iter(self.frames))

    @property
    def missing(self) -> list[str]:
        """Requested sets that were neither available nor measured before."""
        return [name for name in self.images if name not in self.frames]
