"""Structured outputs of networks, listed as the named tensors that a file holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten_with_path, tree_leaves


class Listed(nn.Module):
    """A network whose outputs are a tuple of tensors, whatever structure the network gives."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor, omega: Tensor | None = None) -> tuple[Tensor, ...]:
        """All tensors of the network's output, in the order of output_names()."""
        outputs = self.net(image) if omega is None else self.net(image, omega)
        return tuple(leaf for leaf in tree_leaves(outputs) if leaf is not None)


def output_names(net: nn.Module, inputs: tuple[Tensor, ...]) -> list[str]:
    """Names of a network's outputs: "output", or "output_KEY" for each tensor of a structure.

    Raises TypeError for an output that is no tensor, and whatever the network raises for the inputs.
    """
    with torch.no_grad():
        found = tree_flatten_with_path(net(*inputs))[0]
    for path, value in found:
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"its {_named(path)} is a {type(value).__name__}, where a file needs a tensor, or a "
                f"tuple, list or dict of tensors"
            )
    return [_named(path) for path, value in found if value is not None]


def _named(path: tuple) -> str:
    keys = [getattr(k, "key", getattr(k, "idx", getattr(k, "name", k))) for k in path]
    return "_".join(["output", *map(str, keys)])
