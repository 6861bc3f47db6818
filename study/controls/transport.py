"""Optimal transport in closed form, after any network (DOT, Adrai et al., NeurIPS 2023), in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from study.controls.added import Added
from study.controls.base import Stage
from study.images.photographs import in_grey
from tunable_core.checks import check, is_count

FLOOR = 0.5 / 255
"""Standard deviation added to both sets of patches: half a grey level, the precision of 8-bit files.
Without it the amplification of faint detail has no bound."""


class Transport(Added):
    """d + omega_2 (T(d) - d): moves the patches of the restored image d to those of photographs.

    T is the optimal transport between two Gaussians with the means m and covariances C of all luma
    patches, of restored (d) and of clean (c) images,

        T(v) = m_c + A (v - m_d),  A = C_d^(-1/2) (C_d^(1/2) C_c C_d^(1/2))^(1/2) C_d^(-1/2),

    applied to every patch and averaged where patches overlap. Together this is one linear filter of
    2 side - 1 pixels a side, which is stored; its change of the luma is added to all channels. The
    authors work in the latent space of a variational autoencoder, we in pixels. omega_1 has no effect.
    Only the restoring network is trained; fit() measures both sets of patches. Before fit(), T(d) = d.
    restorer: a network trained for fidelity alone, with an output of any size.
    side: of a patch, pixels.
    """

    kernel: Tensor
    offset: Tensor

    def __init__(self, restorer: nn.Module, side: int = 8) -> None:
        super().__init__()
        self.restorer, self.side = restorer, side
        kernel = torch.zeros(1, 1, 2 * side - 1, 2 * side - 1)
        kernel[..., side - 1, side - 1] = 1
        self.register_buffer("kernel", kernel)
        self.register_buffer("offset", torch.zeros(()))

    @torch.no_grad()
    def fit(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Fit T to pairs of a degraded and a clean batch; about a dozen images are enough.

        degraded: input of the restorer; clean: [B, 3, H, W] in [0, 1], each side at least one patch.
        Raises ValueError if there are no pairs.
        """
        restored, true = _Moments(self.side), _Moments(self.side)
        for degraded, clean in pairs:
            restored.add(self.restorer(degraded))
            true.add(clean)
        (mean_d, spread_d), (mean_c, spread_c) = restored.result(), true.result()
        matrix = transport_matrix(spread_d, spread_c)
        self.kernel.copy_(_as_filter(matrix, self.side))
        self.offset.copy_((mean_c - matrix @ mean_d).mean())

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See Added."""
        restored = self.restorer(x)
        return restored, self._change(restored)

    def _change(self, restored: Tensor) -> Tensor:
        """T(d) - d of the luma: [B, 3, H, W] to [B, 1, H, W]; borders repeat their last pixel."""
        luma = in_grey(restored)[:, :1]
        padded = F.pad(luma, (self.side - 1,) * 4, mode="replicate")
        return F.conv2d(padded, self.kernel.to(luma)) + self.offset.to(luma) - luma

    def extra_repr(self) -> str:
        """Settings that are not in the weights; part of the key of a sweep."""
        return f"side={self.side}"

    def stages(self) -> list[Stage]:
        """One stage: the network, for fidelity; fit() comes after it."""
        return [Stage("restorer", ("restorer.",), (1.0, 0.0))]


def transport_matrix(one: Tensor, other: Tensor) -> Tensor:
    """A of the optimal transport between Gaussians with these covariances [n, n]: A one A = other."""
    values, vectors = torch.linalg.eigh(one)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    inverse = (vectors / values.clamp(min=1e-12).sqrt()) @ vectors.T
    values, vectors = torch.linalg.eigh(root @ other @ root)
    return inverse @ ((vectors * values.clamp(min=0).sqrt()) @ vectors.T) @ inverse


class _Moments:
    """Mean and covariance of luma patches, gathered batch by batch in float64."""

    def __init__(self, side: int) -> None:
        self.side, self.count = side, 0
        self.sum = torch.zeros(side**2, dtype=torch.float64)
        self.squares = torch.zeros(side**2, side**2, dtype=torch.float64)

    def add(self, images: Tensor) -> None:
        patches = F.unfold(in_grey(images)[:, :1].double().cpu(), self.side, stride=2)  # [B, side^2, N]
        patches = patches.transpose(0, 1).flatten(1)
        self.count += patches.shape[1]
        self.sum += patches.sum(1)
        self.squares += patches @ patches.T

    def result(self) -> tuple[Tensor, Tensor]:
        if not self.count:
            raise ValueError("a transport is fitted to pairs of degraded and clean images; got none")
        mean = self.sum / self.count
        spread = self.squares / self.count - torch.outer(mean, mean)
        return mean, spread + FLOOR**2 * torch.eye(len(mean), dtype=mean.dtype)


def _as_filter(matrix: Tensor, side: int) -> Tensor:
    """The filter [1, 1, m, m] that applies A [n, n] to all patches and averages the overlaps."""
    blocks = matrix.reshape(side, side, side, side)  # to row, column; from row, column
    found = torch.zeros(2 * side - 1, 2 * side - 1, dtype=matrix.dtype)
    for row in range(side):
        for column in range(side):
            top, left = side - 1 - row, side - 1 - column
            found[top : top + side, left : left + side] += blocks[row, column]
    return (found / side**2)[None, None]


@dataclass(frozen=True)
class TransportConfig:
    """An ordinary network, trained for fidelity alone, with a dial for optimal transport."""

    draws_omegas: ClassVar[bool] = False
    """Every stage fixes its omega, so the sampling of omegas has no effect."""

    side: int = 8
    """Side of a patch, pixels."""

    def __post_init__(self) -> None:
        check(self, {"side must be a whole number of at least 2": is_count(self.side, 2)})

    def build(self, network: nn.Module, p: int) -> Transport:
        """The untrained control around a plain network."""
        if p != 2:
            raise ValueError(f"transport is for p = 2 objectives, fidelity and perception; got {p}")
        return Transport(network, self.side)
