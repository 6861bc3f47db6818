"""From a module's parameters to banks of kernels: what is tuned, what cannot be, how kernels start."""

from __future__ import annotations

import copy
from collections.abc import Sequence
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
"""Patterns of parameter names ("body.*.weight") and types of the layers that hold them; or one alone."""


def another_draw(value: Tensor) -> Tensor:
    """The same entries shuffled: for entries drawn independently from one law, another draw from it."""
    order = torch.randperm(value.numel()).to(value.device)
    return value.flatten()[order].view(value.shape)


def near(value: Tensor) -> Tensor:
    """The same entries, each off by about 1 % of their root mean square."""
    return value + 0.01 * value.abs().square().mean().sqrt() * torch.randn_like(value)


def copied(module: nn.Module) -> nn.Module:
    """A copy to work on; refuses what cannot be copied or called with other parameters."""
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"Tunable wraps an nn.Module; got {module!r:.60} (put a function into the forward of one)"
        )
    kind = type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        raise ValueError(f"{kind} is compiled by TorchScript and cannot be wrapped; wrap its source")
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
                f"{kind}: '{name or type(layer).__name__}' keeps its weights outside its parameters, so "
                f"they cannot be exchanged; write it with nn.RNNCellBase layers"
            )
    try:
        return copy.deepcopy(module)
    except RuntimeError as error:
        raise ValueError(
            f"{kind} cannot be copied ({error}); old-style weight_norm and spectral_norm are a usual "
            f"cause: use those of torch.nn.utils.parametrizations"
        ) from error


def chosen(module: nn.Module, tuned: Rules, untuned: Rules) -> list[str]:
    """Names of the parameters that meet one of tuned and none of untuned.

    A frozen parameter (requires_grad=False) needs a rule of its own: "*" does not choose it.
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
                f"its source, or leave it out with untuned=({name!r},)"
            )
        names.append(name)
    found = ", ".join(name for name, _ in list(module.named_parameters())[:4])
    for rule in (*tuned, *untuned):
        if isinstance(rule, str) and rule not in used and found:
            raise ValueError(f"{kind}: pattern {rule!r} matches no parameter; the first are {found}")
    if not names and frozen:
        raise ValueError(
            f"{kind} has no parameter to tune: all are frozen (call requires_grad_(True) first, or name "
            f"in tuned what is tuned all the same)"
        )
    if not names:
        raise ValueError(
            f"{kind} has no parameter to tune: it has none, or all are untuned (pass untuned=() to tune "
            f"those too)"
        )
    return names


def _listed(rules: Rules) -> tuple[Rule, ...]:
    listed = (rules,) if isinstance(rules, str | type) else tuple(rules)
    for rule in listed:
        if not (isinstance(rule, str) or (isinstance(rule, type) and issubclass(rule, nn.Module))):
            raise TypeError(f"rules are patterns of names or types of layers; got {rule!r}")
    return listed


def make_banks(module: nn.Module, names: Sequence[str], kernels: int, draw) -> list[str]:
    """Replace, in place, each named parameter [*S] by a bank [K, *S] that trains; one name per bank.

    draw(value) gives the kernels after the first; the padding row of an embedding is the same in all.
    Parameters that are shared stay shared.
    """
    banks = {}
    for name in names:
        value = module.get_parameter(name)
        first = value.detach()
        layer = module.get_submodule(name.rpartition(".")[0])
        padding = layer.padding_idx if isinstance(layer, nn.Embedding | nn.EmbeddingBag) else None
        copies = [first.clone()]
        for _ in range(kernels - 1):
            if padding is None:
                copies.append(draw(first))
            else:
                rest = torch.arange(len(first), device=first.device) != padding
                copies.append(first.clone())
                copies[-1][rest] = draw(first[rest])
        banks[id(value)] = nn.Parameter(stacked(copies))
    for name, value in list(module.named_parameters(remove_duplicate=False)):
        if id(value) in banks:
            set_parameter(module, name, banks[id(value)])
    return list(names)


def stacked(kernels: Sequence[Tensor]) -> Tensor:
    """K kernels [*S] as a bank [K, *S] that keeps the order of their axes in memory."""
    first = kernels[0]
    if first.is_contiguous():
        return torch.stack(list(kernels))
    order = sorted(range(first.ndim), key=lambda axis: -first.stride()[axis])
    bank = torch.stack([kernel.permute(order).contiguous() for kernel in kernels])
    return bank.permute(0, *(1 + order.index(axis) for axis in range(first.ndim)))


def set_parameter(module: nn.Module, name: str, value: nn.Parameter) -> None:
    """Put a parameter in the place of the one with that dotted name."""
    owner, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(owner), attribute, value)
