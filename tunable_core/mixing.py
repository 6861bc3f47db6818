"""The mixtures sum_i alpha_i k_i of many banks of kernels at once, and their gradients (Eq. 5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import forward_ad


@dataclass(frozen=True)
class Group:
    """Banks of one shape and type, which one product mixes: on a GPU, launching a kernel costs more
    than running it."""

    members: list[int]
    """Positions among all banks."""
    layers: list[int]
    """The layer of each, a row of alpha."""
    shape: list[int]
    """Of a kernel, with its axes in the order in which they lie in memory."""
    order: list[int] | None
    """The axes of a bank in that order, [0, 1, 3, 4, 2] for kernels that are channels_last; None where
    they lie as they are counted."""
    back: list[int]
    """The order of a kernel's axes that undoes it."""

    def flat(self, banks: Sequence[Tensor], used: Sequence[int]) -> Tensor:
        """The banks of the members at positions `used`: [len(used), K, N]; a single one is a view."""
        rows = [banks[self.members[i]] for i in used]
        if self.order is not None:
            rows = [bank.permute(self.order) for bank in rows]
        stacked = rows[0][None] if len(rows) == 1 else torch.stack(rows)
        return stacked.reshape(len(rows), stacked.shape[1], math.prod(self.shape))

    def alphas(self, alpha: Tensor, used: Sequence[int]) -> Tensor:
        """The weights [len(used), K] of the same members, from alpha [L, K]."""
        layers = [self.layers[i] for i in used]
        if layers == list(range(layers[0], layers[-1] + 1)):  # a view
            return alpha[layers[0] : layers[-1] + 1]
        return torch.stack([alpha[layer] for layer in layers])

    def kernels(self, flat: Tensor) -> tuple[Tensor, ...]:
        """Flat kernels [n, N] as n kernels [*S]."""
        shaped = flat.view(flat.shape[0], *self.shape).unbind()
        return shaped if self.order is None else tuple(kernel.permute(self.back) for kernel in shaped)

    def banks(self, flat: Tensor) -> tuple[Tensor, ...]:
        """Flat banks [n, K, N] as n banks [K, *S]."""
        shaped = flat.view(*flat.shape[:2], *self.shape).unbind()
        if self.order is None:
            return shaped
        return tuple(bank.permute(0, *(axis + 1 for axis in self.back)) for bank in shaped)


def groups(banks: Sequence[Tensor], layers: Sequence[int]) -> list[Group]:
    """The groups of banks [K, *S], given the layer of each."""
    found: dict[tuple, tuple[list[int], list[int]]] = {}
    for i, (bank, layer) in enumerate(zip(banks, layers, strict=True)):
        order = list(range(1, bank.ndim))
        if not bank.is_contiguous():
            order = sorted(order, key=lambda axis, bank=bank: -bank.stride(axis))
            if not bank.permute(0, *order).is_contiguous():
                order = sorted(order)
        members, at = found.setdefault((tuple(bank.shape), bank.dtype, tuple(order)), ([], []))
        members.append(i)
        at.append(layer)
    return [
        Group(
            members,
            at,
            [shape[axis] for axis in order],
            [0, *order] if list(order) != sorted(order) else None,
            [order.index(axis) for axis in range(1, len(shape))],
        )
        for (shape, _, order), (members, at) in found.items()
    ]


def mixtures(alpha: Tensor, banks: Sequence[Tensor], parts: Sequence[Group]) -> list[Tensor]:
    """sum_i alpha_i k_i for alpha [L, K] and every bank [K, *S]: [*S] each, of the bank's type."""
    mixed: list = [None] * len(banks)
    for part in parts:
        if len(part.members) == 1 and part.order is None:
            (i,), (layer,) = part.members, part.layers
            weights = alpha[layer : layer + 1].to(banks[i].dtype)
            flat = banks[i].reshape(banks[i].shape[0], math.prod(part.shape))
            mixed[i] = torch.mm(weights, flat).view(part.shape)
            continue
        everyone = range(len(part.members))
        flat = part.flat(banks, everyone)
        weights = part.alphas(alpha, everyone).to(flat.dtype)
        product = torch.bmm(weights[:, None], flat)[:, 0]
        for i, kernel in zip(part.members, part.kernels(product), strict=True):
            mixed[i] = kernel
    return mixed


def tuned_kernels(
    phi: Callable[..., Tensor],
    omega: Tensor,
    weights: Sequence[Tensor],
    banks: Sequence[Tensor],
    parts: Sequence[Group],
) -> Sequence[Tensor]:
    """mixtures(phi(omega, *weights), banks, parts), whose graph may be gone through several times."""
    if not torch.is_grad_enabled() or _transformed():
        return mixtures(phi(omega, *weights), banks, parts)
    return _Mixing.apply(phi, parts, len(weights), omega, *weights, *banks)


def _transformed() -> bool:
    """Whether somebody else than autograd's backward mode follows the operators."""
    return (
        torch.compiler.is_compiling()
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
        or torch.jit.is_tracing()
    )


class _Mixing(torch.autograd.Function):
    """phi and mixtures as one node of the graph, which keeps what its gradients need.

    Reentrant gradient checkpointing calls backward once for each segment of the network and so reaches
    this node several times, each time with the gradients of a few kernels. An ordinary graph is freed
    by the first. Gradients are made of differentiable operators, so they have gradients themselves.
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
        weights, banks = tensors[: ctx.count], tensors[ctx.count :]
        with torch.autocast(omega.device.type, enabled=False):
            return None, None, None, *_gradients(ctx, grads, omega, weights, banks)


def _gradients(ctx, grads, omega, weights, banks):
    """Gradients of omega, the weights of phi and the banks; None for kernels that nothing used."""
    with torch.enable_grad():
        alpha = ctx.phi(omega, *weights)
    bank_grads: list = [None] * len(banks)
    alpha_grad = torch.zeros_like(alpha)
    for part in ctx.parts:
        used = [i for i, member in enumerate(part.members) if grads[member] is not None]
        if not used:
            continue
        members = [part.members[i] for i in used]
        given = part.flat([g if g is None else g[None] for g in grads], used)  # [n, 1, N]
        factors = part.alphas(alpha, used).to(given.dtype)  # [n, K]
        for i, grad in zip(members, part.banks(torch.bmm(factors[:, :, None], given)), strict=True):
            bank_grads[i] = grad if banks[i].requires_grad else None
        rows = torch.bmm(given, part.flat(banks, used).mH)[:, 0]  # [n, K]
        rows = (rows.real if rows.is_complex() else rows).to(alpha.dtype)
        alpha_grad = alpha_grad + _table(rows, [part.layers[i] for i in used], len(alpha))
    inputs = (omega, *weights)
    needed = [t for t in inputs if t.requires_grad]
    if not needed:
        return *[None] * len(inputs), *bank_grads
    found = torch.autograd.grad(alpha, needed, alpha_grad, create_graph=torch.is_grad_enabled())
    found = iter(found)
    return *[next(found) if t.requires_grad else None for t in inputs], *bank_grads


def _table(rows: Tensor, layers: Sequence[int], count: int) -> Tensor:
    """Rows [n, K] added up by layer: [count, K]."""
    nothing, left, total = rows.new_zeros(rows.shape[1]), list(zip(layers, rows, strict=True)), None
    while left:
        table, again = [nothing] * count, []
        for layer, row in left:
            if table[layer] is nothing:
                table[layer] = row
            else:  # a layer with two banks of one shape
                again.append((layer, row))
        total = torch.stack(table) if total is None else total + torch.stack(table)
        left = again
    return total
