"""Sentences that follow from numbers: templates, the threshold between them, written numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TITLES = {
    "kodak": "Kodak",
    "cbsd68": "CBSD68",
    "set5": "Set5",
    "set14": "Set14",
    "bsd100": "BSD100",
    "urban100": "Urban100",
    "nam-test": "the Nam data set",
    "samples-test": "scikit-image",
    "samples-train": "the embedded samples",
}
"""How sentences name the sets of images."""


@dataclass(frozen=True)
class Either:
    """Two templates, and the threshold that chooses between them.

    Called with the value and the numbers that the templates name, as in str.format; `value` is one of
    them.
    """

    above: str
    """The sentence for a value larger than the threshold."""
    otherwise: str
    """The sentence for any other value, NaN included."""
    threshold: float = 0.0

    def __call__(self, value: float, **numbers: Any) -> str:
        """The sentence. Raises KeyError where a template names a number that was not given."""
        template = self.above if value > self.threshold else self.otherwise
        return spaced(template.format(value=value, **numbers))


def spaced(text: str) -> str:
    """A text with a space between each number and its %."""
    return re.sub(r"(?<=\d)%", " %", text)


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"; "none" for nothing."""
    *most, last = names or ("none",)
    return f"{', '.join(most)} and {last}" if most else last


def spoken(name: str) -> str:
    """A method as sentences name it, without a comma: "DNI (fine-tuned)"."""
    first, _, rest = name.partition(", ")
    return f"{first} ({rest})" if rest else name


def counted(number: int, noun: str) -> str:
    """ "1 seed", "3 seeds", "12,000 steps"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def titled(images: str) -> str:
    """A set of images as sentences name it."""
    return TITLES.get(images, images)
