"""The mixtures sum_i alpha_i k_i of all banks of kernels at once, and their gradients (Eq. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import forward_ad

from tunable_core.phi import Phi


@dataclass(frozen=True)
class Group:
    """Banks [K, *S] of one shape, dtype and layout, mixed by one product: on a GPU, a launch costs
    more than the mixing itself."""

    members: list[int]
    """Positions among all banks."""
    layers: list[int]
    """The layer (row of alpha) of each bank."""
    order: list[int]
    """The axes of a bank as they lie in memory: [0, 1, 3, 4, 2] for kernels that are channels_last."""
    shape: list[int]
    """Sizes of a kernel's axes in that order."""

    def flat(self, banks: Sequence[Tensor], used: Sequence[int]) -> Tensor:
        """The banks of the members at positions `used`: [len(used), K, N]; a single one is a view."""
        rows = [banks[self.members[i]].permute(self.order).flatten(1) for i in used]
        return rows[0][None] if len(rows) == 1 else torch.stack(rows)

    def alphas(self, alpha: Tensor, used: Sequence[int]) -> Tensor:
        """The weights [len(used), K] of the same members, from alpha [L, K]."""
        layers = [self.layers[i] for i in used]
        if layers == list(range(layers[0], layers[-1] + 1)):  # a view
            return alpha[layers[0] : layers[-1] + 1]
        return torch.stack([alpha[layer] for layer in layers])

    def banks(self, flat: Tensor) -> list[Tensor]:
        """Flat banks [n, K, N] as n banks [K, *S]."""
        back = [self.order.index(axis) for axis in range(len(self.order))]
        return [bank.permute(back) for bank in flat.view(*flat.shape[:2], *self.shape).unbind()]


def groups(banks: Sequence[Tensor], layers: Sequence[int]) -> list[Group]:
    """The groups of banks [K, *S], given the layer of each."""
    found: dict[tuple, Group] = {}
    for i, (bank, layer) in enumerate(zip(banks, layers, strict=True)):
        order = list(range(bank.ndim))
        if not bank.is_contiguous():
            steps = bank.stride()
            dense = [0, *sorted(order[1:], key=[-step for step in steps].__getitem__)]
            order = dense if bank.permute(dense).is_contiguous() else order
        shape = [bank.shape[axis] for axis in order[1:]]
        group = found.setdefault((bank.shape, bank.dtype, *order), Group([], [], order, shape))
        group.members.append(i)
        group.layers.append(layer)
    return list(found.values())


def mixtures(alpha: Tensor, banks: Sequence[Tensor], parts: Sequence[Group]) -> list[Tensor]:
    """sum_i alpha_i k_i for alpha [L, K] and every bank [K, *S]: [*S] each, of the bank's type."""
    mixed = list(banks)
    for part in parts:
        used = range(len(part.members))
        flat = part.flat(banks, used)
        products = torch.bmm(part.alphas(alpha, used)[:, None].to(flat.dtype), flat)
        for i, bank in zip(part.members, part.banks(products), strict=True):
            mixed[i] = bank[0]
    return mixed


