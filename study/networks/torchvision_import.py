"""Importing torchvision, also beside a build of torch that its compiled operators do not fit."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

UNKNOWN = "operator torchvision::nms does not exist"
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> ModuleType:
    """The module torchvision; import it by this before any package that imports it.

    Raises what the import raises, but for the one error that declaring two operators cures.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if str(error) != UNKNOWN:
            raise
    # The package index serves torchvision for CUDA. Beside the CPU build of torch its library does not
    # load, and the import fails where it describes two of its operators. We need neither, so they are
    # declared without a body, and the import is begun anew.
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", SCHEMA)
    return importlib.import_module("torchvision")
