"""One interface for every way to control a network after training, and the rivals behind it."""

from tunable_core.controls.base import Control, Stage
from tunable_core.controls.blend import Blend
from tunable_core.controls.dni import DNI, DNIConfig
from tunable_core.controls.tunable import TunableConfig, TunableControl

__all__ = ["DNI", "Blend", "Control", "DNIConfig", "Stage", "TunableConfig", "TunableControl"]
