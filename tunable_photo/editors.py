"""Export the network for photographs for photo editors: inputs are an image and a strength per pixel."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from tunable_core.files import write_atomically
from tunable_core.onnx import export
from tunable_photo.networks import DEFAULT, network

FULL = 25 / 255
"""The value of the second input that removes all noise: what darktable's neural restore gives to every
model of two inputs (5.6, src/libs/neural_restore.c), where it stands for the noise level."""
ABOUT = {
    "name": "tunable photo",
    "task": "denoise",
    "license": "MIT",
    "training_code": "study/tasks/photographs.py of the repository, run photo-8x64-seed0",
    "training_data": "Berkeley segmentation data set BSDS500, folders train and test, with noise and "
    "JPEG of study/images/photographs.py",
    "inputs": "image [B, 3, H, W], sRGB in [0, 1]; strength [B, 1, H, W], 0 keeps the image, 25/255 and "
    "more removes its noise, linear between",
}
"""Metadata of the file, for editors and their users."""


class Strength(nn.Module):
    """The network with one map of strengths as its second input, in place of a map of two dials."""

    num_objectives = 1

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, strength: Tensor) -> Tensor:
        """image: [B, 3, H, W]; strength: [B, 1, H, W], FULL and more for full fidelity."""
        fidelity = (strength / FULL).clamp(0, 1)
        return self.model(image, torch.cat([fidelity, 1 - fidelity], 1))


def export_for_editors(path: str | Path, model: nn.Module | None = None) -> Path:
    """Write the released network for photographs as an ONNX file for photo editors; returns its path.

    The file takes `image` [B, 3, H, W] and `strength` [B, 1, H, W] of any height and width, constant or
    varying over the image; see ABOUT, which it carries as metadata. It is compared with the network in
    onnxruntime before it is put in place. model: another network with the same two dials.
    Raises what tunable_core.onnx.export() raises, and ImportError without the extra `export`.
    """
    import onnx

    path = Path(path)
    export(Strength(model or network(DEFAULT)), path, "map")
    proto = onnx.load_from_string(path.read_bytes())
    for node in proto.graph.node:
        node.input[:] = ["strength" if name == "omega" else name for name in node.input]
    for given in proto.graph.input:
        given.name = "strength" if given.name == "omega" else given.name
    for entry in list(proto.metadata_props):
        proto.metadata_props.remove(entry)
    onnx.helper.set_model_props(proto, ABOUT)
    onnx.checker.check_model(proto)
    write_atomically(path, proto.SerializeToString())
    return path
