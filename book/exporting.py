"""Several exports in one process."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator


@contextlib.contextmanager
def one_registry() -> Iterator[None]:
    """Exports share the registry of translations to ONNX, which torch makes at each in 1.5 seconds.

    Where this torch has it elsewhere, they are only slower.
    """
    try:
        from torch.onnx._internal.exporter._registration import ONNXRegistry

        made = vars(ONNXRegistry)["from_torchlib"]
    except (ImportError, KeyError):
        yield
        return
    ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))
    try:
        yield
    finally:
        ONNXRegistry.from_torchlib = made
