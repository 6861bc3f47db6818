"""Forward passes in bf16, also on processors that have no instructions for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

ROUNDED = frozenset(
    {torch.conv2d, torch.conv_transpose2d, F.linear, torch.matmul, Tensor.matmul, Tensor.__matmul__}
)
"""Functions that PyTorch computes in bf16 much more slowly than in float32 on such processors."""


def bf16(device: torch.device, enabled: bool = True) -> AbstractContextManager:
    """A block in which PyTorch's autocast to bf16 is active, if enabled.

    On a CPU without instructions for bf16, convolutions and products of matrices are computed in float32
    from operands rounded to bf16, and their results are rounded: what such instructions do.
    """
    if not enabled:
        return nullcontext()
    block = ExitStack()
    block.enter_context(torch.autocast(device.type, torch.bfloat16))
    if device.type == "cpu" and not _native():
        block.enter_context(_Rounded())
    return block


def _native() -> bool:
    """Whether this CPU computes convolutions in bf16 by instructions of its own."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


class _Rounded(TorchFunctionMode):
    """Computes ROUNDED in float32 between roundings to bf16."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func not in ROUNDED or not torch.is_autocast_enabled("cpu"):
            return func(*args, **kwargs)
        with torch.autocast("cpu", enabled=False):
            args, kwargs = tree_map_only(Tensor, _round, (args, kwargs))
            return func(*args, **kwargs).bfloat16()


def _round(x: Tensor) -> Tensor:
    return x.bfloat16().float() if x.is_floating_point() else x
