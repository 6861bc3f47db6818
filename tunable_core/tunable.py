"""Tunable layers and networks: p kernels per layer, mixed by the dials omega (Eqs. 5, 6).

Nothing in the paper's layer needs a convolution: any module can be given K copies of its parameters
and be called with their mixture. So one wrapper makes every layer and every network tunable.
"""

from __future__ import annotations

import contextlib
import copy
import operator
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tunable_core.banks import (
    UNTUNED,
    Rules,
    another_draw,
    chosen,
    copied,
    kernel_by_kernel,
    make_banks,
    near,
    set_parameter,
)
from tunable_core.corners import AtCorners
from tunable_core.exchange import Exchange
from tunable_core.mixing import Mixer
from tunable_core.omega import OmegaLike, as_omega, one_omega
from tunable_core.phi import PHIS, Affine
from tunable_core.pixels import as_map, is_map, per_pixel
from tunable_core.samples import check_batch_first, per_distinct_omega
from tunable_core.saving import InFolder

_DIALS: ContextVar[dict[int, Tensor]] = ContextVar("dials", default={})  # noqa: B039  never changed


class Tunable(AtCorners, InFolder):
    """A module whose parameters are mixtures of K kernels, chosen at each call by the dials omega.

    Every parameter of shape S becomes a bank [K, *S]; layer l has its own aggregation function phi_l,
    and the module is called with k_hat = sum_i alpha_i k_i, alpha = phi_l(omega) (Eqs. 5, 6).

    >>> import torch
    >>> from torch import nn
    >>> from tunable_core import Tunable
    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))
    >>> model = Tunable(network, p=2)  # two dials, and two kernels per layer
    >>> x = torch.rand(4, 3, 16, 16)
    >>> y = model(x, [0.7, 0.3])  # one omega for the whole batch
    >>> y = model(x, torch.rand(4, 2))  # or one per sample
    >>> plain = model.at([0.7, 0.3])  # an ordinary copy of the network
    >>> torch.allclose(plain(x), model(x, [0.7, 0.3]), atol=1e-6)
    True

    It trains as any module does, with an omega drawn at each step, and a loss weighted by that omega:

    >>> from tunable_core import MultiLoss, NoisePreservation, OmegaSampling, reconstruction
    >>> loss = MultiLoss({"fidelity": reconstruction, "keep noise": NoisePreservation()})  # Eq. 7
    >>> omega = OmegaSampling().draw(p=2, generator=torch.Generator().manual_seed(0))[0]
    >>> noisy = x + 0.1 * torch.randn_like(x)
    >>> total, parts = loss(model(noisy, omega), x, noisy, omega)
    >>> total.backward()

    `model.phi.requires_grad_(False)` freezes the aggregation.

    module: any network or layer; it is copied, never changed.
    p: number of dials, one per objective of the multi-loss (Eq. 7).
    kernels: K, default p.
    phi: "affine" alpha = W omega + b (the paper's choice), "identity" alpha = omega (K = p), or "se",
        a squeeze-and-excitation MLP with softmax (K >= 2).
    tuned, untuned: patterns or layer types; a parameter is tuned if it matches a rule of tuned and none
        of untuned. The others stay plain and are shared by all omegas, and so do frozen parameters
        (requires_grad=False) that no rule of tuned other than "*" names. See summary().
    pretrained: start as the given network at every omega: all kernels are copies of its own, with
        differences of 1 % so that training can separate them. Otherwise kernels are drawn independently.

    Any number of threads may call one model, each at its own omega. Warns if the module contains
    BatchNorm, whose running statistics fit no single omega; see calibrate.
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
        self.p = _count(p, "p", "dial")
        self.kernels = self.p if kernels is None else _count(kernels, "kernels", "kernel a layer")
        if phi not in PHIS:
            raise ValueError(f"phi must be one of {', '.join(PHIS)}; got {phi!r}")
        if pretrained and phi == "identity":
            raise ValueError(
                "pretrained=True needs a phi whose weights sum to 1, 'affine' or 'se'; got 'identity'"
            )
        self.module = copied(module)
        self.tuned = chosen(self.module, tuned, untuned)
        make_banks(self.module, self.tuned, self.kernels, near if pretrained else another_draw)
        layers = {name.rpartition(".")[0]: None for name in self.tuned}
        self.layer_of = {name: list(layers).index(name.rpartition(".")[0]) for name in self.tuned}
        self.phi = PHIS[phi](len(layers), self.kernels, self.p)
        if pretrained and isinstance(self.phi, Affine):
            self.phi.sum_to_one()
        self._exchange = Exchange(self.module, self.tuned)
        rows = [self.layer_of[name] for name in self.tuned]
        self._mixer = Mixer(self.tuned, rows, self._exchange.current(self.module))
        if any(getattr(layer, "running_mean", None) is not None for layer in self.module.modules()):
            warnings.warn(
                "BatchNorm gathers one set of running statistics over all omegas, right for none of "
                "them; before you evaluate a network at omega, call calibrate(model.at(omega), batches)",
                stacklevel=2,
            )

    def forward(
        self,
        x: Any,
        omega: OmegaLike | None = None,
        *inputs: Any,
        extrapolate: bool = False,
        **options: Any,
    ) -> Any:
        """The module's output on x, further inputs and keyword options, with kernels tuned by omega.

        omega: [p] for the whole batch or [B, p], one per sample of x: [B, ...], in [0, 1] unless
        extrapolate; a network of convolutions also takes [B, p, H, W], one per pixel of x, see
        pixels.per_pixel(). Samples that share an omega share one forward pass. With [B, p], further
        tensors whose first size is B are taken to belong to the samples, and outputs must be [B, ...].
        Inside `with model.dials(omega):` the call takes the network's own inputs alone.
        """
        if "_is_replica" in self.__dict__:
            raise RuntimeError(
                "nn.DataParallel copies a model at each call and loses its banks of kernels; use "
                "nn.parallel.DistributedDataParallel"
            )
        turned = None if torch.compiler.is_compiling() else _DIALS.get().get(id(self))
        if turned is not None:
            inputs, omega = inputs if omega is None else (omega, *inputs), turned
        elif omega is None:
            raise TypeError(
                "a tunable network needs dials: model(x, omega), or `with model.dials(omega):`"
            )
        elif is_map(omega):
            omega = as_map(omega, self.p, x, extrapolate=extrapolate)
            return per_pixel(self, x, omega, *inputs, **options)
        else:
            omega = as_omega(omega, self.p, extrapolate=extrapolate)
        if omega.ndim == 1:
            return self.tuned_call(x, omega, *inputs, **options)
        check_batch_first(self.module)
        return per_distinct_omega(self.tuned_call, x, omega, *inputs, **options)

    @contextlib.contextmanager
    def dials(self, omega: OmegaLike, *, extrapolate: bool = False) -> Iterator[Tunable]:
        """Set the dials for code that calls model(x), such as a Sequential or a pipeline.

        Only for the thread (or asynchronous task) that enters the block, and not under torch.compile.
        """
        omega = as_omega(omega, self.p, extrapolate=extrapolate)
        token = _DIALS.set({**_DIALS.get(), id(self): omega})
        try:
            yield self
        finally:
            _DIALS.reset(token)

    def tuned_call(self, x: Any, omega: Tensor, *inputs: Any, **options: Any) -> Any:
        """As forward, for one omega [p] that has been checked."""
        return self._exchange(
            self.module, lambda banks: self._mixer(self.phi, omega, banks), (x, *inputs), options
        )

    def mix(self, omega: OmegaLike, *, extrapolate: bool = False) -> dict[str, Tensor]:
        """Tuned kernels by parameter name for one omega [p]; float32 also under autocast."""
        omega = one_omega(omega, self.p, extrapolate=extrapolate)
        kernels = self._mixer(self.phi, omega, self._exchange.current(self.module))
        return dict(zip(self.tuned, kernels, strict=True))

    def _apply(self, fn, recurse=True):
        """As nn.Module's; fn is applied to each kernel where it fails on a bank (channels_last)."""
        super()._apply(kernel_by_kernel(fn, self._exchange.current(self.module)), recurse)
        self._mixer.plan(self._exchange.current(self.module))
        return self

    @torch.no_grad()
    def at(self, omega: OmegaLike, *, extrapolate: bool = False) -> nn.Module:
        """An ordinary copy of the module with its kernels fixed at omega [p]: no trace of this class."""
        tuned = self.mix(omega, extrapolate=extrapolate)
        plain = copy.deepcopy(self.module)
        banks = dict(plain.named_parameters(remove_duplicate=False))
        fixed = {id(banks[n]): nn.Parameter(v.clone(), banks[n].requires_grad) for n, v in tuned.items()}
        for name, bank in banks.items():  # shared parameters stay shared
            if id(bank) in fixed:
                set_parameter(plain, name, fixed[id(bank)])
        return plain

    def summary(self) -> str:
        """A table of tuned and shared parameters with their counts: one line per layer, then totals."""
        rows, total = [], {"tuned": 0, "shared": 0}
        for name, parameter in self.module.named_parameters():
            kind, one = ("tuned", parameter[0]) if name in self.layer_of else ("shared", parameter)
            total[kind] += one.numel()
            rows.append((name, str(list(one.shape)), f"{one.numel():,}", kind))
        phi = sum(p.numel() for p in self.phi.parameters())
        stored = total["tuned"] * self.kernels + total["shared"] + phi
        wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            [
                *(f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c:>{wide[2]}}  {d}" for a, b, c, d in rows),
                f"tuned {total['tuned']:,} x {self.kernels} kernels + shared {total['shared']:,} + "
                f"phi {phi:,} = {stored:,}, {stored / sum(total.values()):.2f} times the plain network",
            ]
        )

    def extra_repr(self) -> str:
        """One line for print(model)."""
        return f"p={self.p}, kernels={self.kernels}, tuned={len(self.tuned)} parameters"


def _count(value: int, name: str, what: str) -> int:
    try:
        value = operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be a whole number; got {value!r}") from error
    if value < 1:
        raise ValueError(f"{name} must be at least 1 {what}; got {value}")
    return value
