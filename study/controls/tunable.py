"""The paper's method: a tunable network trained at random omegas (Sec. 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from study.controls.base import Control, Stage, is_positive
from tunable_core.banks import UNTUNED
from tunable_core.checks import are_shares, check, is_count
from tunable_core.omega import OmegaLike, OmegaSampling
from tunable_core.phi import PHIS, Affine
from tunable_core.tunable import Tunable


@dataclass(frozen=True)
class Apart:
    """A second stage, in which each dial has its own kernels; see part()."""

    share: float
    """Length in units of Training.steps."""
    corners: tuple[float, ...]
    """Share of its omegas on each unit vector; the others are uniform on sum(omega) = 1."""

    def __post_init__(self) -> None:
        rules = {
            "share must be positive and finite": is_positive(self.share),
            "corners must be shares with a sum of at most 1": are_shares(self.corners),
        }
        check(self, rules)


class TunableControl(Control):
    """Tunable behind the common interface: a stage at random omegas and, if `apart` is given, a second
    stage in which each dial has its own kernels."""

    def __init__(self, network: nn.Module, p: int, apart: Apart | None = None, **options) -> None:
        super().__init__()
        self.num_objectives, self.apart = p, apart
        self.network = Tunable(network, p, **options)
        if apart is not None:  # raises before the first stage, not after it
            check_part(self.network)

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        return self.network.tuned_call(x, omega)

    def at(self, omega: OmegaLike) -> nn.Module:
        """The ordinary network with its kernels fixed at omega [p]."""
        return self.network.at(omega)

    def stages(self) -> list[Stage]:
        """All parameters, at random omegas; then, if `apart` is given, the kernels of each dial."""
        together = Stage("tunable", ("network.",))
        if self.apart is None:
            return [together]
        apart = Stage(
            "apart",
            ("network.module.",),  # phi is not trained
            sampling=OmegaSampling("simplex", self.apart.corners),
            share=self.apart.share,
            continues=True,
            start=partial(part, self.network),
        )
        return [together, apart]


@dataclass(frozen=True)
class TunableConfig:
    """Settings of the paper's method."""

    phi: Literal["affine", "identity", "se"] = "affine"
    """Aggregation function."""
    kernels: int | None = None
    """Kernels per layer; None is one per dial, as in the paper."""
    start: Literal["shared", "apart", "torch", "equal"] = "shared"
    """Initial aggregation, for affine phi. shared: see phi.Affine. apart: the same with W = I/2. torch:
    W and b as nn.Linear draws them. equal: all kernels equal, W = I/2, sum(alpha) = 1 at the middle of
    the dials."""
    tuned: tuple[str, ...] = ("*",)
    """Patterns of the names of the parameters that are tuned; the others are shared."""
    apart: Apart | None = None
    """A second stage in which each dial has its own kernels."""
    untuned: tuple[str, ...] = ()
    """Patterns of parameters that are shared although they match `tuned`, besides torch's norms."""

    def __post_init__(self) -> None:
        starts = ("shared", "apart", "torch", "equal")
        rules = {
            f"phi must be one of {', '.join(PHIS)}": self.phi in PHIS,
            "kernels must be None or a whole number of at least 1": self.kernels is None
            or is_count(self.kernels),
            f"start must be one of {', '.join(starts)}": self.start in starts,
            "any start but 'shared' is for phi='affine'": self.start == "shared" or self.phi == "affine",
        }
        check(self, rules)

    def build(self, network: nn.Module, p: int) -> TunableControl:
        """The untrained control around a plain network."""
        untuned = (*UNTUNED, *self.untuned)
        control = TunableControl(
            network, p, self.apart, phi=self.phi, kernels=self.kernels, tuned=self.tuned, untuned=untuned
        )
        if self.start != "shared":
            self._restart(control.network, p)
        return control

    @torch.no_grad()
    def _restart(self, network: Tunable, p: int) -> None:
        assert isinstance(network.phi, Affine)  # see __post_init__
        weight, bias = network.phi.weight, network.phi.bias
        if self.start == "torch":
            weight.uniform_(-(p**-0.5), p**-0.5)
            bias.uniform_(-(p**-0.5), p**-0.5)
            return
        weight.copy_(0.5 * torch.eye(network.kernels, p).expand_as(weight))
        total = network.kernels ** (-1 if self.start == "equal" else -0.5)
        bias.copy_(total - weight.sum(2) / 2)
        if self.start == "equal":
            parameters = dict(network.module.named_parameters())
            for name in network.tuned:
                parameters[name].copy_(parameters[name][0].clone().expand_as(parameters[name]))


@torch.no_grad()
def part(model: Tunable) -> None:
    """Give each dial its own kernels, in place: the kernels at the unit omegas; see Affine.own.

    The output changes only where the dials do not add up to 1, since the mixture is affine in omega. A
    step at one unit omega then does not change the kernels of the other dials.
    Raises ValueError unless phi is affine and K = p.
    """
    phi = check_part(model)
    corners = [model.mix(omega) for omega in torch.eye(model.p)]
    for name in model.tuned:
        bank = model.module.get_parameter(name)
        bank.copy_(torch.stack([corner[name] for corner in corners]))
    phi.own()


def check_part(model: Tunable) -> Affine:
    """The affine phi that part() needs; raises ValueError for any other network."""
    if not isinstance(model.phi, Affine) or model.kernels != model.p:
        raise ValueError(
            f"part() needs phi='affine' and one kernel per dial; got "
            f"{type(model.phi).__name__} and {model.kernels} kernels for {model.p} dials"
        )
    return model.phi
