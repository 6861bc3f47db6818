"""What is measured: test images, how they are degraded, positions of the dials, and the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from study.images import datasets
from study.images.degradations import gaussian_blur, seeded_noise
from study.measuring import metrics
from study.tasks import DenoisingDeblurring
from tunable_core.checks import are_numbers, check, is_count, is_number
from tunable_core.objectives import NU, noise_target
from tunable_core.photo.resampling import cut_to_multiple, low_resolution

FIVE = ((0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1.0, 0.0))
"""The omegas of Table 1."""
CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
"""The omegas of Table 3."""


@dataclass(frozen=True)
class Case:
    """One test image."""

    image: str
    """Its id."""
    levels: dict[str, float]
    """How it was degraded: sigma in grey levels of 255, rho in pixels; {} for noise of its own."""
    clean: Tensor
    """[3, H, W] in [0, 1]."""
    degraded: Tensor
    """[3, H, W], not clipped."""
    noiseless: Tensor | None = None
    """[3, H, W], degraded but for its noise; None is clean."""
    omegas: tuple[tuple[float, float], ...] | None = None
    """Positions of the dials for this image alone; None takes those of the sweep."""


def sweep_rules(what) -> dict[str, bool]:
    """The rules for fields that sweeps share, each with whether it holds; see checks.check."""
    rules = {
        "omegas must be one or more rows of finite numbers": isinstance(what.omegas, tuple | list)
        and len(what.omegas) > 0
        and all(are_numbers(omega) for omega in what.omegas),
        "every must be a whole number of at least 1": is_count(getattr(what, "every", 1)),
        "crop must be None or a whole number of at least 1": getattr(what, "crop", None) is None
        or is_count(what.crop),
        "nu is a share of the noise in [0, 1]": is_number(getattr(what, "nu", 0.0), 0, 1),
    }
    for name in ("sigmas", "rhos"):
        if hasattr(what, name):
            rules[f"{name} must be one or more finite numbers, none negative"] = are_numbers(
                getattr(what, name), 0
            )
    return rules


@dataclass(frozen=True)
class DenoisingSweep:
    """What is measured, but for the control; part of the key of a kept sweep."""

    images: str = "kodak"
    """Test images, a name of datasets.py."""
    sigmas: tuple[float, ...] = (5.0, 15.0, 30.0)
    """Noise levels, grey levels of 255."""
    omegas: tuple[tuple[float, float], ...] = FIVE
    """Positions of the dials."""
    every: int = 1
    """Take every n-th image of the set."""
    crop: int | None = None
    """Side of a central square crop, pixels; None takes whole images."""
    nu: float = NU
    """Share of the noise in y_eta at omega_2 = 1."""

    def __post_init__(self) -> None:
        check(self, sweep_rules(self))

    def __len__(self) -> int:
        """Number of cases."""
        return len(datasets.describe(self.images).ids[:: self.every]) * len(self.sigmas)

    def cases(self) -> Iterator[Case]:
        """Each test image at each noise level; raises datasets.MissingData without the images."""
        pictures = datasets.load(self.images)
        for name in pictures.ids[:: self.every]:
            clean = cut(pictures[name], self.crop)
            for sigma in self.sigmas:
                yield Case(name, {"sigma": sigma}, clean, seeded_noise(clean, sigma))

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, H, W]."""
        return _denoising_row(case, omega, output, self.nu)


