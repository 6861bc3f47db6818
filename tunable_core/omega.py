"""The dials omega: checks, random samplers for training (Sec. 3.2), paths and grids for sweeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from tunable_core.checks import are_shares, check, is_count

OmegaLike = Tensor | Sequence[float] | Sequence[Sequence[float]]


def as_omega(omega: OmegaLike, p: int, *, extrapolate: bool = False) -> Tensor:
    """Checked dials as a floating-point tensor.

    omega: [p] for a whole batch or [B, p] per sample, in [0, 1]; extrapolate lifts the range, never
    the demand for finite numbers. Under torch.compile and torch.export only the shape is checked,
    since values are unknown there.
    Raises ValueError for a wrong shape, a value outside [0, 1] or a NaN, TypeError for non-numbers.
    """
    if not isinstance(omega, Tensor):
        try:
            omega = torch.tensor(omega, dtype=torch.get_default_dtype())
        except (TypeError, ValueError) as error:
            raise TypeError(f"omega must be numbers, [p] or [B, p]; got {omega!r}") from error
    if omega.is_complex() or omega.dtype == torch.bool:
        raise TypeError(f"omega must be real numbers; got dtype {omega.dtype} (use omega.float())")
    if not omega.is_floating_point():
        omega = omega.to(torch.get_default_dtype())
    if omega.ndim not in (1, 2) or omega.shape[-1] != p:
        raise ValueError(
            f"omega must be [{p}] or [B, {p}], one dial per objective; got shape "
            f"{list(omega.shape)} (this model has p = {p} dials)"
        )
    if torch.compiler.is_compiling() or omega.numel() == 0:
        return omega
    try:
        values = omega.detach().flatten().tolist()  # the only wait for the device
    except RuntimeError:
        if not torch._C._are_functorch_transforms_active():
            raise
        return omega  # a transform of torch.func, such as vmap over omega, hides the values
    if not all(map(math.isfinite, values)):
        raise ValueError(f"omega must be finite numbers in [0, 1]; got {omega.tolist()}")
    outside = [i for i, value in enumerate(values) if not (extrapolate or 0 <= value <= 1)]
    if outside:
        raise ValueError(
            f"omega must lie in [0, 1]; got {values[outside[0]]:g} in position {outside[0] % p + 1} "
            f"(scale your dials, or pass extrapolate=True)"
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

    kind: Literal["uniform", "simplex"] = "uniform"
    """uniform: omega_i ~ U(0, 1) independently, the paper's; simplex: uniform on sum(omega) = 1."""
    corners: tuple[float, ...] = ()
    """Share of draws put exactly on each unit vector, in the order of the dials (our option: corners
    have measure zero otherwise); () puts none there."""
    groups: int = 1
    """Omegas per step: the batch is cut in so many equal groups; 1 is one omega for the batch."""

    def __post_init__(self) -> None:
        rules = {
            "kind must be 'uniform' or 'simplex'": self.kind in ("uniform", "simplex"),
            "corners must be shares with a sum of at most 1": are_shares(self.corners),
            "groups must be at least 1": is_count(self.groups),
        }
        check(self, rules)

    def draw(self, p: int, generator: torch.Generator) -> Tensor:
        """Random omegas of one step: [groups, p] float32 in [0, 1], on the generator's device."""
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
