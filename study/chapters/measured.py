"""The common part of what the chapters measure: tables by test set and method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import pandas as pd

from study.measuring.sweep import average


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

    @property
    def first(self) -> str:
        """The first set that was really used."""
        return next(iter(self.frames))

    @property
    def missing(self) -> list[str]:
        """Requested sets that were neither available nor measured before."""
        return [name for name in self.images if name not in self.frames]
