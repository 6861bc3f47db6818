"""Fit the transport of a trained network to its training images, and store it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from study import runs
from study.controls import Transport
from study.disk.tensors import digest, load_tensors, save_tensors
from study.images import datasets
from study.runs import RunConfig
from tunable_core.files import DamagedFile

IMAGES = 64
"""Number of training images of the fit, evenly spaced in the set."""


def transport(network: nn.Module, config: RunConfig) -> Transport:
    """The network with a dial for optimal transport, fitted to pairs of its task.

    network: for fidelity alone, from the run of this config. Only the filter is stored, under
    transports/ of the store, so that all machines use exactly the same filter. If neither it nor the
    training images are available, it is fitted to the embedded samples, with a warning.
    Raises DamagedFile for a stored filter of another network.
    """
    control = Transport(network)
    state = digest(network.state_dict())
    path = runs.store() / "transports" / f"{config.name}-{state[:10]}.safetensors"
    if path.is_file():
        tensors, metadata = load_tensors(path)
        if metadata.get("network") != state:
            raise DamagedFile(f"{path} is the filter of another network; delete it to fit it again")
        control.load_state_dict(tensors, strict=False)
        return control
    found = datasets.load_or_samples(config.data, "train")
    with torch.inference_mode():
        control.fit(_pairs(found, config))
    if found.name == config.data:
        about = {"network": state, "run": config.name, "data": config.data, "images": str(IMAGES)}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_tensors(path, {"kernel": control.kernel, "offset": control.offset}, **about)
    return control


def _pairs(images: datasets.ImageSet, config: RunConfig) -> Iterator[tuple[Tensor, Tensor]]:
    step = max(1, len(images) // IMAGES)
    for name in images.ids[::step][:IMAGES]:
        image = images[name]
        height, width = (side - side % config.task.scale for side in image.shape[-2:])
        pair = config.task.apply(image[None, :, :height, :width].float() / 255)
        yield pair.degraded, pair.clean
