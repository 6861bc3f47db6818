"""Tunable layers under the names that readers of the paper look for."""

from __future__ import annotations

from torch import nn

from tunable_core.tunable import Tunable


class _TunableLayer(Tunable):
    """A layer under the name that readers look for: the layer's own arguments, then p and phi."""

    layer: type[nn.Module]

    def __init__(self, *args, p: int, kernels: int | None = None, phi="affine", **kwargs) -> None:
        super().__init__(self.layer(*args, **kwargs), p, kernels=kernels, phi=phi)


class TunableConv1d(_TunableLayer):
    """nn.Conv1d with p kernels and biases: TunableConv1d(in, out, size, ..., p=2)."""

    layer = nn.Conv1d


class TunableConv2d(_TunableLayer):
    """nn.Conv2d with p kernels and biases, the paper's layer: TunableConv2d(in, out, size, ..., p=2)."""

    layer = nn.Conv2d


class TunableConv3d(_TunableLayer):
    """nn.Conv3d with p kernels and biases: TunableConv3d(in, out, size, ..., p=2)."""

    layer = nn.Conv3d


class TunableConvTranspose2d(_TunableLayer):
    """nn.ConvTranspose2d with p kernels and biases."""

    layer = nn.ConvTranspose2d


class TunableLinear(_TunableLayer):
    """nn.Linear with p weights and biases: TunableLinear(in, out, p=2)."""

    layer = nn.Linear
