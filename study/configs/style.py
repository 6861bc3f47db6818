"""The runs of style transfer (Fig. 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from study.configs.profiles import Profile
from study.images import datasets
from study.networks import StyleNetConfig
from study.runs import RunConfig
from study.tasks import StyleTransfer
from study.tasks.style import LAYER, Style, style
from tunable_core.controls import DNIConfig, FiLMConfig, TunableConfig
from tunable_core.omega import OmegaSampling
from tunable_core.training import Training

STYLES = ("mosaic", "edtaonisl", "kandinsky")
"""The paper's, in the order of its dials."""
WEIGHTS: dict[str, dict[str, float]] = {
    "mosaic": {"gram": 0.1, "vgg": 0.06, "tv": 0.02, "size": 384},
    "edtaonisl": {"gram": 0.15, "vgg": 0.055, "tv": 0.02, "size": 448},
    "kandinsky": {"gram": 0.15, "vgg": 0.055, "tv": 0.02, "size": 512},
}
"""Settings of Style for each, found by balancing and by eye; other images take the defaults.

Balanced: at a photograph, which is 0.64, 0.35 and 0.41 away in strokes, lambda_gram L_gram is about 0.06
for all three. By eye, in trials of 350 to 700 steps: with gram = 1 and vgg = 0.05, or 0.25 and 0.03,
strokes cover everything and nothing of the photograph comes through; with 0.1 and 0.06 outlines do.
"""
KEEPING: dict[str, dict[str, float]] = {
    "mosaic": {"gram": 0.2, "vgg": 0.09, "tv": 0.02, "uv": 3.0, "size": 384},
    "edtaonisl": {"gram": 0.4, "vgg": 0.11, "tv": 0.02, "uv": 3.0, "size": 448},
    "kandinsky": {"gram": 0.4, "vgg": 0.11, "tv": 0.02, "uv": 3.0, "size": 512},
}
"""Settings of Style with which strokes are clear and colours stay, found by eye on optimised pixels (see
style_measures.optimised_pixels), not on networks."""
STAND_INS = ("ihc", "china", "flower")
"""Embedded photographs that smoke takes for styles where the paintings are not at hand."""
METHODS = ("tunable", "dni", "film")
"""The control methods of the chapter."""


@dataclass(frozen=True)
class Size:
    """What style transfer is trained with at a budget."""

    network: StyleNetConfig
    training: Training
    corners: float = 0.0
    """Share of the draws of omega that are put on corners, as many on each."""


SIZES = {
    "smoke": Size(
        StyleNetConfig(4, 1),
        Training(steps=10, batch=2, patch=48, lr=2e-3, omega=OmegaSampling("simplex")),
    ),
    "laptop": Size(
        StyleNetConfig(16),
        Training(
            steps=6_000,
            batch=2,
            patch=160,
            lr=2e-3,
            omega=OmegaSampling("simplex"),
        ),
        corners=0.45,
    ),
    "paper": Size(
        StyleNetConfig(),
        Training(
            steps=40_000,
            batch=4,
            patch=384,
            lr=1e-4,
            schedule="constant",
            clip=float("inf"),
            weight_decay=1e-5,
            ema=0,
        ),
    ),
}
KEEPING_SIZE = Size(
    StyleNetConfig(24, 3, around="colours", smooth=True),
    Training(steps=5_500, batch=1, patch=144, lr=2e-3, omega=OmegaSampling("simplex")),
    corners=0.45,
)
"""What the runs that keep the colours are trained with."""


def styles(budget: Profile, images: Sequence[str] = STYLES) -> tuple[Style, ...]:
    """The styles of these images: ids of the registered set, or files of the user's; see style.style.

    In smoke STAND_INS take the place of the paper's where they are not at hand.
    """
    if budget.name == "smoke" and tuple(images) == STYLES and not datasets.available("style"):
        images = STAND_INS
    return tuple(style(image, **WEIGHTS.get(image, {})) for image in images)


def task(budget: Profile, images: Sequence[str] = STYLES) -> StyleTransfer:
    """The task with these styles; smoke does without VGG-19 where its weights are not at hand."""
    alone = budget.name == "smoke" and not datasets.available("vgg19")
    return StyleTransfer(styles(budget, images), "pixels" if alone else LAYER)


def transfer(
    method: str,
    budget: Profile,
    images: Sequence[str] = STYLES,
    *,
    steps: int | None = None,
    seed: int = 0,
) -> RunConfig:
    """The run of a method, one of METHODS, with these styles at a budget.

    steps: in place of the budget's. DNI's networks share the steps that the others train for: a third
    for its first and a third for each copy.
    """
    return _run(method, SIZES[budget.name], task(budget, images), budget.name, budget.data, steps, seed)


def keeping(method: str, *, steps: int | None = None, seed: int = 0) -> RunConfig:
    """The run of a method, one of METHODS, that keeps the colours: the paper's styles as KEEPING.

    The network adds to the photograph, see StyleNet. steps, seed: see transfer.
    """
    what = StyleTransfer(tuple(style(name, **KEEPING[name]) for name in STYLES))
    return _run(method, KEEPING_SIZE, what, "colours", "bsds500", steps, seed)


def _run(
    method: str,
    size: Size,
    what: StyleTransfer,
    label: str,
    data: str,
    steps: int | None,
    seed: int,
) -> RunConfig:
    controls = {
        "tunable": TunableConfig(),
        "dni": DNIConfig(fine_tune=1.0),
        "film": FiLMConfig(),
    }
    if method not in controls:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    count = size.training.steps if steps is None else steps
    p, omega = len(what.styles), size.training.omega
    if method == "dni":
        count = -(-count // p)
    if size.corners:
        omega = replace(omega, corners=(round(size.corners / p, 6),) * p)
    return RunConfig(
        name="-".join(["style", method, *_label(what), label, f"seed{seed}"]),
        task=what,
        control=controls[method],
        network=size.network,
        training=replace(size.training, steps=count, omega=omega, seed=seed),
        data=data,
    )


def _label(what: StyleTransfer) -> list[str]:
    """What tells runs of other styles apart by name; none for the paper's."""
    names = tuple(each.name for each in what.styles)
    return [] if names in (STYLES, STAND_INS) else list(names)


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every run of the chapter at a budget, the most wanted first."""
    return [transfer(method, budget) for method in METHODS]
