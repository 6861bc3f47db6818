"""Checkpoints of the corners, in the format that programs for restoration load and interpolate."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from tunable_core.omega import OmegaLike
from tunable_core.tunable import Tunable

KEY = "params"
"""Name of the entry with the weights in a .pth file of BasicSR and Real-ESRGAN."""


def save_corners(model: Tunable, folder: str | Path, names: Sequence[str] = ()) -> list[Path]:
    """Write the plain network at each unit omega to a separate file; returns the p paths.

    names: of the p files in the folder; by default corner-1.pth, corner-2.pth, ... The suffix sets the
    format, .pth for {"params": weights}, .safetensors for the weights alone (needs the package
    safetensors). Where omega sums to 1 and phi is affine, the weights at omega are the mean of these
    files weighted by omega, so a program that interpolates checkpoints has the dial.
    Raises ValueError for another number of names than p, or another suffix.
    """
    names = names or [f"corner-{i}.pth" for i in range(1, model.p + 1)]
    if len(names) != model.p or len({*names}) != model.p:
        raise ValueError(f"save_corners() needs {model.p} different names; got {[*names]}")
    files = [Path(folder) / name for name in names]
    for file, network in zip(files, model.corners(), strict=True):
        _write(file, network)
    return files


def save_at(model: Tunable, file: str | Path, omega: OmegaLike) -> Path:
    """Write the plain network at omega [p] to one such file, for programs without interpolation."""
    file = Path(file)
    _write(file, model.at(omega))
    return file


def _write(file: Path, network: nn.Module) -> None:
    if file.suffix not in (".pth", ".safetensors"):
        raise ValueError(f"the file of a checkpoint must end in .pth or .safetensors; got '{file.name}'")
    file.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
    if file.suffix == ".pth":
        torch.save({KEY: weights}, file)
        return
    try:
        importlib.import_module("safetensors.torch").save_file(weights, str(file))
    except ImportError as error:
        raise ImportError("a .safetensors file needs the package safetensors") from error
