"""The photograph that a chapter shows, and the square of it that is magnified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from study.images import datasets


@dataclass(frozen=True)
class Picture:
    """A photograph, and a square in it."""

    name: str
    """Its id in its set."""
    images: str
    """The set that it is from."""
    clean: Tensor
    """[3, H, W] in [0, 1]."""
    square: tuple[int, int, int]
    """Top, left and side of the magnified square, pixels."""

    def cut(self, image: Tensor) -> Tensor:
        """The magnified square of an image [..., H, W] of this size."""
        top, left, side = self.square
        return image[..., top : top + side, left : left + side]

    @property
    def title(self) -> str:
        """What captions and provenance call it."""
        return f"{self.name} of {self.images}"


def picture(images: str, name: str, square: Sequence[int] | None = None, side: int = 110) -> Picture:
    """A photograph of a set, or the first one of scikit-image where the set is not available.

    square: top, left and side; None takes the square of that side with the most detail, as does a
    photograph that is not the one asked for.
    """
    pictures = datasets.load_or_samples(images, split="test")
    found = name if name in pictures.ids else pictures.ids[0]
    clean = pictures[found].float() / 255
    side = min(side, *clean.shape[-2:])
    given = tuple(square) if square is not None and found == name else None
    return Picture(found, pictures.name, clean, given or busiest(clean, side))


def through(
    call: Callable[[Tensor], Sequence[Tensor]],
    image: Tensor,
    square: tuple[int, int, int],
    margin: int = 40,
) -> list[Tensor]:
    """The square of each picture that `call` makes of an image [..., H, W], without making all of it.

    margin: pixels around the square that are given to `call` too. If they are at least the reach of a
    network, the squares equal those of whole pictures; 40 is enough for the denoisers of all budgets and
    the one for photographs. What is given begins at a multiple of 4, where strides begin.
    """
    top, left, side = square
    first, start = (max(0, place - margin) // 4 * 4 for place in (top, left))
    near = image[..., first : top + side + margin, start : left + side + margin]
    top, left = top - first, left - start
    return [output[..., top : top + side, left : left + side] for output in call(near)]


def busiest(image: Tensor, side: int, stride: int = 8) -> tuple[int, int, int]:
    """The square with the most detail: the largest mean difference between neighbouring pixels.

    image: [3, H, W]. Returns its top, left and side, in pixels; the corners are multiples of the
    stride.
    """
    grey = image.mean(0)
    detail = torch.zeros_like(grey)
    detail[1:] += (grey[1:] - grey[:-1]).abs()
    detail[:, 1:] += (grey[:, 1:] - grey[:, :-1]).abs()
    means = F.avg_pool2d(detail[None, None], side, stride)[0, 0]
    row, column = divmod(int(means.argmax()), means.shape[1])
    return row * stride, column * stride, side
