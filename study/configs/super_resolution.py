"""The runs of super-resolution: Table 4 with the paper's ResNet, Table 5 with SwinIR (Sec. 4.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from study.configs.profiles import Profile
from study.controls import (
    Apart,
    CFSNetConfig,
    DNIConfig,
    DyNetConfig,
    FixedConfig,
    LowRankConfig,
    TunableConfig,
)
from study.images import datasets
from study.networks import DiscriminatorConfig
from study.networks.third_party import BALANCED, NORMS, SwinIRConfig
from study.runs import RunConfig
from study.tasks import SuperResolution
from study.training import Training
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNetConfig


@dataclass(frozen=True)
class Size:
    """The settings of super-resolution at a budget.

    Chosen in short trials, which are not recorded.
    """

    resnet: ResNetConfig
    swinir: SwinIRConfig
    task: SuperResolution
    training: Training
    """The patch is 16 pixels wider than the clean images of the pairs. At laptop size the gradient is
    clipped tightly, since in Adam the large gradients of L_gan would dominate those of L_rec."""
    first: int
    """Steps for which the tunable networks train for fidelity alone, before omegas are drawn."""
    apart: Apart | None
    """The tunable networks' second stage, in which each dial has its own kernels. For the ResNet it is
    at (1, 0) alone, which does not change the perceptual kernels."""
    second: float
    """Length of the rivals' second training, with the adversary, in units of the first."""


SIZES = {
    "smoke": Size(
        ResNetConfig(blocks=2, channels=8, image_skip=True, head_relu=False, scale=4),
        SwinIRConfig(12, (2,), heads=2, window=4, scale=4, upsampler=BALANCED),
        SuperResolution(discriminator=DiscriminatorConfig(4)),
        Training(
            steps=12,
            batch=2,
            patch=48,
            lr=1e-3,
            omega=OmegaSampling("simplex", corners=(0.6, 0.1)),
        ),
        first=3,
        apart=Apart(0.5, (0.8, 0.1)),
        second=0.5,
    ),
    "laptop": Size(
        ResNetConfig(blocks=8, channels=32, image_skip=True, head_relu=False, scale=4),
        SwinIRConfig(48, (4, 4), heads=4, scale=4, upsampler=BALANCED),
        SuperResolution(discriminator=DiscriminatorConfig(32)),
        Training(
            steps=8_000,
            batch=16,
            patch=144,
            lr=1e-3,
            clip=0.03,
            omega=OmegaSampling("simplex", corners=(0.6, 0.1)),
        ),
        first=1_000,
        apart=Apart(0.25, (1.0, 0.0)),
        second=0.25,
    ),
    "paper": Size(
        ResNetConfig(scale=4),
        SwinIRConfig(scale=4, upsampler="pixelshuffle"),
        SuperResolution(),
        Training(
            steps=500_000,
            batch=16,
            patch=208,
            lr=1e-4,
            schedule="constant",
            clip=float("inf"),
            ema=0,
        ),
        first=0,
        apart=None,
        second=1.0,
    ),
}

METHODS = ("tunable", "dni", "dni-scratch", "dynet", "cfsnet", "low-rank-4", "soup")
"""The control methods of Table 4, and two that are newer than the paper. The first network of dni is
also the plain network, for fidelity alone."""
REPEATED = ("tunable", "dni")
"""Those that are trained with several seeds: Tunable and its strongest rival, fine-tuned DNI."""
DRAWN = ("tunable", "low-rank-4")
"""Those whose first stage draws omegas."""


