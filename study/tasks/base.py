"""What a task is: how training pairs are made, and which objectives the dials weigh."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from tunable_core.multi_loss import MultiLoss

RANGE = "must be a range (low, high) with 0 <= low <= high"
_warned: set[tuple[str, float, float]] = set()
"""Ranges that Task.warn_outside has warned of."""


class Pair(NamedTuple):
    """What one training step sees."""

    clean: Tensor
    """[B, 3, H, W] in [0, 1]."""
    degraded: Tensor
    """[B, 3, h, w], not clipped; h x w is H x W divided by the task's scale."""
    levels: Tensor | None = None
    """[B, p] in [0, 1]: how strongly each sample was degraded, for conditioned stages."""


class Task(ABC):
    """How training pairs are made, and which objectives the dials weigh.

    A task is a frozen dataclass whose fields are all its settings: they are part of a run's key, and so
    is the name of the class. `loss` and `apply` are required; the rest has defaults.
    """

    meaning: ClassVar[int] = 1
    """Version of the task, part of a run's key: raise it when code changes the pairs or objectives."""

    @property
    @abstractmethod
    def loss(self) -> MultiLoss:
        """The multi-loss of Eq. 7, one objective per dial; a fresh one at each access."""

    @abstractmethod
    def apply(self, patches: Tensor, *drawn: Tensor) -> Pair:
        """Pairs of patches [B, C, H, W] in [0, 1] and the numbers drawn for them; nothing is random."""

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """The random numbers for patches of shape [B, C, H, W], each tensor with B rows; none here."""
        return ()

    def pair(
        self,
        patches: Tensor,
        generator: torch.Generator,
        *,
        batch: int | None = None,
        rows: slice = slice(None),
    ) -> Pair:
        """Training pairs of patches [B, C, H, W] in [0, 1]: draw(), then apply().

        batch, rows: patches are only these rows of a batch of that size. The pairs are then those rows
        of the pairs of the whole batch, and the generator ends in the same state, so one process of
        several degrades its own rows alone.
        """
        drawn = self.draw((batch or len(patches), *patches.shape[1:]), generator)
        return self.apply(patches, *(numbers[rows] for numbers in drawn))

    def degrade(self, clean: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] to the network's input, the same at every call.

        By default those of pair() with a fixed seed.
        """
        return self.pair(clean, torch.Generator().manual_seed(0)).degraded

    @property
    def teachers(self) -> tuple[str, ...]:
        """Published networks that the objectives use, by their names in datasets.py; part of the key."""
        return ()

    @property
    def own_images(self) -> tuple[str, ...]:
        """sha256 of the images that the objectives need beside the training images."""
        return ()

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The range of each level of degradation in training: sigma in grey levels, rho in pixels."""
        return {}

    def conditioning(self, **levels: float) -> tuple[float, ...]:
        """Levels of degradation as Pair.levels gives them, in the order of `ranges`: 1 is the strongest.

        Raises KeyError for a level of `ranges` that is missing.
        """
        return tuple(levels[name] / high for name, (_, high) in self.ranges.items())

    def warn_outside(self, **levels: Sequence[float]) -> None:
        """Warn, once for each range of `ranges`, of levels outside the range of training."""
        for name, values in levels.items():
            low, high = self.ranges[name]
            outside = [value for value in values if not low <= value <= high]
            if outside and (name, low, high) not in _warned:
                _warned.add((name, low, high))
                warnings.warn(
                    f"{name} = {outside[0]:g} lies outside [{low:g}, {high:g}], the range of training "
                    f"(this warning is given once)",
                    stacklevel=2,
                )


def uniform(span: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    """Levels drawn uniformly from a range (low, high): [count]."""
    low, high = span
    return low + (high - low) * torch.rand(count, generator=generator, device=generator.device)
