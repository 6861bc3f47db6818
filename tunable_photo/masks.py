"""Different dials inside and outside a mask: `tunable denoise --mask`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tunable_core.omega import one_omega
from tunable_core.tunable import Tunable
from tunable_photo import photos
from tunable_photo.raster import Photo, PhotoError


class Masked(nn.Module):
    """A tunable network with a mask as the fourth channel of its image.

    control: a Tunable, or a control whose `network` is one. inside, outside: omega [p] where the mask is
    1 and 0; values in between mix the two. Raises ValueError for another network or an invalid omega.
    """

    inside: Tensor
    outside: Tensor

    def __init__(
        self, control: nn.Module, inside: tuple[float, ...], outside: tuple[float, ...]
    ) -> None:
        super().__init__()
        model = control if isinstance(control, Tunable) else getattr(control, "network", None)
        if not isinstance(model, Tunable):
            raise ValueError(
                f"--mask needs a network with tunable convolutions, which mixes kernels at every pixel; "
                f"got {type(control).__name__} (name another --run)"
            )
        self.model = model
        self.register_buffer("inside", one_omega(inside, model.p))
        self.register_buffer("outside", one_omega(outside, model.p))

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, 4, H, W], the image and its mask in [0, 1]; an image [B, 3, H, W] is all inside."""
        image, share = x[:, :3], x[:, 3:] if x.shape[1] > 3 else x.new_ones(1)
        low, high = share.aminmax()
        if low == high:  # as in most tiles of a large photograph: half the cost of a map
            return self.model(image, torch.lerp(self.outside, self.inside, low))
        omega = torch.lerp(self.outside[:, None, None], self.inside[:, None, None], share)
        return self.model(image, omega)


def read(path: Path, feather: float = 0.0) -> np.ndarray:
    """Read a mask from a picture: [H, W] float32, 1 where it is white (inside), 0 where it is black.

    feather: standard deviation in pixels of the Gaussian that blurs the edge. Of colours the mean is
    used; alpha is ignored. Raises PhotoError for a file that is not a picture, ValueError for a
    negative feather.
    """
    if not 0 <= feather < np.inf:
        raise ValueError(f"--feather must be a width in pixels, 0 or more; got {feather:g}")
    picture = photos.read(path)
    mask = picture.pixels[..., : picture.colours].mean(-1, dtype=np.float32) / picture.full
    if feather:
        from scipy import ndimage

        mask = ndimage.gaussian_filter(mask, feather, mode="nearest")
    return mask


def beside(photo: Photo, image: Tensor, mask: np.ndarray) -> Tensor:
    """The image [1, C, H, W] of a photograph with the mask as its last channel, in its integer type.

    Raises PhotoError for a mask of another size.
    """
    if mask.shape != photo.pixels.shape[:2]:
        (height, width), (tall, wide) = mask.shape, photo.pixels.shape[:2]
        raise PhotoError(
            f"the mask has {width} x {height} pixels, and the photograph {wide} x {tall}: give a "
            f"mask of the photograph's size"
        )
    channel = torch.from_numpy((mask.clip(0, 1) * photo.full).round().astype(photo.pixels.dtype))
    return torch.cat([image, channel[None, None]], 1)
