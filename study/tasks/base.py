"""The base of tasks: how training pairs are made, and the objectives of the dials."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from tunable_core.checks import is_number
from tunable_core.multi_loss import MultiLoss

RANGE = "must be a range (low, high) with 0 <= low <= high"
_warned: set[tuple[str, float, float]] = set()
"""Ranges for which Task.warn_outside has already given a warning."""


class Pair(NamedTuple):
    """The images of one training step."""

    clean: Tensor
    """[B, 3, H, W] in [0, 1]."""
    degraded: Tensor
    """[B, 3, h, w], not clipped; h x w is H x W divided by the task's scale."""
    levels: Tensor | None = None
    """[B, p] in [0, 1]: strength of each sample's degradation, for conditioned stages."""


class Task(ABC):
    """How training pairs are made, and the objectives of the dials.

    A task is a frozen dataclass whose fields are all its settings: they and the name of the class are
    part of a run's key. `loss` and `apply` are required; the rest has defaults.
    """

    meaning: ClassVar[int] = 1
    """Version of the task, part of a run's key: increase it when code changes pairs or objectives."""

    @property
    @abstractmethod
    def loss(self) -> MultiLoss:
        """The multi-loss of Eq. 7, one objective per dial; a new one at each access."""

    @abstractmethod
    def apply(self, patches: Tensor, *drawn: Tensor) -> Pair:
        """Training pairs from patches [B, C, H, W] in [0, 1] and the numbers of draw(); not random."""

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Random numbers for patches of shape [B, C, H, W], each tensor with B rows; default none."""
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

        batch, rows: patches are only these rows of a batch of that size. The pairs are then the same as
        in the whole batch, and the generator ends in the same state, so each of several processes can
        degrade its own rows alone.
        """
        drawn = self.draw((batch or len(patches), *patches.shape[1:]), generator)
        return self.apply(patches, *(numbers[rows] for numbers in drawn))

    def degrade(self, clean: Tensor) -> Tensor:
        """From images [B, 3, H, W] in [0, 1] to the network's input, the same at every call.

        By default by pair() with a fixed seed.
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
        """Levels of degradation as in Pair.levels, in the order of `ranges`: 1 is the strongest.

        Raises KeyError for a level of `ranges` that is missing.
        """
        return tuple(levels[name] / high for name, (_, high) in self.ranges.items())

    def warn_outside(self, **levels: Sequence[float]) -> None:
        """Warn, once for each range of `ranges`, about levels outside the range of training."""
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


def is_range(value: Any) -> bool:
    """Whether a value is a pair (low, high) of finite numbers with 0 <= low <= high."""
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(is_number(end, 0) for end in value)
        and value[0] <= value[1]
    )
