"""Tunable versions of PyTorch's layers, such as the paper's tunable convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tunable_core.tunable import Tunable


class _TunableLayer(Tunable):
    """Base of the tunable layers: takes the layer's own arguments, then p, kernels and phi."""

    layer: type[nn.Module]
    """The plain layer."""
    function: Callable[..., Tensor] | None = None
    """Computes the output from (layer, x, weight, bias); None where PyTorch has no such function."""

    def __init__(self, *args, p: int, kernels: int | None = None, phi="affine", **kwargs) -> None:
        super().__init__(self.layer(*args, **kwargs), p, kernels=kernels, phi=phi)

    def tuned_call(self, x: Tensor, omega: Tensor, *inputs: Any, **options: Any) -> Tensor:
        """As Tunable.tuned_call; without hooks and further inputs it calls the layer's function."""
        layer: Any = self._modules["module"]
        function = type(self).function
        hooks = layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks
        simple = type(layer) is self.layer and not (hooks or inputs or options)
        if function is None or not simple or torch.compiler.is_compiling():
            return super().tuned_call(x, omega, *inputs, **options)
        if torch._C._is_any_autocast_enabled():
            with torch.autocast(x.device.type, enabled=False):
                kernels = self._kernels(layer, omega)
        else:  # entering a block takes longer than mixing the kernels of a small layer
            kernels = self._kernels(layer, omega)
        return function(layer, x, kernels[0], kernels[1] if len(kernels) == 2 else None)  # Eq. 3

    def _kernels(self, layer: Any, omega: Tensor) -> list[Tensor]:
        phi: Any = self._modules["phi"]
        banks = [bank for bank in layer._parameters.values() if bank is not None]
        if [bank.shape for bank in banks] != self._mixer.shapes:
            self._mixer.plan(banks)  # raises an error with the name of the changed bank
        tensors = phi.tensors()
        alpha = phi.alpha(omega.to(tensors[0]), *tensors).to(banks[0].dtype)  # Eq. 6
        return [torch.mm(alpha, bank.flatten(1)).view(bank.shape[1:]) for bank in banks]  # Eq. 5


class TunableConv1d(_TunableLayer):
    """nn.Conv1d with p kernels and biases: TunableConv1d(in, out, size, ..., p=2)."""

    layer, function = nn.Conv1d, nn.Conv1d._conv_forward


class TunableConv2d(_TunableLayer):
    """nn.Conv2d with p kernels and biases, the paper's layer: TunableConv2d(in, out, size, ..., p=2)."""

    layer, function = nn.Conv2d, nn.Conv2d._conv_forward


class TunableConv3d(_TunableLayer):
    """nn.Conv3d with p kernels and biases: TunableConv3d(in, out, size, ..., p=2)."""

    layer, function = nn.Conv3d, nn.Conv3d._conv_forward


class TunableConvTranspose2d(_TunableLayer):
    """nn.ConvTranspose2d with p kernels and biases."""

    layer = nn.ConvTranspose2d


class TunableLinear(_TunableLayer):
    """nn.Linear with p weights and biases: TunableLinear(in, out, p=2)."""

    layer = nn.Linear

    @staticmethod
    def function(layer: nn.Linear, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """F.linear, with the arguments that the convolutions have."""
        return F.linear(x, weight, bias)
