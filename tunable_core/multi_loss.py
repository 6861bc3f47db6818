"""The parametric multi-loss: objectives weighted by the dials omega (Eq. 7)."""

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
    Raises TypeError, with its name, for an objective of neither form; ValueError for bad lambdas.
    """

    def __init__(
        self, objectives: Mapping[str, Objective | PlainLoss], lambdas: Sequence[float] | None = None
    ) -> None:
        self.objectives: dict[str, Callable[..., Tensor]] = dict(objectives)
        self.lambdas = tuple([1.0] * len(self.objectives) if lambdas is None else lambdas)
        if len(self.lambdas) != len(self.objectives):
            raise ValueError(
                f"one lambda per objective: got {len(self.lambdas)} for {list(self.objectives)}"
            )
        if not all(is_number(weight, 0) for weight in self.lambdas):
            raise ValueError(f"lambdas must be finite and not negative; got {self.lambdas}")
        self._forms = {name: _form(name, f) for name, f in self.objectives.items()}

    @property
    def p(self) -> int:
        """Number of objectives, and of dials."""
        return len(self.objectives)

    def weights(self, omega: Tensor) -> Tensor:
        """The weights omega_i lambda_i of Eq. 7: dials [p] or [B, p] to the same shape, float32.

        Only this method turns dials into weights. An objective with weight 0 is idle.
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
        as the network takes it, in [0, 1] unless extrapolate; checking it on the CPU does not wait
        for the GPU. The mean of an objective that was left out is NaN.
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
        images = output, clean, degraded
        parts = [
            output.new_zeros(len(output)).float() if out else self._part(i, images, omega, weights)
            for i, out in enumerate(idle)
        ]
        loss = (weights * torch.stack(parts, dim=1)).sum(1).mean()
        means = [part.mean() * (torch.nan if out else 1) for part, out in zip(parts, idle, strict=True)]
        return loss, dict(zip(self.objectives, means, strict=True))

    def _part(
        self, i: int, images: tuple[Tensor, Tensor, Tensor], omega: Tensor, weights: Tensor
    ) -> Tensor:
        """The i-th objective's value for each sample, [B], of output, clean and degraded images."""
        name, objective = list(self.objectives.items())[i]
        output = images[0]
        if self._forms[name] == "plain":
            exact = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in images[:2])
            value = objective(*exact)
        else:
            own = {"dial": i} if self._forms[name] == "dial" else {}
            value = objective(*images, omega, **own)
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
    raise TypeError(f"{wanted}; got one of {found} (wrap it in a function, or instantiate the class)")