def cut(image: Tensor, crop: int | None) -> Tensor:
    """uint8 [3, H, W] to [0, 1], the central square of that side where there is one."""
    image = image.float() / 255
    if crop is None:
        return image
    top, left = ((side - crop) // 2 for side in image.shape[-2:])
    if min(top, left) < 0:
        raise ValueError(f"a crop of {crop} does not fit in {list(image.shape[-2:])}")
    return image[:, top : top + crop, left : left + crop]


def _denoising_row(case: Case, omega: Sequence[float], output: Tensor, nu: float) -> dict[str, Tensor]:
    clean, degraded = case.clean[None], case.degraded[None]
    rounded = (output.clamp(0, 1) * 255).round() / 255
    return {
        "psnr": metrics.psnr(output, clean),
        "psnr_eta": metrics.psnr(output, noise_target(clean, degraded, omega[1], nu)),
        "psnr_8bit": metrics.psnr(rounded, clean),
        "kept": _kept(case, clean, output),
    }


def _kept(case: Case, noiseless: Tensor, output: Tensor) -> Tensor:
    """metrics.kept_fraction, or NaN where no noise was added."""
    if case.levels.get("sigma") == 0:
        return torch.tensor([torch.nan])
    return metrics.kept_fraction(output, noiseless, case.degraded[None])


@dataclass(frozen=True)
class RealSweep:
    """The same for pairs of photographs with noise of their own; adds SSIM."""

    images: str = "nam-test"
    """Test pairs, a name of datasets.py."""
    omegas: tuple[tuple[float, float], ...] = ((1.0, 0.0), (0.0, 1.0))
    """Positions of the dials; the default are those of Table 2b."""
    nu: float = NU
    """Share of the noise in y_eta at omega_2 = 1."""

    def __post_init__(self) -> None:
        check(self, sweep_rules(self))

    def __len__(self) -> int:
        """Number of cases."""
        return len(datasets.describe(self.images).ids)

    def cases(self) -> Iterator[Case]:
        """Each pair; raises datasets.MissingData without them."""
        pairs = datasets.load(self.images)
        for name in pairs.ids:
            clean, noisy = (pairs[name].float() / 255).chunk(2)
            yield Case(name, {}, clean, noisy)

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, H, W]."""
        clean, degraded = case.clean[None], case.degraded[None]
        target = noise_target(clean, degraded, omega[1], self.nu)
        return _denoising_row(case, omega, output, self.nu) | {
            "ssim": metrics.ssim(output, clean),
            "ssim_eta": metrics.ssim(output, target),
        }


@dataclass(frozen=True)
class JointSweep:
    """Blur, then noise, in every combination (Table 3); distortion and perception."""

    images: str = "kodak"
    """Test images, a name of datasets.py."""
    sigmas: tuple[float, ...] = (5.0, 15.0, 30.0)
    """Noise levels, grey levels of 255."""
    rhos: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0)
    """Blurs, standard deviation in pixels."""
    omegas: tuple[tuple[float, float], ...] = CORNERS
    """Positions of the dials."""
    every: int = 1
    """Take every n-th image of the set."""
    crop: int | None = None
    """Side of a central square crop, pixels; None takes whole images."""
    told: bool = False
    """Set the dials of each case to its true levels, parts of the largest in training, in place of
    omegas: what a network that is conditioned on the degradation is made for."""
    perceptual: bool = True
    """Measure LPIPS and NIQE too, whose weights are downloaded."""
    bf16: bool = False
    """Let the network run in bfloat16, as it was trained: a third of the time on a CPU that has it."""

    def __post_init__(self) -> None:
        check(self, sweep_rules(self))

    def __len__(self) -> int:
        """Number of cases."""
        count = len(datasets.describe(self.images).ids[:: self.every])
        return count * len(self.sigmas) * len(self.rhos)

    def cases(self) -> Iterator[Case]:
        """Each test image with each blur and noise level; warns once of levels outside of training."""
        pictures, task = datasets.load(self.images), DenoisingDeblurring()
        task.warn_outside(sigma=self.sigmas, rho=self.rhos)
        for name in pictures.ids[:: self.every]:
            clean = cut(pictures[name], self.crop)
            for rho in self.rhos:
                blurred = gaussian_blur(clean[None], rho)[0]
                for sigma in self.sigmas:
                    levels = {"sigma": sigma, "rho": rho}
                    omegas = (task.conditioning(**levels),) if self.told else None
                    degraded = seeded_noise(blurred, sigma)
                    yield Case(name, levels, clean, degraded, blurred, omegas)

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, H, W]."""
        clean = case.clean[None]
        row = {
            "psnr": metrics.psnr(output, clean),
            "kept": _kept(case, case.noiseless[None], output),
            "detail": metrics.detail_gain(output, clean),
        }
        if self.perceptual:
            row |= {"lpips": metrics.lpips(output, clean), "niqe": metrics.niqe(output)}
        return row


@dataclass(frozen=True)
class SuperResolutionSweep:
    """Images seen small (Tables 4 and 5): distortion and perception of what they are enlarged to."""

    images: str = "kodak"
    """Test images, a name of datasets.py; sides that the scale does not divide are cut."""
    omegas: tuple[tuple[float, float], ...] = FIVE
    """Positions of the dials."""
    scale: int = 4
    """Enlargement; also the border, in pixels, that PSNR and SSIM leave out."""
    every: int = 1
    """Take every n-th image of the set."""
    crop: int | None = None
    """Side of a central square crop, pixels; None takes whole images."""
    perceptual: bool = True
    """Measure LPIPS and NIQE of the whole image too, whose weights are downloaded."""
    luma: bool = False
    """Measure PSNR and SSIM of the Y channel too, of the output rounded to 8 bits, as the field does."""

    def __post_init__(self) -> None:
        scale = {"scale must be a whole number of at least 1": is_count(self.scale)}
        check(self, sweep_rules(self) | scale)

    def __len__(self) -> int:
        """Number of cases."""
        return len(datasets.describe(self.images).ids[:: self.every])

    def cases(self) -> Iterator[Case]:
        """Each test image; raises datasets.MissingData without the images."""
        pictures = datasets.load(self.images)
        for name in pictures.ids[:: self.every]:
            clean = cut_to_multiple(cut(pictures[name], self.crop), self.scale)
            yield Case(name, {}, clean, low_resolution(clean[None], self.scale)[0])

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, sH, sW]."""
        clean = case.clean[None]
        row = {"psnr": metrics.psnr(output, clean, crop=self.scale)}
        if self.luma:
            rounded = (output.clamp(0, 1) * 255).round() / 255
            y, y_clean = metrics.luma(rounded), metrics.luma(clean)
            row["psnr_y"] = metrics.psnr(y, y_clean, crop=self.scale)
            row["ssim_y"] = metrics.ssim(y, y_clean, crop=self.scale)
        if self.perceptual:
            row |= {"lpips": metrics.lpips(output, clean), "niqe": metrics.niqe(output)}
        return row


Sweep = DenoisingSweep | RealSweep | JointSweep | SuperResolutionSweep
