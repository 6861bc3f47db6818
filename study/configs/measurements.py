"""Which sweep stands for each table and figure, and which run for each printed method.

Chapters, claims, the table of cells and the README look measurements up by these: a run's config and
the settings of a sweep. What somebody measured with other settings lies beside and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from study.configs import backbones, style, super_resolution
from study.configs.denoising import denoising
from study.configs.joint import joint
from study.configs.profiles import Profile
from study.measuring.image_sweep import ImageSweep
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
    """Whole images at the five omegas."""
    return DenoisingSweep(images)


def seeds(images: str = "kodak") -> DenoisingSweep:
    """As Table 1, on central squares: of every seed of every method."""
    return DenoisingSweep(images, crop=256)


def ablations(images: str = "kodak") -> DenoisingSweep:
    """As the seeds, of every second image."""
    return DenoisingSweep(images, crop=256, every=2)


def dial(images: str = "kodak") -> DenoisingSweep:
    """21 omegas from noise preservation to fidelity."""
    omegas = tuple(tuple(round(v, 6) for v in w) for w in path((0, 1), (1, 0), 21).tolist())
    return DenoisingSweep(images, omegas=omegas, every=3, crop=192)


def table_2a(images: str = "kodak") -> DenoisingSweep:
    """SwinIR, on central squares."""
    return DenoisingSweep(images, sigmas=(15.0, 25.0, 50.0), omegas=ENDS, crop=192)


def table_2b(images: str = "nam-test") -> RealSweep:
    """NAFNet, on photographs with noise of their own."""
    return RealSweep(images, omegas=ENDS)


def table_3(images: str = "kodak") -> JointSweep:
    """Denoising and deblurring, in the precision of the training."""
    return JointSweep(images, bf16=True)


def joint_grid(images: str = "kodak") -> JointSweep:
    """Both dials of denoising and deblurring at five positions each, without LPIPS and NIQE."""
    values = (0.0, 0.25, 0.5, 0.75, 1.0)
    omegas = tuple((a, b) for a in values for b in values)
    return JointSweep(images, omegas=omegas, every=12, crop=128, perceptual=False)


def table_4(images: str = "kodak") -> SuperResolutionSweep:
    """Super-resolution at the five omegas."""
    return SuperResolutionSweep(images)


def table_5(images: str = "set5") -> SuperResolutionSweep:
    """Super-resolution by SwinIR, PSNR and SSIM of the luma."""
    return SuperResolutionSweep(images, ENDS, perceptual=False, luma=True)


def three_styles(budget: Profile, images: str = "kodak") -> StyleSweep:
    """Round the triangle of the paper's styles, six steps an edge, and in its middle."""
    task = style.task(budget)
    omegas = (*ring(3, 6)[:-1], (round(1 / 3, 5),) * 3)
    return StyleSweep(images, omegas=omegas, styles=task.styles, layer=task.layer, every=6, crop=256)


def nafnet(control: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The NAFNet of Table 2b at a budget."""
    data = budget.data if budget.name == "smoke" else backbones.PAIRS[0]
    return backbones.nafnet(control, budget.name, seed=seed, data=data)


def swinir(control: str, budget: Profile) -> RunConfig:
    """The SwinIR of Table 2a at a budget."""
    return backbones.swinir(control, budget.name, data=budget.data)


Table = tuple[dict[str, RunConfig], Callable[[str], ImageSweep]]


def tables(budget: Profile) -> dict[str, Table]:
    """For each printed table the run of each of its methods, as printed, and its sweep of given images.

    Third-party networks are left out.
    """
    enlarging = super_resolution.resnet
    return {
        "table1": (
            {
                "Tunable": denoising("tunable", budget),
                "DNI": denoising("dni-scratch", budget),
                "DyNet": denoising("dynet", budget),
                "CFSNet": denoising("cfsnet", budget),
            },
            table_1,
        ),
        "table2a": (
            {"SwinIR": swinir("fixed", budget), "Tunable SwinIR": swinir("tunable", budget)},
            table_2a,
        ),
        "table2b": (
            {"NAFNet": nafnet("fixed", budget), "Tunable NAFNet": nafnet("tunable", budget)},
            table_2b,
        ),
        "table3": (
            {"Tunable": joint("tunable", budget), "CResMD": joint("cresmd", budget)},
            table_3,
        ),
        "table4": (
            {
                "Tunable": enlarging("tunable", budget),
                "DNI": enlarging("dni-scratch", budget),
                "DyNet": enlarging("dynet", budget),
                "CFSNet": enlarging("cfsnet", budget),
            },
            table_4,
        ),
        "table5": (
            {
                "SwinIR": super_resolution.swinir("fixed", budget),
                "Tunable SwinIR": super_resolution.swinir("tunable", budget),
            },
            table_5,
        ),
    }
