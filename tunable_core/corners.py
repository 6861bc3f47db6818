"""The corners of the dials: plain networks at the unit omegas, and a tunable network made from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import nn

from tunable_core.banks import Rules
from tunable_core.phi import Affine
from tunable_core.wrapped import Wrapped


class AtCorners(Wrapped):
    """The methods of Tunable that are about its corners, the unit omegas."""

    def corners(self) -> list[nn.Module]:
        """The p plain networks at the unit omegas (1, 0, ...), (0, 1, ...), ..., one per objective."""
        return [self.at(omega) for omega in torch.eye(self.p)]

    @classmethod
    @torch.no_grad()
    def from_networks(cls, networks: Sequence[nn.Module], *, untuned: Rules = ()) -> Self:
        """A Tunable whose corners are the given networks of one architecture; one dial per network.

        On the simplex, sum(omega) = 1, the kernels are sum_i omega_i theta_i, which is deep network
        interpolation; elsewhere see Affine.own. untuned: rules for the parameters that the networks
        share; these and all buffers, such as running statistics, must be equal in all networks.
        Raises ValueError, with the name of the first difference, for networks that do not match.
        """
        networks = list(networks)
        if not networks:
            raise ValueError("from_networks() needs at least one network; got none")
        names = tuple(name for name, _ in networks[0].named_parameters())
        model = cls(networks[0], len(networks), tuned=names, untuned=untuned)
        _check_fit(networks, model.tuned)
        for name in model.tuned:
            bank = model.module.get_parameter(name)
            bank.copy_(torch.stack([network.get_parameter(name).to(bank) for network in networks]))
        assert isinstance(model.phi, Affine)
        model.phi.own()
        return model

    @torch.no_grad()
    def differences(self) -> dict[str, float]:
        """How much each tuned kernel differs between the corners, largest first.

        The root-mean-square distance of the corners from their mean, divided by the root mean square
        of the mean: 0 for a kernel that the dials do not change.
        """
        corners = [self.mix(omega) for omega in torch.eye(self.p)]
        found = {}
        for name in self.tuned:
            kernels = torch.stack([corner[name] for corner in corners])
            mean = kernels.mean(0)
            apart = (kernels - mean).abs().square().mean().sqrt()
            found[name] = (apart / mean.abs().square().mean().sqrt().clamp(min=1e-12)).item()
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def _check_fit(networks: Sequence[nn.Module], tuned: Sequence[str]) -> None:
    """Refuse networks that differ in anything but the values of the tuned parameters."""
    states = [dict(network.named_parameters()) | dict(network.named_buffers()) for network in networks]
    for i, state in enumerate(states[1:], 2):
        for name in states[0].keys() | state.keys():
            if name not in states[0] or name not in state or states[0][name].shape != state[name].shape:
                raise ValueError(
                    f"networks 1 and {i} do not both have '{name}' in one shape; give one architecture"
                )
            if name not in tuned and not torch.equal(states[0][name], state[name]):
                raise ValueError(
                    f"networks 1 and {i} differ in '{name}', which all omegas share; tune it, or make "
                    f"it equal"
                )
