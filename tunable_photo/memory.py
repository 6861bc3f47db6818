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
"""Side of the image on which the memory of a network is measured, in pixels."""
RESERVE = 1.5
"""Factor on the bytes of the tensors, for the workspace of convolutions and the allocator."""
UNKNOWN = 4 << 30
"""Bytes assumed to be free where the system does not report it."""


class _Tensors(TorchDispatchMode):
    """Counts the peak bytes of all live tensors."""

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
    """Peak bytes that a network needs for an image of that size, without its weights.

    Measured on SAMPLE x SAMPLE pixels and scaled by the area and by RESERVE. It is too low for networks
    whose memory grows faster than the area, such as those with attention over the whole image.
    """
    like = next(net.parameters(), torch.zeros(()))
    counted = _Tensors()
    with counted:
        net(like.new_zeros(1, channels, SAMPLE, SAMPLE))
    return round(RESERVE * counted.most * height * width / SAMPLE**2)


def free(device: str) -> int:
    """Bytes that a new tensor may take on "cpu" or "cuda"; UNKNOWN if the system does not report it."""
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
