"""Blending wavelet bands: the strength slider of photo editors, for any denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from study.controls.added import Added
from study.controls.base import Stage
from study.images.photographs import in_grey
from tunable_core.checks import are_numbers, check

THRESHOLDS = (0.25, 0.15, 0.05, 0.02, 0.01)
"""Threshold of each band, finest first, in standard deviations of the removed brightness."""


class WaveletBlend(Added):
    """The denoised image plus omega_2 times the removed brightness without its fine noise.

    The method of the AI denoiser of darktable 5.6 ("neural restore", src/libs/neural_restore.c): the
    removed brightness is split into bands by wavelets without decimation, each band is soft-thresholded
    at a multiple of the standard deviation of the whole, and the sum is added to all channels. omega_1
    has no effect. Ours works on the values of the file, darktable on linear light.
    denoiser: a network for fidelity alone.
    """

    def __init__(self, denoiser: nn.Module, thresholds: Sequence[float] = THRESHOLDS) -> None:
        super().__init__()
        self.denoiser, self.thresholds = denoiser, tuple(thresholds)

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See Added."""
        denoised = self.denoiser(x)
        return denoised, self._detail(x - denoised)

    def _detail(self, removed: Tensor) -> Tensor:
        """The detail to add back, from the removed noise and detail [B, 3, H, W]: [B, 1, H, W]."""
        if not len(removed):
            return removed[:, :1]
        coarse = in_grey(removed)[:, :1]
        sigma = coarse.std((1, 2, 3), keepdim=True)
        detail = torch.zeros_like(coarse)
        for band, threshold in enumerate(self.thresholds):
            smooth = _smoothed(coarse, 2**band)
            detail = detail + _shrunk(coarse - smooth, threshold * sigma)
            coarse = smooth
        return detail + coarse

    def extra_repr(self) -> str:
        """Settings that are not in the weights; part of the key of a sweep."""
        return f"thresholds={self.thresholds}"

    def stages(self) -> list[Stage]:
        """The denoiser, for fidelity."""
        return [Stage("denoiser", ("denoiser.",), (1.0, 0.0))]


def _smoothed(image: Tensor, step: int) -> Tensor:
    """Filter with weights (1, 2, 1) / 4, `step` pixels apart, along both axes; borders reflected."""
    step = min(step, min(image.shape[-2:]) - 1)
    taps = image.new_tensor([1, 2, 1]) / 4
    padded = F.pad(image, (step,) * 4, mode="reflect")
    rows = F.conv2d(padded, taps.view(1, 1, 3, 1), dilation=(step, 1))
    return F.conv2d(rows, taps.view(1, 1, 1, 3), dilation=(1, step))


def _shrunk(values: Tensor, by: Tensor) -> Tensor:
    return values.sign() * (values.abs() - by).clamp(min=0)


@dataclass(frozen=True)
class WaveletBlendConfig:
    """An ordinary denoiser, trained for fidelity alone, with a dial that blends wavelet bands."""

    draws_omegas: ClassVar[bool] = False
    """Every stage fixes its omega, so the sampling of omegas has no effect."""

    thresholds: tuple[float, ...] = THRESHOLDS
    """Threshold of each band, finest first, in standard deviations of the removed brightness."""

    def __post_init__(self) -> None:
        rules = {"thresholds must be numbers of at least 0": are_numbers(self.thresholds, 0)}
        check(self, rules)

    def build(self, network: nn.Module, p: int) -> WaveletBlend:
        """The untrained control around a plain network."""
        if p != 2:
            raise ValueError(f"blending is for p = 2 objectives, fidelity and noise; got {p}")
        return WaveletBlend(network, self.thresholds)
