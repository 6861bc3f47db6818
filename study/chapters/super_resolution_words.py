"""The sentences of the super-resolution chapter: templates beside their thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from study.chapters import super_resolution_results as compute
from study.chapters.findings import Either, spoken
from study.chapters.super_resolution_data import NAMES, OURS, PRINTED, SHOWN
from study.tasks.adversarial import WON as LOST_BELOW

if TYPE_CHECKING:
    import study.chapters.super_resolution  # the full name: a task has the same one

TURNS = Either(
    above="One network turns from {sharp:.2f} dB at the perceptual end to {faithful:.2f} dB at "
    "fidelity, but its LPIPS ({from_:.3f} to {to:.3f}) rises at {back} of {steps} steps towards "
    "perception.",
    otherwise="One network turns from {sharp:.2f} dB at the perceptual end to {faithful:.2f} dB at "
    "fidelity; its LPIPS, {to:.3f} at fidelity, falls at every step towards perception, to {from_:.3f}.",
)
"""value: steps of the dial at which LPIPS goes the wrong way."""
TURNS_PSNR = Either(
    above="One network turns from {sharp:.2f} dB at the perceptual end to {faithful:.2f} dB at "
    "fidelity, and its PSNR goes the wrong way at {back} of {steps} steps.",
    otherwise="One network turns from {sharp:.2f} dB at the perceptual end to {faithful:.2f} dB at "
    "fidelity, at every step in that direction.",
)
"""value: steps of the dial at which PSNR goes the wrong way; said where LPIPS was not measured."""
COSTS = Either(
    threshold=0.1,
    above="Turned to fidelity it is {size:.2f} dB below a plain network trained for fidelity alone, "
    "more than the paper's claim of 0.1 dB allows.",
    otherwise="Turned to fidelity it is {size:.2f} dB {side} a plain network trained for fidelity "
    "alone, so no more than 0.1 dB worse, as the paper claims.",
)
"""value: PSNR of the plain network above ours, dB."""
GRID = Either(
    threshold=5.0,
    above="Turned to perception, it covers flat regions with a regular grid: its strongest pattern "
    "stands out {value:,.0f} times from the spectrum of the photograph below (in the original "
    "{clean:.1f} times). LPIPS does not detect it.",
    otherwise="Turned to perception, it draws no regular grid: its strongest pattern stands out "
    "{value:.1f} times from the spectrum of the photograph below (in the original {clean:.1f} times).",
)
"""value: grid peak at (0, 1)."""
RECIPE = Either(
    threshold=5.0,
    above="With the paper's own recipe the pattern stands out {value:,.0f} times. The recipe here "
    "differs: shuffle kernels that agree on constant images, features of five layers, more weight of "
    "L_rec, and a slower discriminator.",
    otherwise="With the paper's own recipe the pattern stands out no more, {value:.1f} times.",
)
"""value: grid peak at (0, 1) of the network trained with the paper's recipe."""
PLANE = Either(
    above="At equal PSNR its LPIPS is lower, on average, than that of every other dial: at {won} of "
    "{points} comparable positions. The nearest is {rival}, {size:.3f} higher.",
    otherwise="At equal PSNR its LPIPS is lower or equal at {won} of {points} comparable positions of "
    "the other dials, but not against all: {rival} is {size:.3f} lower on average.",
)
"""value: the smallest mean distance of the other curves, in LPIPS."""
FIRSTS = Either(
    threshold=0.5,
    above="At the five positions of the paper's Table 4, none of its rivals is better in {won} of {all} "
    "cells (with a fine-tuned DNI among them in {fair}). In the paper's own numbers that holds in "
    "{paper} of {all_paper}.",
    otherwise="At the five positions of the paper's Table 4, one of its rivals is better in {lost} of "
    "{all} cells (with a fine-tuned DNI among them in {lost_fair}). In the paper's own numbers one is "
    "better in {lost_paper} of {all_paper}.",
)
"""value: share of the cells in which no rival is better."""
WON = Either(
    threshold=0.5,
    above="In {n} of {all} adversarial trainings the discriminator won (loss below {won:g}), so its "
    "gradient was of little use from then on. This limits all methods at the perceptual end.",
    otherwise="In {n} of {all} adversarial trainings the discriminator won (loss below {won:g}).",
)
"""value: share of the trainings whose record warns of it."""
MIDDLE = Either(
    above="Half way between two networks that were trained independently ({name}) LPIPS is "
    "{middle:.3f}, worse than both ends ({end:.3f} at worst).",
    otherwise="Half way between two networks that were trained independently ({name}) LPIPS is "
    "{middle:.3f}, between its ends or better ({end:.3f} at worst).",
)
"""value: Middle.above."""
WHOLE = Either(
    above="Whole kernels are worth their memory here: PaLoRA of rank 4 stores {share:.0%} of the "
    "numbers of Tunable, and at equal PSNR its LPIPS is {size:.3f} higher on average.",
    otherwise="Whole kernels are not needed here: PaLoRA of rank 4 stores {share:.0%} of the numbers "
    "of Tunable, and at equal PSNR its LPIPS is {size:.3f} lower on average.",
)
"""value: mean distance of PaLoRA's curve from ours, in LPIPS."""
WASTE = Either(
    above="At the same distance of patch statistics, {name} has up to {value:.1f} squared grey levels "
    "more error than the curve of least error, and pixel blending up to {blend:.1f}.",
    otherwise="In error against the distance of patch statistics, {name} stays on the curve of least "
    "error.",
    threshold=0.5,
)
"""value: the largest excess of our dial over its optimal curve, squared grey levels."""
NO_VGG = (
    "The weights of VGG-19 are not available (`make data DATASETS=vgg19` gets them): the perceptual "
    "part of the second objective is left out."
)
WOULD_CHANGE = (
    "Differences of some hundredths of a dB or thousandths of LPIPS may be chance; "
    "longer adversarial trainings could change the perceptual end."
)


