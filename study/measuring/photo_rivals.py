"""A classical denoiser for photographs, without a network."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn

from tunable_photo.noise import noise_level

LEAST = 0.1
"""The lowest noise level given to non-local means, which divide by it, in grey levels of 255."""


class NonLocalMeans(nn.Module):
    """The non-local means of scikit-image (Buades et al. 2005), at each image's estimated noise level.

    The level is estimated from the image by noise_level(), since a network does not know it either; h is
    0.6 times the level, as scikit-image recommends for its fast variant. Nothing is trained.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, 3, H, W] in [0, 1] to the same shape."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about scipy's optional parts
            from skimage.restoration import denoise_nl_means
        results = []
        for image in x.permute(0, 2, 3, 1).contiguous().numpy():
            sigma = max(noise_level(image), LEAST) / 255
            found = denoise_nl_means(
                image, 5, 6, 0.6 * sigma, fast_mode=True, sigma=sigma, channel_axis=-1
            )
            results.append(found.astype(np.float32))
        return torch.from_numpy(np.stack(results)).permute(0, 3, 1, 2)
