"""How much memory a network needs for an image, and how much is free."""

from __future__ import annotations

import os
import re
import weakref
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

SAMPLE = 128
"""Side of the image that a network's need is measured on, pixels."""
RESERVE = 1.5
"""Times the tensors' bytes, for what convolutions use besides and for the allocator."""
UNKNOWN = 4 << 30
"""Bytes taken to be free where the system does not say."""


class _Tensors(TorchDispatchMode):
    """Counts the bytes of all tensors that live at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.most = 0, 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                self._count(value.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        place, size = storage._cdata, storage.nbytes()
        if place not in self.known:
            self.known.add(place)
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self.known.discard(place)
        self.now -= size


@torch.no_grad()
def needed(net: nn.Module, height: int, width: int, *, channels: int = 3) -> int:
    """Bytes that a network needs at once for an image of that size, besides its weights.

    Measured on SAMPLE x SAMPLE pixels, multiplied by the area and by RESERVE; for networks whose
    memory grows faster than the area, as with attention over the whole image, it is too low.
    """
    like = next(net.parameters(), torch.zeros(()))
    counted = _Tensors()
    with counted:
        net(like.new_zeros(1, channels, SAMPLE, SAMPLE))
    return round(RESERVE * counted.most * height * width / SAMPLE**2)


def free(device: str) -> int:
    """Bytes that a new tensor may take on "cpu" or "cuda"; UNKNOWN where the system does not say."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    try:
        found = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
        if found:
            return int(found[1]) << 10
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return UNKNOWN
