"""Deep network interpolation (Wang et al., CVPR 2019): one network per objective, weights blended."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from tunable_core.banks import another_draw
from tunable_core.checks import check, is_positive
from tunable_core.controls.base import Control, Stage
from tunable_core.exchange import Exchange
from tunable_core.omega import OmegaLike, one_omega


class DNI(Control):
    """theta(omega) = sum_i omega_i theta_i, parameter by parameter, for networks of one architecture.

    The first network is trained at (1, 0, ...) alone: an ordinary network for the first objective.
    Each other one starts as its copy and is fine-tuned at its own corner, as the authors do: only
    correlated networks have meaningful weights in between. Batches depend on seed and step alone, so
    the fine-tuning sees the patches of the first training's beginning again.
    fine_tune: length of each fine-tuning in units of the first training. None: no fine-tuning, each
        network starts from random weights of its own; what the paper prints for DNI collapses between
        the corners as such networks do.
    scratch: length of the training of each such network, in the same units.
    """

    def __init__(
        self, network: nn.Module, p: int, fine_tune: float | None = 0.25, scratch: float = 1.0
    ) -> None:
        super().__init__()
        self.num_objectives, self.fine_tune, self.scratch = p, fine_tune, scratch
        self.networks = nn.ModuleList(copy.deepcopy(network) for _ in range(p))
        if fine_tune is None:
            with torch.no_grad():
                for parameter in self.networks[1:].parameters():
                    parameter.copy_(another_draw(parameter))
        self._exchange = Exchange(self.networks[0], [n for n, _ in self.networks[0].named_parameters()])

    def _mix(self, omega: Tensor) -> dict[str, Tensor]:
        states = [dict(net.named_parameters()) for net in self.networks]
        names = states[0]
        return {n: sum(w * state[n] for w, state in zip(omega, states, strict=True)) for n in names}

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control. At a corner, that corner's own network answers."""
        if omega.max() == 1 and omega.abs().sum() == 1:
            return self.networks[int(omega.argmax())](x)
        mixed = self._mix(omega)
        return self._exchange(self.networks[0], lambda _: list(mixed.values()), (x,), {})

    @torch.no_grad()
    def at(self, omega: OmegaLike) -> nn.Module:
        """One ordinary network with the blended weights."""
        omega = one_omega(omega, self.num_objectives)
        plain = copy.deepcopy(self.networks[0])
        plain.load_state_dict(self._mix(omega), strict=False)
        return plain

    def stages(self) -> list[Stage]:
        """The first network, then for each further objective a copy of it or a network of its own."""
        stages = []
        for i, corner in enumerate(torch.eye(self.num_objectives).tolist()):
            stage = Stage(f"network {i + 1}", (f"networks.{i}.",), tuple(corner))
            if i and self.fine_tune is not None:
                stage = replace(stage, share=self.fine_tune, start=self._copy_first_to(i))
            elif i:
                stage = replace(stage, share=self.scratch)
            stages.append(stage)
        return stages

    def _copy_first_to(self, i: int):
        return lambda: self.networks[i].load_state_dict(self.networks[0].state_dict())


@dataclass(frozen=True)
class DNIConfig:
    """Settings of deep network interpolation."""

    draws_omegas: ClassVar[bool] = False
    """Every stage has its own omega, so the way omegas are drawn decides nothing."""

    fine_tune: float | None = 0.25
    """Length of each fine-tuning in units of the first training; None trains each from scratch."""
    scratch: float = 1.0
    """Length of each training from scratch, in the same units."""

    def __post_init__(self) -> None:
        rules = {
            "fine_tune must be None or positive and finite": self.fine_tune is None
            or is_positive(self.fine_tune),
            "scratch must be positive and finite": is_positive(self.scratch),
        }
        check(self, rules)

    def build(self, network: nn.Module, p: int) -> DNI:
        """The untrained control around a plain network."""
        return DNI(network, p, self.fine_tune, self.scratch)
