"""Control methods: one interface for tunable networks and their rivals."""

from study.controls.base import Control, Stage, complexity
from study.controls.blend import Blend, BlendConfig
from study.controls.cfsnet import CFSNet, CFSNetConfig
from study.controls.cresmd import CResMD, CResMDConfig
from study.controls.dni import DNI, DNIConfig
from study.controls.dynet import DyNet, DyNetConfig
from study.controls.film import FiLM, FiLMConfig
from study.controls.fixed import Fixed, FixedConfig, PixelBlend
from study.controls.low_rank import LowRank, LowRankConfig
from study.controls.retouch import Retouch
from study.controls.transport import Transport, TransportConfig
from study.controls.tunable import Apart, TunableConfig, TunableControl
from study.controls.wavelet_blend import WaveletBlend, WaveletBlendConfig

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
    "LowRank",
    "LowRankConfig",
    "PixelBlend",
    "Retouch",
    "Stage",
    "Transport",
    "TransportConfig",
    "TunableConfig",
    "TunableControl",
    "WaveletBlend",
    "WaveletBlendConfig",
    "complexity",
]
