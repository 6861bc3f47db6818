"""Turning dials at inference: the whole network retuned by one matrix product, and only when needed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tunable_core.aggregation import SqueezeExcite
from tunable_core.omega import OmegaLike, as_omega, one_omega
from tunable_core.tunable import Tunable, per_distinct_omega


class Live(nn.Module):
    """A tunable network folded for inference: theta(omega) = Theta [1, omega].

    With affine phi all tuned kernels together are affine in omega, so the banks of all layers fold into
    one matrix Theta [N, p + 1] of the network's N tuned numbers, whatever K is. A turn of the dials is
    one product, written in place into the parameters of a plain network; the same omega again costs
    nothing; a call costs what the plain network costs.

    model: a Tunable with phi "affine" or "identity"; it is copied. network: the plain network, as tuned
    last. For inference only: nothing here has gradients.
    Raises ValueError for another phi.
    """

    def __init__(self, model: Tunable) -> None:
        super().__init__()
        if isinstance(model.phi, SqueezeExcite):
            raise ValueError("Live needs kernels affine in omega, phi 'affine' or 'identity'; got 'se'")
        self.p, self.names = model.p, list(model.tuned)
        self.network = model.at([0.0] * self.p).requires_grad_(False)
        with torch.no_grad():
            units = torch.eye(self.p, dtype=model.phi.like.dtype, device=model.phi.like.device)
            origin = _flat(model.mix(torch.zeros_like(units[0])))
            directions = [_flat(model.mix(unit)) - origin for unit in units]
        self.register_buffer("theta", torch.stack([origin, *directions]))  # [p + 1, N]
        self.register_buffer("flat", origin.clone())
        self.omega: tuple[float, ...] | None = None
        self._link()

    @torch.inference_mode()
    def forward(self, x: Tensor, omega: OmegaLike, *inputs, extrapolate: bool = False):
        """As Tunable.forward: omega [p], or [B, p] per sample."""
        omega = as_omega(omega, self.p, extrapolate=extrapolate)
        return per_distinct_omega(self._call, x, omega, *inputs)

    @torch.inference_mode()
    def tune(self, omega: OmegaLike, *, extrapolate: bool = False) -> nn.Module:
        """The plain network at omega [p]; the same object every time, changed in place."""
        self._turn(one_omega(omega, self.p, extrapolate=extrapolate))
        return self.network

    def _call(self, x: Tensor, omega: Tensor, *inputs):
        self._turn(omega)
        return self.network(x, *inputs)

    def _turn(self, omega: Tensor) -> None:
        position = tuple(omega.tolist())
        if position != self.omega:
            weights = torch.cat([omega.new_ones(1), omega]).to(self.theta)
            torch.mv(self.theta.T, weights, out=self.flat)
            self.omega = position

    def _link(self) -> None:
        """Make the tuned parameters views of the flat vector."""
        position = 0
        for name in self.names:
            parameter = self.network.get_parameter(name)
            part = self.flat[position : position + parameter.numel()]
            parameter.data = part.view(parameter.shape)
            position += parameter.numel()

    def _apply(self, fn, recurse=True):
        super()._apply(fn, recurse)
        self._link()
        return self


def _flat(kernels: dict[str, Tensor]) -> Tensor:
    return torch.cat([kernel.flatten() for kernel in kernels.values()])
