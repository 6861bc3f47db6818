"""Banks of kernels from a module's parameters: which are tuned, which cannot be, and how they start."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

UNTUNED = (
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
)
"""Layers that stay plain unless asked otherwise, as in the authors' code."""
Rule = str | type[nn.Module]
Rules = Rule | Sequence[Rule]
"""One rule or several: a pattern of parameter names ("body.*.weight"), or a type of layer."""


def another_draw(value: Tensor) -> Tensor:
    """The entries, shuffled: another draw, if they were drawn independently from one distribution."""
    order = torch.randperm(value.numel()).to(value.device)
    return value.flatten()[order].view(value.shape)


def near(value: Tensor) -> Tensor:
    """The entries plus Gaussian noise of about 1 % of their root mean square."""
    return value + 0.01 * value.abs().square().mean().sqrt() * torch.randn_like(value)


def copied(module: nn.Module) -> nn.Module:
    """A deep copy; raises TypeError or ValueError for a module that cannot be copied or wrapped."""
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"Tunable wraps an nn.Module; got {module!r:.60} (call a function in a module's forward)"
        )
    kind = type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        raise ValueError(f"{kind} is compiled by TorchScript and cannot be wrapped; wrap the original")
    for name, layer in module.named_modules():
        if isinstance(layer, nn.DataParallel):
            raise ValueError(
                f"{kind}: '{name or kind}' is nn.DataParallel, which copies parameters at each call; "
                f"wrap the network inside it, then use nn.parallel.DistributedDataParallel"
            )
    for name, parameter in module.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ValueError(f"{kind}: '{name}' has no shape yet; call the network once, then wrap it")
        if parameter.is_meta:
            raise ValueError(
                f"{kind}: '{name}' is on the meta device and holds no numbers; load it first"
            )
    for name, layer in module.named_modules():
        if isinstance(layer, nn.RNNBase):
            raise ValueError(
                f"{kind}: '{name or type(layer).__name__}' flattens its weights for cuDNN, so they "
                f"cannot be exchanged; use nn.RNNCell, nn.LSTMCell or nn.GRUCell instead"
            )
    try:
        return copy.deepcopy(module)
    except RuntimeError as error:
        raise ValueError(
            f"{kind} cannot be copied ({error}); the usual cause is the old weight_norm or "
            f"spectral_norm: use those of torch.nn.utils.parametrizations"
        ) from error


def chosen(module: nn.Module, tuned: Rules, untuned: Rules) -> list[str]:
    """Names of the parameters that match a rule of tuned and none of untuned.

    A frozen parameter (requires_grad=False) needs a rule other than "*".
    Raises ValueError for a pattern that matches nothing, and when nothing is left to tune; TypeError for
    a rule that is neither a pattern nor a layer type.
    """
    tuned, untuned = _listed(tuned), _listed(untuned)
    used, names, frozen = set(), [], False

    def meets(name: str, layer: nn.Module, rules: Sequence[Rule]) -> set[Rule]:
        hits = {
            r for r in rules if (fnmatchcase(name, r) if isinstance(r, str) else isinstance(layer, r))
        }
        used.update(hits)
        return hits

    kind = type(module).__name__
    for name, value in module.named_parameters():
        layer = module.get_submodule(name.rpartition(".")[0])
        wanted, refused = meets(name, layer, tuned), meets(name, layer, untuned)
        if not wanted or refused or not (value.is_floating_point() or value.is_complex()):
            continue
        if not value.requires_grad and wanted == {"*"}:
            frozen = True
            continue
        if isinstance(layer, torch.jit.ScriptModule):
            raise ValueError(
                f"{kind}: '{name}' belongs to a layer compiled by TorchScript and cannot be tuned; wrap "
                f"the original, or leave it out with untuned=({name!r},)"
            )
        names.append(name)
    found = ", ".join(name for name, _ in list(module.named_parameters())[:4])
    for rule in (*tuned, *untuned):
        if isinstance(rule, str) and rule not in used and found:
            raise ValueError(f"{kind}: pattern {rule!r} matches no parameter; the first are {found}")
    if not names and frozen:
        raise ValueError(
            f"{kind} has no parameter to tune: all are frozen (call requires_grad_(True) first, or name "
            f"the frozen parameters in tuned)"
        )
    if not names:
        raise ValueError(
            f"{kind} has no parameter to tune: it has no parameters, or all match untuned (pass "
            f"untuned=() to tune them)"
        )
    return names


def _listed(rules: Rules) -> tuple[Rule, ...]:
    listed = (rules,) if isinstance(rules, str | type) else tuple(rules)
    for rule in listed:
        if not (isinstance(rule, str) or (isinstance(rule, type) and issubclass(rule, nn.Module))):
            raise TypeError(f"a rule must be a pattern of names or a type of layer; got {rule!r}")
    return listed


def make_banks(module: nn.Module, names: Sequence[str], kernels: int, draw) -> None:
    """Replace, in place, each named parameter [*S] by a trainable bank [K, *S].

    draw(value) makes each kernel after the first; all share the padding row of an embedding.
    Shared parameters stay shared.
    """
    banks = {}
    for name in names:
        value = module.get_parameter(name)
        first = value.detach()
        layer = module.get_submodule(name.rpartition(".")[0])
        padding = layer.padding_idx if isinstance(layer, nn.Embedding | nn.EmbeddingBag) else None
        rest = ... if padding is None else torch.arange(len(first), device=first.device) != padding
        copies = [first.clone() for _ in range(kernels)]
        for kernel in copies[1:]:
            kernel[rest] = draw(first[rest])
        banks[id(value)] = nn.Parameter(stacked(copies))
    for name, value in list(module.named_parameters(remove_duplicate=False)):
        if id(value) in banks:
            set_parameter(module, name, banks[id(value)])


def stacked(kernels: Sequence[Tensor]) -> Tensor:
    """K kernels [*S] stacked to a bank [K, *S], in the same memory format."""
    first = kernels[0]
    if first.is_contiguous():
        return torch.stack(list(kernels))
    order = sorted(range(first.ndim), key=lambda axis: -first.stride()[axis])
    bank = torch.stack([kernel.permute(order).contiguous() for kernel in kernels])
    return bank.permute(0, *(1 + order.index(axis) for axis in range(first.ndim)))


def kernel_by_kernel(fn: Callable[[Tensor], Tensor], banks: Sequence[Tensor]) -> Callable:
    """A function for nn.Module._apply: fn of a bank or, where it fails on a bank, of each kernel."""
    ids = {id(tensor) for bank in banks for tensor in (bank, bank.grad)} - {id(None)}

    def each(tensor: Tensor) -> Tensor:
        if id(tensor) not in ids:
            return fn(tensor)
        if tensor.is_contiguous():
            with contextlib.suppress(RuntimeError):
                return fn(tensor)
        kernels = tensor.unbind()
        changed = [fn(kernel) for kernel in kernels]
        in_place = all(new is old for new, old in zip(changed, kernels, strict=True))
        return tensor if in_place else stacked(changed)

    return each


def set_parameter(module: nn.Module, name: str, value: nn.Parameter) -> None:
    """Replace the parameter of that dotted name."""
    owner, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(owner), attribute, value)
