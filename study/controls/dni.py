"""Deep network interpolation (Wang et al., CVPR 2019): one network per objective, interpolated."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from study.controls.base import Control, Stage, is_positive
from tunable_core.banks import another_draw
from tunable_core.checks import check, is_number
from tunable_core.exchange import Exchange
from tunable_core.omega import OmegaLike, one_omega


class DNI(Control):
    """theta(omega) = sum_i c_i theta_i, parameter by parameter, for networks of one architecture.

    c = omega where each network is trained at its own corner.

    The first network is trained at (1, 0, ...) alone: an ordinary network for the first objective.
    Each other network starts as its copy and is fine-tuned at its own corner, as the authors do: only
    the weights of correlated networks can be interpolated. Batches depend on seed and step alone, so
    fine-tuning uses the same patches as the beginning of the first training.
    fine_tune: length of each fine-tuning in units of the first training. None: no fine-tuning, each
        network starts from its own random weights; the paper's numbers for DNI collapse between the
        corners as those of such networks do.
    scratch: length of the training of each such network, in the same units.
    own: weight of the own objective in the training of each network; the others share the rest. Below
        1 this is Bone Soup (Xie et al., ACL 2025): the networks are trained at mixtures m_i such as
        (0.85, 0.15), and c solves sum_i c_i m_i = omega, so that the ends are extrapolated. Raises
        ValueError unless own is more than 1 / p.
    mixed: length of the first network's training at its mixture, after one at (1, 0, ...), in the same
        units. None: it is trained at its mixture from the beginning.
    """

    def __init__(
        self,
        network: nn.Module,
        p: int,
        fine_tune: float | None = 0.25,
        scratch: float = 1.0,
        own: float = 1.0,
        mixed: float | None = None,
    ) -> None:
        super().__init__()
        if p > 1 and own * p <= 1 + 1e-6:
            raise ValueError(
                f"own must be more than 1 / p = {1 / p:.3g}, or all networks are the same; got {own:g}"
            )
        self.own, self.mixed = own if p > 1 else 1.0, mixed
        self.num_objectives, self.fine_tune, self.scratch = p, fine_tune, scratch
        self.networks = nn.ModuleList(copy.deepcopy(network) for _ in range(p))
        if fine_tune is None:
            with torch.no_grad():
                for parameter in self.networks[1:].parameters():
                    parameter.copy_(another_draw(parameter))
        self._exchange = Exchange(self.networks[0], [n for n, _ in self.networks[0].named_parameters()])

    def mixtures(self) -> Tensor:
        """The omega at which each network is trained: [p, p], one row per network."""
        p = self.num_objectives
        rest = (1 - self.own) / max(1, p - 1)
        return torch.full((p, p), rest) + (self.own - rest) * torch.eye(p)

    def coefficients(self, omega: Tensor) -> Tensor:
        """The weight of each network at omega [p]: [p], with the same sum as omega."""
        if self.own == 1:
            return omega
        found = torch.linalg.solve(self.mixtures().double().T.to(omega.device), omega.double())
        return torch.where((found - found.round()).abs() < 1e-6, found.round(), found).to(omega)

    def _mix(self, omega: Tensor) -> dict[str, Tensor]:
        omega = self.coefficients(omega)
        states = [dict(net.named_parameters()) for net in self.networks]
        names = states[0]
        return {n: sum(w * state[n] for w, state in zip(omega, states, strict=True)) for n in names}

    def tuned(self, x: Tensor, omega: Tensor) -> Tensor:
        """See Control. At the omega of a network's training, that network alone is used."""
        weights = self.coefficients(omega)
        if weights.max() == 1 and weights.abs().sum() == 1:
            return self.networks[int(weights.argmax())](x)
        mixed = self._mix(omega)
        return self._exchange(self.networks[0], lambda _: list(mixed.values()), (x,), {})

    @torch.no_grad()
    def at(self, omega: OmegaLike) -> nn.Module:
        """One ordinary network with the interpolated weights."""
        omega = one_omega(omega, self.num_objectives)
        plain = copy.deepcopy(self.networks[0])
        plain.load_state_dict(self._mix(omega), strict=False)
        return plain

    def extra_repr(self) -> str:
        """Settings that are not in the weights; part of the key of a sweep."""
        return "" if self.own == 1 else f"own={self.own}"

    def stages(self) -> list[Stage]:
        """The first network, then for each further objective a copy of it or a separate network."""
        stages = []
        for i, mixture in enumerate(self.mixtures().tolist()):
            stage = Stage(f"network {i + 1}", (f"networks.{i}.",), tuple(mixture))
            if not i and self.mixed is not None:
                faithful = (1.0, *(0.0 for _ in mixture[1:]))
                stages.append(replace(stage, omega=faithful))
                stage = replace(stage, name="mixed", share=self.mixed, continues=True)
            elif i and self.fine_tune is not None:
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
    """Every stage fixes its omega, so the sampling of omegas has no effect."""

    fine_tune: float | None = 0.25
    """Length of each fine-tuning in units of the first training; None trains each from scratch."""
    scratch: float = 1.0
    """Length of each training from scratch, in the same units."""
    own: float = field(default=1.0, metadata={"before": 1.0})
    """Weight of the own objective in the training of each network; the others share the rest. Below 1
    the networks are trained at mixtures, and extrapolated to the corners."""
    mixed: float | None = field(default=None, metadata={"before": None})
    """Length of the first network's training at its mixture, after one for the first objective alone, in
    units of that; None trains it at its mixture from the beginning."""

    def __post_init__(self) -> None:
        rules = {
            "fine_tune must be None or positive and finite": self.fine_tune is None
            or is_positive(self.fine_tune),
            "scratch must be positive and finite": is_positive(self.scratch),
            "own must lie in (0, 1]": is_number(self.own, 0, 1) and self.own > 0,
            "mixed must be None or positive and finite": self.mixed is None or is_positive(self.mixed),
        }
        check(self, rules)

    def build(self, network: nn.Module, p: int) -> DNI:
        """The untrained control around a plain network."""
        return DNI(network, p, self.fine_tune, self.scratch, self.own, self.mixed)
