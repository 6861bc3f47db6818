"""The sweeps of the study's restoration tasks: how images are degraded, and the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from study.images import artifacts
from study.images.artifacts import luma
from study.images.degradations import gaussian_blur, seeded_noise
from study.images.resampling import cut_to_multiple, low_resolution
from study.measuring import distributions, metrics
from study.measuring.image_sweep import Case, ImageSweep
from study.tasks import DenoisingDeblurring
from tunable_core.checks import are_numbers, is_count, is_number
from tunable_core.objectives import NU, noise_target

CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
"""The omegas of Table 3."""


def _not_negative(**values: object) -> dict[str, bool]:
    rule = "must be one or more finite numbers, none negative"
    return {f"{name} {rule}": are_numbers(value, 0) for name, value in values.items()}


def _share(nu: object) -> dict[str, bool]:
    return {"nu is a share of the noise in [0, 1]": is_number(nu, 0, 1)}


@dataclass(frozen=True)
class DenoisingSweep(ImageSweep):
    """Images with Gaussian noise (Tables 1 and 2a): fidelity and kept noise."""

    sigmas: tuple[float, ...] = (5.0, 15.0, 30.0)
    """Noise levels, grey levels of 255."""
    nu: float = NU
    """Share of the noise in y_eta at omega_2 = 1."""

    def rules(self) -> dict[str, bool]:
        """See ImageSweep."""
        return super().rules() | _not_negative(sigmas=self.sigmas) | _share(self.nu)

    @property
    def cases_per_image(self) -> int:
        """See ImageSweep."""
        return len(self.sigmas)

    def cases_of(self, name: str, clean: Tensor) -> Iterator[Case]:
        """The image at each noise level."""
        for sigma in self.sigmas:
            yield Case(name, {"sigma": sigma}, clean, seeded_noise(clean, sigma))

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, H, W]."""
        return _denoising_row(case, omega, output, self.nu)


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
class RealSweep(ImageSweep):
    """Pairs of photographs, clean and with camera noise (Table 2b); adds SSIM."""

    images: str = "nam-test"
    """Test pairs: the name of a set in datasets.py."""
    omegas: tuple[tuple[float, ...], ...] = ((1.0, 0.0), (0.0, 1.0))
    """Positions of the dials; by default those of Table 2b."""
    every: int = field(default=1, metadata={"before": 1})
    """Take every n-th pair of the set."""
    crop: int | None = field(default=None, metadata={"before": None})
    """Side of a central square crop in pixels; None uses whole images."""
    nu: float = NU
    """Share of the noise in y_eta at omega_2 = 1."""

    replaceable: ClassVar[bool] = False
    """The embedded samples are not pairs."""

    def rules(self) -> dict[str, bool]:
        """See ImageSweep."""
        return super().rules() | _share(self.nu)

    def cases_of(self, name: str, clean: Tensor) -> Iterator[Case]:
        """The two halves of a pair [6, H, W]."""
        clean, noisy = clean.chunk(2)
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
class JointSweep(ImageSweep):
    """Blur, then noise, in every combination (Table 3); distortion and perception."""

    sigmas: tuple[float, ...] = (5.0, 15.0, 30.0)
    """Noise levels, grey levels of 255."""
    rhos: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0)
    """Blurs, standard deviation in pixels."""
    omegas: tuple[tuple[float, ...], ...] = CORNERS
    """Positions of the dials."""
    true_levels: bool = field(default=False, metadata={"stored as": "told"})
    """Set the dials of each case to its true levels of degradation, relative to the largest in training,
    in place of omegas: for networks that are conditioned on the degradation."""
    perceptual: bool = True
    """Also measure LPIPS and NIQE, which need downloaded weights."""
    bf16: bool = False
    """Run the network in bfloat16, as in training: a third of the time on a CPU that supports it."""

    def rules(self) -> dict[str, bool]:
        """See ImageSweep."""
        return super().rules() | _not_negative(sigmas=self.sigmas, rhos=self.rhos)

    @property
    def cases_per_image(self) -> int:
        """See ImageSweep."""
        return len(self.sigmas) * len(self.rhos)

    def cases_of(self, name: str, clean: Tensor) -> Iterator[Case]:
        """The image with each blur and noise level; warns once of levels outside those of training."""
        task = DenoisingDeblurring()
        task.warn_outside(sigma=self.sigmas, rho=self.rhos)
        for rho in self.rhos:
            blurred = gaussian_blur(clean[None], rho)[0]
            for sigma in self.sigmas:
                levels = {"sigma": sigma, "rho": rho}
                omegas = (task.conditioning(**levels),) if self.true_levels else None
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
class SuperResolutionSweep(ImageSweep):
    """Downscaled images (Tables 4 and 5): distortion and perceptual quality of the enlarged output."""

    images: str = "kodak"
    """Test images: the name of a set in datasets.py; sides are cropped to multiples of the scale."""
    scale: int = 4
    """Enlargement; also the border, in pixels, that PSNR and SSIM leave out."""
    perceptual: bool = True
    """Also measure LPIPS and NIQE of the whole image, which need downloaded weights."""
    luma: bool = False
    """Also measure PSNR and SSIM of the Y channel of the output, rounded to 8 bits, as is usual."""
    statistics: bool = field(default=False, metadata={"before": False})
    """Also measure patch_distance, luma_error and grid_peak."""

    def rules(self) -> dict[str, bool]:
        """See ImageSweep."""
        return super().rules() | {"scale must be a whole number of at least 1": is_count(self.scale)}

    def cases_of(self, name: str, clean: Tensor) -> Iterator[Case]:
        """The image, its sides cropped to multiples of the scale, and its downscaled version."""
        clean = cut_to_multiple(clean, self.scale)
        yield Case(name, {}, clean, low_resolution(clean[None], self.scale)[0])

    def row(self, case: Case, omega: Sequence[float], output: Tensor) -> dict[str, Tensor]:
        """The metrics of one output [1, 3, sH, sW]."""
        clean = case.clean[None]
        row = {"psnr": metrics.psnr(output, clean, crop=self.scale)}
        if self.luma:
            rounded = (output.clamp(0, 1) * 255).round() / 255
            y, y_clean = luma(rounded), luma(clean)
            row["psnr_y"] = metrics.psnr(y, y_clean, crop=self.scale)
            row["ssim_y"] = metrics.ssim(y, y_clean, crop=self.scale)
        if self.perceptual:
            row |= {"lpips": metrics.lpips(output, clean), "niqe": metrics.niqe(output)}
        if self.statistics:
            row |= {
                "patch_distance": distributions.patch_distance(output, clean),
                "luma_error": distributions.luma_error(output, clean),
                "grid_peak": artifacts.grid_peak(output),
            }
        return row
