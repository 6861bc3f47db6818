"""Where a judge's numbers are from: what is in the store, or what the paper itself prints.

A judge that is given the paper's own numbers should find its claim reproduced, or say what else it
needs; that is how thresholds are checked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from study.claims.printed import Cell, printed
from study.claims.verdicts import NotMeasured
from study.measuring.image_sweep import FIVE
from study.measuring.intervals import Block

if TYPE_CHECKING:
    from study.claims.store import Store

READINGS = {"eq9": "Eq. 9 as printed", "fixed": "Fixed target"}
"""The readings of Eq. 9: the target of L_noise keeps 0.9 omega_2 of the noise, or always 0.9 of it. The
paper's text says the first, its Table 1 fits the second; both are judged."""
INSTEAD = {"sidd": "nam-test"}
"""Test images of the paper that are given only on request, and those measured instead."""
Omegas = Sequence[tuple[float, ...]]


class Source(ABC):
    """What judges ask for numbers."""

    lacks: ClassVar[str]
    """How a sentence begins that names what is not there."""

    @abstractmethod
    def cells(
        self,
        table: str,
        images: str,
        method: str,
        metric: str,
        omegas: Omegas = FIVE,
        sigma: float | None = None,
    ) -> Block:
        """A metric of a method, as a printed table calls them, at some positions of the dials.

        sigma: noise level of Table 2a; None for the mean over levels. Raises NotMeasured.
        """

    def measured_on(self, images: str) -> str:
        """The test images that are measured in place of those of a printed table."""
        return images

    @abstractmethod
    def ours(self, needed: str) -> Store:
        """The store, for what no table of the paper prints; raises NotMeasured with these words."""

    @abstractmethod
    def readings(self) -> dict[str, Source]:
        """This source under each reading of Eq. 9, by name."""


class Paper(Source):
    """The numbers that the paper prints; none has an interval."""

    lacks = "The paper's tables do not suffice; this needs"

    def cells(
        self,
        table: str,
        images: str,
        method: str,
        metric: str,
        omegas: Omegas = FIVE,
        sigma: float | None = None,
    ) -> Block:
        """See Source."""
        known = printed(table)
        wanted = [Cell(images, method, metric, tuple(omega), sigma) for omega in omegas]
        if any(cell not in known for cell in wanted):
            raise NotMeasured(f"{metric} of {method} on {images}")
        return Block(np.array([[[known[cell] for cell in wanted]]]), ())

    def ours(self, needed: str) -> Store:
        """See Source."""
        raise NotMeasured(needed)

    def readings(self) -> dict[str, Source]:
        """See Source."""
        return {"As printed": self}
