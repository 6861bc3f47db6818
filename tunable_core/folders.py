"""A tunable network in a folder, as model hubs lay it out."""

from __future__ import annotations

import glob
import json
from pathlib import Path
from typing import Any, Self

from torch import nn

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"


class InFolder:
    """save() and load() of Tunable."""

    def save(self, folder: str | Path) -> Path:
        """Write config.json, model.safetensors and, where there is none, README.md; returns the folder.

        The architecture of the network is not among them: load() takes it. Needs safetensors.
        """
        from safetensors.torch import save_model

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
        save_model(self, str(folder / WEIGHTS))
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
        if not (folder / CARD).exists():
            (folder / CARD).write_text(
                f"---\nlibrary_name: tunable_core\n---\n\n# {network} with {self.p} dials\n\n"
                f"```python\nfrom tunable_core import Tunable\n\n"
                f"model = Tunable.load(folder, network)  # network: a {network} of the same size\n"
                f"output = model(x, omega)  # omega: [{self.p}] in [0, 1]\n```\n"
            )
        return folder

    @classmethod
    def load(cls, folder: str | Path, module: nn.Module) -> Self:
        """The model that save() wrote.

        module: a network of the same architecture, whatever its weights; it is copied. Nothing in the
        folder is executed. Needs safetensors.
        Raises FileNotFoundError for a folder without a model, ValueError for one that does not fit.
        """
        from safetensors.torch import load_model

        folder = Path(folder)
        for name in (CONFIG, WEIGHTS):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder} holds no saved Tunable: it has no {name}")
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
        try:
            model = cls(
                module,
                config["p"],
                kernels=config["kernels"],
                phi=config["phi"],
                tuned=tuple(glob.escape(name) for name in config["tuned"]),
                untuned=(),
            )
            load_model(model, str(folder / WEIGHTS))
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"{folder} holds a Tunable of another network than this {type(module).__name__}: {error}"
            ) from error
        return model
