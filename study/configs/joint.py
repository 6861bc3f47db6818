"""The runs of joint denoising and deblurring (Table 3)."""

from __future__ import annotations

from dataclasses import replace

from study.configs.profiles import Profile
from study.controls import BlendConfig, CResMDConfig, TunableConfig
from study.runs import RunConfig
from study.tasks import DenoisingDeblurring
from study.tasks.joint import Reading
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNetConfig

METHODS = {
    "tunable": TunableConfig(),
    "cresmd": CResMDConfig(),
    "cresmd-own": CResMDConfig("own"),
    "fixed": BlendConfig(),
}
"""The control methods of Table 3; "fixed" is a plain network for restoration alone."""
REPEATED = ("tunable", "cresmd")
"""Those that are trained with several seeds."""
CRESMD_LR = 5e-4
"""The authors' learning rate; their own form, which ends in two ReLUs in a row, needs one this low."""


def joint(
    method: str, budget: Profile, *, reading: Reading = "adapted", seed: int = 0, share: float = 1.0
) -> RunConfig:
    """The run of a method, one of METHODS, at a budget.

    share: of the budget's steps; readings that the study does not use are trained for fewer. The dials
    are independent, so omegas are drawn from the square; 60 % are (1, 0), for restoration.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    network, training = budget.network, budget.training
    if method == "cresmd-own":  # twice the depth, at half the resolution
        network = ResNetConfig(2 * network.blocks, network.channels)
        training = replace(training, lr=min(training.lr, CRESMD_LR))
    if budget.name != "paper":
        training = replace(training, omega=OmegaSampling(corners=(0.6, 0.0)))
    label = f"{method}-{reading}" if method == "tunable" else method
    return RunConfig(
        name=f"joint-{label}-{budget.network.size}-seed{seed}",
        task=DenoisingDeblurring(reading, levels="beta" if method.startswith("cresmd") else "uniform"),
        control=METHODS[method],
        network=network,
        training=replace(training, seed=seed, steps=max(1, round(share * training.steps))),
        data=budget.data,
    )


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every run of Table 3 at a budget."""
    return [
        *(joint(method, budget) for method in METHODS),
        *(joint(m, budget, seed=s) for s in range(1, budget.repeats) for m in REPEATED),
        joint("tunable", budget, reading="clean", share=1 / 3),
        joint("tunable", budget, reading="literal", share=1 / 3),
    ]
