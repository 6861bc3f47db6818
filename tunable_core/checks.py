"""Checks of settings: every fault at once, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any


def check(config: object, rules: Mapping[str, bool], *, got: str | None = None) -> None:
    """Raise one ValueError that names every rule that does not hold.

    config: the settings, named by their type. rules: a rule as the error states it, and whether it
    holds. got: the values as the error shows them; default all settings.
    """
    faults = [rule for rule, holds in rules.items() if not holds]
    if faults:
        shown = repr(config) if got is None else got
        raise ValueError(f"{type(config).__name__}: {'; '.join(faults)}; got {shown}")


def is_number(value: Any, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether a value is a finite number in [least, most]."""
    return isinstance(value, Real) and math.isfinite(value) and least <= float(value) <= most


def is_positive(value: Any) -> bool:
    """Whether a value is a finite number above 0."""
    return is_number(value, 0) and value > 0


def is_count(value: Any, least: int = 1) -> bool:
    """Whether a value is a whole number of at least `least`."""
    return isinstance(value, Integral) and int(value) >= least


def is_range(value: Any, least: float = 0.0) -> bool:
    """Whether a value is a pair (low, high) of finite numbers with least <= low <= high."""
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(is_number(end, least) for end in value)
        and value[0] <= value[1]
    )


def are_shares(values: Any) -> bool:
    """Whether values is a sequence of numbers in [0, 1] with a sum of at most 1, up to rounding."""
    return values == () or (are_numbers(values, 0, 1) and sum(values) <= 1 + 1e-6)


def are_numbers(values: Any, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether values is a sequence of one or more finite numbers in [least, most]."""
    return (
        isinstance(values, tuple | list)
        and len(values) > 0
        and all(is_number(value, least, most) for value in values)
    )
