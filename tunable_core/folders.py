"""A tunable network in a folder, as model hubs lay it out."""

from __future__ import annotations

import copy
import dataclasses
import glob
import json
import shutil
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import torch
from torch import nn

from tunable_core.files import DamagedFile
from tunable_core.resnet import ResNet, ResNetConfig

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
HALF_FROM = 1024
"""Tensors of at least so many numbers are stored in float16, where that is asked for; smaller ones
(biases, phi) are not worth the loss."""


class InFolder:
    """save() and load() of Tunable."""

    def save(self, folder: str | Path, *, half: bool = False) -> Path:
        """Write config.json, model.safetensors and, where there is none, README.md; returns the folder.

        The architecture of the network is stored only for this package's ResNet; load() takes any other.
        half: store float32 tensors of 1,024 numbers and more in float16, for half the size.
        Needs the package safetensors.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        kind, network = type(self.phi).__name__, type(self.module).__name__
        config = {
            "p": self.p,
            "kernels": self.kernels,
            "phi": {"Affine": "affine", "Identity": "identity", "SqueezeExcite": "se"}[kind],
            "tuned": self.tuned,
            "network": network,
        }
        given = f"folder, network)  # network: a {network} of the same size"
        if type(self.module) is ResNet:
            config["settings"] = dataclasses.asdict(self.module.config)
            given = "folder)"
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
        _safetensors().torch.save_model(_halved(self) if half else self, str(folder / WEIGHTS))
        shutil.copymode(folder / CONFIG, folder / WEIGHTS)  # safetensors lets nobody else read its files
        if not (folder / CARD).exists():
            (folder / CARD).write_text(
                f"---\nlibrary_name: tunable_core\n---\n\n# {network} with {self.p} dials\n\n"
                f"```python\nfrom tunable_core import Tunable\n\n"
                f"model = Tunable.load({given}\n"
                f"output = model(x, omega)  # omega: [{self.p}] in [0, 1]\n```\n"
            )
        return folder

    @classmethod
    def load(cls, folder: str | Path, module: nn.Module | None = None) -> Self:
        """The model that save() wrote.

        module: a network of the same architecture, whatever its weights; it is copied. Not needed for
            this package's ResNet. Nothing in the folder is executed. Needs the package safetensors.
        Raises FileNotFoundError for a folder without a model, DamagedFile for one whose files
        are damaged, ValueError for one that does not fit.
        """
        folder, stored = Path(folder), _safetensors()
        for name in (CONFIG, WEIGHTS):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder} holds no saved Tunable: it has no {name}")
        try:
            config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
        except ValueError as error:
            raise DamagedFile(f"{folder / CONFIG} is damaged ({error}); get the folder again") from error
        if module is None:
            module = _network(config, folder)
        try:
            model = cls(
                module,
                config["p"],
                kernels=config["kernels"],
                phi=config["phi"],
                tuned=tuple(glob.escape(name) for name in config["tuned"]),
                untuned=(),
            )
            stored.torch.load_model(model, str(folder / WEIGHTS))
        except stored.SafetensorError as error:
            raise DamagedFile(
                f"{folder / WEIGHTS} is damaged ({error}); get the folder again"
            ) from error
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"{folder} holds a Tunable of another network than this {type(module).__name__}: {error}"
            ) from error
        return model

    def push_to_hub(self, name: str, *, half: bool = False, **options: Any) -> str:
        """Upload what save() writes to the Hugging Face repository "owner/name"; returns its address.

        The repository is made where there is none; a README.md that it has stays.
        options: of huggingface_hub's upload_folder, such as commit_message, revision or token.
        Needs the packages huggingface_hub and safetensors.
        """
        hub, token = _hub(), options.get("token")
        address = hub.create_repo(name, token=token, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            self.save(folder, half=half)
            if hub.file_exists(name, CARD, revision=options.get("revision"), token=token):
                (Path(folder) / CARD).unlink()
            hub.upload_folder(repo_id=name, folder_path=folder, **options)
        return str(address)

    @classmethod
    def from_pretrained(cls, name: str | Path, module: nn.Module | None = None, **options: Any) -> Self:
        """The model in a folder, or in the Hugging Face repository "owner/name"; see load().

        options: of huggingface_hub's snapshot_download, such as revision or token.
        A folder of that name comes first. Downloading needs the package huggingface_hub.
        """
        if not Path(name).is_dir():
            name = _hub().snapshot_download(str(name), allow_patterns=[CONFIG, WEIGHTS], **options)
        return cls.load(name, module)


def _network(config: dict[str, Any], folder: Path) -> nn.Module:
    """The ResNet that a config.json describes."""
    if config.get("network") != "ResNet" or "settings" not in config:
        raise ValueError(
            f"{folder} holds a Tunable of a {config.get('network')}, whose architecture is not stored: "
            f"pass the network, as in Tunable.load(folder, network)"
        )
    try:
        return ResNetConfig(**config["settings"]).build()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{folder / CONFIG} describes no ResNet of this version: {error}") from error


@torch.no_grad()
def _halved(model: nn.Module) -> nn.Module:
    """A copy whose large tensors are float16; shared parameters stay shared."""
    model = copy.deepcopy(model)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.dtype == torch.float32 and tensor.numel() >= HALF_FROM:
            tensor.data = tensor.data.half()
    return model


def _safetensors() -> ModuleType:
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError(
            "saved networks need the package safetensors: pip install safetensors"
        ) from error
    return safetensors


def _hub() -> ModuleType:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "the hub needs the package huggingface_hub: pip install huggingface_hub"
        ) from error
    return huggingface_hub
