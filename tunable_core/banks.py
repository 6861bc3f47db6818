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


Rules = Sequence[str | type[nn.Module]]
"""Patterns of parameter names ("body.*.weight") and types of the layers that hold them."""


def another_draw(value: Tensor) -> Tensor:
    """The same entries shuffled: for entries drawn independently from one law, another draw from it."""
    order = torch.randperm(value.numel()).to(value.device)
    return value.flatten()[order].view(value.shape)


def near(value: Tensor) -> Tensor:
    """The same entries, each off by about 1 % of their root mean square."""
    return value + 0.01 * value.abs().square().mean().sqrt() * torch.randn_like(value)


def copied(module: nn.Module) -> nn.Module:
    """A copy to work on; refuses what cannot be copied or called with other parameters."""
    kind = type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        raise ValueError(f"{kind} is compiled by TorchScript and cannot be wrapped; wrap its source")
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

    Raises ValueError for a pattern that matches nothing, and when nothing is left to tune.
    """
    used = set()

    def meets(name: str, layer: nn.Module, rules: Rules) -> bool:
        hits = {
            r for r in rules if (fnmatchcase(name, r) if isinstance(r, str) else isinstance(layer, r))
        }
        used.update(hits)
        return bool(hits)

    names = []
    for name, value in module.named_parameters():
        layer = module.get_submodule(name.rpartition(".")[0])
        wanted, refused = meets(name, layer, tuned), meets(name, layer, untuned)
        if wanted and not refused and (value.is_floating_point() or value.is_complex()):
            names.append(name)
    kind = type(module).__name__
    found = ", ".join(name for name, _ in list(module.named_parameters())[:4])
    for rule in (*tuned, *untuned):
        if isinstance(rule, str) and rule not in used and found:
            raise ValueError(f"{kind}: pattern {rule!r} matches no parameter; the first are {found}")
    if not names:
        raise ValueError(
            f"{kind} has no parameter to tune: it has none, or all are untuned (pass untuned=() to tune "
            f"those too)"
        )
    return names


def make_banks(module: nn.Module, names: Sequence[str], kernels: int, draw) -> list[str]:
    """Replace, in place, each named parameter [*S] by a bank [K, *S]; return one name per bank.

    draw(value) gives the kernels after the first. Parameters that are shared stay shared.
    """
    banks = {}
    for name in names:
        value = module.get_parameter(name)
        first = value.detach()
        copies = [first.clone(), *(draw(first) for _ in range(kernels - 1))]
        banks[id(value)] = nn.Parameter(torch.stack(copies), value.requires_grad)
    for name, value in list(module.named_parameters(remove_duplicate=False)):
        if id(value) in banks:
            set_parameter(module, name, banks[id(value)])
    return list(names)


def set_parameter(module: nn.Module, name: str, value: nn.Parameter) -> None:
    """Put a parameter in the place of the one with that dotted name."""
    owner, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(owner), attribute, value)
