"""The measured dial of a denoiser: from the share of the noise to keep to omega."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DIAL = "dial.json"
"""Name of the file with a measured dial, in the folder of the weights."""


@dataclass(frozen=True)
class Dial:
    """How much noise a network keeps along its dial, and the noise it was trained on."""

    omega: tuple[tuple[float, ...], ...]
    """Positions of the dial, from noise preservation to fidelity."""
    kept: tuple[float, ...]
    """The share of the noise kept at each position, falling; mean over test photographs."""
    sigma: tuple[float, float]
    """The range of the noise level in training, grey levels of 255."""

    def omega_for(self, keep: float) -> tuple[float, ...]:
        """The dials that keep a share of the noise; the nearest end for a share out of reach.

        Raises ValueError for a share outside [0, 1].
        """
        if not 0 <= keep <= 1:
            raise ValueError(f"--keep must be a share of the noise in [0, 1]; got {keep:g}")
        rising = self.kept[::-1]
        along = np.array(self.omega[::-1])
        return tuple(float(np.interp(keep, rising, dial)) for dial in along.T)

    def clipped(self, keep: float) -> str:
        """The warning for a share that the dial does not reach; "" for one that it reaches."""
        low, high = self.kept[-1], self.kept[0]
        if low <= keep <= high:
            return ""
        nearest = min(max(keep, low), high)
        return (
            f"on average the network keeps between {low:.2f} and {high:.2f} of the noise: --keep "
            f"{keep:g} becomes {nearest:.2f}"
        )


def measured(folder: Path) -> Dial | None:
    """The measured dial of the network in a folder; None if it has none."""
    try:
        found = json.loads((folder / DIAL).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    omega = tuple(tuple(position) for position in found["omega"])
    return Dial(omega, tuple(found["kept"]), tuple(found["sigma"]))
