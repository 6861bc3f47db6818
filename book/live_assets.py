"""What the live page loads: networks as ONNX files, photographs, filmstrips, and a list of them all.

Everything lies in one folder beside the page, LIVE: the scripts of book/live, the runtime of
book/vendor, and what is made here from the runs in the store. A network whose run is not there is left
out of manifest.json, and so of the page.
"""

from __future__ import annotations

import gzip
import itertools
import json
import lzma
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from study import configs, runs
from study.figures import plots
from study.images import datasets
from study.images.degradations import gaussian_blur
from study.runs import Run, RunConfig
from tunable_core.onnx import NAMES, dials, export
from tunable_core.photo.resampling import low_resolution
from tunable_core.photo.tiling import reach

CROPS = {"astronaut": (20, 150), "chelsea": (22, 90), "coffee": (60, 180)}
"""Top and left of each photograph's square."""
CROP = 256
"""Its side, pixels."""
POSITIONS = {1: 9, 2: 5, 3: 3}
"""Frames of a filmstrip along each dial, for so many dials."""
RUNTIME = {"wasm": "ort-wasm-simd-threaded.wasm", "webgpu": "ort-wasm-simd-threaded.jspi.wasm"}
"""The program that runs a network: on the processor, on the graphics processor; vendored as .xz."""
WHOLE = 1024
"""Longest side of a whole photograph, pixels."""


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
    config: Callable[[configs.Profile], RunConfig]
    base: tuple[float, ...]
    """Omega where all dials are 0."""
    sliders: Sequence[Slider] = field(default_factory=tuple)
    side: int = 128
    """Side of the square that the page works on while sliders move, pixels; of the clean photograph."""
    scale: int = 1
    """By how much the network enlarges; its input is made so much smaller first."""
    tiles: bool = True
    """Whether it may work tile by tile. False for networks that see all of an image, as instance
    normalisation does: their file takes the square alone."""

    @property
    def of_dials(self) -> list[Slider]:
        """The sliders that turn dials."""
        return [slider for slider in self.sliders if slider.kind == "dial"]


MODELS = (
    Model(
        "denoise",
        "Denoising",
        "One dial, from keeping nine tenths of the noise to removing all it can.",
        lambda budget: configs.denoising("tunable", budget),
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
        lambda budget: configs.denoising("tunable", budget, noise_target="eq9"),
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
        "The photograph is made four times smaller, and the network enlarges it again. One dial, from "
        "what is likely to be there to what looks sharp.",
        lambda budget: configs.super_resolution.resnet("tunable", budget),
        (1.0, 0.0),
        (Slider("Sharpness", "faithful", "vivid", 0.5, direction=(-1.0, 1.0)),),
        side=256,
        scale=4,
    ),
    Model(
        "style",
        "Style transfer",
        "Three dials, one for each painting: how much the photograph is to look like it. Training saw "
        "dials that sum to one; what lies beyond is yours to find out.",
        lambda budget: configs.style.transfer("tunable", budget),
        (0.0, 0.0, 0.0),
        (
            Slider("Mosaic", "none", "all", 1.0, direction=(1.0, 0.0, 0.0)),
            Slider("Edtaonisl", "none", "all", 0.0, direction=(0.0, 1.0, 0.0)),
            Slider("Kandinsky", "none", "all", 0.0, direction=(0.0, 0.0, 1.0)),
        ),
        tiles=False,
    ),
)


def write(folder: Path, book: Path) -> list[str]:
    """Fill the folder LIVE for the runs of the store; return the names of the models in it."""
    shutil.copytree(book / "live", folder, dirs_exist_ok=True)
    shutil.copytree(book / "vendor/onnxruntime-web", folder / "runtime")
    found = [(model, run) for model in MODELS if (run := released(model)) is not None]
    manifest: dict[str, Any] = {
        "runtime": {device: packed(folder / "runtime" / name) for device, name in RUNTIME.items()},
        "images": list(CROPS),
        "models": [entry(model, run, folder) for model, run in found],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return [model.name for model, _ in found]


def packed(path: Path) -> dict[str, Any]:
    """Put a program that browsers can unpack in the place of its .xz; where it is.

    The name does not end in .gz, which some servers would unpack on the way.
    """
    vendored = path.with_name(f"{path.name}.xz")
    content = gzip.compress(lzma.decompress(vendored.read_bytes()), mtime=0)
    path.with_name(f"{path.name}.packed").write_bytes(content)
    vendored.unlink()
    return {"file": f"runtime/{path.name}.packed", "bytes": len(content)}


def released(model: Model) -> Run | None:
    """The model's run in the store, of the largest budget that has one."""
    for budget in ("paper", "laptop", "smoke"):
        config = model.config(configs.profile(budget))
        if runs.find(config, weights=True) is not None:
            return runs.get(config, progress=False)
    return None


def photograph(name: str, side: int, folder: Path) -> Tensor:
    """A photograph of the page, [3, side, side] in [0, 1], also written as NAME-SIDE.webp."""
    top, left = CROPS[name]
    square = datasets.load("samples-test")[name][:, top : top + CROP, left : left + CROP]
    picture = Image.fromarray(square.permute(1, 2, 0).numpy()).resize((side, side), Image.LANCZOS)
    picture.save(folder / f"{name}-{side}.webp", lossless=True)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def entry(model: Model, run: Run, folder: Path) -> dict[str, Any]:
    """A model of manifest.json; its ONNX file, photographs and filmstrips are written."""
    side = model.side // model.scale
    sample = None if model.tiles else normal(3 * side**2).view(1, 3, side, side)
    free = NAMES.values() if model.tiles else ()
    file = export(run.control, folder / f"{model.name}.onnx", sample=sample, free=free)
    plain = run.control.at([0.5] * dials(run.control))
    count = len(model.of_dials)
    grid = list(itertools.product(np.linspace(0, 1, POSITIONS[count]).tolist(), repeat=count))
    strips = {}
    for name in CROPS:
        image = photograph(name, model.side, folder)
        strips[name] = strip(model, run.control, image, grid, folder, name)
    return {
        "name": model.name,
        "title": model.title,
        "says": model.says,
        "run": run.folder.name,
        "file": file.name,
        "bytes": file.stat().st_size,
        "side": model.side,
        "scale": model.scale,
        "reach": vars(reach(plain, scale=model.scale)) if model.tiles else None,
        "most": WHOLE,
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
    degraded = gaussian_blur(image[None], start["blur"]) if "blur" in start else image[None]
    if model.scale > 1:
        degraded = low_resolution(degraded, model.scale)
    degraded = degraded + start.get("noise", 0.0) / 255 * normal(degraded.numel()).view_as(degraded)
    directions = torch.tensor([slider.direction for slider in model.of_dials])
    omegas = torch.tensor(model.base) + torch.tensor(grid, dtype=torch.float32) @ directions
    assert omegas.shape[1] == dials(control)
    outputs = torch.cat(control.outputs(degraded, omegas.clamp(0, 1)))
    rows = [plots.to_picture(output) for output in outputs]
    picture = Image.fromarray((255 * np.concatenate(rows)).round().astype("uint8"))
    file = f"{model.name}-{name}.webp"
    picture.save(folder / file, quality=88)
    return file
