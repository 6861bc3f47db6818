"""What the live page loads: networks as ONNX files, photographs, filmstrips, and a list of them all.

Everything lies in one folder beside the page, LIVE: the scripts of book/live, the runtime of
book/vendor, and what is made here from the runs in the store. A network whose run is not there is left
out of manifest.json, and so of the page.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from tunable_core import datasets, plots, runs, study
from tunable_core.degradations import gaussian_blur
from tunable_core.export import dials, export
from tunable_core.runs import Run, RunConfig
from tunable_core.tiling import reach

SIDE = 128
"""Side of the photographs on the page, pixels."""
CROPS = {"astronaut": (20, 150, 2), "chelsea": (60, 100, 2), "coffee": (60, 180, 2)}
"""Top and left of each photograph's square, and by how much it is reduced."""


@dataclass(frozen=True)
class Slider:
    """One slider: of a dial or of a degradation."""

    label: str
    low: str
    """What its left end means."""
    high: str
    """What its right end means."""
    start: float
    most: float = 1.0
    kind: str = "dial"
    """dial, noise (sigma, grey levels of 255) or blur (rho, pixels)."""
    direction: tuple[float, ...] = ()
    """How omega moves when a dial goes from 0 to 1."""


@dataclass(frozen=True)
class Model:
    """A network of the page."""

    name: str
    title: str
    says: str
    """A sentence for the reader."""
    config: Callable[[study.Profile], RunConfig]
    base: tuple[float, ...]
    """Omega where all dials are 0."""
    sliders: Sequence[Slider] = field(default_factory=tuple)

    @property
    def of_dials(self) -> list[Slider]:
        """The sliders that turn dials."""
        return [slider for slider in self.sliders if slider.kind == "dial"]


MODELS = (
    Model(
        "denoise",
        "Denoising",
        "One dial, from keeping nine tenths of the noise to removing all it can.",
        lambda budget: study.denoising("tunable", budget),
        (0.0, 1.0),
        (
            Slider("Denoising", "keep the noise", "remove it", 0.6, direction=(1.0, -1.0)),
            Slider("Noise added", "none", "strong", 25.0, 50.0, "noise"),
        ),
    ),
    Model(
        "denoise-eq9",
        "Denoising, even dial",
        "The same network trained with the target of Eq. 9: its dial moves more evenly.",
        lambda budget: study.denoising("tunable", budget, noise_target="eq9"),
        (0.0, 1.0),
        (
            Slider("Denoising", "keep the noise", "remove it", 0.6, direction=(1.0, -1.0)),
            Slider("Noise added", "none", "strong", 25.0, 50.0, "noise"),
        ),
    ),
    Model(
        "joint",
        "Denoising and deblurring",
        "Two dials that are independent: how much noise to remove, how much to sharpen.",
        lambda budget: study.joint("tunable", budget),
        (0.0, 0.0),
        (
            Slider("Denoising", "keep the noise", "remove it", 1.0, direction=(1.0, 0.0)),
            Slider("Sharpening", "none", "strong", 0.2, direction=(0.0, 1.0)),
            Slider("Noise added", "none", "strong", 15.0, 30.0, "noise"),
            Slider("Blur added", "none", "strong", 1.0, 4.0, "blur"),
        ),
    ),
)


def write(folder: Path, book: Path) -> list[str]:
    """Fill the folder LIVE for the runs of the store; return the names of the models in it."""
    shutil.copytree(book / "live", folder, dirs_exist_ok=True)
    shutil.copytree(book / "vendor/onnxruntime-web", folder / "runtime")
    images = photographs(folder)
    found = [(model, run) for model in MODELS if (run := released(model)) is not None]
    manifest: dict[str, Any] = {
        "side": SIDE,
        "images": [{"name": name, "file": f"{name}.webp"} for name in images],
        "models": [entry(model, run, images, folder) for model, run in found],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return [model.name for model, _ in found]


def released(model: Model) -> Run | None:
    """The model's run in the store, of the largest budget that has one."""
    for budget in ("paper", "laptop", "smoke"):
        config = model.config(study.profile(budget))
        if runs.find(config) is not None:
            return runs.get(config, progress=False)
    return None


def photographs(folder: Path) -> dict[str, Tensor]:
    """The photographs of the page, [3, SIDE, SIDE] in [0, 1], also written as NAME.webp."""
    images = {}
    for name, (top, left, reduction) in CROPS.items():
        side = SIDE * reduction
        square = datasets.load("samples-test")[name][:, top : top + side, left : left + side]
        picture = Image.fromarray(square.permute(1, 2, 0).numpy()).resize((SIDE, SIDE), Image.LANCZOS)
        picture.save(folder / f"{name}.webp", lossless=True)
        images[name] = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
    return images


def entry(model: Model, run: Run, images: dict[str, Tensor], folder: Path) -> dict[str, Any]:
    """A model of manifest.json; its ONNX file and its filmstrips are written."""
    file = export(run.control, folder / f"{model.name}.onnx")
    seen = reach(run.control.at([0.5] * dials(run.control)))
    positions = (
        [[i / 8 for i in range(9)]] if len(model.of_dials) == 1 else [[0, 0.25, 0.5, 0.75, 1]] * 2
    )
    grid = list(itertools.product(*positions))
    strips = {
        name: strip(model, run.control, image, grid, folder, name) for name, image in images.items()
    }
    return {
        "name": model.name,
        "title": model.title,
        "says": model.says,
        "run": run.folder.name,
        "file": file.name,
        "bytes": file.stat().st_size,
        "reach": seen.pixels,
        "period": seen.period,
        "base": model.base,
        "sliders": [vars(slider) for slider in model.sliders],
        "strips": {"positions": grid, "files": strips},
    }


def normal(count: int) -> Tensor:
    """Standard normal numbers, float32 [count], as pictures.js draws them: the page's noise."""
    steps = np.arange(1, 2 * count + 1, dtype=np.uint64) * 0x6D2B79F5 + 7
    a = steps.astype(np.uint32)
    t = (a ^ (a >> 15)) * (a | 1)
    t = t ^ (t + (t ^ (t >> 7)) * (t | 61))
    u = (t ^ (t >> 14)) / 2**32
    return torch.from_numpy(np.sqrt(-2 * np.log1p(-u[::2])) * np.cos(2 * np.pi * u[1::2])).float()


@torch.inference_mode()
def strip(model: Model, control: nn.Module, image: Tensor, grid: list, folder: Path, name: str) -> str:
    """The outputs at every position of the dials, below each other in one WebP; returns its name.

    The input is degraded as the sliders stand at first.
    """
    start = {slider.kind: slider.start for slider in model.sliders if slider.kind != "dial"}
    degraded = gaussian_blur(image[None], start["blur"])[0] if "blur" in start else image
    degraded = degraded + start.get("noise", 0.0) / 255 * normal(image.numel()).view_as(image)
    directions = torch.tensor([slider.direction for slider in model.of_dials])
    omegas = torch.tensor(model.base) + torch.tensor(grid, dtype=torch.float32) @ directions
    assert omegas.shape[1] == dials(control)
    outputs = torch.cat(control.outputs(degraded[None], omegas.clamp(0, 1)))
    rows = [plots.to_picture(output) for output in outputs]
    picture = Image.fromarray((255 * np.concatenate(rows)).round().astype("uint8"))
    file = f"{model.name}-{name}.webp"
    picture.save(folder / file, quality=88)
    return file
