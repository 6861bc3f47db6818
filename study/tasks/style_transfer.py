"""Style transfer with one dial per style (Sec. 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from study.tasks.base import Pair, Task
from study.tasks.style import LAYER, Style, StyleLoss


@dataclass(frozen=True)
class StyleTransfer(Task):
    """Style transfer: one dial per style (Sec. 4.2)."""

    styles: tuple[Style, ...]
    """Styles in the order of the dials; style.style() makes one from an image."""
    layer: str = LAYER
    """Layer of VGG-19 for the features; "pixels" needs no VGG-19, see style.StyleLoss."""

    def __post_init__(self) -> None:
        StyleLoss(self.styles, self.layer)  # raises for invalid settings

    @property
    def loss(self) -> StyleLoss:
        """The multi-loss of the styles, with VGG-19 in bf16."""
        return StyleLoss(self.styles, self.layer, bf16=True)

    @property
    def teachers(self) -> tuple[str, ...]:
        """See Task.teachers."""
        return () if self.layer == "pixels" else ("vgg19",)

    @property
    def own_images(self) -> tuple[str, ...]:
        """See Task.own_images: the style images."""
        return tuple(each.sha256 for each in self.styles)

    def apply(self, patches: Tensor) -> Pair:
        """Patches [B, 3, H, W] in [0, 1]: the clean content image is also the input."""
        return Pair(patches, patches)
