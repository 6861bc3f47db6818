"""The files of the live page: networks as ONNX, photographs, filmstrips, and a list of them.

All are in one folder next to the page, LIVE: the scripts of book/live, the runtime of book/vendor, and
files made here from the runs in the store. A network without a stored run is left out of manifest.json,
and so of the page.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import lzma
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from exporting import one_registry
from live_models import MODELS, RIVALS, Model
from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

from study import configs, runs
from study.figures import plots
from study.images import datasets
from study.images.degradations import gaussian_blur
from study.images.resampling import low_resolution
from study.measuring.metrics import kept_fraction, psnr
from study.runs import Run, RunConfig
from tunable_core.onnx import NAMES, dials, export
from tunable_core.phi import Affine
from tunable_core.saving import WEIGHTS
from tunable_core.tunable import Tunable
from tunable_photo import networks
from tunable_photo.resnet import ResNet
from tunable_photo.tiling import reach

FORM = ("blocks", "channels", "stride", "head_relu", "image_skip")
"""The settings of a ResNet that resnet.js needs."""
CHANNELS = 8
"""Channels that convolve.js computes at once; features need a multiple of it."""
CROPS = {"astronaut": (20, 150), "chelsea": (22, 90), "coffee": (60, 180)}
"""Top and left of the square of each photograph."""
CROP = 256
"""Side of the square in pixels."""
POSITIONS = {1: 9, 2: 5, 3: 3}
"""Frames of a filmstrip along each dial, by the number of dials."""
RUNTIME = {"wasm": "ort-wasm-simd-threaded.wasm", "webgpu": "ort-wasm-simd-threaded.jspi.wasm"}
"""The WebAssembly files of the runtime, for CPU and GPU; vendored as .xz."""
WHOLE = {1: 12_000_000, 4: 1_000_000}
"""Largest photograph that is processed as a whole, in pixels, by the scale of enlargement."""


def write(folder: Path, book: Path) -> list[str]:
    """Fill the folder LIVE for the runs of the store; return the names of the models in it."""
    shutil.copytree(book / "live", folder, dirs_exist_ok=True)
    shutil.copytree(book / "vendor/onnxruntime-web", folder / "runtime")
    (folder / "isolate.js").replace(folder.parent / "isolate.js")  # it serves the folder it is in
    found = [(model, *made) for model in MODELS if (made := network_of(model)) is not None]
    with one_registry():
        entries = [entry(model, name, control, folder) for model, name, control in found]
    manifest: dict[str, Any] = {
        "runtime": {device: packed(folder / "runtime" / name) for device, name in RUNTIME.items()},
        "images": list(CROPS),
        "isolate": os.environ.get("TUNABLE_ISOLATE") == "1",
        "models": entries,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return [model.name for model, *_ in found]


def packed(path: Path) -> dict[str, Any]:
    """Replace an .xz by a gzip file, which browsers can unpack; returns its address.

    Its name does not end in .gz, since some servers would unpack it.
    """
    vendored = path.with_name(f"{path.name}.xz")
    content = gzip.compress(lzma.decompress(vendored.read_bytes()), mtime=0)
    path.with_name(f"{path.name}.packed").write_bytes(content)
    vendored.unlink()
    return {"file": f"runtime/{path.name}.packed", "bytes": len(content)}


def network_of(model: Model) -> tuple[str, nn.Module] | None:
    """The model's name and network: released, or from the run of the largest budget that has one."""
    if model.config is None:
        return model.released, networks.network(model.released)
    run = first_run(model.config)
    return None if run is None else (run.folder.name, run.control)


def first_run(config_of: Callable[[configs.Profile], RunConfig]) -> Run | None:
    """The stored run of a config, at the largest budget that has one."""
    for budget in ("paper", "laptop", "smoke"):
        config = config_of(configs.profile(budget))
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


def entry(model: Model, name: str, control: nn.Module, folder: Path) -> dict[str, Any]:
    """Write a model's files, photographs and filmstrips; returns its entry in manifest.json.

    name: of its run, or of the released network. control: maps images and omega to images.
    """
    network = cast(Tunable, getattr(control, "network", control))
    side = model.side // model.scale
    sample = None if model.tiles else normal(3 * side**2).view(1, 3, side, side)
    free = NAMES.values() if model.tiles else ()
    file = export(control, folder / f"{model.name}.onnx", sample=sample, free=free)
    plain = network.at([0.5] * network.p)
    made: dict[str, Any] = {
        "name": model.name,
        "title": model.title,
        "says": model.says,
        "run": name,
        **addressed(file),
        **weights(model, network, folder),
        "inside": inside(model, network),
        "side": model.side,
        "scale": model.scale,
        "measured": model.measured,
        "reach": vars(reach(plain, scale=model.scale)) if model.tiles else None,
        "most": WHOLE[model.scale],
        "base": model.base,
        "sliders": [vars(slider) for slider in model.sliders],
        "strips": strips(model, control, folder),
        "methods": [],
    }
    if model.brush:
        made["map"] = addressed(export(network, folder / f"{model.name}-map.onnx", "map"))
    for rival in model.rivals:
        title, control_of = RIVALS[rival]
        if (other := rival_run(rival)) is not None:
            shown = strips(model, control_of(other), folder, rival)
            made["methods"].append({"title": title, "strips": shown})
    return made


