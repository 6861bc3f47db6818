"""The paper's network for style transfer: a U-Net without skips (Sec. 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation of ImageNet's colours: images are normalised before the first layer and restored
after the last."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B for Y of BT.601."""
RGB = (
    (1.0, 0.0, 1 / 0.877),
    (1.0, -0.114 / 0.492 / 0.587, -0.299 / 0.877 / 0.587),
    (1.0, 1 / 0.492, 0.0),
)
"""R, G and B, one row each, from Y, U and V of BT.601."""


def reflected(x: Tensor, margin: int) -> Tensor:
    """Pad x: [B, C, H, W] by `margin` reflected rows and columns on every side.

    As F.pad, whose gradient is summed in varying order on a GPU; that of joined flips is not.
    """
    for axis in (2, 3):
        first = x.narrow(axis, 1, margin).flip(axis)
        last = x.narrow(axis, x.shape[axis] - 1 - margin, margin).flip(axis)
        x = torch.cat([first, x, last], axis)
    return x


class ReflectedConv2d(nn.Conv2d):
    """A convolution with reflected borders; zero padding would be stylised as an edge."""

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, C, H, W] to the same height and width, divided by the stride."""
        return super().forward(reflected(x, self.kernel_size[0] // 2))


def convolution(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution without bias, which the instance normalisation after it would remove."""
    layer = ReflectedConv2d(inputs, outputs, size, stride, bias=False)
    return nn.Sequential(layer, nn.InstanceNorm2d(outputs, affine=True))


def smoothed(x: Tensor) -> Tensor:
    """Convolve each channel of x: [B, C, H, W] with (1, 2, 1) / 4 along both axes.

    This removes patterns with a period of two pixels. Borders are reflected.
    """
    line = x.new_tensor([0.25, 0.5, 0.25])
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(reflected(x, 1), kernel, groups=x.shape[1])


class StyleBlock(nn.Module):
    """Conv2d-ReLU-Conv2d-Skip-ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = convolution(channels, channels), convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, C, H, W] to the same shape."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class StyleNet(nn.Module):
    """A 9 x 9 convolution, two scales down, residual blocks, two scales up, a 9 x 9 convolution.

    Each scale has two 3 x 3 convolutions, as in the authors' code. On the way down the first has stride
    2 and doubles the channels. On the way up the features are enlarged by nearest neighbours, which
    avoids checkerboards, and the first halves the channels. ReLU and instance normalisation follow all
    but the last convolution.
    channels, blocks: 64 and 6 in the paper.
    around: skip connection from input to output, since instance normalisation removes the colours of the
        whole image. "nothing": none, the paper's network. "colours": U and V of the input (BT.601), to
        which the network adds at most bound, and its Y, smoothed over 17 pixels, to which the network
        adds the fine structure.
    bound: largest change of U and of V with around="colours", for RGB in [0, 1].
    smooth: smooth after each enlargement, see smoothed(); nearest neighbours alone leave a weak grid.
    A skip of the whole image is not offered: after 500 steps such a network still copied the photograph.
    """

    scales = 2

    def __init__(
        self,
        channels: int = 64,
        blocks: int = 6,
        around: Literal["nothing", "colours"] = "nothing",
        bound: float = 0.1,
        smooth: bool = False,
    ) -> None:
        super().__init__()
        self.config = StyleNetConfig(channels, blocks, around, bound, smooth)
        self.around, self.bound, self.smooth = around, bound, smooth
        widths = [channels * 2**i for i in range(self.scales + 1)]
        self.head = convolution(3, channels, 9)
        self.down = nn.ModuleList(
            nn.ModuleList([convolution(a, b, stride=2), convolution(b, b)]) for a, b in pairwise(widths)
        )
        self.body = nn.Sequential(*(StyleBlock(widths[-1]) for _ in range(blocks)))
        self.up = nn.ModuleList(
            nn.ModuleList([convolution(b, a), convolution(a, a)]) for b, a in pairwise(reversed(widths))
        )
        self.tail = ReflectedConv2d(channels, 3, 9)
        for name, value in (("mean", MEAN), ("std", STD), ("luma", LUMA)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("rgb", torch.tensor(RGB).view(3, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, 3, H, W], RGB in [0, 1], of at least 8 x 8 pixels, to the same shape, not clipped.

        Sides are padded by reflection to multiples of 4, and the output is cropped.
        Raises ValueError for a smaller image.
        """
        height, width = x.shape[-2:]
        if min(height, width) < 8:
            raise ValueError(
                f"the style network takes images of 8 x 8 pixels or more; got {list(x.shape)}"
            )
        right, below = (-side % 2**self.scales for side in (width, height))
        image, x = x, F.pad((x - self.mean) / self.std, (0, right, 0, below), mode="reflect")
        x = torch.relu(self.head(x))
        for first, second in self.down:
            x = torch.relu(second(torch.relu(first(x))))
        x = self.body(x)
        for first, second in self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = smoothed(x) if self.smooth else x
            x = torch.relu(second(torch.relu(first(x))))
        painted = self.tail(x)[..., :height, :width]
        if self.around == "nothing":
            return painted * self.std + self.mean
        return self._on_colours(image, 0.25 * painted.float())

    def _on_colours(self, image: Tensor, painted: Tensor) -> Tensor:
        """The colours of an image plus the network's output in Y, U and V: [B, 3, H, W] each."""
        y = (self.luma * image).sum(1, keepdim=True)
        smooth = y
        for _ in range(2):
            smooth = F.avg_pool2d(smooth, 9, 1, padding=4, count_include_pad=False)
        change = [smooth + painted[:, :1] - y, self.bound * torch.tanh(painted[:, 1:])]
        return image + (self.rgb * torch.cat(change, 1)[:, None]).sum(2)


@dataclass(frozen=True)
class StyleNetConfig:
    """Size of the style network; the defaults are the paper's."""

    channels: int = 64
    """Channels at full resolution, doubled at each of the two scales."""
    blocks: int = 6
    """Residual blocks at the coarsest scale."""
    around: Literal["nothing", "colours"] = field(default="nothing", metadata={"before": "nothing"})
    """Skip connection from input to output, see StyleNet."""
    bound: float = field(default=0.1, metadata={"before": 0.1})
    """Largest change of U and of V with around="colours"."""
    smooth: bool = field(default=False, metadata={"before": False})
    """Smooth after each enlargement."""

    def __post_init__(self) -> None:
        faults = []
        if self.around not in ("nothing", "colours"):
            faults.append(f"around must be 'nothing' or 'colours'; got {self.around!r}")
        if not 0 < self.bound <= 1:
            faults.append(f"bound must lie in (0, 1]; got {self.bound}")
        if faults:
            raise ValueError("StyleNetConfig: " + "; ".join(faults))

    def build(self) -> StyleNet:
        """A network with fresh weights from torch's random state."""
        return StyleNet(self.channels, self.blocks, self.around, self.bound, self.smooth)
