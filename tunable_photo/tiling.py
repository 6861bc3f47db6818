"""Apply a network tile by tile: bounded memory, and the same result as for the whole image."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

FARTHEST = 256
"""The largest reach that is searched for, in pixels."""
PERIODS = 16
"""The largest period that is searched for, in pixels."""
SHIFTS = sorted(range(1, PERIODS + 1), key=lambda shift: (shift & (shift - 1) > 0, shift))
"""Periods in the order in which they are tried: powers of 2 first, which most networks have."""


class SeesWholeImage(ValueError):
    """A network's output depends on pixels farther away than FARTHEST."""


@dataclass(frozen=True)
class Reach:
    """The reach of a network (radius of its receptive field), and its period under shifts."""

    pixels: int
    """The largest distance, in input pixels, from an output pixel to an input pixel it depends on."""
    period: int
    """The output shifts with the input, for shifts by a multiple of it: 1 without strides or windows."""


@dataclass(frozen=True)
class _Span:
    """A tile along one axis: the input of the network, and the part of its output that is kept."""

    seen: slice
    kept: slice


_known: WeakKeyDictionary[nn.Module, dict[tuple[int, int], Reach]] = WeakKeyDictionary()


@torch.no_grad()
def tiled(
    call: Callable[[Tensor], Tensor],
    image: Tensor,
    tile: int = 512,
    overlap: int | None = None,
    scale: int = 1,
    *,
    align: int | None = None,
    progress: bool = True,
) -> Tensor:
    """call(image), computed in overlapping tiles whose margins are cropped.

    call: any map of images [B, C, H, W] to [B, C', scale H, scale W], of any dtypes; the only tensor
        as large as the image is the output, in the dtype and layout that call returns.
    tile: the largest input side of a call, margins included, in pixels.
    overlap: margin on each side. If it is at least the network's reach, the result equals that of the
        whole image, up to rounding; less is faster and may show seams. None measures the reach; call
        must then be a network.
    align: tiles begin at multiples of it, as networks with strides or windows need. None measures it
        with the overlap, or is 16 if overlap is given.
    progress: show a progress bar in a terminal or notebook, once it takes over two seconds.
    An image no larger than the tile is one call. Raises ValueError for a tile that is too small, for a
    network whose output depends on the whole image (SeesWholeImage), and for an output of another size.
    """
    if image.ndim != 4:
        raise ValueError(f"tiled takes images [B, C, H, W]; got {list(image.shape)}")
    height, width = image.shape[2:]
    if max(height, width) <= tile:
        return _sized(call(image), image, scale)
    if overlap is None:
        if not isinstance(call, nn.Module):
            raise ValueError("only the reach of an nn.Module can be measured: give overlap, in pixels")
        try:
            seen = reach(call, channels=image.shape[1], scale=scale)
        except SeesWholeImage as error:
            raise SeesWholeImage(
                f"{error}, as with global attention or a global mean, so the result of tiles differs "
                f"from that of the whole image: give overlap to accept this"
            ) from error
        overlap, align = seen.pixels, align or seen.period
    rows, columns = (spans(side, tile, overlap, align or 16) for side in (height, width))
    output: Tensor | None = None
    pairs = [(row, column) for row in rows for column in columns]
    for row, column in tqdm(
        pairs, desc="tiles", delay=2, disable=None if progress else True, leave=False
    ):
        piece = image[..., row.seen, column.seen].contiguous()
        part = _sized(call(piece), piece, scale)
        if output is None:
            output = _large(part, scale * height, scale * width)
        inner = [_scaled(span.kept, scale, span.seen.start) for span in (row, column)]
        outer = [_scaled(span.kept, scale) for span in (row, column)]
        output[..., outer[0], outer[1]] = part[..., inner[0], inner[1]]
    assert output is not None  # there is at least one tile
    return output


