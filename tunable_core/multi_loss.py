"""The parametric multi-loss: objectives that the dials omega weigh (Eq. 7)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from tunable_core.checks import is_number
from tunable_core.omega import OmegaLike, as_omega


class Objective(Protocol):
    """A loss of one behaviour: small when the output has it.

    A fifth parameter called `dial` receives the position of the objective's own dial in omega. See
    MultiLoss for the shorter form of a plain loss, (output, clean).
    """

    def __call__(self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] and dials [p] or [B, p] to a loss per sample, [B]."""
        ...


PlainLoss = Callable[[Tensor, Tensor], Tensor]
"""A loss of output and clean image alone, such as nn.L1Loss() or F.mse_loss."""


class MultiLoss:
    """L_omega = sum_i omega_i lambda_i L_i over named objectives (Eq. 7).

    objectives: name to objective, in the order of the dials. An objective is one of
        - a plain loss, loss(output, clean): nn.L1Loss(), F.mse_loss, your own function of two images;
        - objective(output, clean, degraded, omega), which also sees the network's input and the dials
          omega, [p] or [B, p]; with a fifth parameter called `dial` it is also given the position of
          its own dial in omega.
        Images are [B, 3, H, W] in [0, 1]. An objective returns one value per sample, [B]; a scalar; or
        one value per entry, [B, ...], which is averaged per sample. With omega [B, p] it must not be a
        scalar, which has no values to weigh sample by sample: use reduction="none" there.
        An objective with `costly = True` is left out where its weight is 0 for the whole batch.
    lambdas: fixed weights, one per objective, none negative; default 1 each.
    adversary: the name of the objective that itself learns at each training step, if there is one. It
        has start(seed, device, *, bf16), learn(output, clean, weight, pace), state() and load(tensors).
    Raises TypeError, with its name, for an objective of neither form; ValueError for bad lambdas or an
    adversary that is no objective.
    """

    def __init__(
        self,
        objectives: Mapping[str, Objective | PlainLoss],
        lambdas: Sequence[float] | None = None,
        *,
        adversary: str | None = None,
    ) -> None:
        self.objectives = dict(objectives)
        self.lambdas = tuple([1.0] * len(self.objectives) if lambdas is None else lambdas)
        if len(self.lambdas) != len(self.objectives):
            raise ValueError(
                f"one lambda per objective: got {len(self.lambdas)} for {list(self.objectives)}"
            )
        if not all(is_number(weight, 0) for weight in self.lambdas):
            raise ValueError(f"lambdas must be finite and not negative; got {self.lambdas}")
        if adversary is not None and adversary not in self.objectives:
            raise ValueError(
                f"the adversary must be one of the objectives {list(self.objectives)}; got {adversary!r}"
            )
        self._adversary = adversary
        self._forms = {name: _form(name, f) for name, f in self.objectives.items()}

    @property
    def p(self) -> int:
        """Number of objectives, and of dials."""
        return len(self.objectives)

    def weights(self, omega: Tensor) -> Tensor:
        """The weights omega_i lambda_i of Eq. 7: dials [p] or [B, p] to the same shape, float32.

        The one place that turns dials into weights. An objective is idle where its weight is 0.
        """
        return omega.float() * torch.tensor(self.lambdas, device=omega.device)

    def __call__(
        self,
        output: Tensor,
        clean: Tensor,
        degraded: Tensor,
        omega: OmegaLike,
        *,
        extrapolate: bool = False,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The mixed loss [], averaged over the batch, and each objective's own mean, [].

        output, clean: [B, 3, H, W]; degraded: the network's input, [B, 3, h, w]. omega: [p] or [B, p]
        as the network takes it, in [0, 1] unless extrapolate; on the CPU it is checked without waiting
        for a GPU. The mean of an objective that was left out is NaN.
        Raises ValueError for dials or images of another shape or range, and for a scalar objective
        whose weight differs between the samples.
        """
        omega = as_omega(omega, self.p, extrapolate=extrapolate)
        if omega.ndim == 2 and len(omega) != len(output):
            raise ValueError(
                f"omega [B, p] needs one row per sample; got {len(omega)} for {len(output)}"
            )
        if output.shape != clean.shape:
            raise ValueError(
                f"the network gives {list(output.shape)} for a target of {list(clean.shape)}: its scale "
                f"does not match the task's"
            )
        weights = self.weights(omega)
        idle = [
            getattr(f, "costly", False) and not weights[..., i].any()
            for i, f in enumerate(self.objectives.values())
        ]
        omega, weights = omega.to(output.device), weights.to(output.device)
        parts = [
            torch.zeros(len(output), device=output.device)
            if out
            else self._part(i, output, clean, degraded, omega, weights)
            for i, out in enumerate(idle)
        ]
        loss = (weights * torch.stack(parts, dim=1)).sum(1).mean()
        means = [part.mean() * (torch.nan if out else 1) for part, out in zip(parts, idle, strict=True)]
        return loss, dict(zip(self.objectives, means, strict=True))

    def _part(
        self,
        i: int,
        output: Tensor,
        clean: Tensor,
        degraded: Tensor,
        omega: Tensor,
        weights: Tensor,
    ) -> Tensor:
        """The i-th objective's value for each sample, [B]."""
        name, objective = list(self.objectives.items())[i]
        if self._forms[name] == "plain":
            value = objective(
                *(x.to(torch.promote_types(x.dtype, torch.float32)) for x in (output, clean))
            )
        else:
            own = {"dial": i} if self._forms[name] == "dial" else {}
            value = objective(output, clean, degraded, omega, **own)
        if not isinstance(value, Tensor) or (value.ndim and len(value) != len(output)):
            got = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(
                f"objective '{name}' must give a scalar or one value per sample; got {got} for "
                f"{len(output)} samples"
            )
        if value.ndim:
            return value.flatten(1).mean(1) if value.ndim > 1 else value
        if weights.ndim == 2 and (weights[:, i] != weights[:1, i]).any():
            raise ValueError(
                f"objective '{name}' gives one value for the batch, which cannot be weighted by a dial "
                f"per sample (return one value per sample, as with reduction='none')"
            )
        return value.expand(len(output))

    @property
    def adversary(self) -> Any:
        """The objective that itself learns at each training step, or None."""
        return None if self._adversary is None else self.objectives[self._adversary]

    def learn(
        self, output: Tensor, clean: Tensor, omega: Tensor, pace: float = 1.0
    ) -> dict[str, Tensor]:
        """One step of the adversary, which is given its own weight of Eq. 7; {} without one.

        output, clean, omega: as in the call before; pace: the learning rate's share of its peak.
        Returns what the adversary's learn() returns: columns of the training's history, each [].
        """
        if self._adversary is None:
            return {}
        weight = self.weights(omega)[..., list(self.objectives).index(self._adversary)]
        return self.adversary.learn(output, clean, weight.to(output.device), pace)


def _at_least_float32(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _form(name: str, objective: Any) -> Literal["plain", "full", "dial"]:
    """How an objective is called: see MultiLoss. Raises TypeError for one of neither form."""
    forms = "(output, clean) or of (output, clean, degraded, omega)"
    wanted = f"objective '{name}' must be a function of {forms}"
    source = objective.forward if isinstance(objective, nn.Module) else objective
    try:
        found = inspect.signature(source)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{wanted}; got {objective!r}, whose parameters cannot be read (wrap it in a function)"
        ) from error
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        x
        for x in found.parameters.values()
        if x.default is x.empty and x.kind not in optional and x.name != "dial"
    ]
    by_position = all(x.kind is not x.KEYWORD_ONLY for x in needed)
    if by_position and len(needed) == 4:
        return "dial" if "dial" in found.parameters else "full"
    if by_position and len(needed) == 2:
        return "plain"
    raise TypeError(f"{wanted}; got one of {found} (wrap it in a function; make an instance of a class)")
