"""Aggregation functions phi: from the dials omega to the weights alpha of the kernels (Eq. 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn


class Phi(nn.Module):
    """A function from the dials omega [p] to the weights alpha [L, K] of the kernels of L layers."""

    alpha: ClassVar[Callable[..., Tensor]]
    """A static method of omega [p] and the function's own tensors to the weights [L, K]."""

    def tensors(self) -> tuple[Tensor, ...]:
        """The function's own tensors; omega must have the type and device of the first."""
        raise NotImplementedError

    def forward(self, omega: Tensor) -> Tensor:
        """Dials [p] to aggregation weights [L, K]."""
        return self.alpha(omega, *self.tensors())


class Affine(Phi):
    """alpha = W omega + b for every layer at once, the paper's choice of phi (Eq. 6).

    Starts at W = 0.2 I and b such that alpha_i = 1/sqrt(K) at omega = 1/2: independently drawn kernels
    then mix to the layer's own variance, sum(alpha^2) = 1. A small W lets all omegas share most of what
    is learnt first; the study's ablations "W = I/2" and "equal kernels" start otherwise.
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

    @staticmethod
    def alpha(omega: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """See Phi."""
        return (weight * omega).sum(2) + bias  # not a matmul: float32 under autocast

    def tensors(self) -> tuple[Tensor, ...]:
        """See Phi."""
        return self.weight, self.bias


class Identity(Phi):
    """alpha = omega: each dial is the weight of its own kernel."""

    ones: Tensor

    def __init__(self, layers: int, kernels: int, p: int) -> None:
        super().__init__()
        if kernels != p:
            raise ValueError(f"phi='identity' needs as many kernels as dials; got {kernels} and {p}")
        self.register_buffer("ones", torch.ones(layers, 1), persistent=False)

    @staticmethod
    def alpha(omega: Tensor, ones: Tensor) -> Tensor:
        """See Phi."""
        return (ones[:, :, None] * omega).sum(1)

    def tensors(self) -> tuple[Tensor, ...]:
        """See Phi."""
        return (self.ones,)


class SqueezeExcite(Phi):
    """alpha = softmax(V relu(U omega + c) + d): the phi of dynamic convolutions, fed with omega."""

    def __init__(self, layers: int, kernels: int, p: int, hidden: int = 8) -> None:
        super().__init__()
        if kernels < 2:
            raise ValueError(
                "phi='se' needs at least 2 kernels, since the weight of a single one is always 1; got 1 "
                "(pass kernels=2, or phi='affine')"
            )
        self.squeeze = nn.Parameter(torch.randn(layers, hidden, p) / p**0.5)
        self.squeeze_bias = nn.Parameter(torch.zeros(layers, hidden))
        self.excite = nn.Parameter(torch.randn(layers, kernels, hidden) / hidden**0.5)
        self.excite_bias = nn.Parameter(torch.zeros(layers, kernels))

    @staticmethod
    def alpha(
        omega: Tensor, squeeze: Tensor, squeeze_bias: Tensor, excite: Tensor, excite_bias: Tensor
    ) -> Tensor:
        """See Phi; positive with sum 1."""
        hidden = ((squeeze * omega).sum(2) + squeeze_bias).relu()
        return ((excite * hidden[:, None]).sum(2) + excite_bias).softmax(1)

    def tensors(self) -> tuple[Tensor, ...]:
        """See Phi."""
        return self.squeeze, self.squeeze_bias, self.excite, self.excite_bias


PHIS: dict[str, type[Affine | Identity | SqueezeExcite]] = {
    "affine": Affine,
    "identity": Identity,
    "se": SqueezeExcite,
}
