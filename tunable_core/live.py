"""Fast inference: one matrix product tunes the whole network, and only when omega has changed."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from tunable_core.exchange import Exchange
from tunable_core.omega import OmegaLike, as_omega, one_omega
from tunable_core.phi import SqueezeExcite
from tunable_core.samples import check_batch_first, per_distinct_omega
from tunable_core.tunable import Tunable


class Live(nn.Module):
    """A tunable network folded for inference: theta(omega) = Theta [1, omega].

    With affine phi all tuned kernels together are affine in omega, so the banks of all layers fold into
    one matrix Theta [p + 1, N] of the network's N tuned numbers, whatever K is. A new omega costs one
    product, the same omega again costs nothing, and a call costs as much as with the plain network.

    model: a Tunable with phi "affine" or "identity"; it is copied. theta: the matrix, in the widest
    dtype of the kernels. network: the plain network, whose tuned kernels are empty tensors.
    For inference only: nothing here has gradients. Any number of threads may call one Live; they share
    the kernels of the last omega, so threads at different omegas pay for the product at each call.
    Under torch.compile each call computes it; give omega as a tensor, or each value is compiled again.
    Raises ValueError for another phi.
    """

    def __init__(self, model: Tunable) -> None:
        super().__init__()
        if isinstance(model.phi, SqueezeExcite):
            raise ValueError("Live needs kernels affine in omega, phi 'affine' or 'identity'; got 'se'")
        self.p, self.names = model.p, list(model.tuned)
        with torch.inference_mode(False), torch.no_grad():
            points = torch.cat([torch.zeros(1, self.p), torch.eye(self.p)])
            kernels = [list(model.mix(point).values()) for point in points]
            widest = functools.reduce(torch.promote_types, (kernel.dtype for kernel in kernels[0]))
            rows = [torch.cat([k.flatten().to(widest) for k in kernel]) for kernel in kernels]
            theta = torch.stack([rows[0], *(row - rows[0] for row in rows[1:])])
            self.network = model.at(points[0]).requires_grad_(False)
        self.shapes = [kernel.shape for kernel in kernels[0]]
        self._exchange = Exchange(self.network, self.names)
        self.theta = nn.Parameter(theta, requires_grad=False)  # a parameter, for averaging
        for parameter in self._exchange.current(self.network):
            parameter.data = parameter.data.new_empty(0)
        self._last: tuple | None = None

    @torch.inference_mode()
    def forward(self, x: Any, omega: OmegaLike, *inputs: Any, extrapolate: bool = False, **options: Any):
        """As Tunable.forward: omega [p], or [B, p] per sample."""
        omega = as_omega(omega, self.p, extrapolate=extrapolate)
        if omega.ndim == 2:
            check_batch_first(self.network)
        return per_distinct_omega(self._call, x, omega, *inputs, **options)

    @torch.no_grad()
    def tune(self, omega: OmegaLike, *, extrapolate: bool = False) -> nn.Module:
        """The plain network at omega [p].

        Its tuned kernels do not change when this Live is tuned again, here or in another thread; it
        shares its other parameters and its buffers with this Live.
        """
        kernels = self._kernels(one_omega(omega, self.p, extrapolate=extrapolate))
        parameters = [nn.Parameter(kernel.clone(), requires_grad=False) for kernel in kernels]
        return self._exchange.skeleton(self.network, parameters)

    def _call(self, x: Any, omega: Tensor, *inputs: Any, **options: Any) -> Any:
        return self._exchange(self.network, lambda _: self._kernels(omega), (x, *inputs), options)

    def _kernels(self, omega: Tensor) -> list[Tensor]:
        """Tuned kernels at omega [p]; those of the last call if nothing has changed."""
        if torch.compiler.is_compiling():
            return self._turned(omega)
        theta = self.theta
        version = None if theta.is_inference() else theta._version
        position, last = omega.tolist(), self._last
        if last is None or last[0] is not theta or last[1:3] != (version, position):
            with torch.inference_mode(False), torch.no_grad():
                last = self._last = (theta, version, position, self._turned(omega))
        return last[3]

    def _turned(self, omega: Tensor) -> list[Tensor]:
        weights = torch.cat([omega.new_ones(1), omega]).to(self.theta)
        flat = torch.mv(self.theta.T, weights)
        parts = flat.split([shape.numel() for shape in self.shapes])
        return [
            part.view(shape).to(parameter.dtype)
            for part, shape, parameter in zip(
                parts, self.shapes, self._exchange.current(self.network), strict=True
            )
        ]

    def _apply(self, fn, recurse=True):
        self._last = None
        return super()._apply(fn, recurse)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_last": None}
