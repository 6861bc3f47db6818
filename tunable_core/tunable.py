"""Tunable layers and networks: p kernels per layer, mixed by the dials omega (Eqs. 5, 6).

Nothing in the paper's layer needs a convolution: any module can be given K copies of its parameters
and be called with their mixture. So one wrapper makes every layer and every network tunable.
"""

from __future__ import annotations

import copy
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tunable_core.omega import OmegaLike, as_omega, one_omega

UNTUNED = (
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
)
"""Layers that stay plain unless asked otherwise, as in the authors' code."""


class Tunable(nn.Module):
    """A module whose parameters are mixtures of K kernels, chosen at each call by the dials omega.

    Every parameter of shape S becomes a bank [K, *S]; layer l has its own aggregation function phi_l,
    and the module is called with k_hat = sum_i alpha_i k_i, alpha = phi_l(omega) (Eqs. 5, 6).

    module: any network or layer; it is copied, never changed.
    p: number of dials, one per objective of the multi-loss (Eq. 7).
    kernels: K, default p.
    phi: "affine" alpha = W omega + b (the paper's choice), "identity" alpha = omega (K = p), or "se",
        a squeeze-and-excitation MLP with softmax.
    untuned: layer types whose parameters stay plain and shared by all omegas.

    Raises ValueError when nothing can be tuned or phi does not fit K and p.
    """

    def __init__(
        self,
        module: nn.Module,
        p: int,
        *,
        kernels: int | None = None,
        phi: Literal["affine", "identity", "se"] = "affine",
        untuned: tuple[type[nn.Module], ...] = UNTUNED,
    ) -> None:
        super().__init__()
        kernels = p if kernels is None else kernels
        if p < 1:
            raise ValueError(f"p must be at least 1 dial; got {p}")
        if kernels < 1:
            raise ValueError(f"kernels must be at least 1 a layer; got {kernels}")
        if phi not in PHIS:
            raise ValueError(f"phi must be one of {', '.join(PHIS)}; got {phi!r}")
        self.p, self.kernels = p, kernels
        self.module = copy.deepcopy(module)
        self.tuned = _make_banks(self.module, self.kernels, untuned)
        if not self.tuned:
            raise ValueError(
                f"{type(module).__name__} has no parameter to tune: it has none, or all belong to "
                f"untuned layers (pass untuned=() to tune those too)"
            )
        layers = {name.rpartition(".")[0]: None for name in self.tuned}
        self.layer_of = {name: list(layers).index(name.rpartition(".")[0]) for name in self.tuned}
        self.phi = PHIS[phi](len(layers), self.kernels, p)

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
        """Tuned kernels by parameter name for one omega [p]; float32 also under autocast."""
        alpha = self.phi(omega.to(self.phi.like))
        parameters = dict(self.module.named_parameters(remove_duplicate=False))
        return {n: _mixture(alpha[self.layer_of[n]], parameters[n]) for n in self.tuned}

    @torch.no_grad()
    def at(self, omega: OmegaLike, *, extrapolate: bool = False) -> nn.Module:
        """An ordinary copy of the module with its kernels fixed at omega [p]: no trace of this class."""
        tuned = self.mix(one_omega(omega, self.p, extrapolate=extrapolate))
        plain = copy.deepcopy(self.module)
        banks = dict(plain.named_parameters(remove_duplicate=False))
        fixed = {id(banks[n]): nn.Parameter(v.clone(), banks[n].requires_grad) for n, v in tuned.items()}
        for name, bank in banks.items():  # shared parameters stay shared
            if id(bank) in fixed:
                _set_parameter(plain, name, fixed[id(bank)])
        return plain

    def extra_repr(self) -> str:
        """One line for print(model)."""
        return f"p={self.p}, kernels={self.kernels}, tuned={len(self.tuned)} parameters"


