"""The dials omega: checks, random samplers for training (Sec. 3.2), paths and grids for sweeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from tunable_core.checks import are_shares, check, is_count, is_number

OmegaLike = Tensor | Sequence[float] | Sequence[Sequence[float]]


def as_omega(omega: OmegaLike, p: int, *, extrapolate: bool = False) -> Tensor:
    """Checked dials as a floating-point tensor.

    omega: [p] for a whole batch or [B, p] per sample, in [0, 1]; extrapolate allows any finite number.
    Under torch.compile and torch.export only the shape is checked, since the values are unknown while
    the code is traced.
    Raises ValueError for a wrong shape, a value outside [0, 1] or a NaN, TypeError for non-numbers.
    """
    if not isinstance(omega, Tensor):
        try:
            omega = torch.tensor(omega, dtype=torch.get_default_dtype())
        except (TypeError, ValueError) as error:
            raise TypeError(f"omega must be numbers, [p] or [B, p]; got {omega!r}") from error
    if not omega.is_floating_point():
        if omega.is_complex() or omega.dtype == torch.bool:
            raise TypeError(f"omega must be real numbers; got dtype {omega.dtype} (use omega.float())")
        omega = omega.to(torch.get_default_dtype())
    shape = omega.shape
    if len(shape) not in (1, 2) or shape[-1] != p:
        raise ValueError(
            f"omega must be [{p}] or [B, {p}], one dial per objective; got shape "
            f"{list(shape)} (this model has p = {p} dials)"
        )
    if torch.compiler.is_compiling():
        return omega
    try:
        values = omega.tolist()  # the only synchronisation with the device
    except RuntimeError:
        if not torch._C._are_functorch_transforms_active():
            raise
        return omega  # a transform of torch.func, such as vmap over omega, hides the values
    for row in values if len(shape) == 2 else (values,):
        for position, value in enumerate(row, 1):
            if 0 <= value <= 1:
                continue
            if not math.isfinite(value):
                raise ValueError(f"omega must be finite numbers in [0, 1]; got {values}")
            if not extrapolate:
                raise ValueError(
                    f"omega must lie in [0, 1]; got {value:g} in position {position} (scale your dials, "
                    f"or pass extrapolate=True)"
                )
    return omega


def one_omega(omega: OmegaLike, p: int, *, extrapolate: bool = False) -> Tensor:
    """As as_omega, for one setting [p] only."""
    omega = as_omega(omega, p, extrapolate=extrapolate)
    if omega.ndim != 1:
        raise ValueError(f"at() fixes one omega [{p}]; got shape {list(omega.shape)}")
    return omega


@dataclass(frozen=True)
class OmegaSampling:
    """How omegas are drawn at each training step; the default is the paper's (Sec. 3.2)."""

    kind: Literal["uniform", "simplex", "annealed"] = "uniform"
    """uniform: omega_i ~ U(0, 1) independently, the paper's; simplex: uniform on sum(omega) = 1;
    annealed: for two dials, not random, groups spread over sum(omega) = 1, from its middle outwards as
    training goes on (PaLoRA, Dimitriadis et al., ICLR 2025); see annealed()."""
    corners: tuple[float, ...] = ()
    """Share of draws put exactly on each unit vector, in the order of the dials (our option: corners
    have measure zero otherwise); () puts none there."""
    groups: int = 1
    """Omegas per step, each for an equal part of the batch; 1 is one omega for the whole batch."""
    power: float = field(default=1.0, metadata={"before": 1.0})
    """For kind "annealed": the power at the end of training; 1 ends with even spacing, a larger power
    with most omegas near the unit vectors."""

    def __post_init__(self) -> None:
        rules = {
            "kind must be 'uniform', 'simplex' or 'annealed'": self.kind
            in ("uniform", "simplex", "annealed"),
            "corners must be shares with a sum of at most 1": are_shares(self.corners),
            "groups must be at least 1": is_count(self.groups),
            "power must be positive and finite": is_number(self.power, 0) and self.power > 0,
            "kind 'annealed' has no corners, and at least 2 groups": self.kind != "annealed"
            or (not self.corners and self.groups != 1),
        }
        check(self, rules)

    def draw(self, p: int, generator: torch.Generator, progress: float = 0.0) -> Tensor:
        """Omegas of one step: [groups, p] float32 in [0, 1], on the generator's device.

        progress: share of the training that is done, in [0, 1]; it is used by kind "annealed"
        alone, which in turn does not use the generator.
        """
        if self.kind == "annealed":
            if p != 2:
                raise ValueError(f"annealed omegas are for 2 dials; got p = {p} (use kind 'simplex')")
            return annealed(self.groups, self.power * progress).to(generator.device)
        where: dict[str, Any] = {"generator": generator, "device": generator.device}
        omega = torch.rand(self.groups, p, **where)
        if self.kind == "simplex":  # normalised exponentials are uniform on the simplex
            omega = -torch.log1p(-omega)
            omega = omega / omega.sum(1, keepdim=True)
        if not self.corners:
            return omega
        if len(self.corners) != p:
            raise ValueError(f"corners needs one share per dial; got {len(self.corners)} for p = {p}")
        bounds = torch.tensor(self.corners, device=generator.device).cumsum(0)
        corner = torch.bucketize(torch.rand(self.groups, **where), bounds, right=True)
        units = torch.eye(p, device=generator.device)[corner.clamp(max=p - 1)]
        return torch.where((corner < p)[:, None], units, omega)


def annealed(groups: int, power: float) -> Tensor:
    """Evenly spaced omegas of two dials, raised to a power and divided by their sum: [groups, 2].

    Power 0 puts all in the middle, 1 keeps the even spacing, more moves them to the unit vectors.
    """
    spread = path((0.99, 0.01), (0.01, 0.99), groups) ** power
    return spread / spread.sum(1, keepdim=True)


def path(start: OmegaLike, stop: OmegaLike, steps: int) -> Tensor:
    """Evenly spaced omegas from start to stop, both included: [steps, p]."""
    start, stop = torch.as_tensor(start).double(), torch.as_tensor(stop).double()
    t = torch.linspace(0, 1, steps, dtype=torch.float64)[:, None]
    return ((1 - t) * start + t * stop).float()


def simplex_grid(p: int, divisions: int) -> Tensor:
    """All omegas with sum 1 and coordinates in multiples of 1/divisions: [N, p]."""
    if p == 1:
        return torch.ones(1, 1)
    counts = list(_compositions(divisions, p))
    return torch.tensor(counts, dtype=torch.float32) / divisions


def _compositions(total: int, parts: int):
    if parts == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)
