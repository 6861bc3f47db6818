"""Import torchvision, even if its compiled operators do not match the build of torch."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

UNKNOWN = "operator torchvision::nms does not exist"
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> ModuleType:
    """The module torchvision; call this before importing any package that imports torchvision.

    Raises what the import raises, except the error that is solved by declaring two operators.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if str(error) != UNKNOWN:
            raise
    # The package index has torchvision for CUDA. With the CPU build of torch its library does not load,
    # and the import fails where it registers two of its operators. We need neither, so we declare them
    # without a body and import again.
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", SCHEMA)
    return importlib.import_module("torchvision")
