"""Tasks: how training pairs are made, and the objectives of the dials; one file per task."""

from study.tasks.base import Pair, Task
from study.tasks.deblurring import DenoisingDeblurring
from study.tasks.denoising import Denoising, RealDenoising
from study.tasks.photographs import Photographs
from study.tasks.style_transfer import StyleTransfer
from study.tasks.super_resolution import SuperResolution

__all__ = [
    "Denoising",
    "DenoisingDeblurring",
    "Pair",
    "Photographs",
    "RealDenoising",
    "StyleTransfer",
    "SuperResolution",
    "Task",
]
