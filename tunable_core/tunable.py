"""Tunable layers and networks: p kernels per layer, mixed by the dials omega (Eqs. 5, 6).

Nothing in the paper's layer needs a convolution: any module can be given K copies of its parameters
and be called with their mixture. So one wrapper makes every layer and every network tunable.
"""

from __future__ import annotations

import copy
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tunable_core.aggregation import PHIS, Affine
from tunable_core.banks import (
    UNTUNED,
    Rules,
    another_draw,
    chosen,
    copied,
    make_banks,
    near,
    set_parameter,
)
from tunable_core.omega import OmegaLike, as_omega, one_omega


class Tunable(nn.Module):
    """A module whose parameters are mixtures of K kernels, chosen at each call by the dials omega.

    Every parameter of shape S becomes a bank [K, *S]; layer l has its own aggregation function phi_l,
    and the module is called with k_hat = sum_i alpha_i k_i, alpha = phi_l(omega) (Eqs. 5, 6).

    module: any network or layer; it is copied, never changed.
    p: number of dials, one per objective of the multi-loss (Eq. 7).
    kernels: K, default p.
    phi: "affine" alpha = W omega + b (the paper's choice), "identity" alpha = omega (K = p), or "se",
        a squeeze-and-excitation MLP with softmax.
    tuned, untuned: patterns or layer types; a parameter is tuned when it meets one of tuned and none
        of untuned. The others stay plain and are shared by all omegas. See summary().
    pretrained: start as the given network at every omega: all kernels are its own, plus differences of
        1 % so that they can part. Otherwise the kernels are independent draws.

    Raises ValueError, with the parameter's name and the reason, when the module cannot be wrapped.
    """

    def __init__(
        self,
        module: nn.Module,
        p: int,
        *,
        kernels: int | None = None,
        phi: Literal["affine", "identity", "se"] = "affine",
        tuned: Rules = ("*",),
        untuned: Rules = UNTUNED,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        kernels = p if kernels is None else kernels
        if p < 1:
            raise ValueError(f"p must be at least 1 dial; got {p}")
        if kernels < 1:
            raise ValueError(f"kernels must be at least 1 a layer; got {kernels}")
        if phi not in PHIS:
            raise ValueError(f"phi must be one of {', '.join(PHIS)}; got {phi!r}")
        if pretrained and phi == "identity":
            raise ValueError("pretrained=True needs weights alpha with sum 1; phi='identity' has none")
        self.p, self.kernels = p, kernels
        self.module = copied(module)
        names = chosen(self.module, tuned, untuned)
        self.tuned = make_banks(self.module, names, self.kernels, near if pretrained else another_draw)
        layers = {name.rpartition(".")[0]: None for name in self.tuned}
        self.layer_of = {name: list(layers).index(name.rpartition(".")[0]) for name in self.tuned}
        self.phi = PHIS[phi](len(layers), self.kernels, p)
        if pretrained and phi == "affine":
            self.phi.sum_to_one()

    def forward(self, x: Tensor, omega: OmegaLike, *inputs, extrapolate: bool = False):
        """The module's output on x (and further inputs) with its kernels tuned by omega.

        omega: [p] for the whole batch or [B, p], one per sample of x: [B, ...], in [0, 1] unless
        extrapolate. Samples that share an omega share one dense pass. With [B, p], further inputs whose
        first size is B are taken to belong to the samples.
        """
        omega = as_omega(omega, self.p, extrapolate=extrapolate)
        return per_distinct_omega(self._call, x, omega, *inputs)

    def _call(self, x: Tensor, omega: Tensor, *inputs):
        return functional_call(self.module, self.mix(omega), (x, *inputs))

    def mix(self, omega: Tensor) -> dict[str, Tensor]:
        """Tuned kernels by parameter name for one omega [p]; float32 also under autocast.

        Banks of one shape are mixed by one product: a card takes longer to be told to than to do it.
        """
        device = self.phi.like.device.type
        if torch.is_autocast_enabled(device):  # which would multiply in bf16
            with torch.autocast(device, enabled=False):
                return self.mix(omega)
        alpha = _rows(self.phi(omega.to(self.phi.like)), [self.layer_of[name] for name in self.tuned])
        banks = dict(self.module.named_parameters(remove_duplicate=False))
        alike = defaultdict(list)
        for name, weights in zip(self.tuned, alpha, strict=True):
            alike[banks[name].shape, banks[name].dtype].append((name, weights, banks[name]))
        tuned = dict.fromkeys(self.tuned)
        for group in alike.values():
            names, *terms = zip(*group, strict=True)
            tuned |= zip(names, _mixtures(*terms), strict=True)
        return tuned

    @torch.no_grad()
    def at(self, omega: OmegaLike, *, extrapolate: bool = False) -> nn.Module:
        """An ordinary copy of the module with its kernels fixed at omega [p]: no trace of this class."""
        tuned = self.mix(one_omega(omega, self.p, extrapolate=extrapolate))
        plain = copy.deepcopy(self.module)
        banks = dict(plain.named_parameters(remove_duplicate=False))
        fixed = {id(banks[n]): nn.Parameter(v.clone(), banks[n].requires_grad) for n, v in tuned.items()}
        for name, bank in banks.items():  # shared parameters stay shared
            if id(bank) in fixed:
                set_parameter(plain, name, fixed[id(bank)])
        return plain

    @torch.no_grad()
    def part(self) -> None:
        """Give each dial kernels of its own, in place: those of the unit omegas; see Affine.own.

        Where the dials add up to 1 nothing changes, since the mixture is affine in omega; elsewhere it
        does. A step at one unit omega then leaves the kernels of the others alone.
        Raises ValueError unless phi is affine and K = p.
        """
        self.check_part()
        corners = [self.mix(omega) for omega in torch.eye(self.p, device=self.phi.like.device)]
        parameters = dict(self.module.named_parameters(remove_duplicate=False))
        for name in self.tuned:
            parameters[name].copy_(torch.stack([corner[name] for corner in corners]))
        self.phi.own()

    def check_part(self) -> None:
        """Raise ValueError where part() would."""
        if not isinstance(self.phi, Affine) or self.kernels != self.p:
            raise ValueError(
                f"part() needs phi='affine' and one kernel per dial; got "
                f"{type(self.phi).__name__} and {self.kernels} kernels for {self.p} dials"
            )

    def summary(self) -> str:
        """What is tuned and what is shared, with counts, one layer a line and the totals below."""
        lines, total = [], {"tuned": 0, "shared": 0}
        for name, parameter in self.module.named_parameters():
            kind = "tuned" if name in self.layer_of else "shared"
            shape = list(parameter.shape[1:] if kind == "tuned" else parameter.shape)
            size = parameter.numel() // (self.kernels if kind == "tuned" else 1)
            total[kind] += size
            lines.append(f"{name:<48} {shape!s:<20} {size:>12,} {kind}")
        phi = sum(p.numel() for p in self.phi.parameters())
        stored = total["tuned"] * self.kernels + total["shared"] + phi
        return "\n".join(
            [
                *lines,
                f"tuned {total['tuned']:,} x {self.kernels} kernels + shared {total['shared']:,} + "
                f"phi {phi:,} = {stored:,}, {stored / sum(total.values()):.2f} times the plain network",
            ]
        )

    def extra_repr(self) -> str:
        """One line for print(model)."""
        return f"p={self.p}, kernels={self.kernels}, tuned={len(self.tuned)} parameters"


def per_distinct_omega(call, x: Tensor, omega: Tensor, *inputs):
    """call(x, omega, *inputs) with omega [p], or once per distinct row of omega [B, p].

    Outputs (a tensor, or a tuple of tensors and None) are put back in the order of the samples.
    """
    if omega.ndim == 1:
        return call(x, omega, *inputs)
    if len(omega) != len(x):
        raise ValueError(f"omega [B, p] needs one row per sample; got {len(omega)} for {len(x)}")
    if omega.requires_grad:  # a gradient per sample: no two may share
        rows, group = omega, torch.arange(len(omega))
    else:
        rows, group = torch.unique(omega, dim=0, return_inverse=True)
    if len(rows) == 1:
        return call(x, rows[0], *inputs)
    group = group.to(x.device)
    members = [(group == i).nonzero().squeeze(1) for i in range(len(rows))]

    def part(value, index):
        batched = isinstance(value, Tensor) and value.ndim > 0 and len(value) == len(x)
        return value[index] if batched else value

    outputs = [
        call(x[index], row, *(part(value, index) for value in inputs))
        for row, index in zip(rows, members, strict=True)
    ]
    order = torch.cat(members).argsort()
    if isinstance(outputs[0], Tensor):
        return torch.cat(outputs)[order]
    columns = zip(*outputs, strict=True)
    return tuple(None if c[0] is None else torch.cat(c)[order] for c in columns)


def _rows(alpha: Tensor, layers: Sequence[int]) -> list[Tensor]:
    """alpha[l] for each l of layers; when l comes again, of another view.

    So the gradients of all weights, and those of all biases, come back as one tensor each.
    """
    views, rows, seen = [], [], Counter()
    for layer in layers:
        if seen[layer] == len(views):
            views.append(alpha.unbind())
        rows.append(views[seen[layer]][layer])
        seen[layer] += 1
    return rows


def _mixtures(alphas: Sequence[Tensor], banks: Sequence[Tensor]) -> Sequence[Tensor]:
    """sum_i alpha_i k_i for each alpha [K] and bank [K, *S] of one shape: [*S], of the banks' type."""
    kernels, *shape = banks[0].shape
    if len(banks) == 1:  # no copy
        flat = banks[0].reshape(kernels, math.prod(shape))
        return [torch.mm(alphas[0].to(flat.dtype)[None], flat).view(shape)]
    flat = torch.stack(banks).reshape(len(banks), kernels, math.prod(shape))
    mixed = torch.bmm(torch.stack(alphas).to(flat.dtype)[:, None], flat)
    return mixed.view(len(banks), *shape).unbind()


class _TunableLayer(Tunable):
    """A layer under the name that readers look for: the layer's own arguments, then p and phi."""

    layer: type[nn.Module]

    def __init__(self, *args, p: int, kernels: int | None = None, phi="affine", **kwargs) -> None:
        super().__init__(self.layer(*args, **kwargs), p, kernels=kernels, phi=phi)


class TunableConv1d(_TunableLayer):
    """nn.Conv1d with p kernels and biases: TunableConv1d(in, out, size, ..., p=2)."""

    layer = nn.Conv1d


class TunableConv2d(_TunableLayer):
    """nn.Conv2d with p kernels and biases, the paper's layer: TunableConv2d(in, out, size, ..., p=2)."""

    layer = nn.Conv2d


class TunableConv3d(_TunableLayer):
    """nn.Conv3d with p kernels and biases: TunableConv3d(in, out, size, ..., p=2)."""

    layer = nn.Conv3d


class TunableConvTranspose2d(_TunableLayer):
    """nn.ConvTranspose2d with p kernels and biases."""

    layer = nn.ConvTranspose2d


class TunableLinear(_TunableLayer):
    """nn.Linear with p weights and biases: TunableLinear(in, out, p=2)."""

    layer = nn.Linear
