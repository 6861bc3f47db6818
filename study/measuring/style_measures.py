"""Measures of style transfer: the error of colours, and the distance from the best objective."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

from study.tasks.style import StyleLoss, chrominance
from tunable_core.omega import OmegaLike, as_omega

STEPS, RATE = 60, 0.03
"""Steps and rate of Adam in optimised_pixels. The objective still falls slowly after these steps."""


class Optimised(NamedTuple):
    """The result of optimised_pixels."""

    images: Tensor
    """[B, 3, H, W], RGB, not clipped to [0, 1]."""
    objective: Tensor
    """[B], the mixed objective of each image."""


def chrominance_error(output: Tensor, content: Tensor) -> Tensor:
    """Root mean square of the differences of U and V (BT.601): [B, 3, H, W] in [0, 1] twice to [B].

    Brightness does not count. Raises ValueError if the shapes differ.
    """
    _check(output, content)
    return (chrominance(output) - chrominance(content)).square().flatten(1).mean(1).sqrt()


@torch.no_grad()
def objective(loss: StyleLoss, output: Tensor, content: Tensor, omega: OmegaLike) -> Tensor:
    """The mixed objective sum_i omega_i L_i of each output: [B, 3, H, W] twice to [B].

    omega: [p] for all or [B, p]. Raises ValueError if the shapes differ.
    """
    _check(output, content)
    weights = as_omega(omega, loss.p).to(output)
    return (loss.whole(loss.parts(output, content)) * weights).sum(-1)


def optimised_pixels(
    loss: StyleLoss,
    content: Tensor,
    omega: OmegaLike,
    *,
    steps: int = STEPS,
    rate: float = RATE,
    progress: bool = True,
) -> Optimised:
    """Minimise the objective without a network, by Adam on the pixels themselves.

    content: [B, 3, H, W] in [0, 1], the initial pixels; omega: [p] for all or [B, p].
    Each image is optimised independently of the others in its batch, and nothing is random.
    A photograph of 256 x 256 pixels takes half a minute on one core.
    """
    weights = as_omega(omega, loss.p).to(content)
    with torch.no_grad():
        features = loss.look(content)
    pixels = content.clone().requires_grad_()
    adam = torch.optim.Adam([pixels], lr=rate)

    def value() -> Tensor:
        return (loss.whole(loss.parts(pixels, content, features)) * weights).sum(-1)

    for _ in tqdm(range(steps), desc="optimised pixels", disable=not progress):
        (pixels.grad,) = torch.autograd.grad(value().sum(), pixels)
        adam.step()
    with torch.no_grad():
        return Optimised(pixels.detach(), value())


def excess(
    loss: StyleLoss, output: Tensor, content: Tensor, omega: OmegaLike, optimised: Optimised
) -> Tensor:
    """The mixed objective of a network's outputs divided by that of optimised pixels: [B]; 1 if equal.

    output, content: [B, 3, H, W]; optimised: for the same content and omega.
    """
    return objective(loss, output, content, omega) / optimised.objective


def _check(output: Tensor, content: Tensor) -> None:
    if output.shape != content.shape:
        raise ValueError(
            f"the output and the photograph must have the same size; got {list(output.shape)} and "
            f"{list(content.shape)}"
        )
