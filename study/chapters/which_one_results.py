"""What a control method asks for and gives, found by building it and trying, not by a list of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from study.controls import Control, TunableControl
from study.controls.base import AtOmega
from tunable_photo.resnet import ResNetConfig

LIVE, FILES, PLAIN, PIXELS = "ONNX with its dials", "two checkpoints", "a plain network", "pixels"
"""To what a dial can be exported. LIVE: an ONNX file that takes omega. FILES: checkpoints of the
corners, which a program interpolates. PLAIN: an ordinary network at one omega. PIXELS: an ordinary
network and arithmetic on its output."""
SMALL = ResNetConfig(4, 4)
"""Deep enough that no method which acts between its blocks is linear in the dials by chance."""


@dataclass(frozen=True)
class Properties:
    """What a method is, beside how well it does."""

    objectives: str
    """"2", or "any" where it can be built for three."""
    memory: float
    """Stored numbers in units of the plain network's."""
    training: float
    """Steps of all its stages, in units of the plain network's training."""
    exports: tuple[str, ...]
    """Of LIVE, FILES, PLAIN and PIXELS."""


def properties(build: Callable[[nn.Module, int], Control], network: nn.Module) -> Properties:
    """Find them: build makes the control of a plain network and a number of dials."""
    control = build(network, 2)
    plain = sum(parameter.numel() for parameter in network.parameters())
    return Properties(
        "any" if _takes(build, 3) else "2",
        sum(parameter.numel() for parameter in control.parameters()) / plain,
        sum(stage.share for stage in control.stages()),
        exports(build(SMALL.build(), 2)),
    )


def _takes(build: Callable[[nn.Module, int], Control], p: int) -> bool:
    try:
        build(SMALL.build(), p)
    except ValueError:
        return False
    return True


@torch.no_grad()
def exports(control: Control) -> tuple[str, ...]:
    """The forms of export of a control, whose weights are moved so that its networks differ."""
    for parameter in control.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    fixed = [control.at((w, 1 - w)) for w in (1.0, 0.7, 0.0)]
    if isinstance(fixed[0], AtOmega):
        x, omega = torch.rand(1, 3, 16, 16), torch.eye(2)
        one, other = control.outputs(x, omega)
        between = control.outputs(x, torch.tensor([[0.5, 0.5]]))[0]
        straight = torch.allclose(between, (one + other) / 2, atol=1e-5)
        return (PIXELS,) if straight else ()
    first, middle, second = (network.state_dict() for network in fixed)
    found = [LIVE] if isinstance(control, TunableControl) else []
    if all(torch.allclose(middle[n], 0.7 * first[n] + 0.3 * second[n], atol=1e-5) for n in middle):
        found.append(FILES)
    return (*found, PLAIN)


def goes_on(kept: tuple[float, float, float]) -> float:
    """Length of a step beyond the end of a dial in units of the last step before it.

    kept: the kept fraction a quarter before the end, at it, and a quarter beyond. 1: it goes on evenly;
    0: it stands still; NaN where it stood still before the end.
    """
    before, end, beyond = kept
    return (beyond - end) / (end - before) if end != before else float("nan")
