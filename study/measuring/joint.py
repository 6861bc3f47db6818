"""Metrics of ideal outputs in joint denoising and deblurring."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from study.measuring import metrics
from study.measuring.protocols import JointSweep
from study.tasks.joint import Joint


def ideal(what: JointSweep, readings: Sequence[str] = ("adapted", "clean", "literal")) -> pd.DataFrame:
    """PSNR of the targets themselves: the score of a network that knows the clean image.

    At unequal dials the L1 loss has its minimum at the target of the larger dial, at equal dials
    anywhere between the two. One row per reading, image, degradation and omega; psnr_noise and psnr_blur
    of the two targets of tasks.joint.Joint, inf if a target is the clean image.
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
