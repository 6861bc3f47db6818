"""The interface of Tunable that its base classes in other files use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from tunable_core.omega import OmegaLike
from tunable_core.phi import Affine, Identity, SqueezeExcite


class Wrapped(nn.Module):
    """The attributes and methods of Tunable that its base classes use; documented there."""

    module: nn.Module
    p: int
    kernels: int
    tuned: list[str]
    phi: Affine | Identity | SqueezeExcite

    if TYPE_CHECKING:

        def __init__(self, *inputs: Any, **options: Any) -> None: ...
        def mix(self, omega: OmegaLike) -> dict[str, Tensor]: ...  # noqa: D102
        def at(self, omega: OmegaLike) -> nn.Module: ...  # noqa: D102
