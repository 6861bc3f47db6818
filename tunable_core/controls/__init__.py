"""One interface for every way to control a network after training, and the rivals behind it."""

from tunable_core.controls.base import Control, Stage, complexity
from tunable_core.controls.blend import Blend, BlendConfig
from tunable_core.controls.cfsnet import CFSNet, CFSNetConfig
from tunable_core.controls.cresmd import CResMD, CResMDConfig
from tunable_core.controls.dni import DNI, DNIConfig
from tunable_core.controls.dynet import DyNet, DyNetConfig
from tunable_core.controls.film import FiLM, FiLMConfig
from tunable_core.controls.fixed import Fixed, FixedConfig, PixelBlend
from tunable_core.controls.retouch import Retouch
from tunable_core.controls.tunable import Apart, TunableConfig, TunableControl

__all__ = [
    "DNI",
    "Apart",
    "Blend",
    "BlendConfig",
    "CFSNet",
    "CFSNetConfig",
    "CResMD",
    "CResMDConfig",
    "Control",
    "DNIConfig",
    "DyNet",
    "DyNetConfig",
    "FiLM",
    "FiLMConfig",
    "Fixed",
    "FixedConfig",
    "PixelBlend",
    "Retouch",
    "Stage",
    "TunableConfig",
    "TunableControl",
    "complexity",
]