def spans(length: int, tile: int, overlap: int, align: int = 1) -> list[_Span]:
    """Tiles along an axis: each of at most `tile` input pixels, each output pixel kept once.

    Raises ValueError for a tile that has no pixels between its margins.
    """
    if length <= tile:
        return [_Span(slice(0, length), slice(0, length))]
    margin = _round(overlap, align)
    step = (tile - 2 * margin) // align * align
    if step < 1:
        raise ValueError(
            f"tile must be at least {2 * margin + align} pixels, for two margins of {margin} and at "
            f"least {align} between them; got {tile}"
        )
    step = _round(-(-length // -(-length // step)), align)  # as many tiles, of nearly equal size
    starts = range(0, length, step)
    return [
        _Span(slice(max(0, s - margin), min(length, s + step + margin)), slice(s, min(length, s + step)))
        for s in starts
    ]


@torch.no_grad()
def enlargement(net: nn.Module, *, channels: int = 3) -> int:
    """How many times larger the output is than the image, measured on a small image.

    net: a map of [B, channels, H, W] to [B, C', scale H, scale W], of any H and W.
    Raises ValueError for an output that is smaller, or stretched.
    """
    like = next(net.parameters(), torch.zeros(()))
    x = like.new_zeros(1, channels, 64, 64)
    output = net(x)
    return _sized(output, x, max(1, output.shape[-1] // 64)).shape[-1] // 64


def reach(net: nn.Module, *, channels: int = 3, scale: int = 1) -> Reach:
    """The reach and the period of a network, measured once for each network.

    The reach is measured by setting single pixels to NaN and locating the NaNs in the output, so it
    depends on the layers and not on the weights; the period by shifting a random image.
    net: a map of [B, channels, H, W] to [B, C', scale H, scale W], of any H and W.
    A progress bar appears in the terminal once it takes over two seconds.
    Raises SeesWholeImage for a reach over FARTHEST pixels, as with global attention or a global mean,
    and ValueError for a network without a period up to PERIODS.
    """
    found = _known.setdefault(net, {})
    if (channels, scale) not in found:
        plain = copy.deepcopy(net).cpu().eval()
        found[channels, scale] = _measure(plain, channels, scale)
    return found[channels, scale]


@torch.no_grad()
def _measure(net: nn.Module, channels: int, scale: int) -> Reach:
    with tqdm(desc="measuring the reach", delay=2, disable=None, leave=False, unit="image") as bar:
        side, about = 64, None
        while about is None:
            if side > 2 * FARTHEST:
                raise SeesWholeImage(f"{type(net).__name__} has a reach over {FARTHEST} pixels")
            about = _felt(net, side, side // 2, channels, scale)
            side *= 2
            bar.update()
        period = _period(net, about + PERIODS, channels, scale, bar)
        side = _round(2 * (about + period) + 2, PERIODS)
        found = []
        for i in range(period):
            felt = _felt(net, side, side // 2 + i, channels, scale)
            assert felt is not None  # the border is out of reach
            found.append(felt)
            bar.update()
        return Reach(max(found), period)


def _felt(net: nn.Module, side: int, place: int, channels: int, scale: int) -> int | None:
    """How far, in input pixels, the pixel at (place, place) has an effect; None if up to the border."""
    x = _image(net, channels, side).fill_(0.5)
    x[..., place, place] = torch.nan
    felt = _sized(net(x), x, scale)[0].isnan().any(0)
    where = torch.cat([felt.any(axis).nonzero().flatten() for axis in (0, 1)])
    if not len(where):
        raise ValueError(
            f"{type(net).__name__} removes NaNs, so its reach cannot be measured: give overlap and align"
        )
    first, last = int(where.min()), int(where.max())
    if first == 0 or last == scale * side - 1:
        return None
    return max(place - first // scale, last // scale - place)


def _period(net: nn.Module, margin: int, channels: int, scale: int, bar: tqdm) -> int:
    """The smallest shift of the input that shifts the output with it, outside a margin at the borders.

    All such shifts are multiples of the smallest, so other shifts are tried only if no power of 2 is
    found.
    """
    side = _round(2 * margin + 2 * PERIODS, PERIODS)
    x = _image(net, channels, side + PERIODS).uniform_(generator=torch.Generator().manual_seed(0))
    whole, inner = net(x[..., :side, :side].contiguous()), slice(scale * margin, -scale * margin)
    for shift in SHIFTS:
        seen = slice(shift, side + shift)
        shifted = net(x[..., seen, seen].contiguous())[..., : -scale * shift, : -scale * shift]
        bar.update()
        difference = shifted - whole[..., scale * shift :, scale * shift :]
        if difference[..., inner, inner].abs().max() <= 1e-5 * whole.abs().max().clamp(1):
            return shift
    raise ValueError(
        f"{type(net).__name__} has no period of {PERIODS} pixels or fewer under shifts: give overlap "
        f"and align"
    )


def _round(number: int, multiple: int) -> int:
    """The smallest multiple that is not below a number."""
    return -(-number // multiple) * multiple


def _image(net: nn.Module, channels: int, side: int) -> Tensor:
    like = next(net.parameters(), torch.zeros(()))
    return torch.zeros(1, channels, side, side, dtype=like.dtype)


def _sized(output: Tensor, image: Tensor, scale: int) -> Tensor:
    expected = [scale * side for side in image.shape[2:]]
    if output.ndim != 4 or list(output.shape[2:]) != expected:
        raise ValueError(
            f"with scale={scale} an image of {list(image.shape)} must become [B, C, {expected[0]}, "
            f"{expected[1]}]; got {list(output.shape)}"
        )
    return output


def _large(part: Tensor, height: int, width: int) -> Tensor:
    """An empty tensor for an image of that size, in a part's dtype and layout."""
    last = part.is_contiguous(memory_format=torch.channels_last)
    return torch.empty(
        (*part.shape[:2], height, width),
        dtype=part.dtype,
        device=part.device,
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


def _scaled(span: slice, scale: int, origin: int = 0) -> slice:
    return slice(scale * (span.start - origin), scale * (span.stop - origin))
