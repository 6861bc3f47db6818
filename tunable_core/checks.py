"""Checks of settings, which report every fault at once, and imports of optional packages."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from numbers import Integral, Real
from types import ModuleType
from typing import Any


def check(config: object, rules: Mapping[str, bool], *, got: str | None = None) -> None:
    """Raise one ValueError that names every broken rule.

    config: the settings, named by their type. rules: each rule in words, and whether it holds. got:
    the values that the error shows; default all settings.
    """
    faults = [rule for rule, holds in rules.items() if not holds]
    if faults:
        shown = repr(config) if got is None else got
        raise ValueError(f"{type(config).__name__}: {'; '.join(faults)}; got {shown}")


def needed(package: str, what: str, install: str | None = None) -> ModuleType:
    """Import an optional package; raises an ImportError that says how to install it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        name = package.partition(".")[0]
        raise ImportError(f"{what} the package {name}: pip install {install or name}") from error


def is_number(value: Any, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether a value is a finite number in [least, most]."""
    return isinstance(value, Real) and math.isfinite(value) and least <= float(value) <= most


def is_count(value: Any, least: int = 1) -> bool:
    """Whether a value is a whole number of at least `least`."""
    return isinstance(value, Integral) and int(value) >= least


def are_shares(values: Any) -> bool:
    """Whether values is a sequence of numbers in [0, 1] with a sum of at most 1, up to rounding."""
    return values == () or (are_numbers(values, 0, 1) and sum(values) <= 1 + 1e-6)


def are_numbers(values: Any, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether values is a sequence of one or more finite numbers in [least, most]."""
    of_kind = isinstance(values, tuple | list) and len(values) > 0
    return of_kind and all(is_number(value, least, most) for value in values)
