"""The runs of super-resolution: Table 4 with the paper's ResNet, Table 5 with SwinIR (Sec. 4.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from study.configs.profiles import Profile
from study.images import datasets
from study.networks import DiscriminatorConfig
from study.networks.third_party import NORMS, SwinIRConfig
from study.runs import RunConfig
from study.tasks import SuperResolution
from tunable_core.controls import Apart, CFSNetConfig, DNIConfig, DyNetConfig, FixedConfig, TunableConfig
from tunable_core.omega import OmegaSampling
from tunable_core.resnet import ResNetConfig
from tunable_core.training import Training


@dataclass(frozen=True)
class Size:
    """What super-resolution is trained with at a budget."""

    resnet: ResNetConfig
    swinir: SwinIRConfig
    task: SuperResolution
    training: Training
    """The patch is 16 pixels wider than the clean images that the networks learn from. With 4 patches of
    80 pixels at laptop size LPIPS at (0, 1) was 0.241 on four squares of Kodak, with 16 of 128 it is
    0.198, and there is less of a dotted texture. clip: with a
    loose one the large gradients of L_gan drown those of L_rec in Adam; at 600 steps 0.03 in place of 1
    brought (1, 0) from 23.63 to 23.78 dB and LPIPS at (0, 1) from 0.388 to 0.382."""
    first: int
    """Steps of the tunable networks for fidelity alone, before omegas are drawn: they start from the
    fidelity network. 200 of 600 brought (1, 0) from 23.78 to 23.86 dB (the fixed twin: 23.89) and LPIPS
    at (0, 1) from 0.382 back to 0.400, so a small share of a training is right."""
    apart: Apart | None
    """The tunable networks' second stage. Kernels that learn together hold each other back at the end:
    with SwinIR at laptop size, 1,500 more steps brought LPIPS at (0, 1) on Set5 from 0.240 to 0.235, and
    apart to 0.208, with 0.03 dB more at (1, 0). Apart from the start the vivid kernels learn too little:
    17.9 dB at (0, 1) after 1,500 steps. With 85 % of the steps at (1, 0) vivid images were dotted, with
    60 % they were not. The ResNet's is at (1, 0) alone, which leaves the vivid kernels as they are: with
    a quarter of its 2,000 steps elsewhere, LPIPS at (0, 1) on Kodak rose from 0.227 to 0.251."""
    second: float
    """Length of the second training of the rivals, against the adversary, in units of the first."""


LIGHT = "pixelshuffledirect"
SIZES = {
    "smoke": Size(
        ResNetConfig(blocks=2, channels=8, image_skip=True, head_relu=False, scale=4),
        SwinIRConfig(12, (2,), heads=2, window=4, scale=4, upsampler=LIGHT),
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
        SwinIRConfig(32, (4, 4), heads=4, scale=4, upsampler=LIGHT),
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

METHODS = ("tunable", "dni", "dni-scratch", "dynet", "cfsnet")
"""The control methods of Table 4. The first network of dni is also the plain one, for fidelity alone."""


def resnet(method: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The run of a method, one of METHODS, with the ResNet at a budget."""
    size = SIZES[budget.name]
    second = size.second
    controls = {
        "tunable": TunableConfig(apart=size.apart),
        "dni": DNIConfig(fine_tune=second),
        "dni-scratch": DNIConfig(fine_tune=None, scratch=second),
        "dynet": DyNetConfig(second),
        "cfsnet": CFSNetConfig(second),
    }
    if method not in controls:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    label = size.resnet.size
    training = replace(size.training, fidelity_first=size.first if method == "tunable" else 0)
    return _run(f"sr-{method}-{label}", budget, controls[method], size.resnet, training, seed)


def swinir(method: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The run of SwinIR at a budget, method "tunable" or "fixed", its twin for fidelity alone."""
    size = SIZES[budget.name]
    controls = {"tunable": TunableConfig(apart=size.apart, untuned=NORMS), "fixed": FixedConfig()}
    if method not in controls:
        raise ValueError(f"method must be one of {', '.join(controls)}; got {method!r}")
    training = replace(size.training, fidelity_first=size.first if method == "tunable" else 0)
    if budget.name == "laptop":  # two whole windows a side
        training = replace(training, batch=4, patch=80)
        controls["tunable"] = replace(controls["tunable"], apart=Apart(0.5, (0.7, 0.1)))
    if budget.name == "paper":
        training = replace(training, batch=32, lr=2e-4)
    run = _run(f"sr-swinir-{method}", budget, controls[method], size.swinir, training, seed)
    if method == "fixed":  # it meets no adversary, and needs no VGG-19
        run = replace(run, task=replace(run.task, vgg=0.0))
    return run


FIVE = (("conv1_2", 0.1), ("conv2_2", 0.1), ("conv3_4", 1.0), ("conv4_4", 1.0), ("conv5_4", 1.0))
"""Layers of VGG-19 and their weights in the recipe of smooth()."""


def smooth(method: str, budget: Profile, *, seed: int = 0) -> RunConfig:
    """The run of a method, "tunable" or "dni", with the ResNet and a recipe that draws no grid.

    It differs from resnet(method, budget) in five ways: the kernels of each pixel shuffle agree on
    constant images; L_vgg compares five layers; the discriminator learns at a fifth of its rate; the
    tunable network's kernels start equal and first train for fidelity alone, so that its second stage
    starts both dials from the fidelity network, as DNI does; and the training images do not contain a
    test image (bsds500-clean).
    DNI's fine-tuning takes as many steps against the adversary as the tunable network's second stage.
    """
    size, chosen = SIZES[budget.name], task(budget)
    second, corners = 0.08, (0.5, 0.3)
    controls = {
        "tunable": TunableConfig(start="equal", apart=Apart(second, corners)),
        "dni": DNIConfig(fine_tune=second * (1 - corners[0])),
    }
    if method not in controls:
        raise ValueError(f"method must be one of {', '.join(controls)}; got {method!r}")
    training = size.training
    if budget.name == "laptop":
        training = replace(training, steps=8_000, batch=4, patch=112)
    if method == "tunable":
        training = replace(training, fidelity_first=training.steps)
    run = _run(
        f"sr-{method}-smooth-{size.resnet.size}",
        budget,
        controls[method],
        replace(size.resnet, enlargement="balanced"),
        training,
        seed,
    )
    chosen = replace(chosen, features=FIVE if chosen.vgg else (), discriminator_lr=2e-5)
    data = "bsds500-clean" if run.data == "bsds500" else run.data
    return replace(run, task=chosen, data=data)


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
    """The objectives at a budget; smoke does without VGG-19 where its weights are not at hand."""
    chosen = SIZES[budget.name].task
    if budget.name == "smoke" and not datasets.available("vgg19"):
        return replace(chosen, vgg=0.0)
    return chosen


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every run of Tables 4 and 5 at a budget, the most wanted first."""
    return [
        *(resnet(method, budget) for method in METHODS),
        *(swinir(method, budget) for method in ("tunable", "fixed")),
    ]
