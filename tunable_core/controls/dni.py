"""Deep network interpolation (Wang et al., CVPR 2019): one network per objective, weights blended."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tunable_core.controls.base import Control, Stage
from tunable_core.omega import OmegaLike, one_omega


class DNI(Control):
    """theta(omega) = sum_i omega_i theta_i, parameter by parameter, for networks of one architecture.

    The first network is trained at (1, 0, ...) alone: an ordinary network for the first objective.
    Each other one starts as its copy and is fine-tuned at its own corner, as the authors do: only
    correlated networks have meaningful weights in between. Batches depend on seed and step alone, so
    the fine-tuning sees the patches of the first training's beginning again.
    fine_tune: length of each fine-tuning in units of the first training.
    """

    def __init__(self, network: nn.Module, p: int, fine_tune: float = 0.25) -> None:
        super().__init__()
        self.num_objectives, self.fine_tune = p, fine_tune
        self.networks = nn.ModuleList(copy.deepcopy(network) for _ in range(p))

    def _mix(self, omega: Tensor) -> dict[str, Tensor]:
        states = [dict(net.named_parameters()) for net in self.networks]
        names = states[0]
        return {n: sum(w * state[n] for w, state in zip(omega, states, strict=True)) for n in names}

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control. At a corner, that corner's own network answers."""
        if omega.max() == 1 and omega.abs().sum() == 1:
            return self.networks[int(omega.argmax())](x)
        return functional_call(self.networks[0], self._mix(omega), (x,))

    @torch.no_grad()
    def at(self, omega: OmegaLike) -> nn.Module:
        """One ordinary network with the blended weights."""
        omega = one_omega(omega, self.num_objectives)
        plain = copy.deepcopy(self.networks[0])
        plain.load_state_dict(self._mix(omega), strict=False)
        return plain

    def stages(self) -> list[Stage]:
        """The first network from scratch, then a copy of it for each further objective."""
        p = self.num_objectives
        corners = torch.eye(p).tolist()
        stages = [Stage("network 1", ("networks.0.",), tuple(corners[0]))]
        for i in range(1, p):
            copied = self._copy_first_to(i)
            omega, names = tuple(corners[i]), (f"networks.{i}.",)
            stages.append(Stage(f"network {i + 1}", names, omega, self.fine_tune, copied))
        return stages

    def _copy_first_to(self, i: int):
        return lambda: self.networks[i].load_state_dict(self.networks[0].state_dict())


@dataclass(frozen=True)
class DNIConfig:
    """Settings of deep network interpolation."""

    fine_tune: float = 0.25
    """Length of each fine-tuning in units of the first training."""

    def build(self, network: nn.Module, p: int) -> DNI:
        """The untrained control around a plain network."""
        return DNI(network, p, self.fine_tune)
