"""The sweep of each table and figure, and the run of each printed method.

Chapters, claims, the table of cells and the README find measurements by a run's config and the
settings of a sweep. Measurements with other settings do not affect them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from study.configs import backbones, style, super_resolution
from study.configs.denoising import denoising, without_skip
from study.configs.joint import joint
from study.configs.profiles import Profile
from study.measuring.image_sweep import ImageSweep
from study.measuring.photo_sweep import ALONG, PhotoSweep
from study.measuring.protocols import (
    DenoisingSweep,
    JointSweep,
    RealSweep,
    SuperResolutionSweep,
)
from study.measuring.style_sweep import StyleSweep, ring
from study.runs import RunConfig
from tunable_core.omega import path

ENDS = ((1.0, 0.0), (0.0, 1.0))
"""Fidelity, and the other objective: the omegas of Tables 2 and 5."""


def table_1(images: str = "kodak") -> DenoisingSweep:
    """Table 1: whole images at the five omegas."""
    return DenoisingSweep(images)


def seeds(images: str = "kodak") -> DenoisingSweep:
    """As Table 1 on central squares, for every seed of every method."""
    return DenoisingSweep(images, crop=256)


def ablations(images: str = "kodak") -> DenoisingSweep:
    """As seeds(), on every second image."""
    return DenoisingSweep(images, crop=256, every=2)


def dial(images: str = "kodak") -> DenoisingSweep:
    """Denoising at 21 omegas from noise preservation to fidelity."""
    omegas = tuple(tuple(round(v, 6) for v in w) for w in path((0, 1), (1, 0), 21).tolist())
    return DenoisingSweep(images, omegas=omegas, every=3, crop=192)


def cleanest(images: str = "kodak") -> JointSweep:
    """LPIPS and NIQE of denoising at fidelity, on the squares of seeds(), without blur."""
    return JointSweep(images, rhos=(0.0,), omegas=((1.0, 0.0),), crop=256)


def table_2a(images: str = "kodak") -> DenoisingSweep:
    """Table 2a: SwinIR, on central squares."""
    return DenoisingSweep(images, sigmas=(15.0, 25.0, 50.0), omegas=ENDS, crop=192)


def table_2b(images: str = "nam-test") -> RealSweep:
    """Table 2b: NAFNet, on photographs with real noise."""
    return RealSweep(images, omegas=ENDS)


def table_3(images: str = "kodak") -> JointSweep:
    """Table 3: denoising and deblurring, in the precision of the training."""
    return JointSweep(images, bf16=True)


def joint_seeds(images: str = "kodak") -> JointSweep:
    """As Table 3 on central squares, for every seed."""
    return JointSweep(images, crop=256, bf16=True)


def joint_grid(images: str = "kodak") -> JointSweep:
    """Denoising and deblurring with each dial at five positions, without LPIPS and NIQE."""
    values = (0.0, 0.25, 0.5, 0.75, 1.0)
    omegas = tuple((a, b) for a in values for b in values)
    return JointSweep(images, omegas=omegas, every=12, crop=128, perceptual=False)


def table_4(images: str = "kodak") -> SuperResolutionSweep:
    """Table 4: super-resolution at the five omegas."""
    return SuperResolutionSweep(images)


def plane(images: str = "kodak", positions: int = 11) -> SuperResolutionSweep:
    """Super-resolution from fidelity to the perceptual end; patch statistics are a separate sweep."""
    omegas = tuple(tuple(round(v, 6) for v in w) for w in path((1, 0), (0, 1), positions).tolist())
    return SuperResolutionSweep(images, omegas=omegas, every=3)


def table_5(images: str = "set5") -> SuperResolutionSweep:
    """Table 5: super-resolution by SwinIR, with PSNR and SSIM of the luma."""
    return SuperResolutionSweep(images, ENDS, perceptual=False, luma=True)


def three_styles(budget: Profile, images: str = "kodak") -> StyleSweep:
    """Along the edges of the triangle of the paper's styles, six steps each, and at its centre."""
    task = style.task(budget)
    omegas = (*ring(3, 6)[:-1], (round(1 / 3, 5),) * 3)
    return StyleSweep(images, omegas=omegas, styles=task.styles, layer=task.layer, every=6, crop=256)


def photographs(images: str = "kodak") -> PhotoSweep:
    """Photographs as files, at eleven positions of the dial: central squares of every third image."""
    return PhotoSweep(images, every=3, crop=192)


def photographs_real(images: str = "nam-test") -> RealSweep:
    """Photographs with real noise, at the same positions: central squares."""
    return RealSweep(images, omegas=ALONG, crop=256)


def photographs_as_they_are(images: str = "nam-test") -> RealSweep:
    """The same squares, for the unprocessed photographs: Blend(nn.Identity())."""
    return replace(photographs_real(images), omegas=ENDS[:1])


def nafnet(control: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The NAFNet of Table 2b at a budget."""
    data = budget.data if budget.name == "smoke" else backbones.PAIRS[0]
    return backbones.nafnet(control, budget.name, seed=seed, data=data)


def swinir(control: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The SwinIR of Table 2a at a budget."""
    return backbones.swinir(control, budget.name, seed=seed, data=budget.data)


FAIR = "DNI, fine-tuned"
"""A rival that the paper does not have: its DNI interpolates independently trained networks."""
NO_SKIP = "DNI, no image skip"
"""The paper's DNI without the image skip, as in the paper: its networks do not add their input."""
Table = tuple[dict[str, RunConfig], Callable[[str], ImageSweep]]


def tables(budget: Profile, *, seed: int = 0, noise_target: str = "fixed") -> dict[str, Table]:
    """For each printed table the runs of its methods, by their printed names, and its sweep.

    noise_target: the reading of Eq. 9 for Table 1. FAIR and NO_SKIP are added to the printed methods.
    Third-party networks are left out.
    """
    enlarging = super_resolution.resnet
    return {
        "table1": (
            {
                "Tunable": denoising("tunable", budget, noise_target=noise_target, seed=seed),
                "DNI": denoising("dni-scratch", budget, seed=seed),
                "DyNet": denoising("dynet", budget, seed=seed),
                "CFSNet": denoising("cfsnet", budget, seed=seed),
                FAIR: denoising("dni", budget, seed=seed),
                NO_SKIP: without_skip(budget, seed=seed),
            },
            table_1,
        ),
        "table2a": (
            {
                "SwinIR": swinir("fixed", budget, seed=seed),
                "Tunable SwinIR": swinir("tunable", budget, seed=seed),
            },
            table_2a,
        ),
        "table2b": (
            {
                "NAFNet": nafnet("fixed", budget, seed=seed),
                "Tunable NAFNet": nafnet("tunable", budget, seed=seed),
            },
            table_2b,
        ),
        "table3": (
            {
                "Tunable": joint("tunable", budget, seed=seed),
                "CResMD": joint("cresmd", budget, seed=seed),
            },
            table_3,
        ),
        "table4": (
            {
                "Tunable": enlarging("tunable", budget, seed=seed),
                "DNI": enlarging("dni-scratch", budget, seed=seed),
                "DyNet": enlarging("dynet", budget, seed=seed),
                "CFSNet": enlarging("cfsnet", budget, seed=seed),
                FAIR: enlarging("dni", budget, seed=seed),
            },
            table_4,
        ),
        "table5": (
            {
                "SwinIR": super_resolution.swinir("fixed", budget, seed=seed),
                "Tunable SwinIR": super_resolution.swinir("tunable", budget, seed=seed),
            },
            table_5,
        ),
    }
