"""Tunable convolutions with parametric multi-loss optimisation (Maggioni et al., CVPR 2023).

from tunable_core import Tunable
model = Tunable(network, p=2)       # any nn.Module
output = model(x, omega=[0.7, 0.3]) # omega: [p] or [B, p] in [0, 1]
plain = model.at([0.7, 0.3])        # an ordinary copy of the network

In the order to read: tunable.py (the wrapper, Eqs. 3 and 5), phi.py (Eq. 6), banks.py (what is tuned),
mixing.py and exchange.py (how a call gets its kernels), omega.py (Sec. 3.2), multi_loss.py (Eq. 7),
objectives.py (Eq. 9), layers.py, live.py, corners.py, saving.py, onnx.py.
"""

from typing import TYPE_CHECKING, Any

from tunable_core.calibration import calibrate
from tunable_core.layers import (
    TunableConv1d,
    TunableConv2d,
    TunableConv3d,
    TunableConvTranspose2d,
    TunableLinear,
)
from tunable_core.live import Live
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import NoisePreservation, reconstruction
from tunable_core.omega import OmegaSampling
from tunable_core.tunable import Tunable

if TYPE_CHECKING:
    from tunable_core.onnx import export

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
    "export",
    "reconstruction",
]


def __getattr__(name: str) -> Any:
    if name == "export":  # torch.export takes a second to import
        from tunable_core.onnx import export

        return export
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
