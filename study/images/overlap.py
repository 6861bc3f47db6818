"""Find photographs that are in two sets, also scaled or cropped.

Each image is searched for inside the others at several scales, by the normalised correlation of grey
levels at every position; small copies are compared first, and similar pairs again in more detail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

COARSE, FINE = 32, 160
"""Longer side of the compared copies, in pixels."""
SCALES = tuple(1.08**-i for i in range(10))
"""Size of the searched copy, in units of the image that it is searched in: 1 down to a half."""
SUSPECT, SAME, DETAIL = 0.85, 0.95, 0.6
"""Thresholds: correlation of the small copies above which the large ones are compared; correlation of
the large copies, and of their detail, above which they are the same photograph. Detail is needed because
any bright sky over dark ground reaches SAME."""


class Pair(NamedTuple):
    """Two images that show the same scene in the same photograph."""

    first: str
    second: str
    correlation: float
    """Correlation of one inside the other, from SAME to 1."""


def shared(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> list[Pair]:
    """Every pair of images of the two sets in which one is the other, or a part of it that is at least
    half as wide.

    Images: [3, H, W] uint8, by their names.
    """
    found: dict[tuple[str, str], float] = {}
    for one, other in ((first, second), (second, first)):
        for place, part, scale in _suspects(one, other):
            x, y = _copy(one[place], FINE), _copy(other[part], FINE)
            near = [min(1.0, scale * 1.02**i) for i in range(-5, 6)]
            best = _best(_Canvases([x]), y, near)[0].item()
            if best >= SAME and _detail(x, y, near) >= DETAIL:
                names = (place, part) if one is first else (part, place)
                found[names] = max(best, found.get(names, 0.0))
    return [Pair(*names, best) for names, best in sorted(found.items())]


def _suspects(
    places: Mapping[str, Tensor], parts: Mapping[str, Tensor]
) -> Iterator[tuple[str, str, float]]:
    """(place, part, scale) of each pair whose small copies have a correlation over SUSPECT."""
    names, canvases = list(places), _Canvases([_copy(image, COARSE) for image in places.values()])
    for part, image in parts.items():
        best, scales = _best(canvases, _copy(image, COARSE), SCALES)
        for i in (best >= SUSPECT).nonzero().flatten().tolist():
            yield names[i], part, scales[i].item()


def _copy(image: Tensor, side: int) -> Tensor:
    """Grey levels [h, w] of an image [3, H, W] uint8, resized to a longer side of `side` pixels."""
    grey = image.float().mean(0) / 255
    return _resized(grey, side / max(grey.shape))


def _resized(grey: Tensor, scale: float) -> Tensor:
    size = [max(8, round(scale * length)) for length in grey.shape]
    how = {"mode": "bilinear", "antialias": True, "align_corners": False}
    return F.interpolate(grey[None, None], size, **how)[0, 0]


def _detail(canvas: Tensor, part: Tensor, scales: Sequence[float]) -> float:
    """As _best, for the difference from the average over 9 x 9 pixels."""
    parts = (_sharp(_resized(part, scale)) for scale in scales)
    sharp = _Canvases([_sharp(canvas)])
    return max(_best(sharp, each, [1.0])[0].item() for each in parts)


def _sharp(grey: Tensor) -> Tensor:
    around = F.pad(grey[None, None], (4,) * 4, mode="replicate")
    return grey - F.avg_pool2d(around, 9, 1)[0, 0]


class _Canvases:
    """Grey images [H, W] to search in, with their spectra and window sums, which all searches share."""

    def __init__(self, canvases: Sequence[Tensor]) -> None:
        self.side = max(max(canvas.shape) for canvas in canvases)
        self.sizes = torch.tensor([canvas.shape for canvas in canvases])
        pads = [(0, self.side - c.shape[1], 0, self.side - c.shape[0]) for c in canvases]
        stack = torch.stack([F.pad(c, pad) for c, pad in zip(canvases, pads, strict=True)])
        self.spectrum = torch.fft.rfft2(stack)
        self._sums = [F.pad(x.double().cumsum(1).cumsum(2), (1, 0, 1, 0)) for x in (stack, stack**2)]
        self.windows = lru_cache(maxsize=32)(self._windows)  # the photographs of a set have few sizes

    def _windows(self, h: int, w: int) -> tuple[Tensor, Tensor]:
        """Norm of the deviation from the mean in each window of h x w, and whether it is inside."""
        total, squares = (
            s[:, h:, w:] - s[:, :-h, w:] - s[:, h:, :-w] + s[:, :-h, :-w] for s in self._sums
        )
        spread = (squares - total**2 / (h * w)).clamp(min=1e-6).sqrt().float()
        rows, columns = (torch.arange(self.side - n + 1) for n in (h, w))
        inside = (rows[:, None] <= self.sizes[:, 0, None, None] - h) & (
            columns <= self.sizes[:, 1, None, None] - w
        )
        return spread, inside


def _best(canvases: _Canvases, part: Tensor, scales: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Largest correlation of a part [h, w] with each canvas, over positions, and its scale: [N] each."""
    side = canvases.side
    best, where = torch.full((2, len(canvases.sizes)), -1.0)
    for scale in scales:
        template = _resized(part, scale)
        template = template - template.mean()
        h, w = template.shape
        if h > side or w > side or not (norm := template.norm()):
            continue
        padded = F.pad(template / norm, (0, side - w, 0, side - h))
        scores = torch.fft.irfft2(canvases.spectrum * torch.fft.rfft2(padded).conj(), s=(side, side))
        scores = scores[:, : side - h + 1, : side - w + 1]
        spread, inside = canvases.windows(h, w)
        scores = torch.where(inside, scores / spread, -1.0)
        highest = scores.amax((1, 2))
        where[highest > best] = scale
        best = torch.maximum(best, highest)
    return best, where
