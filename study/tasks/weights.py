"""Tensors of published models, each file verified before anything reads it."""

from __future__ import annotations

import io

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from study.images import datasets


def load(name: str) -> dict[str, Tensor]:
    """Tensors of the registered weights of that name, on the CPU.

    "alexnet": the convolutions for LPIPS, `N.weight` and `N.bias` of torchvision's alexnet().features,
    from torchvision's file or else from an extract; "vgg19": the same of VGG-19, see perceptual.py;
    "niqe": mean, covariance and window of NIQE.
    Raises datasets.MissingData or files.DamagedFile.
    """
    content = datasets.content(name)
    kind = datasets.describe(name).files[0].path.suffix
    if kind == ".safetensors":
        return safetensors.torch.load(content)
    if kind == ".npz":
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: torch.from_numpy(arrays[key]) for key in arrays}
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    prefix = "features."
    return {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}
