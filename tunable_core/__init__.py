"""Tunable convolutions with parametric multi-loss optimisation (Maggioni et al., CVPR 2023).

from tunable_core import Tunable
model = Tunable(network, p=2)       # any nn.Module
output = model(x, omega=[0.7, 0.3]) # omega: [p] or [B, p] in [0, 1]
plain = model.at([0.7, 0.3])        # an ordinary copy of the network
"""

from tunable_core.calibration import calibrate
from tunable_core.live import Live
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import NoisePreservation, reconstruction
from tunable_core.omega import OmegaSampling
from tunable_core.tunable import (
    Tunable,
    TunableConv1d,
    TunableConv2d,
    TunableConv3d,
    TunableConvTranspose2d,
    TunableLinear,
)

__all__ = [
    "Live",
    "MultiLoss",
    "NoisePreservation",
    "OmegaSampling",
    "Tunable",
    "TunableConv1d",
    "TunableConv2d",
    "TunableConv3d",
    "TunableConvTranspose2d",
    "TunableLinear",
    "calibrate",
    "reconstruction",
]
