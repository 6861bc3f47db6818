"""A small network that the library's tests make tunable."""

import torch
from torch import nn

from tunable_core.saving import loadable


class Block(nn.Module):
    """Conv2d-ReLU-Conv2d-Skip."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(torch.relu(self.conv1(x)))


@loadable
class Residual(nn.Module):
    """Head, residual blocks with a skip around them, tail: images [B, 3, H, W] to the same shape."""

    def __init__(self, blocks=1, channels=4, skip=False):
        super().__init__()
        self.settings = {"blocks": blocks, "channels": channels, "skip": skip}
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*(Block(channels) for _ in range(blocks)))
        self.tail = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, x):
        features = self.head(x)
        output = self.tail(features + self.body(features))
        return x + output if self.settings["skip"] else output
