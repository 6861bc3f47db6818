"""The sweep over photographs as files (chapter 11): kinds and levels of noise, and dials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from study.images.degradations import standard_noise
from study.images.photographs import FIELDS, Levels, photograph
from study.measuring import metrics
from study.measuring.image_sweep import Case, ImageSweep
from tunable_core.checks import are_numbers
from tunable_core.omega import path


class Kind(NamedTuple):
    """The degradation of a test photograph to a file; its noise does not depend on the brightness."""

    title: str
    """Name in tables."""
    grey: bool = False
    """Whether photograph and noise are grey; else the noise is independent in the channels."""
    quality: int = 0
    """Quality of the JPEG with 4:2:0; 0 is no JPEG."""


KINDS = {
    "grey": Kind("grey", grey=True),
    "colour": Kind("colour"),
    "jpeg95": Kind("JPEG 95, 4:2:0", quality=95),
    "jpeg80": Kind("JPEG 80, 4:2:0", quality=80),
}
"""The kinds of test photographs."""
ALONG = tuple(tuple(round(v, 6) for v in omega) for omega in path((0, 1), (1, 0), 11).tolist())
"""Eleven positions of the dial from noise preservation to fidelity."""


@dataclass(frozen=True)
class PhotoSweep(ImageSweep):
    """Photographs of each of KINDS at each noise level: PSNR and the kept noise."""

    omegas: tuple[tuple[float, ...], ...] = ALONG
    """Positions of the dials."""
    kinds: tuple[str, ...] = tuple(KINDS)
    """Names of KINDS."""
    sigmas: tuple[float, ...] = (10.0, 20.0, 30.0)
    """Noise levels before the JPEG, in grey levels of 255."""

    def rules(self) -> dict[str, bool]:
        """See ImageSweep."""
        return super().rules() | {
            f"kinds must be of {', '.join(KINDS)}": set(self.kinds) <= set(KINDS),
            "sigmas must be one or more finite numbers, none negative": are_numbers(self.sigmas, 0),
        }

    @property
    def cases_per_image(self) -> int:
        """See ImageSweep."""
        return len(self.kinds) * len(self.sigmas)

    def cases_of(self, name: str, clean: Tensor) -> Iterator[Case]:
        """The file of the image for each kind and level; the noise is the same for all of them."""
        for kind in self.kinds:
            for sigma in self.sigmas:
                file, scene = in_file(clean, kind, sigma)
                yield Case(name, {"kind": kind, "sigma": sigma}, scene, file)

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, H, W], and the PSNR of the file itself."""
        clean, file = case.clean[None], case.degraded[None]
        return {
            "psnr": metrics.psnr(output, clean),
            "kept": metrics.kept_fraction(output, clean, file),
            "input": metrics.psnr(file, clean),
        }


def in_file(clean: Tensor, kind: str, sigma: float) -> tuple[Tensor, Tensor]:
    """The content of the file of one image [3, H, W], and its clean scene, grey for a grey kind.

    Both: [3, H, W] in [0, 1]. The noise has seed 0 for every image.
    """
    made = KINDS[kind]
    whole = torch.zeros(1, dtype=torch.long)
    levels = Levels(
        sigma=torch.tensor([sigma]),
        slope=torch.zeros(1),
        shares=torch.tensor([[0.0, 1.0, 0.0] if made.grey else [1.0, 0.0, 0.0]]),
        rho=torch.zeros(1),
        grey=torch.tensor([made.grey]),
        quality=whole + made.quality,
        subsampling=whole + 2,
        offset=torch.zeros(1, 2, dtype=torch.long),
    )
    white = standard_noise((1, FIELDS, *clean.shape[1:]), torch.Generator().manual_seed(0))
    file, scene = photograph(clean[None], levels, white)
    return file[0], scene[0]