class Affine(nn.Module):
    """alpha = W omega + b for every layer at once, the paper's choice of phi (Eq. 6).

    Starts at W = 0.2 I and b such that alpha_i = 1/sqrt(K) at omega = 1/2: independently drawn kernels
    then mix to the layer's own variance, sum(alpha^2) = 1. A small W lets all omegas share most of what
    is learnt first: after 3,000 steps of denoising with 8 x 32 it is 0.2 dB better at (1, 0) and 0.6 dB
    at (0, 1) than W = I/2 (and 0.3 and 0.4 dB than equal kernels with W = I/2 and sum(alpha) = 1).
    """

    def __init__(self, layers: int, kernels: int, p: int) -> None:
        super().__init__()
        weight = 0.2 * torch.eye(kernels, p).repeat(layers, 1, 1)
        self.weight = nn.Parameter(weight)  # [L, K, p]
        self.bias = nn.Parameter(kernels**-0.5 - weight.sum(2) / 2)  # [L, K]

    @property
    def like(self) -> Tensor:
        """A tensor of the type and on the device that omega must have."""
        return self.weight

    def forward(self, omega: Tensor) -> Tensor:
        """Dials [p] to aggregation weights [L, K]."""
        return (self.weight * omega).sum(2) + self.bias  # not a matmul: float32 under autocast


class Identity(nn.Module):
    """alpha = omega: each dial is the weight of its own kernel."""

    def __init__(self, layers: int, kernels: int, p: int) -> None:
        super().__init__()
        if kernels != p:
            raise ValueError(f"phi='identity' needs as many kernels as dials; got {kernels} and {p}")
        self.register_buffer("ones", torch.ones(layers, 1), persistent=False)

    @property
    def like(self) -> Tensor:
        """A tensor of the type and on the device that omega must have."""
        return self.ones

    def forward(self, omega: Tensor) -> Tensor:
        """Dials [p] to aggregation weights [L, K]."""
        return self.ones * omega


class SqueezeExcite(nn.Module):
    """alpha = softmax(V relu(U omega + c) + d): the phi of dynamic convolutions, fed with omega."""

    def __init__(self, layers: int, kernels: int, p: int, hidden: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Parameter(torch.randn(layers, hidden, p) / p**0.5)
        self.squeeze_bias = nn.Parameter(torch.zeros(layers, hidden))
        self.excite = nn.Parameter(torch.randn(layers, kernels, hidden) / hidden**0.5)
        self.excite_bias = nn.Parameter(torch.zeros(layers, kernels))

    @property
    def like(self) -> Tensor:
        """A tensor of the type and on the device that omega must have."""
        return self.squeeze

    def forward(self, omega: Tensor) -> Tensor:
        """Dials [p] to aggregation weights [L, K], positive with sum 1."""
        hidden = ((self.squeeze * omega).sum(2) + self.squeeze_bias).relu()
        return ((self.excite * hidden[:, None]).sum(2) + self.excite_bias).softmax(1)


PHIS = {"affine": Affine, "identity": Identity, "se": SqueezeExcite}


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


def _mixture(alpha: Tensor, bank: Tensor) -> Tensor:
    """sum_i alpha_i k_i for alpha [K] and bank [K, *S]: [*S], of the bank's type."""
    return (bank * alpha.view(-1, *[1] * (bank.ndim - 1))).sum(0).to(bank.dtype)


def another_draw(value: Tensor) -> Tensor:
    """The same entries shuffled: for entries drawn independently from one law, another draw from it."""
    order = torch.randperm(value.numel()).to(value.device)
    return value.flatten()[order].view(value.shape)


def _make_banks(module: nn.Module, kernels: int, untuned: tuple) -> list[str]:
    """Replace, in place, each tunable parameter [*S] by a bank [K, *S]; return their names."""
    tuned, banks = [], {}
    for layer_name, layer in module.named_modules():
        if isinstance(layer, untuned):
            continue
        for name, value in list(layer.named_parameters(recurse=False)):
            if not value.is_floating_point():
                continue
            if id(value) not in banks:  # shared parameters stay shared, under their first name
                tuned.append(f"{layer_name}.{name}".lstrip("."))
                first = value.detach()
                copies = [first.clone(), *(another_draw(first) for _ in range(kernels - 1))]
                banks[id(value)] = nn.Parameter(torch.stack(copies), value.requires_grad)
            setattr(layer, name, banks[id(value)])
    return tuned


def _set_parameter(module: nn.Module, name: str, value: nn.Parameter) -> None:
    owner, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(owner), attribute, value)


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