def turns(faithful: pd.Series, sharp: pd.Series, back: int, steps: int) -> str:
    """TURNS, or TURNS_PSNR without LPIPS; faithful, sharp: the means at (1, 0) and at (0, 1)."""
    numbers = {"sharp": sharp["psnr"], "faithful": faithful["psnr"], "back": back, "steps": steps}
    if "lpips" not in faithful:
        return TURNS_PSNR(back, **numbers)
    return TURNS(back, from_=sharp["lpips"], to=faithful["lpips"], **numbers)


def cost(gap: float) -> str:
    """COSTS; gap: PSNR of the plain network above ours, dB."""
    return COSTS(gap, size=abs(gap), side="below" if gap > 0 else "above")


def plane(found: dict[str, compute.Duel]) -> str:
    """PLANE; "" where nothing can be compared."""
    if not (rival := compute.strongest(found)):
        return ""
    mean = found[rival].mean
    return PLANE(
        mean,
        won=sum(duel.won for duel in found.values()),
        points=sum(duel.points for duel in found.values()),
        rival=spoken(NAMES[rival]),
        size=abs(mean),
    )


def firsts(ours: tuple[int, int], fair: tuple[int, int], paper: tuple[int, int]) -> str:
    """FIRSTS, each of compute.firsts; "" where the paper has no such cells."""
    if not ours[1] or not paper[1]:
        return ""
    return FIRSTS(
        ours[0] / ours[1],
        won=ours[0],
        lost=ours[1] - ours[0],
        all=ours[1],
        fair=fair[0],
        lost_fair=fair[1] - fair[0],
        paper=paper[0],
        lost_paper=paper[1] - paper[0],
        all_paper=paper[1],
    )


def whole(found: dict[str, compute.Duel], numbers: dict[str, int]) -> str:
    """WHOLE; "" where nothing can be compared. numbers: method to the numbers that it stores."""
    rival = found.get("low-rank-4")
    if rival is None or not rival.points:
        return ""
    share = numbers["low-rank-4"] / numbers[OURS]
    return WHOLE(rival.mean, size=abs(rival.mean), share=share)


def interpolated(name: str, found: compute.Middle) -> str:
    """MIDDLE."""
    return MIDDLE(found.above, name=name, middle=found.middle, end=found.worst_end)


def findings(chapter: study.chapters.super_resolution.SuperResolution) -> list[str]:
    """All findings of the chapter, the most important first."""
    data = chapter.data
    means = data.means[data.first]
    grids = chapter.photo.grids
    warned = [name for name, run in data.runs.items() if chapter.won(run)]
    made = [
        turns(means[OURS].loc[(1.0, 0.0)], means[OURS].loc[(0.0, 1.0)], *chapter.steps_back),
        cost(chapter.gap),
        GRID(grids[OURS], clean=grids["clean"]),
        RECIPE(grids[PRINTED]) if PRINTED in grids else "",
        plane(chapter.duels),
        firsts(*chapter.firsts),
        whole(chapter.duels, {m: run.record["parameters"] for m, run in data.runs.items()}),
        WON(len(warned) / len(data.runs), n=len(warned), all=len(data.runs), won=LOST_BELOW),
    ]
    scratch = means.get("dni-scratch")
    if scratch is not None and data.perceptual:
        made.append(interpolated(NAMES["dni-scratch"], compute.middle(scratch)))
    waste = chapter.waste
    if {OURS, "blend"} <= {*waste.index}:
        made.append(WASTE(waste[OURS], name=NAMES[OURS], blend=waste["blend"]))
    return [sentence for sentence in made if sentence]


LOOK = Either(
    threshold=5.0,
    above="Look at flat regions before you trust LPIPS or any other number: they show the grid, and "
    "the numbers do not.",
    otherwise="Look at flat regions at full size: a grid of the pixel shuffles would show there first.",
)
"""value: grid peak at (0, 1)."""
BLEND_ADVICE = Either(
    above="A dial is worth its training here: at equal PSNR its LPIPS is {value:.3f} below that of "
    "averaging the pictures of two networks, which also needs both of them at once.",
    otherwise="Averaging the pictures of two networks is as good as this dial ({size:.3f} lower LPIPS "
    "at equal PSNR), at twice the work for each picture.",
)
"""value: mean distance of Blend's curve from ours, in LPIPS."""


def advice(chapter: study.chapters.super_resolution.SuperResolution) -> list[str]:
    """What follows for a user."""
    made = [LOOK(chapter.photo.grids[OURS])]
    blend = chapter.duels.get("blend")
    if blend is not None and blend.points:
        made.append(BLEND_ADVICE(blend.mean, size=abs(blend.mean)))
    made.append(
        "Compare dials at equal PSNR, not at equal positions: the same position means different things "
        "on two dials."
    )
    return made


def warnings(chapter: study.chapters.super_resolution.SuperResolution) -> str:
    """What the trainings warned of: a line for each kind of warning, and those without any."""
    by_kind: dict[str, list[str]] = {}
    for name, run in chapter.data.runs.items():
        for sentence in run.record.get("warnings") or ["no warning"]:
            kind = sentence.partition(" (")[0]
            by_kind.setdefault(f"{kind[0].upper()}{kind[1:]}", []).append(SHOWN[name].title)
    lines = [f"- {kind} ({'; '.join(dict.fromkeys(names))})." for kind, names in by_kind.items()]
    return "\n".join(lines)
