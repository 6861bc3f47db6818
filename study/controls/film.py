"""Loss-conditional training ("You Only Train Once", Dosovitskiy and Djolonga, ICLR 2020) with FiLM."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from study.controls.base import Stage
from study.controls.mixed import Mixed
from tunable_core.checks import check, is_count
from tunable_core.exchange import Exchange

SCALED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.InstanceNorm2d)


class FiLM(Mixed):
    """One set of kernels; the dials scale and shift each layer's output channels, (1 + g) h + s.

    g, s = MLP(omega), for every convolution and linear layer with a bias, and every affine instance
    normalisation, which would undo a scaling before it. Trained exactly as the tunable network, at
    random omegas, so the two differ in the kernels alone. Scaling the output of a layer scales its
    kernel, so FiLM is a tunable network whose kernels may differ only by a factor per channel. In a
    network whose convolutions are all normalised it is conditional instance normalisation (Dumoulin et
    al., ICLR 2017).
    network: any network with convolutions or linear layers that have a bias.
    hidden: width of the MLP's hidden layer.
    """

    def __init__(self, network: nn.Module, p: int, hidden: int = 128) -> None:
        super().__init__()
        self.num_objectives = p
        self.network = copy.deepcopy(network)
        self.widths = {
            name: layer.weight.shape[0]
            for name, layer in network.named_modules()
            if isinstance(layer, SCALED) and layer.bias is not None
        }
        if not self.widths:
            raise ValueError(f"{type(network).__name__} has no convolution or linear layer with a bias")
        names = [
            f"{name}.{kind}".removeprefix(".") for name in self.widths for kind in ("weight", "bias")
        ]
        self._exchange = Exchange(self.network, names)
        last = nn.Linear(hidden, 2 * sum(self.widths.values()))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.conditioner = nn.Sequential(nn.Linear(p, hidden), nn.ReLU(), last)

    def mix(self, omega: Tensor) -> dict[str, Tensor]:
        """Scaled kernels and biases by parameter name; float32 also under autocast."""
        with torch.autocast(omega.device.type, enabled=False):
            scales, shifts = self.conditioner(omega).chunk(2)
        mixed = {}
        widths = list(self.widths.values())
        for name, g, s in zip(self.widths, scales.split(widths), shifts.split(widths), strict=True):
            layer = cast(nn.Linear, self.network.get_submodule(name))  # or a convolution
            factor = (1 + g).view(-1, *[1] * (layer.weight.ndim - 1))
            mixed[f"{name}.weight".removeprefix(".")] = factor * layer.weight
            mixed[f"{name}.bias".removeprefix(".")] = (1 + g) * layer.bias + s
        return mixed

    def stages(self) -> list[Stage]:
        """One stage: all parameters, at random omegas."""
        return [Stage("network and conditioner", ("network.", "conditioner."))]


@dataclass(frozen=True)
class FiLMConfig:
    """Settings of loss-conditional training."""

    hidden: int = 128
    """Width of the conditioning MLP's hidden layer."""

    def __post_init__(self) -> None:
        check(self, {"hidden must be a whole number of at least 1": is_count(self.hidden)})

    def build(self, network: nn.Module, p: int) -> FiLM:
        """The untrained control around a plain network."""
        return FiLM(network, p, self.hidden)
