"""Random patches of images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

ALL = slice(None)
"""Every row of a batch."""


def crops(
    images: Sequence[Tensor], patch: int, batch: int, generator: torch.Generator, rows: slice = ALL
) -> Tensor:
    """Random patches: image, position, flips and transposition are drawn uniformly and independently.

    images: each [C, H, W] uint8, decoded (`list(image_set)`); patch: side in pixels.
    rows: the rows of the batch to return. The random numbers of all rows are drawn, so a row is the same
        patch for any `rows` and the generator ends in the same state; only their images are read.
    Returns [batch, C, patch, patch] uint8, or only these rows of it. Raises ValueError for an image
    smaller than the patch.
    """
    if not len(images) or patch < 1 or batch < 1:
        raise ValueError(
            f"images, patch and batch must be 1 or more; got {len(images)}, {patch} and {batch}"
        )
    picks = torch.randint(len(images), (batch,), generator=generator).tolist()
    places = torch.rand(batch, 2, generator=generator, dtype=torch.float64).tolist()
    turns = torch.randint(8, (batch,), generator=generator).tolist()
    chosen = []
    for pick, (down, right), turn in zip(picks[rows], places[rows], turns[rows], strict=True):
        image = images[pick]
        _check_size(image, pick, patch)
        height, width = image.shape[1:]
        top, left = int(down * (height - patch + 1)), int(right * (width - patch + 1))
        piece = image[:, top : top + patch, left : left + patch]
        piece = piece.flip([axis for axis in (1, 2) if turn & axis])
        chosen.append(piece.transpose(1, 2) if turn & 4 else piece)
    return torch.stack(chosen)


def check_sizes(images: Sequence[Tensor], patch: int) -> None:
    """Raise ValueError for the first image smaller than the patch; reads every image once."""
    for position, image in enumerate(images):
        _check_size(image, position, patch)


def _check_size(image: Tensor, position: int, patch: int) -> None:
    if min(image.shape[1:]) < patch:
        raise ValueError(
            f"image {position} is {image.shape[1]} x {image.shape[2]} pixels, smaller than the "
            f"patch of {patch} (use smaller patches, or leave the image out)"
        )
