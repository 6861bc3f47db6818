"""A dial per pixel: omega as a map [B, p, H, W], for networks of convolutions.

Convolution is linear in its kernel, so sum_i alpha_i k_i may be mixed after it as well as before: each
tuned convolution runs its K kernels, and every pixel mixes the K results by its own alpha (Eqs. 5, 6).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from tunable_core.tunable import Tunable


def is_map(omega: Any) -> TypeGuard[Tensor]:
    """Whether omega is a map [B, p, H, W]."""
    return isinstance(omega, Tensor) and omega.ndim == 4


def as_map(omega: Tensor, p: int, x: Any, *, extrapolate: bool = False) -> Tensor:
    """Dials [B, p, H, W] of every pixel of x: [B, C, H, W], checked as as_omega() checks one omega.

    [1, p, H, W] serves all samples. Raises ValueError for another shape, a value outside, or a NaN.
    """
    sizes = list(x.shape) if isinstance(x, Tensor) else []
    if len(sizes) != 4 or list(omega.shape) not in ([n, p, *sizes[2:]] for n in (1, sizes[0])):
        raise ValueError(
            f"a map of dials must be [B, {p}, H, W] for an image [B, C, H, W]; got {list(omega.shape)} "
            f"for {sizes or type(x).__name__}"
        )
    if not omega.is_floating_point():
        raise TypeError(f"a map of dials must be floating-point; got {omega.dtype} (use omega.float())")
    if not torch.compiler.is_compiling() and omega.numel():
        low, high = torch.stack(omega.detach().aminmax()).tolist()  # the only wait for the device
        if not (math.isfinite(low - high) and (extrapolate or 0 <= low <= high <= 1)):
            raise ValueError(
                f"omega must lie in [0, 1] at every pixel; got {low:g} to {high:g} (scale your dials, "
                f"or pass extrapolate=True for finite ones)"
            )
    return omega


def per_pixel(model: Tunable, x: Tensor, omega: Tensor, *inputs: Any, **options: Any) -> Any:
    """The model's output on x: [B, C, H, W] with the dials omega: [B, p, H, W] of every pixel.

    Each layer takes the map at its own resolution, see resized(). Equal to the output at one omega
    wherever omega is constant over the receptive field. Raises ValueError, with its name, for a tuned
    layer that is not a convolution in two dimensions, or whose bias is tuned and kernel shared.
    """
    exchange, weights = model._exchange, model.phi.tensors()
    skeleton = exchange.skeleton(model.module, exchange.current(model.module))
    omega = omega.to(weights[0])
    held: dict[str, dict[str, int]] = {}  # layer: its tuned parameters, each with its row of alpha
    for name, i in exchange.places:
        owner, _, parameter = name.rpartition(".")
        held.setdefault(owner, {})[parameter] = model.layer_of[model.tuned[i]]
    for owner, tuned in held.items():
        layer = skeleton.get_submodule(owner)
        if not _is_convolution(layer) or "weight" not in tuned or len(set(tuned.values())) > 1:
            raise ValueError(
                f"a map of dials needs tuned convolutions in two dimensions; '{owner}', a "
                f"{type(layer).__name__}, has tuned {' and '.join(tuned)} (leave it out with untuned=, "
                f"or call blend_levels(model, x, omega, levels=5), which mixes outputs)"
            )
        rows = [tensor[tuned["weight"] :][:1] for tensor in weights]
        alpha = functools.partial(_alpha, model.phi.alpha, rows, omega)
        convolution = cast(nn.Conv2d, layer)
        taken = _taken(convolution, tuned)
        vars(layer)["forward"] = functools.partial(_convolved, convolution, alpha, *taken)
    return skeleton(x, *inputs, **options)


def _is_convolution(layer: nn.Module) -> bool:
    """Whether the layer's output is linear in its weight as that of PyTorch's convolutions is."""
    kind = type(layer)
    if issubclass(kind, nn.Conv2d) and kind._conv_forward is not nn.Conv2d._conv_forward:
        return False
    known = (nn.Conv2d.forward, nn.ConvTranspose2d.forward)
    return kind.forward in known and "forward" not in vars(layer)


def _taken(layer: nn.Conv2d, tuned: Collection[str]) -> tuple[int, Tensor | None]:
    """Give the layer its K kernels as output channels, side by side; returns K and a shared bias."""
    held: dict[str, Any] = layer._parameters

    def side_by_side(bank: Tensor) -> Tensor:  # [K, O, ...] to [groups K O/groups, ...]: the output
        # channels of a group lie together
        return bank.unflatten(1, (layer.groups, -1)).transpose(0, 1).flatten(0, 2)

    bank, bias = held["weight"], held["bias"]  # of a transposed layer [K, I, O/groups, ...]
    weight = bank.transpose(0, 1).flatten(1, 2) if layer.transposed else side_by_side(bank)
    if weight.device.type == "cpu" and not torch.compiler.is_compiling():
        weight = weight.contiguous(
            memory_format=torch.channels_last
        )  # faster, see study.measuring.pixels
    held["weight"] = weight
    held["bias"] = side_by_side(bias) if "bias" in tuned else None
    return len(bank), None if "bias" in tuned else bias


def _convolved(
    layer: nn.Conv2d,
    alpha: Callable[[int, int], Tensor],
    kernels: int,
    bias: Tensor | None,
    x: Tensor,
    *inputs: Any,
    **options: Any,
) -> Tensor:
    """The forward that replaces a convolution's: K results, mixed at every pixel."""
    output = type(layer).forward(layer, x, *inputs, **options)
    results = output.unflatten(1, (layer.groups, kernels, -1)).unbind(2)
    weights = alpha(*output.shape[2:]).to(output.dtype).unbind(1)  # K of [B, 1, 1, h, w]
    mixed = results[0] * weights[0]
    for result, weight in zip(results[1:], weights[1:], strict=True):
        mixed = torch.addcmul(mixed, result, weight)
    mixed = mixed.flatten(1, 2)
    return mixed if bias is None else mixed + bias.to(mixed.dtype)[:, None, None]


