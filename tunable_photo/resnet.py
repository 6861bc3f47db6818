"""The paper's ResNet backbone for restoration (Sec. 4.1.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tunable_core.saving import loadable

RGB_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean colour of DIV2K, subtracted before the first layer and added after the last."""

Enlargement = Literal["shuffle", "balanced", "mean", "nearest"]


def initialise(layer: nn.Conv2d, scale: float = 1.0) -> None:
    """Draw kernels that keep the variance of white input, times scale; set the bias to 0.

    Residual branches start small, as usual in restoration. The paper does not give its initialisation.
    """
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    with torch.no_grad():
        layer.weight.mul_(scale)


class ResidualBlock(nn.Module):
    """Conv2d-ReLU-Conv2d-Skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        initialise(self.conv1)
        initialise(self.conv2, 0.2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, C, H, W] to the same shape."""
        return x + self.conv2(torch.relu(self.conv1(x)))


class BalancedConv2d(nn.Conv2d):
    """A convolution before a pixel shuffle whose kernels for the pixels of a block agree on constant
    images.

    The mean over the taps of each kernel of a block, and their biases, are replaced by the average of
    the block; all other frequencies of the kernels are free. So a constant image gives a constant image
    after the shuffle.
    """

    block = 4
    """Pixels of a block: the factor of the shuffle squared."""

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, C, H, W] to [B, block C', H, W]."""
        assert self.bias is not None
        weight = self.weight.unflatten(0, (-1, self.block))
        bias = self.bias.unflatten(0, (-1, self.block))
        mean = weight.mean((-2, -1), keepdim=True)
        weight = weight - mean + mean.mean(1, keepdim=True)
        bias = bias.mean(1, keepdim=True).expand_as(bias)
        return F.conv2d(x, weight.flatten(0, 1), bias.flatten(), padding=self.padding)


@loadable
class ResNet(nn.Module):
    """Head, residual blocks with a long skip, pixel shuffles for scale > 1, tail.

    blocks, channels: 16 and 64 in the paper.
    image_skip: add the input image to the output, enlarged by bicubic interpolation, so that the layers
    predict a correction. The paper has only the long skip between features.
    head_relu: a ReLU after the head, as in the authors' code.
    scale: 1, or a power of 2 by which the image is enlarged, in steps of 2 (Sec. 4.1.3).
    enlargement: the layers of each step of 2. "shuffle": a convolution to 4 C channels and a pixel
        shuffle, as in the paper. "balanced": the same with a BalancedConv2d. "mean": a shuffle, then a
        2 x 2 mean. "nearest": each pixel repeated, then a convolution. A shuffle takes the four pixels
        of a block from four kernels, so adversarial training can produce a grid; the other three give
        a constant image for a constant input.
    stride: of the head; features then have 1 / stride of the height and width, and a pixel shuffle after
        the last layer restores the size. Stride 2 with twice the channels costs the same.
    """

    mean: Tensor

    def __init__(
        self,
        blocks: int = 16,
        channels: int = 64,
        image_skip: bool = False,
        head_relu: bool = True,
        scale: int = 1,
        enlargement: Enlargement = "shuffle",
        stride: int = 1,
    ) -> None:
        if enlargement not in get_args(Enlargement):
            raise ValueError(
                f"enlargement must be one of {', '.join(get_args(Enlargement))}; got {enlargement!r}"
            )
        if scale < 1 or scale & (scale - 1):
            raise ValueError(f"scale must be 1 or a power of 2, for steps of 2; got {scale}")
        super().__init__()
        self.image_skip, self.head_relu, self.scale = image_skip, head_relu, scale
        self.stride = stride
        self.config = ResNetConfig(blocks, channels, image_skip, head_relu, scale, enlargement, stride)
        self.head = nn.Conv2d(3, channels, 3, stride, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.upsampler = nn.Sequential()
        for _ in range(scale.bit_length() - 1):
            self.upsampler.extend(_doubling(channels, enlargement))
        self.tail = nn.Conv2d(channels, 3 * stride**2, 3, padding=1)
        initialise(self.head)
        initialise(self.tail, 0.1)
        mean = torch.zeros(3) if image_skip else torch.tensor(RGB_MEAN)
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)

    @property
    def settings(self) -> dict[str, Any]:
        """See loadable()."""
        return asdict(self.config)

    def forward(self, x: Tensor, body: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """x: [B, 3, H, W], RGB in [0, 1] plus noise, to [B, 3, sH, sW] of scale s, not clipped.

        body: a replacement for the residual blocks, features [B, C, H, W] to the same shape.
        """
        body = self.body if body is None else body
        features = self.head(x - self.mean)
        if self.head_relu:
            features = torch.relu(features)
        output = self.tail(self.upsampler(features + body(features)))
        if self.stride > 1:  # an odd image ends in the middle of a block
            height, width = (self.scale * side for side in x.shape[2:])
            output = F.pixel_shuffle(output, self.stride)[..., :height, :width]
        output = output + self.mean
        if not self.image_skip:
            return output
        if self.scale > 1:
            sides = [self.scale * side for side in x.shape[2:]]  # scale_factor cannot be exported
            x = F.interpolate(x, sides, mode="bicubic")
        return x + output


def _doubling(channels: int, enlargement: Enlargement) -> list[nn.Module]:
    """Layers from [B, C, H, W] to [B, C, 2H, 2W]; see ResNet."""
    if enlargement == "nearest":
        layers = [nn.Upsample(scale_factor=2), nn.Conv2d(channels, channels, 3, padding=1)]
    else:
        convolution = BalancedConv2d if enlargement == "balanced" else nn.Conv2d
        layers = [convolution(channels, 4 * channels, 3, padding=1), nn.PixelShuffle(2)]
    if enlargement == "mean":
        layers += [nn.ReplicationPad2d((1, 0, 1, 0)), nn.AvgPool2d(2, 1)]
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            initialise(layer)
    return layers


@dataclass(frozen=True)
class ResNetConfig:
    """Size and form of the ResNet; the defaults are the paper's."""

    blocks: int = 16
    """Residual blocks."""
    channels: int = 64
    """Channels of every feature."""
    image_skip: bool = False
    """Predict a correction to the input image."""
    head_relu: bool = True
    """A ReLU after the first layer."""
    scale: int = 1
    """Enlargement: 1 or a power of 2."""
    enlargement: Enlargement = field(default="shuffle", metadata={"before": "shuffle"})
    """How each step of 2 is made: "shuffle" (the paper's), "balanced", "mean" or "nearest"; see
    ResNet."""
    stride: int = field(default=1, metadata={"before": 1})
    """Stride of the first layer: features have 1 / stride of the image's height and width."""

    @property
    def size(self) -> str:
        """Blocks and channels, as in the names of runs: "16x64"."""
        return f"{self.blocks}x{self.channels}"

    def build(self) -> ResNet:
        """A network with fresh weights from torch's random state."""
        return ResNet(
            self.blocks,
            self.channels,
            self.image_skip,
            self.head_relu,
            self.scale,
            self.enlargement,
            self.stride,
        )
