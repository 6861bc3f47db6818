"""Compare dials at an equal kept fraction, and find the omega that reaches a wanted result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from study.controls.base import Control
from study.measuring import metrics
from tunable_core.omega import OmegaLike, path

FULL = ((0.0, 1.0), (1.0, 0.0))
"""The path of the denoising dial, from noise preservation to fidelity."""


def at_equal_kept(along: pd.DataFrame, kept: float, metric: str = "psnr") -> float:
    """A metric where the dial keeps a given fraction of the noise, interpolated linearly along the dial.

    NaN if the dial does not reach that fraction. If it crosses it several times, the crossing nearest to
    noise preservation is used.
    """
    f, values = along["kept"].to_numpy(), along[metric].to_numpy()
    for i in range(len(f) - 1):
        low, high = sorted((f[i], f[i + 1]))
        if low <= kept <= high and low < high:
            t = (kept - f[i]) / (f[i + 1] - f[i])
            return float((1 - t) * values[i] + t * values[i + 1])
    return float("nan")


@dataclass(frozen=True)
class Found:
    """The result of tune_for."""

    omega: tuple[float, ...]
    """The dials."""
    reached: float
    """The kept fraction, or the PSNR in dB, at omega."""
    output: Tensor
    """The output at omega, [1, 3, H, W]."""


@torch.inference_mode()
def tune_for(
    control: Control,
    x: Tensor,
    *,
    kept: float | None = None,
    psnr: float | None = None,
    clean: Tensor | None = None,
    ends: tuple[OmegaLike, OmegaLike] = FULL,
    grid: int = 9,
    tolerance: float = 1e-3,
) -> Found:
    """The dials at which an image keeps a wanted fraction of its noise, or reaches a wanted PSNR.

    x: one noisy image [1, 3, H, W]; give either kept, in [0, 1], or psnr, in dB.
    clean: [1, 3, H, W]. Without it the control's output at the second end, which is its cleanest, is
        used instead, as for a photograph without a clean version: kept is then the share of the noise
        that the network removes there.
    ends: the path that is searched, from noise preservation to fidelity.
    The path is evaluated at `grid` positions, and the first crossing of the wanted value is refined by
    Brent's method to `tolerance` of the path.
    Raises ValueError, with the range of the dial, for a value that the dial does not reach.
    """
    if (kept is None) == (psnr is None):
        raise ValueError(f"tune_for needs either kept or psnr; got kept={kept}, psnr={psnr}")
    if x.ndim != 4 or len(x) != 1:
        raise ValueError(f"tune_for takes one image [1, 3, H, W]; got {list(x.shape)}")
    wanted, name = (kept, "a kept fraction") if psnr is None else (psnr, "a PSNR")
    control = control.eval()
    omegas = path(*ends, grid)
    clean = control(x, omegas[-1]) if clean is None else clean

    def value(output: Tensor) -> float:
        if psnr is None:
            return metrics.kept_fraction(output, clean, x).item()
        return metrics.psnr(output, clean).item()

    def omega_at(t: float) -> Tensor:
        return (1 - t) * omegas[0] + t * omegas[-1]

    def miss(t: float) -> float:
        return value(control(x, omega_at(t))) - wanted

    # without clean the last PSNR is infinite; any large number keeps the bracket
    seen = np.nan_to_num([value(y) - wanted for y in control.outputs(x, omegas)], posinf=1e3)
    passed = np.flatnonzero(seen[:-1] * seen[1:] <= 0)
    if not len(passed):
        low, high = seen.min() + wanted, seen.max() + wanted
        raise ValueError(
            f"the dial reaches {name} of {low:.4g} to {high:.4g} on this image; got {wanted:g}"
        )
    left, right = passed[0] / (grid - 1), (passed[0] + 1) / (grid - 1)
    from scipy.optimize import brentq  # it takes half a second, and most programs look for no omega

    exact = [t for t, i in ((left, passed[0]), (right, passed[0] + 1)) if seen[i] == 0]
    t = exact[0] if exact else brentq(miss, left, right, xtol=tolerance)
    output = control(x, omega_at(t))
    return Found(tuple(omega_at(t).tolist()), value(output), output)
