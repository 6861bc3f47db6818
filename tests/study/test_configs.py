"""Invalid settings are refused on construction, with all faults in one sentence."""

import ast
import re
from pathlib import Path

import pytest

from study import configs
from study.controls import (
    BlendConfig,
    CFSNetConfig,
    CResMDConfig,
    DNIConfig,
    DyNetConfig,
    FiLMConfig,
    TunableConfig,
)
from study.controls.tunable import Apart
from study.measuring.protocols import DenoisingSweep, JointSweep, RealSweep, SuperResolutionSweep
from study.measuring.style_sweep import StyleSweep
from study.networks import DiscriminatorConfig
from study.tasks import Denoising, DenoisingDeblurring, Photographs, RealDenoising, SuperResolution

NAN = float("nan")
FAULTS = [
    (Denoising, {"sigma": (30, 5)}),
    (Denoising, {"sigma": (-1, 5)}),
    (Denoising, {"sigma": (0, NAN)}),
    (Denoising, {"sigma": 25.0}),
    (Denoising, {"sigma": (5, 15, 30)}),
    (Denoising, {"noise_target": "eq7"}),
    (Denoising, {"nu": 1.5}),
    (RealDenoising, {"noise_target": "eq7"}),
    (RealDenoising, {"nu": -0.1}),
    (Photographs, {"sigma": (35, 0)}),
    (Photographs, {"nu": 1.5}),
    (DenoisingDeblurring, {"levels": "unifrom"}),
    (DenoisingDeblurring, {"reading": "exact"}),
    (DenoisingDeblurring, {"sigma": (0, 0)}),
    (DenoisingDeblurring, {"rho": (4, 0)}),
    (DenoisingDeblurring, {"nu": 2}),
    (DenoisingDeblurring, {"gamma": -1}),
    (SuperResolution, {"scale": 0}),
    (SuperResolution, {"scale": 2.5}),
    (SuperResolution, {"pixel": -0.1}),
    (SuperResolution, {"vgg": NAN}),
    (SuperResolution, {"adversarial": -1}),
    (SuperResolution, {"discriminator_lr": 0}),
    (DiscriminatorConfig, {"channels": 0}),
    (DiscriminatorConfig, {"scales": 0}),
    (TunableConfig, {"start": "aprat"}),
    (TunableConfig, {"phi": "afine"}),
    (TunableConfig, {"kernels": 0}),
    (DNIConfig, {"fine_tune": -1}),
    (DNIConfig, {"scratch": 0}),
    (DyNetConfig, {"second": -1}),
    (CFSNetConfig, {"second": NAN}),
    (CResMDConfig, {"form": "other"}),
    (FiLMConfig, {"hidden": 0}),
    (BlendConfig, {"nu": 1.1}),
    (DenoisingSweep, {"every": 0}),
    (DenoisingSweep, {"sigmas": (-1.0,)}),
    (DenoisingSweep, {"sigmas": ()}),
    (DenoisingSweep, {"omegas": ()}),
    (DenoisingSweep, {"omegas": ((0.0, NAN),)}),
    (DenoisingSweep, {"crop": 0}),
    (DenoisingSweep, {"nu": 2.0}),
    (RealSweep, {"omegas": ()}),
    (RealSweep, {"nu": NAN}),
    (JointSweep, {"rhos": (-1.0,)}),
    (JointSweep, {"every": -1}),
    (SuperResolutionSweep, {"scale": 0}),
    (SuperResolutionSweep, {"every": 0}),
]


def name(value):
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("config", "fault"), FAULTS, ids=name)
def test_a_fault_is_refused_with_its_field_and_its_value(config, fault):
    with pytest.raises(ValueError, match=rf"^{config.__name__}: ") as raised:
        config(**fault)
    ((field, value),) = fault.items()
    rules, _, got = str(raised.value).partition("; got ")
    assert field in rules
    assert f"{field}={value!r}" in got


def test_faults_without_a_default_beside_them_are_refused_too():
    with pytest.raises(ValueError, match=r"^Apart: share .*; corners .*; got Apart\(share=0"):
        Apart(share=0, corners=(0.7, 0.7))
    with pytest.raises(ValueError, match=r"^StyleSweep: every .*; got StyleSweep"):
        StyleSweep("samples-test", styles=(), omegas=((1.0,),), every=0)


def test_all_faults_of_a_task_are_reported_at_once():
    with pytest.raises(ValueError, match=r"sigma .*; rho .*; levels .*; reading .*; nu .*; gamma "):
        DenoisingDeblurring("exact", (30, 5), (-1, 0), "unifrom", nu=2, gamma=-1)


@pytest.mark.parametrize("config", [Denoising, DenoisingDeblurring, SuperResolution, TunableConfig])
def test_the_defaults_are_no_fault(config):
    assert config() == config()


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_every_whole_scale_is_a_task(scale):
    assert SuperResolution(scale=scale).scale == scale


def texts(path):
    """Every docstring of a file, those of fields and constants included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


@pytest.mark.parametrize(
    "path", sorted(Path(configs.__file__).parent.glob("*.py")), ids=lambda p: p.stem
)
def test_docstrings_of_settings_hold_no_results(path):
    typed = [
        text for text in texts(path) if re.search(r"\d dB|LPIPS.*\d\.\d|\d\.\d\d away", text, re.DOTALL)
    ]
    assert typed == []