class Mixer:
    """Mixes banks of kernels by one phi; the banks that share a product are planned once.

    names, layers: the name and the layer (row of alpha) of each bank.
    """

    def __init__(self, names: Sequence[str], layers: Sequence[int], banks: Sequence[Tensor]) -> None:
        self.names, self.layers = list(names), list(layers)
        self.shapes = [bank.shape for bank in banks]
        self.kinds: list[tuple] = []
        self.plan(banks)

    def __call__(self, phi: Phi, omega: Tensor, banks: Sequence[Tensor]) -> Sequence[Tensor]:
        """The kernels at omega [p], mixed in the dtypes of their banks, also under autocast."""
        like, *_ = weights = phi.tensors()
        if torch.is_autocast_enabled(like.device.type):
            with torch.autocast(like.device.type, enabled=False):
                return self(phi, omega, banks)
        if not torch.compiler.is_compiling():
            self.plan(banks)
        omega = omega.to(like)
        if not torch.is_grad_enabled() or _transformed():
            return mixtures(phi.alpha(omega, *weights), banks, self.groups)
        return _Mixing.apply(phi.alpha, self.groups, len(weights), omega, *weights, *banks)

    def plan(self, banks: Sequence[Tensor]) -> None:
        """Plan again for banks of other dtypes or layouts; raises RuntimeError for another shape."""
        kinds = [(bank.shape, bank.stride(), bank.dtype) for bank in banks]
        if kinds == self.kinds:
            return
        for name, bank, shape in zip(self.names, banks, self.shapes, strict=True):
            if bank.shape != shape:
                raise RuntimeError(
                    f"the bank '{name}' was {list(shape)} and now is {list(bank.shape)}; change the "
                    f"plain network before you wrap it"
                )
        self.groups, self.kinds = groups(banks, self.layers), kinds


def _transformed() -> bool:
    """Whether anything but reverse-mode autograd traces or transforms the operators."""
    return (
        torch.compiler.is_compiling()
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
        or torch.jit.is_tracing()
    )


class _Mixing(torch.autograd.Function):
    """phi and mixtures as one node of the autograd graph, which stores what its gradients need.

    Reentrant gradient checkpointing calls backward once per segment of the network and so reaches this
    node several times, each time with the gradients of a few kernels. Otherwise the first call frees
    the graph. The gradients are differentiable, since they are made of differentiable operators.
    """

    @staticmethod
    def forward(ctx, phi, parts, count, omega, *tensors):
        ctx.set_materialize_grads(False)
        ctx.phi, ctx.parts, ctx.count, ctx.tensors = phi, parts, count, (omega, *tensors)
        ctx.versions = [t._version for t in ctx.tensors if t.requires_grad]
        return tuple(mixtures(phi(omega, *tensors[:count]), tensors[count:], parts))

    @staticmethod
    def backward(ctx, *grads):
        if ctx.versions != [t._version for t in ctx.tensors if t.requires_grad]:
            raise RuntimeError(
                "kernels, phi or omega were changed between a forward pass and its backward pass; call "
                "optimizer.step() after backward()"
            )
        omega, *tensors = ctx.tensors
        with torch.autocast(omega.device.type, enabled=False):
            inputs, banks = (omega, *tensors[: ctx.count]), tensors[ctx.count :]
            return None, None, None, *_gradients(ctx.phi, ctx.parts, grads, inputs, banks)


def _gradients(phi, parts, grads, inputs, banks) -> list[Tensor | None]:
    """Gradients of omega, the weights of phi and the banks; None for banks that were not used."""
    with torch.enable_grad():
        alpha = phi(*inputs)
    bank_grads: list[Tensor | None] = [None] * len(banks)
    factors, rows = [], []
    for part in parts:
        used = [i for i, member in enumerate(part.members) if grads[member] is not None]
        if not used:
            continue
        given = part.flat([g if g is None else g[None] for g in grads], used)  # [n, 1, N]
        with torch.enable_grad():
            factors.append(part.alphas(alpha, used))  # [n, K]
        products = torch.bmm(factors[-1][:, :, None].to(given.dtype), given)
        for i, grad in zip(used, part.banks(products), strict=True):
            member = part.members[i]
            bank_grads[member] = grad if banks[member].requires_grad else None
        row = torch.bmm(given, part.flat(banks, used).mH)[:, 0]  # [n, K]
        rows.append((row.real if row.is_complex() else row).to(alpha.dtype))
    needed = [t for t in inputs if t.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(needed)
    if factors and needed:
        found = torch.autograd.grad(factors, needed, rows, create_graph=torch.is_grad_enabled())
    left = iter(found)
    return [*(next(left) if t.requires_grad else None for t in inputs), *bank_grads]
