"""The sentences of the style chapter: templates beside the thresholds that choose between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from study.chapters import style_results as compute
from study.chapters.findings import Either, listed, spoken
from study.chapters.style_data import NAMES, OURS

if TYPE_CHECKING:
    from study.chapters.style import Styles

TURNS = Either(
    above="One network mixes {names}, but {value:.0f} of {steps} steps along the edges of the triangle "
    "move an objective the wrong way.",
    otherwise="One network mixes {names}: all {steps} steps along the edges of the triangle move the "
    "objectives of both styles the right way.",
)
"""value: steps of a dial that move an objective the wrong way."""
RIVAL = Either(
    above="With the same dials {best} does better: its mixed objective is lower in {value:.0f} of {all} "
    "places compared, by {size:.0%} in the middle. The paper calls its method the only one that "
    "optimises more than two objectives; here it is not the best.",
    otherwise="With the same dials, no trained rival has a lower mixed objective at most of the {all} "
    "places compared; in the middle {best} is {size:.0%} {side}.",
    threshold=2.5,
)
"""value: of five places, those at which the best trained rival has a lower mixed objective than ours."""
BLEND = Either(
    above="Averaging the three painted pictures instead gives an objective {value:.0%} higher in the "
    "middle.",
    otherwise="Averaging the three painted pictures instead gives an objective {size:.0%} lower in the "
    "middle.",
)
"""value: objective of Blend in the middle over ours, less 1."""
COLOURS = Either(
    threshold=0.04,
    above="The objective asks to keep the photograph's colours, and this network loses them: its "
    "colour error in U and V is {value:.3f} on the squares shown.",
    otherwise="The photograph's colours stay, as the objective asks: colour error in U and V "
    "{value:.3f} on the squares shown.",
)
"""value: mean chrominance error at the corners, root mean square of U and V in [0, 1]."""
KEPT = Either(
    threshold=1.25,
    above="With heavier colour and content terms the error is {value:.1f} times smaller, {kept:.3f}.",
    otherwise="With heavier colour and content terms the error is hardly smaller, {kept:.3f}.",
)
"""value: chrominance error over that of the network that keeps the colours."""
APART = Either(
    threshold=8.0,
    above="The corners are different pictures: two of them differ by {value:.0f} to {most:.0f} grey "
    "levels on average.",
    otherwise="Two corners are nearly the same picture: they differ by only {value:.0f} grey levels on "
    "average, others by up to {most:.0f}.",
)
"""value: the smallest mean difference between two corners, grey levels of 255."""
JUMPS = Either(
    threshold=2.0,
    above="The dials do not turn evenly: one of {turns} steps round the triangle changes the picture "
    "{value:.1f} times as much as the mean step.",
    otherwise="The dials turn evenly: no step of {turns} round the triangle changes the picture more "
    "than {value:.1f} times as much as the mean step.",
)
"""value: the largest step between neighbours over the mean one."""
OUTSIDE = Either(
    threshold=1.1,
    above="Outside the triangle, where the network was not trained, the objective of the same mixtures "
    "is up to {value:.2f} times as high.",
    otherwise="Outside the triangle, where the network was not trained, the objective of the same "
    "mixtures is about as high: up to {value:.2f} times.",
)
"""value: the largest ratio of the mixed objective outside to that inside."""
IDLE = Either(
    threshold=0.25,
    above="The dials disturb a style whose own dial stays at 0: along an edge, its objective leaves the "
    "straight line between its ends by up to {value:.0%} of the change in the style that is turned up.",
    otherwise="The dials hardly disturb a style whose own dial stays at 0: along an edge, its objective "
    "leaves the straight line between its ends by up to {value:.0%} of the change in the style that is "
    "turned up.",
)
"""value: the largest bend of an objective whose dial stays at 0."""
WOULD_CHANGE = (
    "One seed each, so small differences between the methods may be chance. Only a viewer can judge "
    "which style looks right."
)


def rival(table: pd.DataFrame) -> str:
    """RIVAL, of objectives(); "" without a trained rival."""
    trained = [method for method in table.index if method not in (OURS, "blend")]
    if not trained:
        return ""
    lower = {m: int((table.loc[m] < table.loc[OURS]).sum()) for m in trained}
    best = max(trained, key=lambda m: (lower[m], -table.loc[m, compute.CENTRE]))
    lead = table.loc[best, compute.CENTRE] / table.loc[OURS, compute.CENTRE] - 1
    return RIVAL(
        lower[best],
        best=spoken(NAMES[best]),
        all=table.shape[1],
        size=abs(lead),
        side="lower" if lead < 0 else "higher",
    )


def colours(ours: float, kept: float) -> list[str]:
    """COLOURS, and KEPT where there is the other network."""
    return [COLOURS(ours), *([KEPT(ours / kept, kept=kept)] if kept == kept else [])]


def findings(chapter: Styles) -> list[str]:
    """All findings of the chapter, the most important first."""
    data, (right, steps) = chapter.data, chapter.right
    blend = chapter.objectives.loc["blend", compute.CENTRE]
    lead = blend / chapter.objectives.loc[OURS, compute.CENTRE] - 1
    least, most = compute.apart(chapter.photo.corners)
    made = [
        TURNS(steps - right, names=listed(data.names), steps=steps),
        rival(chapter.objectives),
        IDLE(max(compute.idle(data.means[OURS], data.around))),
        *colours(*chapter.chrominance),
        BLEND(lead, size=abs(lead)),
        APART(least, most=most),
        JUMPS(chapter.jump, turns=chapter.turns),
        OUTSIDE(max(compute.outside(data.beyond, data.means[OURS]).values())),
    ]
    return [sentence for sentence in made if sentence]


RIVAL_ADVICE = Either(
    above="To mix styles, try {best} first: one set of kernels, and a lower objective here.",
    otherwise="To mix styles, tunable convolutions are a sound choice: no trained rival is better here "
    "in the middle of the triangle.",
)
"""value: how far the best trained rival is below ours in the middle, as a share of ours."""
COLOUR_ADVICE = Either(
    threshold=1.25,
    above="If colours should stay, give their term and the content term more weight, as the run "
    "`style.keeping` does.",
    otherwise="Compare the colours of the result with the photograph: a term in the loss is no "
    "guarantee.",
)
"""value: chrominance error over that of the network that keeps the colours; NaN without it."""


def advice(chapter: Styles) -> list[str]:
    """What follows for a user."""
    table = chapter.objectives[compute.CENTRE]
    trained = table.drop(index=[OURS, "blend"])
    ours, kept = chapter.chrominance
    made = [COLOUR_ADVICE(ours / kept)]
    if len(trained):
        best = str(trained.idxmin())
        made.insert(0, RIVAL_ADVICE(1 - trained[best] / table[OURS], best=spoken(NAMES[best])))
    return [*made, "Keep the dials on the triangle (a sum of 1), where the network was trained."]
