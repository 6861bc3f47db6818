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
    """In the order of the dials; style.style makes one of an image."""
    layer: str = LAYER
    """Of VGG-19, which images are looked at through; "pixels" does without it, see style.StyleLoss."""

    def __post_init__(self) -> None:
        StyleLoss(self.styles, self.layer)  # it refuses what cannot be trained

    @property
    def loss(self) -> StyleLoss:
        """The multi-loss of the styles. In training VGG-19 looks in bf16."""
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
        """Patches [B, 3, H, W] in [0, 1]: the network is given what it is to keep the content of."""
        return Pair(patches, patches)
