"""What two dials do: how far each keeps to its own behaviour, and what a perfect answer would score."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from study.measuring import metrics
from study.measuring.protocols import JointSweep
from study.measuring.sweep import average
from tunable_core.objectives import Joint

OWN = {"kept": "omega_1", "detail": "omega_2"}
"""The dial that each behaviour belongs to: the noise that is kept, the strength of the detail."""


def disentanglement(frame: pd.DataFrame) -> pd.DataFrame:
    """How much each dial moves each behaviour: dials x behaviours of OWN, in the units of the behaviour.

    frame: a JointSweep over a whole grid of dials, from 0 to 1 each. An entry is the change of the
    behaviour, without its sign, from 0 to 1 of the dial, mean over the positions of the other dial and
    the degradations; images are averaged before. Independent dials have a diagonal matrix.
    Raises ValueError where a corner of the grid is missing.
    """
    dials = ["omega_1", "omega_2"]
    levels = [c for c in ("sigma", "rho") if c in frame]
    mean = average(frame, [*levels, *dials])[list(OWN)]
    rows = {}
    for dial in dials:
        ends = [mean.xs(end, level=dial) if end in frame[dial].to_numpy() else None for end in (0, 1)]
        if any(end is None for end in ends) or not ends[0].index.equals(ends[1].index):
            raise ValueError(f"disentanglement needs {dial} at 0 and 1 for every position of the other")
        rows[dial] = (ends[1] - ends[0]).abs().mean()
    return pd.DataFrame(rows).T


def leak(matrix: pd.DataFrame) -> pd.Series:
    """Share of all movement of each behaviour that is due to the dial that it does not belong to.

    matrix: of disentanglement(). 0 for independent dials, 0.5 where both move it alike, NaN where
    nothing moves.
    """
    return pd.Series({b: 1 - matrix.loc[dial, b] / matrix[b].sum() for b, dial in OWN.items()})


def ideal(what: JointSweep, readings: Sequence[str] = ("adapted", "clean", "literal")) -> pd.DataFrame:
    """PSNR of the targets themselves: what a network that knew the clean image would score.

    At unequal dials the L1 loss is least at the target of the larger one, at equal dials anywhere
    between the two. One row per reading, image, degradation and omega; psnr_noise and psnr_blur of the
    two targets of objectives.Joint, inf where a target is the clean image.
    """
    rows = []
    for case in what.cases():
        clean, degraded = case.clean[None], case.degraded[None]
        for reading in readings:
            joint = Joint(reading)
            for omega_1, omega_2 in what.omegas:
                omega = clean.new_tensor([omega_1, omega_2])
                targets = {
                    "psnr_noise": joint.kept(clean, degraded, omega),
                    "psnr_blur": joint.sharpened(clean, degraded, omega),
                }
                values = {name: metrics.psnr(t, clean).item() for name, t in targets.items()}
                dials = {"omega_1": omega_1, "omega_2": omega_2}
                rows.append({"reading": reading, "image": case.image, **case.levels, **dials, **values})
    return pd.DataFrame(rows)
