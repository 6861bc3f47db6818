"""Style images and the objectives of style transfer, which share one pass of VGG-19 (Sec. 4.2)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from study.images import datasets
from study.networks.precision import bf16
from study.tasks.perceptual import VGG19
from tunable_core.multi_loss import MultiLoss
from tunable_core.omega import OmegaLike
from tunable_photo import photos
from tunable_photo.raster import in_8_bits

LAYER = "relu3_3"
"""Layer of VGG-19 for style and content."""
LEAST = 64
"""Smallest side of a style image in pixels; smaller images contain too little of a style."""
SETS = ("style", "samples-train", "samples-test")
"""Sets that are searched for style images; the paper's are in the first."""
_opened: dict[str, Path] = {}
"""Files that style() has opened, by sha256: a config identifies an image by content, not by path."""


@dataclass(frozen=True)
class Style:
    """A style: its image, and the weights of the parts of its objective.

    The printed L_style = lambda_gram L_gram + lambda_vgg L_vgg + lambda_tv L_tv + lambda_uv L_uv, where
    L_gram = ||G - G_s||^2, summed over all entries of the difference of Gram matrices,
    G = F F^T / (C H W); L_vgg = mean (F - F_c)^2 to the content image; L_tv = mean |dy| + mean |dx|, the
    differences of neighbours; L_uv = mean squared difference of U and V to the content image. F are the
    features relu3_3 of VGG-19.
    The paper gives lambda_uv = 1 and none of the others. Ours for L_gram and L_vgg are relative to the
    features of the style image, lambda_gram = gram / ||G_s||^2 and lambda_vgg = vgg / mean F_s^2, so
    that they fit any style and both sets of VGG-19's weights.
    """

    name: str
    """Label of letters, digits, _ and -."""
    sha256: str
    """sha256 of the image file, or of the pixels of an embedded sample."""
    gram: float = 0.12
    """lambda_gram ||G_s||^2."""
    vgg: float = 0.06
    """lambda_vgg mean F_s^2."""
    tv: float = 0.02
    """lambda_tv."""
    uv: float = field(default=1.0, metadata={"before": 1.0})
    """lambda_uv; the paper's equation has 1."""
    size: int = 384
    """Longer side in pixels to which the image is resized: it sets the size of strokes."""

    def __post_init__(self) -> None:
        faults = []
        if not re.fullmatch(r"[\w-]+", self.name):
            faults.append("a name has letters, digits, _ and - only")
        for part in ("gram", "vgg", "tv", "uv"):
            if not 0 <= getattr(self, part) < float("inf"):
                faults.append(f"{part} must be finite and not negative; got {getattr(self, part)}")
        if self.size < LEAST:
            faults.append(f"size must be at least {LEAST} pixels; got {self.size}")
        if faults:
            raise ValueError(f"Style '{self.name}': " + "; ".join(faults))

    def image(self) -> Tensor:
        """The style image, [3, H, W] in [0, 1], with its longer side resized to size.

        Raises datasets.MissingData if it is missing, ValueError if it is too small.
        """
        pixels = _pixels(self)[None].float() / 255
        factor = self.size / max(pixels.shape[-2:])
        sides = [max(LEAST, round(side * factor)) for side in pixels.shape[-2:]]
        return F.interpolate(pixels, sides, mode="bicubic", antialias=True)[0].clamp(0, 1)