def weights(model: Model, network: Tunable, folder: Path) -> dict[str, Any]:
    """For the paper's ResNet, which the page runs itself: its settings, and the file of its weights."""
    module = network.module
    if not (isinstance(module, ResNet) and module.scale == 1 and isinstance(network.phi, Affine)):
        return {}
    if module.config.channels % CHANNELS:
        return {}
    file = folder / f"{model.name}.safetensors"
    if model.released:
        shutil.copy(networks.RELEASED / model.released / WEIGHTS, file)
    else:
        file.write_bytes(save({name: t.contiguous() for name, t in network.state_dict().items()}))
    form = {name: getattr(module.config, name) for name in FORM}
    return {"weights": addressed(file), "form": form | {"mean": module.mean.flatten().tolist()}}


def inside(model: Model, network: Tunable) -> dict[str, Any]:
    """Data on the inside of a network: phi of its layers, and the 3 x 3 kernel that changes most.

    weight [L, K, p] and bias [L, K] are those of phi (Eq. 6); name and values [K, 9] are those of the
    kernel, and layer is its row in phi.
    """
    assert isinstance(network.phi, Affine)
    base = torch.tensor(model.base)
    end = (base + torch.tensor(model.of_dials[0].direction)).clamp(0, 1)
    farthest, shown = -1.0, {}
    with torch.no_grad():
        here, there = network.mix(base), network.mix(end)
        for name in network.tuned:
            bank = network.module.get_parameter(name)
            if bank.ndim != 5 or bank.shape[3:] != (3, 3):
                continue
            apart = (there[name] - here[name]).flatten(2).norm(dim=2)
            if apart.max() > farthest:
                farthest, place = apart.max().item(), apart.argmax().item()
                values = bank.flatten(1, 2)[:, place].flatten(1)
                shown = {"name": name, "layer": network.layer_of[name], "values": rounded(values)}
    return {"weight": rounded(network.phi.weight), "bias": rounded(network.phi.bias), "kernel": shown}


def rounded(values: Tensor) -> list[Any]:
    """Nested lists of numbers, rounded to six digits."""
    digits = [float(f"{value:.6g}") for value in values.detach().flatten().tolist()]
    return torch.tensor(digits, dtype=torch.float64).view(values.shape).tolist()


def rival_run(rival: str) -> Run | None:
    """The stored run of a method of RIVALS; a blend uses the plain network of DNI."""
    kind = "dni" if rival == "blend" else rival
    return first_run(lambda budget: configs.denoising(kind, budget))


def addressed(file: Path) -> dict[str, Any]:
    """Address and size of a file; the address depends on the content, so browsers may cache it."""
    content = file.read_bytes()
    return {"file": f"{file.name}?{hashlib.sha256(content).hexdigest()[:12]}", "bytes": len(content)}


def strips(model: Model, control: nn.Module, folder: Path, method: str = "") -> dict[str, Any]:
    """The filmstrip of every photograph along a control's dials, with PSNR and kept noise."""
    count = len(model.of_dials)
    grid = list(itertools.product(np.linspace(0, 1, POSITIONS[count]).tolist(), repeat=count))
    made: dict[str, Any] = {"positions": grid, "files": {}, "measures": {}}
    for name in CROPS:
        image = photograph(name, model.side, folder)
        file = "-".join(filter(None, (model.name, method, name)))
        outputs, degraded = along(model, control, image, grid)
        rows = [plots.to_picture(output) for output in outputs]
        picture = Image.fromarray((255 * np.concatenate(rows)).round().astype("uint8"))
        picture.save(folder / f"{file}.webp", quality=88)
        made["files"][name] = f"{file}.webp"
        made["measures"][name] = measures(model, outputs, image, degraded)
    return made


def measures(model: Model, outputs: Tensor, clean: Tensor, degraded: Tensor) -> list[list[float | None]]:
    """PSNR in dB and kept share of the noise of each output; None where it has no meaning."""
    kinds = {slider.kind for slider in model.sliders}
    found: list[list[float | None]] = []
    for output in outputs[:, None]:
        decibels = psnr(output, clean[None]).item() if model.measured else None
        noisy = "noise" in kinds and "blur" not in kinds
        share = kept_fraction(output, clean[None], degraded).item() if noisy else None
        found.append([decibels, share])
    return found


def normal(count: int) -> Tensor:
    """Standard normal numbers, float32 [count], the same as pictures.js draws for the page's noise."""
    steps = np.arange(1, 2 * count + 1, dtype=np.uint64) * 0x6D2B79F5 + 7
    a = steps.astype(np.uint32)
    t = (a ^ (a >> 15)) * (a | 1)
    t = t ^ (t + (t ^ (t >> 7)) * (t | 61))
    u = (t ^ (t >> 14)) / 2**32
    return torch.from_numpy(np.sqrt(-2 * np.log1p(-u[::2])) * np.cos(2 * np.pi * u[1::2])).float()


@torch.inference_mode()
def along(model: Model, control: nn.Module, image: Tensor, grid: list) -> tuple[Tensor, Tensor]:
    """The outputs at every position of the dials, [N, 3, H, W], and their input [1, 3, h, w].

    The input is degraded by the initial values of the sliders.
    """
    start = {slider.kind: slider.start for slider in model.sliders if slider.kind != "dial"}
    degraded = gaussian_blur(image[None], start["blur"]) if "blur" in start else image[None]
    if model.scale > 1:
        degraded = low_resolution(degraded, model.scale)
    degraded = degraded + start.get("noise", 0.0) / 255 * normal(degraded.numel()).view_as(degraded)
    directions = torch.tensor([slider.direction for slider in model.of_dials])
    omegas = torch.tensor(model.base) + torch.tensor(grid, dtype=torch.float32) @ directions
    assert omegas.shape[1] == dials(control)
    return torch.cat([control(degraded, omega) for omega in omegas.clamp(0, 1)]), degraded
