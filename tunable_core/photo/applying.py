"""A network applied to photographs of any size, in their own integers."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from tunable_core.photo import memory, raster
from tunable_core.photo.raster import Photo, PhotoError, bands
from tunable_core.photo.resampling import REACH, upscale
from tunable_core.photo.tiling import SeesWholeImage, enlargement, reach, tiled

NEAR = 64
"""Rows above and below a pixel in which a visible neighbour is looked for."""
SHARE = 0.8
"""Of the free memory, how much a photograph may take."""


class Worker:
    """Maps photographs through a network, tile by tile, without a trace of the tiles.

    network: images [B, 3, H, W] in [0, 1] to [B, 3, scale H, scale W]; the scale is measured. A grey
        photograph goes through as three equal channels, of whose results the mean is taken.
    tile: the largest square seen at once, in pixels; None is 512, or 256 for a network that enlarges.
    A network that looks at the whole image (NAFNet, the style network) sees it whole if the memory
    suffices. With a tile that is given it sees tiles instead, which only approximates the whole.
    """

    def __init__(self, network: nn.Module, tile: int | None = None) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.layout = torch.channels_last  # that of pixels in files, too
        self.network = network.eval().to(self.device, memory_format=self.layout)
        self.scale = enlargement(self.network)
        self.given = tile is not None
        self.tile = tile if tile is not None else 512 if self.scale == 1 else 256
        self.warned = False

    def __call__(self, photo: Photo) -> Photo:
        """The photograph's result; alpha is kept, or enlarged by cubic interpolation.

        Raises PhotoError for a result over MAX_PIXELS, or a photograph that needs more memory than
        there is; ValueError for a tile that is too small.
        """
        image = torch.from_numpy(filled(photo)).permute(2, 0, 1)[None]
        if (size := self.scale**2 * image[0, 0].numel()) > raster.MAX_PIXELS:
            raise PhotoError(
                f"the result would have {size / 1e6:.0f} million pixels, over "
                f"{raster.MAX_PIXELS / 1e6:.0f}: enlarge it part by part"
            )
        side, margins = self._tiles(*image.shape[2:])

        def call(piece: Tensor) -> Tensor:
            return self._call(piece, photo)

        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            output = tiled(call, image, side, scale=self.scale, **margins)[0]
        return replace(photo, pixels=output.permute(1, 2, 0).numpy())

    def _call(self, piece: Tensor, photo: Photo) -> Tensor:
        x = piece.to(self.device, torch.float32) / photo.full
        colours, alpha = x[:, : photo.colours], x[:, photo.colours :]
        y = self.network(colours.expand(-1, 3, -1, -1).contiguous(memory_format=self.layout))
        y = y.mean(1, keepdim=True) if photo.colours == 1 else y
        if photo.alpha:
            y = torch.cat([y, alpha if self.scale == 1 else upscale(alpha, self.scale)], 1)
        y = (y.clamp(0, 1) * photo.full).round().cpu().to(piece.dtype)
        return y.contiguous(memory_format=self.layout)

    def _tiles(self, height: int, width: int) -> tuple[int, dict[str, int]]:
        """The side of the tiles and their margins."""
        if max(height, width) <= self.tile:
            return self.tile, {}
        try:
            seen = reach(self.network, scale=self.scale)
            return self.tile, {"overlap": max(seen.pixels, REACH), "align": seen.period}
        except SeesWholeImage as error:
            if self.given:
                self._warn(
                    f"{error}: squares of {self.tile} pixels approximate it, their edges may show"
                )
                return self.tile, {"overlap": self.tile // 8, "align": min(16, max(1, self.tile // 8))}
            need, free = memory.needed(self.network, height, width), memory.free(self.device)
            if need > SHARE * free:
                fitting = max(64, int((SHARE * free / need * height * width) ** 0.5) // 64 * 64)
                raise PhotoError(
                    f"{error}, so that {width} x {height} pixels need about {need / 1e9:.1f} GB of "
                    f"memory, of {free / 1e9:.1f} GB that are free: make the photograph smaller, or "
                    f"give --tile {fitting} to work in squares whose edges may show"
                ) from error
            return max(height, width), {}

    def _warn(self, sentence: str) -> None:
        if not self.warned:
            tqdm.write(f"tunable: {sentence}", file=sys.stderr)
        self.warned = True


def filled(photo: Photo) -> np.ndarray:
    """The pixels with the colour of the nearest visible pixel where alpha is 0.

    A network mixes neighbours: what lies hidden there, often black, would come out as an outline.
    Pixels with no visible one within NEAR rows stay as they are.
    """
    if not photo.alpha or photo.pixels[..., -1].all():
        return photo.pixels
    from scipy import ndimage  # it takes memory and time, which only this needs

    result = photo.pixels.copy()
    for rows, around in bands(len(result), NEAR):
        hidden = photo.pixels[around][..., -1] == 0
        inner = slice(rows.start - around.start, rows.stop - around.start)
        if hidden.all() or not hidden[inner].any():
            continue
        nearest = ndimage.distance_transform_edt(hidden, return_distances=False, return_indices=True)
        y, x = nearest[:, inner]
        result[rows][..., :-1] = photo.pixels[around][y, x, :-1]
    return result
