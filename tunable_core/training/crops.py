"""Random patches of images, the raw material of a training step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def crops(images: Sequence[Tensor], patch: int, batch: int, generator: torch.Generator) -> Tensor:
    """Random patches: image, place, flips and transposition each drawn uniformly, independently.

    images: each [C, H, W] uint8, decoded (`list(image_set)`); patch: side in pixels.
    Returns [batch, C, patch, patch] uint8. Raises ValueError for an image smaller than the patch.
    """
    if not len(images) or patch < 1 or batch < 1:
        raise ValueError(
            f"images, patch and batch must be 1 or more; got {len(images)}, {patch} and {batch}"
        )
    for position, image in enumerate(images):
        if min(image.shape[1:]) < patch:
            raise ValueError(
                f"image {position} is {image.shape[1]} x {image.shape[2]} pixels, smaller than the "
                f"patch of {patch} (take smaller patches, or leave it out)"
            )
    picks = torch.randint(len(images), (batch,), generator=generator).tolist()
    places = torch.rand(batch, 2, generator=generator, dtype=torch.float64).tolist()
    turns = torch.randint(8, (batch,), generator=generator).tolist()
    chosen = []
    for pick, (down, right), turn in zip(picks, places, turns, strict=True):
        height, width = images[pick].shape[1:]
        top, left = int(down * (height - patch + 1)), int(right * (width - patch + 1))
        piece = images[pick][:, top : top + patch, left : left + patch]
        piece = piece.flip([axis for axis in (1, 2) if turn & axis])
        chosen.append(piece.transpose(1, 2) if turn & 4 else piece)
    return torch.stack(chosen)
