"""CResMD (He et al., ECCV 2020): residual blocks weighted by a condition, the degradation's strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from study.controls.base import Control, Stage
from tunable_core.checks import check
from tunable_photo.resnet import ResidualBlock, ResNet


class CResMD(Control):
    """x_{m+1} = x_m + s_m R_m(x_m), y = x + g net(x): weights s_m [C] and g [3] linear in the condition.

    Trained for fidelity alone, conditioned on the true strength of each degradation; other conditions
    then restore less or more. So omega describes the input: it is 0 for a clean image, where the
    weights equal the biases.
    network: a ResNet, whose blocks are weighted (form "backbone"), or which gives the size of the
        authors' network (form "own"): stride 2 in the first layer, pixel shuffle before the last two.
    """

    def __init__(
        self, network: nn.Module, p: int, form: Literal["backbone", "own"] = "backbone"
    ) -> None:
        super().__init__()
        if not isinstance(network, ResNet):
            raise ValueError(f"CResMD weights the blocks of a ResNet; got {type(network).__name__}")
        if form not in ("backbone", "own"):
            raise ValueError(f"form must be 'backbone' or 'own'; got {form!r}")
        self.num_objectives, self.form = p, form
        channels = network.head.out_channels
        blocks = cast(list[ResidualBlock], list(network.body))
        self.body = nn.ModuleList(nn.Sequential(b.conv1, nn.ReLU(), b.conv2) for b in blocks)
        self.weights = nn.ModuleList(nn.Linear(p, channels) for _ in self.body)
        self.gain = nn.Linear(p, 3)
        self.head: nn.Module
        self.tail: nn.Module
        if form == "backbone":
            self.head, self.tail = network.head, network.tail
        else:
            self.head = nn.Conv2d(3, channels, 3, stride=2, padding=1)
            self.tail = nn.Sequential(
                nn.Conv2d(channels, 4 * channels, 3, padding=1),
                nn.PixelShuffle(2),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(channels, 3, 3, padding=1),
            )
        for layer in (*self.weights, self.gain):
            nn.init.zeros_(layer.weight)
            nn.init.ones_(layer.bias)  # starts as an ordinary network; the authors' biases start at 0

    def forward(self, x: Tensor, omega, *, extrapolate: bool = False) -> Tensor:
        """See Control. A condition per sample costs no more than one for the batch."""
        omega = self.checked(x, omega, extrapolate=extrapolate)
        if omega.ndim == 2 and len(omega) != len(x):
            raise ValueError(f"omega [B, p] needs one row per sample; got {len(omega)} for {len(x)}")
        return self.tuned(x, omega)

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control; omega [p] or [B, p], already checked."""
        with torch.autocast(x.device.type, enabled=False):
            condition = omega.view(-1, self.num_objectives).to(self.gain.weight)
            weights = [linear(condition)[:, :, None, None] for linear in self.weights]
            gain = self.gain(condition)[:, :, None, None]
        height, width = x.shape[-2:]
        padded = x
        if self.form == "own":  # the stride needs even sides
            padded = F.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
        start = features = self.head(padded)
        for block, weight in zip(self.body, weights, strict=True):
            features = features + weight * block(features)
        if self.form == "backbone":
            features = features + start
        return x + gain * self.tail(features)[..., :height, :width]

    def stages(self) -> list[Stage]:
        """One: everything, for fidelity, conditioned on the true degradation."""
        fidelity = (1.0, *[0.0] * (self.num_objectives - 1))
        return [Stage("conditioned", ("",), fidelity, conditioned=True)]


@dataclass(frozen=True)
class CResMDConfig:
    """Settings of CResMD."""

    draws_omegas: ClassVar[bool] = False
    """Its conditions are the true degradations, so the sampling of omegas has no effect."""

    form: Literal["backbone", "own"] = "backbone"
    """The study's backbone, or the authors' own architecture at its size."""

    def __post_init__(self) -> None:
        check(self, {"form must be 'backbone' or 'own'": self.form in ("backbone", "own")})

    def build(self, network: nn.Module, p: int) -> CResMD:
        """The untrained control, built from a ResNet's blocks."""
        return CResMD(network, p, self.form)