def _alpha(
    phi: Callable[..., Tensor], rows: list[Tensor], omega: Tensor, height: int, width: int
) -> Tensor:
    """Weights [B, K, 1, 1, h, w] of one layer, given its rows of the tensors of phi."""
    omega = resized(omega, height, width).permute(0, 2, 3, 1)
    alpha = phi(omega.reshape(-1, 1, omega.shape[3]), *rows)  # [B h w, K]
    alpha = alpha.view(*omega.shape[:3], alpha.shape[1])
    return alpha.permute(0, 3, 1, 2)[:, :, None, None]


def resized(omega: Tensor, height: int, width: int) -> Tensor:
    """A map [B, p, H, W] at the resolution of features: [B, p, height, width], by area averaging.

    A feature takes the mean of n pixels, or n features share a pixel, with n rounded: so a tile that
    begins at a multiple of the strides gets the values of the whole image. Where padding adds features,
    the last value is repeated; where a lack of padding removes some, the middle of the map is used.
    """
    for axis, size in ((2, height), (3, width)):
        if not _known_equal(omega.shape[axis], size):
            mean = _averaging(omega.shape[axis], size, omega)
            omega = torch.tensordot(omega, mean, ([axis], [1])).movedim(-1, axis)
    return omega


def _known_equal(one: int, other: int) -> bool:
    """Whether two sizes, symbols under torch.export, are equal for every size of image."""
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    from torch.fx.experimental.symbolic_shapes import statically_known_true  # imports sympy

    return statically_known_true(one == other)


def _averaging(old: int, new: int, like: Tensor) -> Tensor:
    """The matrix [new, old] that averages over areas along an axis."""
    down = torch.sym_max(1, (2 * old + new) // (2 * new))  # pixels of a feature
    up = torch.sym_max(1, (2 * new + old) // (2 * old))  # features of a pixel
    cut = torch.sym_max(0, (old * up - new * down) // (2 * down) * down)
    first = cut + down * torch.arange(new, device=like.device)[:, None]  # in units of 1 / up pixels
    pixel = up * torch.arange(old, device=like.device)
    last = torch.clamp(first + down, max=old * up)
    first = torch.clamp(first, max=(old - 1) * up)
    shared = (torch.minimum(last, pixel + up) - torch.maximum(first, pixel)).clamp(min=0).to(like.dtype)
    return shared / shared.sum(1, keepdim=True)


def blend_levels(
    model: Callable[[Tensor, Tensor], Tensor], x: Tensor, omega: Tensor, levels: int = 5
) -> Tensor:
    """Interpolate outputs at a few omegas, at every pixel by its own omega: for any network.

    model(x, omega [p]): any tunable network, x: [B, C, H, W] to [B, C', H', W']; omega: [B, p, H, W].
    Each dial has `levels` evenly spaced positions from 0 to 1. Every pixel mixes at most p + 1 omegas of
    this grid, linearly, and only omegas that some pixel needs are run: `levels` of them for a map whose
    two dials add up to 1. Raises ValueError as as_map() does, and for fewer than 2 levels.
    """
    if levels < 2:
        raise ValueError(f"levels must be at least 2, the two ends of a dial; got {levels}")
    omega = as_map(omega, omega.shape[1] if is_map(omega) else 0, x)
    steps, result = levels - 1, torch.zeros(())
    for index in itertools.product(range(levels), repeat=omega.shape[1]):
        point = torch.tensor(index, device=omega.device, dtype=omega.dtype) / steps
        # the hat function of Kuhn's triangulation in sums of dials, of which sum = 1 is a chain of edges
        apart = steps * (omega - point[:, None, None]).cumsum(1)
        width = apart.amax(1, keepdim=True).clamp(min=0) - apart.amin(1, keepdim=True).clamp(max=0)
        weight = (1 - width).clamp(min=0)  # [B, 1, H, W]
        if weight.amax() < 1e-5:  # rounding
            continue
        output = model(x, point)
        result = result.to(output) + output * resized(weight, *output.shape[2:]).to(output)
    return result
