"""Save a tunable network to a folder in the layout of model hubs, and load it."""

from __future__ import annotations

import copy
import glob
import json
import shutil
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from torch import nn

from tunable_core.checks import needed
from tunable_core.files import DamagedFile
from tunable_core.wrapped import Wrapped

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
HALF_FROM = 1024
"""save(half=True) stores tensors of at least this many numbers in float16; for smaller ones (biases,
phi) the loss of precision is not worth the saving."""
LOADABLE: dict[str, type[nn.Module]] = {}
"""The classes of networks that load() builds itself, by name; see loadable()."""
Network = TypeVar("Network", bound=nn.Module)


def loadable(kind: type[Network]) -> type[Network]:
    """Class decorator: load() can then build the networks of this class itself.

    Its networks have an attribute `settings`: the keyword arguments, of types that JSON has, that build
    another network of the same architecture. load() knows the class once its module is imported.
    """
    LOADABLE[kind.__name__] = kind
    return kind


class InFolder(Wrapped):
    """save() and load() of Tunable."""

    def save(self, folder: str | Path, *, half: bool = False) -> Path:
        """Write config.json, model.safetensors and, if missing, README.md; returns the folder.

        The network's architecture is stored only if its class is loadable().
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
        importing, given = "", f"folder, network)  # network: a {network} of the same size"
        if LOADABLE.get(network) is type(self.module):
            config["settings"] = self.module.settings
            importing, given = f"import {type(self.module).__module__}  # has {network}\n", "folder)"
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
        tensors = needed("safetensors.torch", "saved networks need")
        tensors.save_model(_halved(self) if half else self, str(folder / WEIGHTS))
        shutil.copymode(folder / CONFIG, folder / WEIGHTS)  # else only the owner can read it
        if not (folder / CARD).exists():
            (folder / CARD).write_text(
                f"---\nlibrary_name: tunable_core\n---\n\n# {network} with {self.p} dials\n\n"
                f"```python\n{importing}from tunable_core import Tunable\n\n"
                f"model = Tunable.load({given}\n"
                f"output = model(x, omega)  # omega: [{self.p}] in [0, 1]\n```\n"
            )
        return folder

    @classmethod
    def load(cls, folder: str | Path, module: nn.Module | None = None) -> Self:
        """Load the model that save() wrote.

        module: a network of the same architecture with any weights; it is copied. Not needed for a
            class that is loadable(). Nothing in the folder is executed. Needs the package safetensors.
        Raises FileNotFoundError for a folder without a model, DamagedFile for one whose files
        are damaged, ValueError for one that does not fit.
        """
        folder, stored = Path(folder), needed("safetensors.torch", "saved networks need")
        for name in (CONFIG, WEIGHTS):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder} holds no saved Tunable: it has no {name}")
        try:
            config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
        except ValueError as error:
            raise DamagedFile(f"{folder / CONFIG} is damaged ({error}); copy it again") from error
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
            stored.load_model(model, str(folder / WEIGHTS))
        except needed("safetensors", "").SafetensorError as error:
            raise DamagedFile(f"{folder / WEIGHTS} is damaged ({error}); copy it again") from error
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"the Tunable in {folder} does not fit this {type(module).__name__}: {error}"
            ) from error
        return model

    def push_to_hub(self, name: str, *, half: bool = False, **options: Any) -> str:
        """Upload what save() writes to the Hugging Face repository "owner/name"; returns its address.

        The repository is created if it does not exist; a README.md in it is kept.
        options: those of huggingface_hub.ModelHubMixin.push_to_hub: commit_message, private, token, ...
        Tunable does not inherit from the mixin, or `import tunable_core` would import huggingface_hub.
        Needs the packages huggingface_hub and safetensors.
        """
        hub = needed("huggingface_hub", "the hub needs")

        class Saved(hub.ModelHubMixin):  # type: ignore[name-defined]
            def _save_pretrained(saved, folder: Path) -> None:
                self.save(folder, half=half)

        where = {"revision": options.get("branch"), "token": options.get("token")}
        if hub.file_exists(name, CARD, **where):
            options.setdefault("ignore_patterns", [CARD])
        return str(Saved().push_to_hub(name, **options))

    @classmethod
    def from_pretrained(cls, name: str | Path, module: nn.Module | None = None, **options: Any) -> Self:
        """Load the model in a folder, or in the Hugging Face repository "owner/name"; see load().

        options: those of huggingface_hub.snapshot_download, such as revision or token.
        An existing folder of that name is used first. Downloading needs the package huggingface_hub.
        """
        if not Path(name).is_dir():
            hub = needed("huggingface_hub", "the hub needs")
            name = hub.snapshot_download(str(name), allow_patterns=[CONFIG, WEIGHTS], **options)
        return cls.load(name, module)


def _network(config: dict[str, Any], folder: Path) -> nn.Module:
    """The network that a config.json describes, of a class that is loadable()."""
    name, settings = config.get("network"), config.get("settings")
    if name not in LOADABLE or settings is None:
        way = "whose architecture is not stored:"
        if settings is not None:
            way = f"a class that is not imported: import the module that defines {name}, or"
        raise ValueError(
            f"{folder} holds a Tunable of a {name}, {way} pass the network, as in "
            f"Tunable.load(folder, network)"
        )
    try:
        return LOADABLE[name](**settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{folder / CONFIG} describes no {name} of this version: {error}") from error


@torch.no_grad()
def _halved(model: nn.Module) -> nn.Module:
    """A copy whose large tensors are float16; shared parameters stay shared."""
    model = copy.deepcopy(model)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.dtype == torch.float32 and tensor.numel() >= HALF_FROM:
            tensor.data = tensor.data.half()
    return model
