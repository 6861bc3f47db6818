"""What training, sweeps and tables ask of a control method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tunable_core.omega import OmegaLike, OmegaSampling, as_omega
from tunable_core.samples import per_distinct_omega


@dataclass(frozen=True)
class Stage:
    """One stretch of training: what learns, at which omegas, for how long."""

    name: str
    """Shown in the history and the progress bar."""
    parameters: tuple[str, ...]
    """Prefixes of the names of the parameters that train; all others stay frozen."""
    omega: tuple[float, ...] | None = None
    """The fixed omega of this stage; None draws them as the training settings say."""
    sampling: OmegaSampling | None = None
    """How omegas are drawn in this stage; None draws them as the training settings say."""
    told: bool = False
    """Whether the network is given the true strength of each sample's degradation in place of omega;
    omega then only weighs the objectives."""
    share: float = 1.0
    """Length in units of the configured number of steps."""
    again: bool = False
    """Whether it goes on with parameters that an earlier stage has trained."""
    start: Callable[[], None] = field(default=lambda: None, compare=False)
    """Called once when the stage begins."""

    def omegas(self, sampling: OmegaSampling, p: int, generator: torch.Generator) -> Tensor:
        """Omegas of one step: [groups, p], or [1, p] where the stage fixes them."""
        if self.omega is None:
            return (self.sampling or sampling).draw(p, generator)
        return torch.tensor([self.omega], device=generator.device)


class Control(nn.Module):
    """A network with dials, whatever the mechanism behind them.

    Subclasses set num_objectives, implement tuned(x, omega) for one omega [p] and stages(), and at()
    where the method allows it.
    """

    num_objectives: int

    def forward(self, x: Tensor, omega: OmegaLike, *, extrapolate: bool = False) -> Tensor:
        """x: [B, 3, H, W], RGB in [0, 1] plus noise, and dials [p] or [B, p] to the output image.

        Raises ValueError for an image or dials of another shape or range.
        """
        return per_distinct_omega(self.tuned, x, self.checked(x, omega, extrapolate=extrapolate))

    def checked(self, x: Tensor, omega: OmegaLike, *, extrapolate: bool = False) -> Tensor:
        """The dials beside the image, when both are what they should be; see forward."""
        check_image(x, values=not self.training)
        self._check_place(x)
        return as_omega(omega, self.num_objectives, extrapolate=extrapolate).to(x.device)

    def _check_place(self, x: Tensor) -> None:
        """Refuse an image on another device, or of another type where no autocast sees to it."""
        own = next(self.parameters(), x)
        if x.device != own.device:
            raise ValueError(f"the image is on {x.device} and the network on {own.device} (x.to(...))")
        if x.dtype != own.dtype and not torch.is_autocast_enabled(x.device.type):
            raise ValueError(f"the image is {x.dtype} and the network {own.dtype} (x.to(...))")

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """The output for one omega [p], already checked."""
        raise NotImplementedError

    def outputs(self, x: Tensor, omegas: OmegaLike) -> list[Tensor]:
        """The outputs on one batch for many omegas [N, p], sharing work where the method can."""
        return [self.tuned(x, omega) for omega in self.checked(x, omegas)]

    def at(self, omega: OmegaLike) -> nn.Module:
        """A plain module with the dials fixed at omega [p], where the method has one."""
        raise NotImplementedError(f"{type(self).__name__} has no plain network at a fixed omega")

    def stages(self) -> list[Stage]:
        """The training, in order; parameters that no stage names are an error (see check_stages)."""
        raise NotImplementedError


@torch.no_grad()
def complexity(control: Control, omega: OmegaLike, size: int = 128) -> dict[str, float]:
    """Numbers that a control holds, and what a pixel costs at omega [p].

    parameters: trained numbers. multiply_adds: of convolutions and matrix products, per pixel of a
    square image of that size; mixing kernels is not among them: it is paid once per turn of a dial.
    """
    with FlopCounterMode(display=False) as counter:
        control(torch.zeros(1, 3, size, size), omega)
    return {
        "parameters": sum(p.numel() for p in control.parameters()),
        "multiply_adds": counter.get_total_flops() / 2 / size**2,
    }


def check_image(x: Tensor, *, values: bool = True) -> None:
    """Refuse what is no batch of RGB images in [0, 1], give or take noise; values=False trusts those."""
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
    """Refuse, by name, parameters that no stage trains or that two stages train.

    Raises ValueError naming the first few.
    """
    stages = control.stages()
    counts = {
        name: sum(name.startswith(stage.parameters) for stage in stages if not stage.again)
        for name, _ in control.named_parameters()
    }
    for fault, names in (
        ("are trained by no stage", [n for n, c in counts.items() if c == 0]),
        ("are trained by two stages", [n for n, c in counts.items() if c > 1]),
    ):
        if names:
            raise ValueError(
                f"{type(control).__name__}: {', '.join(names[:3])} ({len(names)} in all) {fault}; "
                f"each parameter belongs to exactly one, and to those that say `again`"
            )