def style(source: str | Path, **settings: float) -> Style:
    """The style of an image: an id in a set of SETS ("mosaic"), or your own file.

    settings: of Style. Raises ValueError or photos.PhotoError for a file that is not an image, is
    smaller than LEAST pixels, is grey or has alpha.
    """
    for name in SETS:
        known = datasets.describe(name)
        if str(source) in known.ids:
            return Style(str(source), known.files[known.ids.index(str(source))].sha256, **settings)
    path = Path(source)
    if not path.suffix and not path.exists():
        raise ValueError(
            f"no style is called '{source}' (there are: {', '.join(datasets.describe(SETS[0]).ids)}; "
            f"for your own image give its path)"
        )
    read(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _opened[digest] = path
    return Style(re.sub(r"[^\w-]+", "-", path.stem) or "own", digest, **settings)


def read(path: Path) -> Tensor:
    """Read a style image from a file, [3, H, W] uint8; raises as style() does."""
    photo = photos.read(path)
    height, width = photo.pixels.shape[:2]
    faults = {
        f"is {width} x {height} pixels, less than {LEAST} x {LEAST}": min(height, width) < LEAST,
        "is grey, and a style needs colours (save it as RGB if you want grey)": photo.colours == 1,
        "has alpha (flatten it onto a background)": photo.alpha,
    }
    found = [fault for fault, holds in faults.items() if holds]
    if found:
        raise ValueError(f"the style image {path} " + ", and ".join(found))
    pixels = np.ascontiguousarray(in_8_bits(photo.pixels))
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _pixels(wanted: Style) -> Tensor:
    """The pixels of a style image, from a set or an opened file."""
    for name in SETS:
        known = datasets.describe(name)
        for position, file in enumerate(known.files):
            if file.sha256 == wanted.sha256:
                return datasets.load(name)[position]
    path = _opened.get(wanted.sha256)
    if path is None or hashlib.sha256(path.read_bytes()).hexdigest() != wanted.sha256:
        raise datasets.MissingData(
            f"the image of style '{wanted.name}' is not available (open its file with style(PATH) first)"
        )
    return read(path)


def gram(features: Tensor) -> Tensor:
    """Gram matrix F F^T / (C H W) of features [B, C, H, W]: [B, C, C], in float32."""
    flat = features.float().flatten(2)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


def total_variation(x: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, vertical plus horizontal: [B, C, H, W] to [B]."""
    down, right = (x.float().diff(dim=axis).abs().flatten(1).mean(1) for axis in (2, 3))
    return down + right


def chrominance(x: Tensor) -> Tensor:
    """U and V of BT.601: RGB [B, 3, H, W] in [0, 1] to [B, 2, H, W], 0 for grey."""
    red, green, blue = x.float().unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.stack([0.492 * (blue - luma), 0.877 * (red - luma)], 1)


class StyleLoss(MultiLoss):
    """The multi-loss of several styles, one dial each; VGG-19 runs once per output for all of them.

    layer: of VGG-19, or "pixels" for the colours themselves in place of features, which needs no weights
        and gives colour transfer instead of style transfer.
    bf16: run VGG-19's convolutions in bf16.
    Raises ValueError for no styles or two of the same name; if an image or the weights of VGG-19 are
    missing, datasets.MissingData at the first call.
    """

    def __init__(self, styles: Sequence[Style], layer: str = LAYER, *, bf16: bool = False) -> None:
        names = [each.name for each in styles]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"style transfer needs styles with different names; got {names}")
        self.styles, self.layer, self.bf16 = tuple(styles), layer, bf16
        self.vgg = None if layer == "pixels" else VGG19([layer])
        self.targets: tuple[Tensor, Tensor, Tensor] | None = None
        self.seen: dict[str, Tensor] | None = None
        super().__init__({f"style {each.name}": self._objective(i) for i, each in enumerate(styles)})

    def __call__(
        self,
        output: Tensor,
        clean: Tensor,
        degraded: Tensor,
        omega: OmegaLike,
        *,
        extrapolate: bool = False,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See MultiLoss."""
        self.seen = self.parts(output, clean)
        try:
            return super().__call__(output, clean, degraded, omega, extrapolate=extrapolate)
        finally:
            self.seen = None

    def look(self, x: Tensor) -> Tensor:
        """Images [B, 3, H, W] to their features [B, C, h, w]."""
        if self.vgg is None:
            return x.float()
        with bf16(x.device, self.bf16):
            return self.vgg(x)[self.layer].float()

    def parts(self, output: Tensor, clean: Tensor, content: Tensor | None = None) -> dict[str, Tensor]:
        """The four parts of every objective, in the units of Style: gram, vgg [B, p], tv, uv [B, 1].

        content: look(clean), if it has already been computed.
        """
        grams, sizes, powers = self._targets(output.device)
        features = self.look(output)
        if content is None:
            with torch.no_grad():
                content = self.look(clean)
        away = gram(features)[:, None] - grams
        colour = (chrominance(output) - chrominance(clean)).square().flatten(1).mean(1)
        return {
            "gram": away.square().sum((-2, -1)) / sizes,
            "vgg": (features - content).square().flatten(1).mean(1)[:, None] / powers,
            "tv": total_variation(output)[:, None],
            "uv": colour[:, None],
        }

    def whole(self, parts: dict[str, Tensor]) -> Tensor:
        """The objective of every style, the weighted sum of its parts: [B, p]."""
        return sum(
            part * part.new_tensor([getattr(each, name) for each in self.styles])
            for name, part in parts.items()
        )

    def _objective(self, i: int):
        def objective(output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
            return self.whole(self.seen or self.parts(output, clean))[:, i]

        return objective

    @torch.no_grad()
    def _targets(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """For every style: Gram matrix [p, C, C], its squared norm [p], mean square of features [p]."""
        if self.targets is None or self.targets[0].device != device:
            features = [self.look(each.image()[None].to(device)) for each in self.styles]
            grams = torch.cat([gram(each) for each in features])
            powers = torch.stack([each.square().mean() for each in features])
            self.targets = grams, grams.square().sum((-2, -1)), powers
        return self.targets
