"""The networks of the live page: title, run, and sliders of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import nn

from study import configs
from study.controls import Blend
from study.runs import Run, RunConfig


@dataclass(frozen=True)
class Slider:
    """A slider, for a dial or for a degradation."""

    label: str
    low: str
    """Meaning of its left end."""
    high: str
    """Meaning of its right end."""
    start: float
    most: float = 1.0
    kind: str = "dial"
    """dial, noise (sigma, grey levels of 255) or blur (rho, pixels)."""
    direction: tuple[float, ...] = ()
    """Change of omega when the dial goes from 0 to 1."""


@dataclass(frozen=True)
class Model:
    """A network of the live page."""

    name: str
    title: str
    says: str
    """Description for the reader."""
    config: Callable[[configs.Profile], RunConfig] | None
    """Its run; None for a released network."""
    base: tuple[float, ...]
    """Omega when all dials are 0."""
    sliders: Sequence[Slider] = field(default_factory=tuple)
    side: int = 128
    """Side in pixels of the square of the clean photograph that is processed while sliders move."""
    scale: int = 1
    """Factor of enlargement; the input is downscaled by it first."""
    tiles: bool = True
    """Whether it may be applied tile by tile. False for networks whose output depends on the whole
    image, as with instance normalisation: their file only accepts the square."""
    measured: bool = True
    """Whether the ideal result is the clean photograph, so that PSNR has a meaning."""
    brush: bool = False
    """Whether the page offers a dial per pixel, which needs a second file."""
    released: str = ""
    """Name of a released network of tunable_photo, in place of a run."""
    rivals: Sequence[str] = ()
    """Methods of RIVALS that are shown next to it, at the positions of its filmstrip."""

    @property
    def of_dials(self) -> list[Slider]:
        """The sliders for dials."""
        return [slider for slider in self.sliders if slider.kind == "dial"]


RIVALS: dict[str, tuple[str, Callable[[Run], nn.Module]]] = {
    "dni": ("DNI: two networks, interpolated", lambda run: run.control),
    "film": ("FiLM: features scaled by the dial", lambda run: run.control),
    "blend": (
        "Blend: the cleanest result mixed with the input",
        lambda run: Blend(run.control.networks[0]),
    ),
}
"""Rival methods: title, and control of a run."""
NOISE = (
    Slider("Denoising", "keep the noise", "remove it", 0.6, direction=(1.0, -1.0)),
    Slider("Noise added", "none", "strong", 25.0, 50.0, "noise"),
)

MODELS = (
    Model(
        "denoise",
        "Denoising",
        "One even dial, from keeping nine tenths of the noise to removing as much as possible.",
        lambda budget: configs.denoising("tunable", budget, noise_target="eq9"),
        (0.0, 1.0),
        NOISE,
        brush=True,
        rivals=("dni", "film", "blend"),
    ),
    Model(
        "denoise-fixed",
        "Denoising, a switch",
        "The same network, trained with a target that does not follow the dial, as the paper's Table 1 "
        "suggests. Little happens in the first half of the dial, and almost everything in the second.",
        lambda budget: configs.denoising("tunable", budget),
        (0.0, 1.0),
        NOISE,
    ),
    Model(
        "photo",
        "Your photographs",
        "The network of the command tunable, for the noise of cameras and JPEGs. Choose a photograph of "
        "your own; no noise is added to it at first. Up to 12 megapixels keep their size.",
        None,
        (0.0, 1.0),
        NOISE,
        released="photo",
    ),
    Model(
        "joint",
        "Denoising and deblurring",
        "Two dials: how much noise to remove, and how much to sharpen. Each also changes part of what "
        "the other one controls.",
        lambda budget: configs.joint("tunable", budget),
        (0.0, 0.0),
        (
            Slider("Denoising", "keep the noise", "remove it", 1.0, direction=(1.0, 0.0)),
            Slider("Sharpening", "none", "strong", 0.2, direction=(0.0, 1.0)),
            Slider("Noise added", "none", "strong", 15.0, 30.0, "noise"),
            Slider("Blur added", "none", "strong", 1.0, 4.0, "blur"),
        ),
    ),
    Model(
        "enlarge",
        "Super-resolution",
        "The photograph is made four times smaller, and the network enlarges it again. One dial, from a "
        "sharp-looking result to the most faithful one.",
        lambda budget: configs.super_resolution.resnet("tunable", budget),
        (0.0, 1.0),
        (Slider("Fidelity", "perceptual", "faithful", 0.5, direction=(1.0, -1.0)),),
        side=256,
        scale=4,
    ),
    Model(
        "style",
        "Style transfer",
        "Three dials, one for each painting: how strongly the photograph takes on its style. "
        "Training used dials that sum to 1; you can try others.",
        lambda budget: configs.style.transfer("tunable", budget),
        (0.0, 0.0, 0.0),
        (
            Slider("Mosaic", "none", "all", 1.0, direction=(1.0, 0.0, 0.0)),
            Slider("Edtaonisl", "none", "all", 0.0, direction=(0.0, 1.0, 0.0)),
            Slider("Kandinsky", "none", "all", 0.0, direction=(0.0, 0.0, 1.0)),
        ),
        tiles=False,
        measured=False,
    ),
)
