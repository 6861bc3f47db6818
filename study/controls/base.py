"""The interface of control methods for training, sweeps and tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tunable_core.checks import is_number
from tunable_core.omega import OmegaLike, OmegaSampling, as_omega, one_omega
from tunable_core.samples import per_distinct_omega


@dataclass(frozen=True)
class Stage:
    """A stage of training: which parameters learn, at which omegas, for how long."""

    name: str
    """Shown in the history and the progress bar."""
    parameters: tuple[str, ...]
    """Prefixes of the names of the parameters that are trained; all others stay frozen."""
    omega: tuple[float, ...] | None = None
    """The fixed omega of this stage; None draws omegas by the settings of the training."""
    sampling: OmegaSampling | None = None
    """How omegas are drawn in this stage; None draws them by the settings of the training."""
    conditioned: bool = False
    """Whether the network is given the true strength of each sample's degradation in place of omega;
    omega then only weights the objectives."""
    share: float = 1.0
    """Length in units of Training.steps."""
    continues: bool = False
    """Whether it continues to train parameters of an earlier stage."""
    start: Callable[[], None] = field(default=lambda: None, compare=False)
    """Called once when the stage begins."""

    def steps(self, settings_steps: int) -> int:
        """The number of steps, given those of a stage of share 1."""
        return max(1, round(settings_steps * self.share))

    def omegas(
        self, sampling: OmegaSampling, p: int, generator: torch.Generator, progress: float = 0.0
    ) -> Tensor:
        """Omegas of one step: [groups, p], or [1, p] if the stage fixes them.

        progress: share of the stage that is done, in [0, 1].
        """
        if self.omega is None:
            return (self.sampling or sampling).draw(p, generator, progress)
        return torch.tensor([self.omega], device=generator.device)


class Control(nn.Module):
    """A network with dials, by any method.

    Subclasses set num_objectives and implement stages(), tuned(x, omega) for one omega [p], and, if the
    method has a plain network, at().
    """

    num_objectives: int

    def forward(self, x: Tensor, omega: OmegaLike, *, extrapolate: bool = False) -> Tensor:
        """x: [B, 3, H, W], RGB in [0, 1] plus noise, and dials [p] or [B, p] to the output image.

        Raises ValueError for an image or dials of another shape or range.
        """
        return per_distinct_omega(self.tuned, x, self.checked(x, omega, extrapolate=extrapolate))

    def checked(self, x: Tensor, omega: OmegaLike, *, extrapolate: bool = False) -> Tensor:
        """The checked dials, on the device of the image; raises as forward() does."""
        check_image(x, values=not self.training)
        self._check_place(x)
        return as_omega(omega, self.num_objectives, extrapolate=extrapolate).to(x.device)

    def _check_place(self, x: Tensor) -> None:
        """Refuse an image on another device, or of another dtype outside autocast."""
        own = next(self.parameters(), x)
        if x.device != own.device:
            raise ValueError(f"the image is on {x.device} and the network on {own.device} (x.to(...))")
        if x.dtype != own.dtype and not torch.is_autocast_enabled(x.device.type):
            raise ValueError(f"the image is {x.dtype} and the network {own.dtype} (x.to(...))")

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """The output for one omega [p] that has been checked."""
        raise NotImplementedError

    def outputs(self, x: Tensor, omegas: OmegaLike, *, extrapolate: bool = False) -> list[Tensor]:
        """The outputs for one batch at many omegas [N, p]; subclasses may share work between them."""
        return [self.tuned(x, omega) for omega in self.checked(x, omegas, extrapolate=extrapolate)]

    def at(self, omega: OmegaLike) -> nn.Module:
        """A module that takes the image alone, with the dials fixed at omega [p].

        It is a plain network or, for methods without one, the control itself at that omega. Raises
        ValueError for an invalid omega.
        """
        return AtOmega(self, one_omega(omega, self.num_objectives))

    def stages(self) -> list[Stage]:
        """The stages of training, in order; together they name every parameter (see check_stages)."""
        raise NotImplementedError


class AtOmega(nn.Module):
    """A control at one omega [p]; it does not check images."""

    omega: Tensor

    def __init__(self, control: Control, omega: Tensor) -> None:
        super().__init__()
        self.control = control
        self.register_buffer("omega", omega.to(next(control.parameters(), omega)))
        self.train(control.training)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, 3, H, W] to the output image."""
        return self.control.tuned(x, self.omega)


@torch.no_grad()
def complexity(control: Control, omega: OmegaLike, size: int = 128) -> dict[str, float]:
    """The size of a control, and its cost per pixel at omega [p].

    parameters: trained numbers. multiply_adds: of convolutions and matrix products, per pixel of a
    square image of that size. The mixing of kernels is not included: it is needed once per omega.
    """
    image = torch.zeros(1, 3, size, size)
    try:
        plain = control.at(omega)
    except NotImplementedError:
        plain = None
    with FlopCounterMode(display=False) as counter:
        control(image, omega) if plain is None else plain(image)
    return {
        "parameters": sum(p.numel() for p in control.parameters()),
        "multiply_adds": counter.get_total_flops() / 2 / size**2,
    }


def check_image(x: Tensor, *, values: bool = True) -> None:
    """Refuse anything but RGB images in [0, 1] plus noise, [B, 3, H, W]; values: check the range too."""
    if x.ndim != 4 or x.shape[1] != 3 or not x.is_floating_point():
        raise ValueError(
            f"images must be floating-point [B, 3, H, W]; got {x.dtype} {list(x.shape)} "
            f"(one image: x[None]; bytes: x.float() / 255)"
        )
    if values and x.numel() and not torch.compiler.is_compiling():
        largest = x.detach().abs().max().item()
        if not largest <= 4:  # also refuses NaN
            raise ValueError(f"images must be in [0, 1], plus noise; this one reaches {largest:g}")


def check_stages(control: Control) -> None:
    """Refuse parameters that no stage or more than one stage trains.

    Raises ValueError naming the first few.
    """
    stages = control.stages()
    counts = {
        name: sum(name.startswith(stage.parameters) for stage in stages if not stage.continues)
        for name, _ in control.named_parameters()
    }
    for fault, names in (
        ("are trained by no stage", [n for n, c in counts.items() if c == 0]),
        ("are trained by two stages", [n for n, c in counts.items() if c > 1]),
    ):
        if names:
            raise ValueError(
                f"{type(control).__name__}: {', '.join(names[:3])} ({len(names)} in all) {fault}; "
                f"name each in exactly one stage, besides stages with continues=True"
            )


def is_positive(value: Any) -> bool:
    """Whether a value is a finite number above 0."""
    return is_number(value, 0) and value > 0
