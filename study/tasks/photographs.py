"""Denoising strength for photographs in files, with unknown noise and JPEG compression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from study.images.degradations import standard_noise
from study.images.photographs import FIELDS, Levels, draw_levels, photograph
from study.tasks.base import RANGE, Pair, Task, is_range
from study.tasks.joint import Joint
from tunable_core.checks import check, is_number
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import NU, NoisePreservation


@dataclass(frozen=True)
class Photographs(Task):
    """Denoising strength for photographs in files: omega_1 for fidelity, omega_2 for preservation.

    Noise means the whole difference z - y of the file z from the clean scene y: sensor noise, grain,
    rounding, and the effect of JPEG on them. The noise before JPEG is not in the file, so a dial that
    keeps it would have to invent it; and keeping everything must give the file itself.

    Both objectives have the same target on the simplex, y + omega_2 nu (z - y) with omega_2 =
    1 - omega_1, so that the dial is even: an output that reaches the target keeps the share nu omega_2
    of its noise. Two terms with different targets, as in Eq. 9, compete: the one with the larger weight
    wins, and the kept share is not linear in the dial (chapter 3). For squared errors the best output
    for the common target is also the one with the highest PSNR at its share of noise (chapter 11).
    """

    sigma: tuple[float, float] = (0.0, 35.0)
    """Range of the noise level at mid-grey, in grey levels of 255; see photographs.draw_levels."""
    nu: float = NU
    """Share of the noise that omega_2 = 1 keeps."""

    def __post_init__(self) -> None:
        rules = {
            f"sigma {RANGE}, in grey levels": is_range(self.sigma),
            "nu is a share of the noise in [0, 1]": is_number(self.nu, 0, 1),
        }
        check(self, rules)

    @property
    def loss(self) -> MultiLoss:
        """The multi-loss of Eq. 7 for this task."""
        fidelity = Joint("adapted", self.nu).noise  # to y + (1 - omega_1) nu (z - y)
        return MultiLoss({"reconstruction": fidelity, "noise": NoisePreservation("eq9", self.nu)})

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """See Task.ranges."""
        return {"sigma": self.sigma}

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """The fields of photographs.Levels, and white noise [B, FIELDS, H, W]."""
        count, _, height, width = shape
        levels = draw_levels(count, self.sigma, generator)
        return *levels, standard_noise((count, FIELDS, height, width), generator)

    def apply(self, patches: Tensor, *drawn: Tensor) -> Pair:
        """Clean patches [B, 3, H, W], some of them grey, and the content of their files."""
        *levels, white = drawn
        file, clean = photograph(patches, Levels(*levels), white)
        return Pair(*(x.contiguous(memory_format=torch.channels_last) for x in (clean, file)))
