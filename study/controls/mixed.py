"""Controls that are an ordinary network at each omega: FiLM and low-rank adapters."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from study.controls.base import Control
from tunable_core.exchange import Exchange
from tunable_core.omega import OmegaLike, one_omega


class Mixed(Control):
    """One network, some of whose parameters depend on the dials.

    Subclasses set num_objectives and _exchange, the Exchange of these parameters in network, and
    implement mix().
    """

    network: nn.Module
    _exchange: Exchange

    def mix(self, omega: Tensor) -> dict[str, Tensor]:
        """These parameters at omega [p], by name, in the order of the exchange."""
        raise NotImplementedError

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control."""
        mixed = self.mix(omega)
        return self._exchange(self.network, lambda _: list(mixed.values()), (x,), {})

    @torch.no_grad()
    def at(self, omega: OmegaLike) -> nn.Module:
        """The ordinary network with its parameters fixed at omega [p]."""
        plain = copy.deepcopy(self.network)
        omega = one_omega(omega, self.num_objectives).to(next(self.network.parameters()))
        plain.load_state_dict(self.mix(omega), strict=False)
        return plain
