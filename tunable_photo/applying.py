"""Apply a network to photographs of any size and keep their integer type."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from tunable_photo import masks, memory, raster
from tunable_photo.noise import noise_level
from tunable_photo.raster import Photo, PhotoError, bands
from tunable_photo.resampling import REACH, upscale
from tunable_photo.tiling import SeesWholeImage, enlargement, reach, tiled

NEAR = 64
"""Rows above and below a pixel that are searched for a visible neighbour."""
SHARE = 0.8
"""Share of the free memory that a photograph may take."""
TILE = 512
"""The largest square that is processed at once, pixels; half of it for a network that enlarges."""
FAR = 1.4
"""Estimated noise above which a warning is given, as a multiple of the strongest in training."""


class Worker:
    """Applies a network to photographs, tile by tile, without visible seams.

    network: images [B, 3, H, W] in [0, 1] to [B, 3, scale H, scale W]; the scale is measured. A grey
        photograph is given as three equal channels, and the three output channels are averaged.
    tile: the largest square processed at once, in pixels; None is TILE, or half for a network that
        enlarges.
    strongest: the strongest noise in training, in grey levels of 255; the first photograph with much
        stronger noise gets a warning. None means unknown.
    mask: [H, W] in [0, 1], the fourth input channel of a masks.Masked network.
    A network whose output depends on the whole image (NAFNet, the style network) is given the whole
    image if the memory suffices. If a tile is given it is applied to tiles, which is an approximation.
    """

    def __init__(
        self,
        network: nn.Module,
        tile: int | None = None,
        strongest: float | None = None,
        mask: np.ndarray | None = None,
    ) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.layout = torch.channels_last  # also the layout of pixels in files
        self.network = network.eval().to(self.device)
        self.network.to(memory_format=self.layout)  # type: ignore[call-overload]  # torch leaves it out
        self.scale = enlargement(self.network)
        self.given = tile is not None
        self.tile = tile if tile is not None else TILE if self.scale == 1 else TILE // 2
        self.strongest, self.mask = strongest, mask
        self.warned: set[str] = set()

    def __call__(self, photo: Photo) -> Photo:
        """Apply the network to a photograph; alpha is kept, or enlarged by cubic interpolation.

        Raises PhotoError for a result over MAX_PIXELS, or a photograph that needs more memory than
        there is; ValueError for a tile that is too small.
        """
        image = torch.from_numpy(filled(photo)).permute(2, 0, 1)[None]
        if (size := self.scale**2 * image[0, 0].numel()) > raster.MAX_PIXELS:
            raise PhotoError(
                f"the result would have {size / 1e6:.0f} million pixels, over "
                f"the limit of {raster.MAX_PIXELS / 1e6:.0f} million: enlarge it part by part"
            )
        if self.mask is not None:
            image = masks.beside(photo, image, self.mask)
        self._check_noise(photo)
        side, overlap, align = self._tiles(*image.shape[2:])

        def call(piece: Tensor) -> Tensor:
            return self._call(piece, photo)

        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            output = tiled(call, image, side, overlap, self.scale, align=align)[0]
        return replace(photo, pixels=output.permute(1, 2, 0).numpy())

    def _call(self, piece: Tensor, photo: Photo) -> Tensor:
        x = piece.to(self.device, torch.float32) / photo.full
        channels = photo.pixels.shape[2]
        colours, alpha = x[:, : photo.colours], x[:, photo.colours : channels]
        seen = torch.cat([colours.expand(-1, 3, -1, -1), x[:, channels:]], 1)
        y = self.network(seen.contiguous(memory_format=self.layout))
        y = y.mean(1, keepdim=True) if photo.colours == 1 else y
        if photo.alpha:
            y = torch.cat([y, alpha if self.scale == 1 else upscale(alpha, self.scale)], 1)
        y = (y.clamp(0, 1) * photo.full).round().cpu().to(piece.dtype)
        return y.contiguous(memory_format=self.layout)

    def _tiles(self, height: int, width: int) -> tuple[int, int | None, int | None]:
        """The tile, overlap and align arguments of tiled()."""
        if max(height, width) <= self.tile:
            return self.tile, None, None
        try:
            seen = reach(self.network, scale=self.scale)
            return self.tile, max(seen.pixels, REACH), seen.period
        except SeesWholeImage as error:
            if self.given:
                self._warn(f"{error}: tiles of {self.tile} pixels approximate it; edges may show")
                return self.tile, self.tile // 8, min(16, max(1, self.tile // 8))
            need, free = memory.needed(self.network, height, width), memory.free(self.device)
            if need > SHARE * free:
                fitting = max(64, int((SHARE * free / need * height * width) ** 0.5) // 64 * 64)
                raise PhotoError(
                    f"{error}, so {width} x {height} pixels need about {need / 1e9:.1f} GB of memory, "
                    f"and {free / 1e9:.1f} GB are free: make the photograph smaller, or give "
                    f"--tile {fitting} to process it in tiles, whose edges may be visible"
                ) from error
            return max(height, width), None, None

    def _check_noise(self, photo: Photo) -> None:
        """Warn about the first photograph whose noise is much stronger than in training."""
        if self.strongest is None or "noise" in self.warned:
            return
        level = noise_level(photo.pixels[..., : photo.colours], photo.full)
        if level > FAR * self.strongest:
            self._warn(
                f"a photograph has noise of about {level:.0f} grey levels of 255, and the network was "
                f"trained on noise up to {self.strongest:.0f}: check the result for remaining noise",
                "noise",
            )

    def _warn(self, sentence: str, about: str = "tiles") -> None:
        if about not in self.warned:
            tqdm.write(f"tunable: {sentence}", file=sys.stderr)
        self.warned.add(about)


def filled(photo: Photo) -> np.ndarray:
    """The pixels; those with alpha 0 get the colour of the nearest visible pixel.

    A network mixes neighbours, so the hidden colour, often black, would show as an outline.
    Pixels without a visible pixel within NEAR rows are not changed.
    """
    if not photo.alpha or photo.pixels[..., -1].all():
        return photo.pixels
    from scipy import ndimage  # slow to import, and only needed here

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