def resnet(method: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The run of a method, one of METHODS, with the ResNet.

    It is printed() at the budget of the paper, and smooth() at the others.
    """
    return (printed if budget.name == "paper" else smooth)(method, budget, seed=seed)


def printed(method: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The run of a method with the paper's own losses and enlargement.

    At a small budget it, too, first trains for fidelity, and its outputs have a grid.
    """
    size = SIZES[budget.name]
    second = size.second
    controls = {
        "tunable": TunableConfig(apart=size.apart),
        "dni": DNIConfig(fine_tune=second),
        "dni-scratch": DNIConfig(fine_tune=None, scratch=second),
        "dynet": DyNetConfig(second),
        "cfsnet": CFSNetConfig(second),
        "low-rank-4": LowRankConfig(4),
        "soup": DNIConfig(fine_tune=second, own=0.85),
    }
    first = size.first if method in DRAWN else 0
    training = replace(size.training, fidelity_first=first)
    name = f"sr-{method}-{size.resnet.size}"
    return _run(name, budget, _chosen(controls, method), size.resnet, training, seed)


FIVE = (("conv1_2", 0.1), ("conv2_2", 0.1), ("conv3_4", 1.0), ("conv4_4", 1.0), ("conv5_4", 1.0))
"""Layers of VGG-19 and their weights in the recipe of smooth(). Their effect and that of the enlargement
are in data/ablations/super-resolution-grid.csv and super-resolution-enlargement.csv."""


SMOOTH = {"pixel": 1.0, "chroma": 1.0, "discriminator_lr": 2e-5}
"""Other weights of L_gan in that recipe. With the paper's weight of L_rec, a long second stage produces
a fine mesh, which VGG-19 mistakes for detail."""


def smooth(method: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The run of a method, one of METHODS, with the ResNet and a recipe without grid artifacts.

    It differs from printed(method, budget) in six ways: the kernels of each pixel shuffle agree on
    constant images; L_vgg compares five layers; L_gan includes a distance of the colours; the
    discriminator's learning rate is a fifth; the tunable network's kernels start equal; and the training
    images contain no test image (bsds500-clean). All dials start from a network trained for fidelity
    alone, as in DNI.
    Each second training has as many steps with the adversary as the second stage of the tunable
    network; one that starts from random weights has as many as all steps of that stage.
    """
    size = SIZES[budget.name]
    apart = _second(budget)
    against = apart.share * (1 - apart.corners[0])
    controls = {
        "tunable": TunableConfig(start="equal", apart=apart),
        "dni": DNIConfig(fine_tune=against),
        "dni-scratch": DNIConfig(fine_tune=None, scratch=apart.share),
        "dynet": DyNetConfig(against),
        "cfsnet": CFSNetConfig(against),
        "low-rank-4": LowRankConfig(4, second=apart),
        "soup": DNIConfig(fine_tune=against, own=0.85, mixed=against),
    }
    network = replace(size.resnet, enlargement="balanced")
    name = f"sr-{method}-smooth-{network.size}"
    return _smooth(name, budget, _chosen(controls, method), network, seed, drawn=method in DRAWN)


def swinir(method: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The run of SwinIR at a budget: "tunable", or "fixed", the baseline for fidelity alone.

    Its losses and enlargement are the paper's own at the budget of the paper, and those of smooth() at
    the others.
    """
    size, paper = SIZES[budget.name], budget.name == "paper"
    tunable = TunableConfig(apart=size.apart, untuned=NORMS)
    if not paper:
        tunable = replace(tunable, start="equal", apart=_second(budget))
    control = _chosen({"tunable": tunable, "fixed": FixedConfig()}, method)
    name = f"sr-swinir-{method}"
    if paper:
        run = _run(name, budget, control, size.swinir, replace(size.training, batch=32, lr=2e-4), seed)
    else:
        run = _smooth(f"{name}-smooth", budget, control, size.swinir, seed, drawn=method == "tunable")
    if method == "fixed":  # it has no adversary, and needs no VGG-19
        run = replace(run, task=replace(run.task, vgg=0.0, features=()))
    return run


def _second(budget: Profile) -> Apart:
    share = SIZES[budget.name].second if budget.name == "smoke" else 0.05
    return Apart(share, (0.5, 0.3))


def _smooth(name, budget, control, network, seed, *, drawn) -> RunConfig:
    training, chosen = SIZES[budget.name].training, task(budget)
    if budget.name == "laptop":
        training = replace(training, steps=20_000, batch=8, patch=112)
    training = replace(training, fidelity_first=training.steps if drawn else 0)
    run = _run(name, budget, control, network, training, seed)
    chosen = replace(chosen, features=FIVE if chosen.vgg else (), **SMOOTH)
    data = "bsds500-clean" if run.data == "bsds500" else run.data
    return replace(run, task=chosen, data=data)


def _chosen(controls: dict[str, Any], method: str) -> Any:
    if method not in controls:
        raise ValueError(f"method must be one of {', '.join(controls)}; got {method!r}")
    return controls[method]


def _run(name, budget, control, network, training, seed) -> RunConfig:
    return RunConfig(
        name=f"{name}-{budget.name}-seed{seed}",
        task=task(budget),
        control=control,
        network=network,
        training=replace(training, seed=seed),
        data=budget.data,
    )


def task(budget: Profile) -> SuperResolution:
    """The objectives at a budget; smoke does not use VGG-19 if its weights are missing."""
    chosen = SIZES[budget.name].task
    if budget.name == "smoke" and not datasets.available("vgg19"):
        return replace(chosen, vgg=0.0)
    return chosen


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every run of super-resolution at a budget, in order of importance."""
    return [
        *(resnet(method, budget) for method in METHODS),
        *(resnet(m, budget, seed=s) for s in range(1, budget.repeats) for m in REPEATED),
        *([printed("tunable", budget)] if budget.name != "paper" else []),
        *(swinir(method, budget) for method in ("tunable", "fixed")),
    ]
