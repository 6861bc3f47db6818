"""What a perfect answer would score in joint denoising and deblurring."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from study.measuring import metrics
from study.measuring.protocols import JointSweep
from tunable_core.objectives import Joint


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
