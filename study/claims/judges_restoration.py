"""How the claims on other backbones and tasks are judged (Sec. 4.1.1 to 4.2)."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace

from torch import nn

from study.claims.verdicts import CLEAN, Verdict, graded, measured, table
from study.configs import measurements
from study.configs.joint import joint
from study.configs.profiles import Profile
from study.configs.style import transfer
from study.configs.super_resolution import resnet, swinir
from study.measuring.behaviour import disentanglement, right_steps_of_styles
from study.measuring.sweep import FIVE
from tunable_core.controls import Blend

SETS = ("kodak", "cbsd68")


def _swinir(budget: Profile) -> Verdict:
    gaps = {}
    for images in SETS:
        what = measurements.table_2a(images)
        fixed, tunable = (table(measurements.swinir(c, budget), what) for c in ("fixed", "tunable"))
        gaps[images] = fixed.loc[CLEAN, "psnr"] - tunable.loc[CLEAN, "psnr"]
    text = ", ".join(f"{gap:+.2f} dB on {images}" for images, gap in gaps.items())
    return graded(max(gaps.values()), 0.1, 0.2, f"The fixed twin is ahead by {text}.")


def _nafnet(budget: Profile) -> Verdict:
    gaps = []
    for seed in range(budget.seeds):
        twins = (measurements.nafnet(c, budget, seed=seed) for c in ("fixed", "tunable"))
        fixed, tunable = (table(t, measurements.table_2b()).loc[CLEAN, "psnr"] for t in twins)
        gaps.append(fixed - tunable)
    mean = statistics.mean(gaps)
    text = (
        f"The fixed twin is ahead by {mean:+.2f} dB on photographs of nam, from {min(gaps):+.2f} to "
        f"{max(gaps):+.2f} over {len(gaps)} seeds."
    )
    return graded(mean, 0.1, 0.2, text)


def _cresmd(budget: Profile) -> Verdict:
    won, cells = 0, 0
    for images in SETS:
        what = measurements.table_3(images)
        ours, theirs = (table(joint(m, budget), what) for m in ("tunable", "cresmd"))
        for omega in ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
            won += int(ours.loc[omega, "psnr"] > theirs.loc[omega, "psnr"])
            won += int(ours.loc[omega, "lpips"] < theirs.loc[omega, "lpips"])
            cells += 2
    return graded(won / cells, 1.0, 0.5, f"Better than CResMD in {won} of {cells} cells.")


def _cresmd_artifacts(budget: Profile) -> Verdict:
    """Told (0, 0), no degradation, on degraded images."""
    what = measurements.table_3()
    plain = table(joint("cresmd", budget), what)
    noisy = table(Blend(nn.Identity()), replace(what, omegas=(CLEAN,)))
    lost = noisy.psnr.iloc[0] - plain.loc[(0.0, 0.0), "psnr"]
    return graded(lost, 0.0, -0.5, f"Told of no degradation: {-lost:+.2f} dB from its input.")


def _disentangled(budget: Profile) -> Verdict:
    """How much more each behaviour is moved by its own dial than by the other."""
    moved = disentanglement(measured(joint("tunable", budget), measurements.joint_grid()))
    ratios = (
        moved.loc["omega_1", "kept"] / moved.loc["omega_2", "kept"],
        moved.loc["omega_2", "detail"] / moved.loc["omega_1", "detail"],
    )
    text = (
        f"omega_1 moves the kept noise {ratios[0]:.1f} times as much as omega_2 does; omega_2 moves the "
        f"detail {ratios[1]:.1f} times as much as omega_1 does."
    )
    return graded(min(ratios), 3.0, 1.0, text)


def _table_4(budget: Profile) -> Verdict:
    rivals = ("dni", "dni-scratch", "dynet", "cfsnet")
    lost, cells = [], 0
    for images in SETS:
        what = measurements.table_4(images)
        means = {m: table(resnet(m, budget), what) for m in ("tunable", *rivals)}
        for omega in FIVE:
            for metric, sign in (("psnr", 1), ("lpips", -1)):
                cells += 1
                ours = sign * means["tunable"].loc[omega, metric]
                best = max(rivals, key=lambda m, s=sign, w=omega, k=metric: s * means[m].loc[w, k])
                if sign * means[best].loc[omega, metric] > ours:
                    lost.append(best)
    share = (cells - len(lost)) / cells
    text = f"No rival is better in {cells - len(lost)} of {cells} cells"
    return graded(
        share, 0.9, 0.5, text + (f"; lost to {', '.join(sorted(set(lost)))}." if lost else ".")
    )


def _sr_fidelity(budget: Profile) -> Verdict:
    plain, ours = (table(resnet(m, budget), measurements.table_4()) for m in ("dni", "tunable"))
    gap = plain.loc[CLEAN, "psnr"] - ours.loc[CLEAN, "psnr"]
    return graded(gap, 0.1, 0.2, f"The plain network is ahead by {gap:+.2f} dB on Kodak.")


def _swinir_sr(budget: Profile) -> Verdict:
    gaps = {}
    for images in ("set5", "set14", "bsd100"):
        what = measurements.table_5(images)
        fixed, tunable = (table(swinir(m, budget), what) for m in ("fixed", "tunable"))
        gaps[images] = fixed.loc[CLEAN, "psnr_y"] - tunable.loc[CLEAN, "psnr_y"]
    text = ", ".join(f"{gap:+.2f} dB on {images}" for images, gap in gaps.items())
    return graded(max(gaps.values()), 0.1, 0.2, f"The fixed twin is ahead by {text}.")


def _three_objectives(budget: Profile) -> Verdict:
    found = measured(transfer("tunable", budget), measurements.three_styles(budget))
    right, steps = right_steps_of_styles(found, 3)
    text = f"{right} of {steps} steps along the three edges move an objective the right way."
    return graded(right / steps, 1.0, 0.9, text)


JUDGES: dict[str, Callable[[Profile], Verdict]] = {
    "swinir": _swinir,
    "nafnet": _nafnet,
    "cresmd": _cresmd,
    "cresmd-artifacts": _cresmd_artifacts,
    "disentangled": _disentangled,
    "table-4": _table_4,
    "sr-fidelity": _sr_fidelity,
    "swinir-sr": _swinir_sr,
    "three-objectives": _three_objectives,
}
