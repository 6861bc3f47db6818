"""One omega per sample: a call for each distinct omega, and its outputs in the order of the samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

_ATTENTION = (
    nn.MultiheadAttention,
    nn.Transformer,
    nn.TransformerDecoder,
    nn.TransformerDecoderLayer,
    nn.TransformerEncoder,
    nn.TransformerEncoderLayer,
)


def per_distinct_omega(call: Callable, x: Any, omega: Tensor, *inputs: Any, **options: Any) -> Any:
    """call(x, omega, *inputs, **options) with omega [p], or once per distinct row of omega [B, p].

    x: [B, ...], or a structure of such tensors. With omega [B, p], the tensors among inputs and options
    whose first size is B are split in the same way. Outputs may be any structure (dictionaries,
    tuples, lists, dataclasses) of tensors [B, ...]; other leaves must be equal for all omegas.
    Raises ValueError, with its place and shape, for an output that is not [B, ...], or an x that is not.
    """
    if omega.ndim == 1:
        return call(x, omega, *inputs, **options)
    count, device = len(omega), _check_samples(x, len(omega))
    if count == 0:  # any omega will do
        rows, members = omega.detach().new_full((1, omega.shape[1]), 0.5), []
    elif omega.requires_grad:  # a gradient per sample: no two may share a row
        rows, members = omega, list(torch.arange(count, device=device)[:, None])
    else:
        rows, group = torch.unique(omega, dim=0, return_inverse=True)
        group = group.to(device)
        members = [(group == i).nonzero().squeeze(1) for i in range(len(rows))] if len(rows) > 1 else []
    if len(rows) == 1:
        output = call(x, rows[0], *inputs, **options)
        _joined([output], [count], None, "output")
        return output

    def part(index: Tensor) -> tuple:
        def take(value: Any) -> Any:
            batched = isinstance(value, Tensor) and value.ndim > 0 and value.shape[0] == count
            return value[index] if batched else value

        return pytree.tree_map(take, (x, inputs, options))

    outputs = []
    for row, index in zip(rows, members, strict=True):
        some, further, named = part(index)
        outputs.append(call(some, row, *further, **named))
    order = torch.cat(members).argsort()
    return _joined(outputs, [len(index) for index in members], order, "output")


def check_batch_first(module: nn.Module) -> None:
    """Refuse omega [B, p] for torch's attention layers that take sequences first, [T, B, C]."""
    if isinstance(module, _ATTENTION) and any(
        getattr(layer, "batch_first", True) is False for layer in module.modules()
    ):
        raise ValueError(
            f"omega [B, p] needs samples first; this {type(module).__name__} takes [T, B, C] (make it "
            f"with batch_first=True, or give one omega [p])"
        )


def _check_samples(x: Any, count: int) -> torch.device:
    """The device of x, all of whose tensors must have `count` samples."""
    tensors = [value for value in pytree.tree_leaves(x) if isinstance(value, Tensor)]
    if not tensors:
        raise TypeError(f"omega [B, p] needs an input of tensors [B, ...]; got {type(x).__name__}")
    for value in tensors:
        if value.ndim == 0 or len(value) != count:
            samples = len(value) if value.ndim else "a tensor without samples"
            raise ValueError(f"omega [B, p] needs one row per sample; got {count} for {samples}")
    return tensors[0].device


def _joined(outputs: Sequence[Any], sizes: Sequence[int], order: Tensor | None, where: str) -> Any:
    """Outputs of one structure joined, with samples in order; where order is None, checked only."""
    flat = [pytree.tree_flatten_with_path(output, _opened_by_hand) for output in outputs]
    if any(spec != flat[0][1] for _, spec in flat):
        raise ValueError(f"{where} differs in structure from one omega to another; call once per omega")
    columns = zip(*(leaves for leaves, _ in flat), strict=True)
    leaves = [
        _leaf([value for _, value in column], sizes, order, where + pytree.keystr(column[0][0]))
        for column in columns
    ]
    return pytree.tree_unflatten(leaves, flat[0][1])


def _opened_by_hand(value: Any) -> bool:
    """Whether _leaf handles this structure, which pytree may not know."""
    return dataclasses.is_dataclass(value) or (isinstance(value, Mapping) and type(value) is not dict)


def _leaf(values: Sequence[Any], sizes: Sequence[int], order: Tensor | None, where: str) -> Any:
    first = values[0]
    if isinstance(first, Tensor):
        for value, size in zip(values, sizes, strict=True):
            if value.ndim == 0 or value.shape[0] != size:
                raise ValueError(
                    f"{where} is {list(value.shape)} for {size} samples, so it cannot be divided among "
                    f"the samples of omega [B, p]; call the network once per omega [p]"
                )
        return first if order is None else torch.cat(list(values))[order]
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        names = [field.name for field in dataclasses.fields(first) if field.init]
        return dataclasses.replace(
            first,
            **{
                name: _joined([getattr(v, name) for v in values], sizes, order, f"{where}.{name}")
                for name in names
            },
        )
    if isinstance(first, Mapping):
        kind: Any = type(first)
        return kind({k: _joined([v[k] for v in values], sizes, order, f"{where}[{k!r}]") for k in first})
    plain = isinstance(first, str | bytes | int | float | complex | bool | type(None))
    if len(values) > 1 and not all(v is first or (plain and v == first) for v in values):
        raise ValueError(
            f"{where} is {first!r:.40} at one omega and {values[-1]!r:.40} at another, so omega [B, p] "
            f"has no single answer; call the network once per omega [p]"
        )
    return first
