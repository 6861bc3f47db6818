"""Features of VGG-19, trained on ImageNet, for perceptual objectives (Sec. 4.1.3 and 4.2)."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from study.images import datasets
from study.tasks import weights

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation of ImageNet's colours, for the normalisation of the input."""
CONVOLUTIONS = (2, 2, 4, 4, 4)
"""Number of convolutions in each block; a ReLU follows each convolution, a max pooling each block."""


def _steps() -> list[str]:
    """The layers in the order of torchvision's vgg19().features: relu3_3 is 15, conv5_4 is 34."""
    steps = []
    for block, count in enumerate(CONVOLUTIONS, 1):
        for place in range(1, count + 1):
            steps += [f"conv{block}_{place}", f"relu{block}_{place}"]
        steps.append(f"pool{block}")
    return steps


STEPS = _steps()
ORIGINAL = 12.75
"""Factor by which features of the original weights are larger than torchvision's, for which the usual
weights of losses are chosen: SRGAN's divisor of conv5_4 (Ledig et al., 2017, Sec. 3.2)."""


class VGG19:
    """Features of VGG-19 (Simonyan and Zisserman, 2015) at given layers; later layers are not computed.

    layers: names such as "relu3_3", or "conv5_4" for the values before the ReLU; see STEPS.
    The weights are frozen, shared by all instances, and loaded at the first call by weights.py, which
    raises datasets.MissingData if they are missing. Under autocast the convolutions run in its
    precision.
    Raises ValueError for an unknown layer.
    """

    def __init__(self, layers: Sequence[str]) -> None:
        unknown = [layer for layer in layers if layer not in STEPS]
        if unknown or not layers:
            raise ValueError(f"VGG-19 has no layer {unknown} (its layers: {', '.join(STEPS)})")
        self.layers = tuple(layers)
        self.steps = STEPS[: 1 + max(map(STEPS.index, layers))]

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """x: [B, 3, H, W], RGB in [0, 1], to layer -> features [B, C, H / 2^pools, W / 2^pools].

        Gradients flow to x. Raises ValueError for another shape or an image that is too small for
        the poolings.
        """
        least = 2 ** sum(step.startswith("pool") for step in self.steps)
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[-2:]) < least:
            raise ValueError(
                f"VGG-19 to {self.steps[-1]} takes [B, 3, H, W] of at least {least} x {least} pixels; "
                f"got {list(x.shape)}"
            )
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
        kernels = _kernels(x.device, dtype)
        mean, std = (x.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
        x, features = ((x - mean) / std).to(dtype), {}
        for step in self.steps:
            if step.startswith("conv"):
                x = F.conv2d(x, *kernels[step], padding=1)
            else:
                x = F.relu(x) if step.startswith("relu") else F.max_pool2d(x, 2)
            if step in self.layers:
                features[step] = x
        return features


def unit() -> float:
    """The scale of the conv5_4 features of the weights in use: 1 for torchvision's, or ORIGINAL.

    Raises datasets.MissingData without any weights.
    """
    (file,) = datasets.load("vgg19").files
    return ORIGINAL if file.sha256 == datasets.EXTRACTS["vgg19"].sha256 else 1.0


@functools.cache
def _kernels(device: torch.device, dtype: torch.dtype) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of each convolution by name, cast once: autocast would cast at every call."""
    tensors = {name: tensor.to(device, dtype) for name, tensor in weights.load("vgg19").items()}
    return {
        step: (
            tensors[f"{index}.weight"].contiguous(memory_format=torch.channels_last),
            tensors[f"{index}.bias"],
        )
        for index, step in enumerate(STEPS)
        if step.startswith("conv")
    }
