"""Tunable layers and networks: p kernels per layer, mixed by the dials omega (Eqs. 5, 6).

Nothing in the paper's layer needs a convolution: any module can be given K copies of its parameters
and be called with their mixture. So one wrapper makes every layer and every network tunable.
"""

from __future__ import annotations

import contextlib
import copy
import operator
import warnings
from collections.abc import Iterator, Sequence
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
    make_banks,
    near,
    set_parameter,
    stacked,
)
from tunable_core.corners import AtCorners
from tunable_core.exchange import Exchange
from tunable_core.folders import InFolder
from tunable_core.mixing import groups, tuned_kernels
from tunable_core.omega import OmegaLike, as_omega, one_omega
from tunable_core.phi import PHIS, Affine
from tunable_core.samples import check_batch_first, per_distinct_omega

_DIALS: ContextVar[dict[int, Tensor]] = ContextVar("dials", default={})  # noqa: B039  never changed


class Tunable(AtCorners, InFolder, nn.Module):
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

    It trains as any module does, with an omega drawn at each step and a loss that the same omega weighs;
    see MultiLoss and OmegaSampling. `model.phi.requires_grad_(False)` freezes the aggregation.

    module: any network or layer; it is copied, never changed.
    p: number of dials, one per objective of the multi-loss (Eq. 7).
    kernels: K, default p.
    phi: "affine" alpha = W omega + b (the paper's choice), "identity" alpha = omega (K = p), or "se",
        a squeeze-and-excitation MLP with softmax (K >= 2).
    tuned, untuned: patterns or layer types; a parameter is tuned when it meets one of tuned and none
        of untuned. The others stay plain and are shared by all omegas. See summary(). So do frozen
        parameters (requires_grad=False), unless a rule of tuned other than "*" names them.
    pretrained: start as the given network at every omega: all kernels are its own, plus differences of
        1 % so that they can part. Otherwise the kernels are independent draws.

    Any number of threads may call one model, each at its own omega. Warns where the module holds
    BatchNorm, whose running statistics are those of no single omega; see calibrate.
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
            raise ValueError("pretrained=True needs weights alpha with sum 1; phi='identity' has none")
        self.module = copied(module)
        names = chosen(self.module, tuned, untuned)
        self.tuned = make_banks(self.module, names, self.kernels, near if pretrained else another_draw)
        layers = {name.rpartition(".")[0]: None for name in self.tuned}
        self.layer_of = {name: list(layers).index(name.rpartition(".")[0]) for name in self.tuned}
        self.phi = PHIS[phi](len(layers), self.kernels, self.p)
        if pretrained and phi == "affine":
            self.phi.sum_to_one()
        self._exchange = Exchange(self.module, self.tuned)
        banks = self._exchange.current(self.module)
        self._shapes = [bank.shape for bank in banks]
        self._group(banks)
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
        extrapolate. Samples that share an omega share one dense pass. With [B, p], further tensors whose
        first size is B are taken to belong to the samples, and outputs must be [B, ...].
        Inside `with model.dials(omega):` the call takes the network's own inputs alone.
        """
        if getattr(self, "_is_replica", False):
            raise RuntimeError(
                "nn.DataParallel copies a model at each call, which banks of kernels do not survive; "
                "use nn.parallel.DistributedDataParallel"
            )
        turned = None if torch.compiler.is_compiling() else _DIALS.get().get(id(self))
        if turned is not None:
            inputs, omega = inputs if omega is None else (omega, *inputs), turned
        elif omega is None:
            raise TypeError(
                "a tunable network needs dials: model(x, omega), or `with model.dials(omega):`"
            )
        else:
            omega = as_omega(omega, self.p, extrapolate=extrapolate)
        if omega.ndim == 2:
            check_batch_first(self.module)
        return per_distinct_omega(self.tuned_call, x, omega, *inputs, **options)

    @contextlib.contextmanager
    def dials(self, omega: OmegaLike, *, extrapolate: bool = False) -> Iterator[Tunable]:
        """Turn the dials for code that calls model(x), such as a Sequential or a pipeline.

        Only for the thread (or asynchronous task) that enters the block, and not under torch.compile.
        """
        omega = as_omega(omega, self.p, extrapolate=extrapolate)
        token = _DIALS.set({**_DIALS.get(), id(self): omega})
        try:
            yield self
        finally:
            _DIALS.reset(token)

    def tuned_call(self, x: Any, omega: Tensor, *inputs: Any, **options: Any) -> Any:
        """As forward, for one omega [p] that is checked already."""
        return self._exchange(
            self.module, lambda banks: self._mixed(omega, banks), (x, *inputs), options
        )

    def mix(self, omega: OmegaLike, *, extrapolate: bool = False) -> dict[str, Tensor]:
        """Tuned kernels by parameter name for one omega [p]; float32 also under autocast."""
        omega = one_omega(omega, self.p, extrapolate=extrapolate)
        kernels = self._mixed(omega, self._exchange.current(self.module))
        return dict(zip(self.tuned, kernels, strict=True))

    def _mixed(self, omega: Tensor, banks: list[Tensor]) -> Sequence[Tensor]:
        like, *_ = weights = self.phi.tensors()
        if torch.is_autocast_enabled(like.device.type):  # which would multiply in bf16
            with torch.autocast(like.device.type, enabled=False):
                return self._mixed(omega, banks)
        if not torch.compiler.is_compiling() and [(b.shape, b.dtype) for b in banks] != self._kinds:
            self._group(banks)
        return tuned_kernels(self.phi.alpha, omega.to(like), weights, banks, self._groups)

    def _group(self, banks: list[Tensor]) -> None:
        """Plan which banks are mixed together; banks of one shape are."""
        for name, bank, shape in zip(self.tuned, banks, self._shapes, strict=True):
            if bank.shape != shape:
                raise RuntimeError(
                    f"'{name}' is no bank {list(shape)} any more but {list(bank.shape)}; change the "
                    f"plain network, then wrap it"
                )
        self._groups = groups(banks, [self.layer_of[name] for name in self.tuned])
        self._kinds = [(bank.shape, bank.dtype) for bank in banks]

    def _apply(self, fn, recurse=True):
        """As nn.Module's; what fn cannot do to a bank, such as channels_last, it does to each kernel."""
        banks = self._exchange.current(self.module)
        ids = {id(tensor) for bank in banks for tensor in (bank, bank.grad)} - {id(None)}

        def each(tensor: Tensor) -> Tensor:
            if id(tensor) not in ids:
                return fn(tensor)
            if tensor.is_contiguous():
                with contextlib.suppress(RuntimeError):
                    return fn(tensor)
            kernels = tensor.unbind()
            changed = [fn(kernel) for kernel in kernels]
            in_place = all(new is old for new, old in zip(changed, kernels, strict=True))
            return tensor if in_place else stacked(changed)

        super()._apply(each, recurse)
        self._group(self._exchange.current(self.module))
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

    @torch.no_grad()
    def part(self) -> None:
        """Give each dial kernels of its own, in place: those of the unit omegas; see Affine.own.

        Where the dials add up to 1 nothing changes, since the mixture is affine in omega; elsewhere it
        does. A step at one unit omega then leaves the kernels of the others alone.
        Raises ValueError unless phi is affine and K = p.
        """
        self.check_part()
        corners = [self.mix(omega) for omega in torch.eye(self.p)]
        for name in self.tuned:
            bank = self.module.get_parameter(name)
            bank.copy_(torch.stack([corner[name] for corner in corners]))
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


def _count(value: int, name: str, what: str) -> int:
    try:
        value = operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be a whole number; got {value!r}") from error
    if value < 1:
        raise ValueError(f"{name} must be at least 1 {what}; got {value}")
    return value
