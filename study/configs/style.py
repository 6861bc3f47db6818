"""The runs of style transfer (Fig. 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from study.configs.profiles import Profile
from study.controls import DNIConfig, FiLMConfig, TunableConfig
from study.images import datasets
from study.networks import StyleNetConfig
from study.runs import RunConfig
from study.tasks import StyleTransfer
from study.tasks.style import LAYER, Style, style
from study.training import Training
from tunable_core.omega import OmegaSampling

STYLES = ("mosaic", "edtaonisl", "kandinsky")
"""The paper's styles, in the order of its dials."""
WEIGHTS: dict[str, dict[str, float]] = {
    "mosaic": {"gram": 0.1, "vgg": 0.06, "tv": 0.02, "size": 384},
    "edtaonisl": {"gram": 0.15, "vgg": 0.055, "tv": 0.02, "size": 448},
    "kandinsky": {"gram": 0.15, "vgg": 0.055, "tv": 0.02, "size": 512},
}
"""Settings of Style for each, chosen by eye in short trials, which are not recorded: all three styles
are about equally strong, and the outlines of the photograph stay visible. Other images use the
defaults."""
KEEPING: dict[str, dict[str, float]] = {
    "mosaic": {"gram": 0.2, "vgg": 0.09, "tv": 0.02, "uv": 3.0, "size": 384},
    "edtaonisl": {"gram": 0.4, "vgg": 0.11, "tv": 0.02, "uv": 3.0, "size": 448},
    "kandinsky": {"gram": 0.4, "vgg": 0.11, "tv": 0.02, "uv": 3.0, "size": 512},
}
"""Settings of Style that give clear strokes and keep the colours, chosen by eye on optimised pixels (see
style_measures.optimised_pixels), not on networks."""
STAND_INS = ("ihc", "china", "flower")
"""Embedded photographs that smoke uses as styles if the paintings are missing."""
METHODS = ("tunable", "dni", "film")
"""The control methods of the chapter."""


@dataclass(frozen=True)
class Size:
    """The settings of style transfer at a budget."""

    network: StyleNetConfig
    training: Training
    corners: float = 0.0
    """Share of the drawn omegas that are corners, equally many of each."""


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
"""The settings of the runs that keep the colours."""


def styles(budget: Profile, images: Sequence[str] = STYLES) -> tuple[Style, ...]:
    """The styles of these images: ids of the registered set, or your own files; see style.style.

    In smoke, STAND_INS replace the paper's styles if these are missing.
    """
    if budget.name == "smoke" and tuple(images) == STYLES and not datasets.available("style"):
        images = STAND_INS
    return tuple(style(image, **WEIGHTS.get(image, {})) for image in images)


def task(budget: Profile, images: Sequence[str] = STYLES) -> StyleTransfer:
    """The task with these styles; smoke does not use VGG-19 if its weights are missing."""
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

    steps: in place of the budget's. DNI's networks share the steps of the other methods: a third for
    the first network and a third for each copy.
    """
    return _run(method, SIZES[budget.name], task(budget, images), budget.name, budget.data, steps, seed)


def keeping(method: str, *, steps: int | None = None, seed: int = 0) -> RunConfig:
    """The run of a method, one of METHODS, that keeps the colours, with the settings KEEPING.

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
    """The part of a run's name that identifies its styles; none for the paper's."""
    names = tuple(each.name for each in what.styles)
    return [] if names in (STYLES, STAND_INS) else list(names)


def runs_of(budget: Profile) -> list[RunConfig]:
    """Every run of style transfer at a budget, in order of importance."""
    return [transfer(method, budget) for method in METHODS]
