"""The sentences of the chapter that compares all methods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from study.chapters import denoising_words
from study.chapters.denoising_data import NAMES, SWITCH
from study.chapters.findings import Either, listed, spoken
from study.chapters.which_one_results import FILES

if TYPE_CHECKING:
    from study.chapters.which_one import WhichOne

NEAR = 0.1
"""Two dials whose PSNR differs by less are taken for equally good, dB."""
MEMORY = Either(
    above="Of the trained dials, {least} stores least, {low:.2f} times the plain network, and {most} "
    "most, {high:.2f} times.",
    otherwise="All trained dials store the same.",
)
"""value: the ratio of both, less 1."""
ENDS = Either(
    above="The best trained dial at both ends: {both}.",
    otherwise="No trained dial is best at both ends. The best at fidelity: {one}; at noise "
    "preservation: {other}.",
)
"""value: how many are best at both."""
EVEN = Either(
    threshold=15.0,
    above="Even the trained dial that moves most evenly, {name}, takes {value:.0f} % of its way in one "
    "step.",
    otherwise="The trained dial that moves most evenly is {name}: no step takes more than {value:.0f} % "
    "of its way.",
)
"""value: its largest step, percent."""
CHECKPOINTS = Either(
    above="Two ordinary checkpoints hold the whole dial of {names}, where the dials sum to 1.",
    otherwise="No dial is held by two ordinary checkpoints.",
)
"""value: how many methods."""
CHOICE = Either(
    above="Of the trained dials within {near:g} dB of the best at fidelity, {name} moves most evenly: "
    "take it for a dial that a person turns.",
    otherwise="No trained dial could be compared.",
)
"""value: how many are that near."""
WHOLE = Either(
    threshold=NEAR,
    above="Low-rank changes in place of whole kernels cost {size:.2f} dB at fidelity: {name}, the best "
    "of them, stores {memory:.2f} times the plain network, and {ours} {own:.2f} times.",
    otherwise="Whole kernels are not needed for fidelity: {name}, the best of the low-rank changes, is "
    "{size:.2f} dB {side} {ours}. It stores {memory:.2f} times the plain network, and {ours} {own:.2f} "
    "times.",
)
"""value: PSNR at fidelity of whole kernels above the best low-rank changes, dB."""
MISSING = Either(
    above="Not in the table, because their trainings or measurements are not stored: {names}. `make "
    "runs` and `python -m study.chapters.rivals_release` make them.",
    otherwise="Every method of the study is in the table.",
)
"""value: how many methods are lacking."""


def _named(methods: Iterable[str]) -> str:
    return listed([spoken(NAMES.get(method, method)) for method in methods])


def _best(values: pd.Series) -> list[str]:
    """The methods with the highest value to two digits: DNI's two kinds share their first network."""
    return list(values.index[values.round(2) == values.round(2).max()])


def _whole(dials: pd.DataFrame) -> str:
    """WHOLE, of networks trained with one target; "" without low-rank changes."""
    ranks = [method for method in dials.index if method.startswith("low-rank")]
    if not ranks or SWITCH not in dials.index:
        return ""
    best = dials.fidelity[ranks].idxmax()
    gap = dials.fidelity[SWITCH] - dials.fidelity[best]
    return WHOLE(
        gap,
        size=abs(gap),
        side="below" if gap > 0 else "above",
        name=_named([best]),
        memory=dials.memory[best],
        ours=_named([SWITCH]),
        own=dials.memory[SWITCH],
    )


def findings(chapter: WhichOne) -> list[str]:
    """All findings of the chapter, the most important first."""
    dials = chapter.dials
    memory, even = dials.memory, dials.largest_step
    one, other = _best(dials.fidelity), _best(dials.preservation)
    both = [method for method in one if method in other]
    files = [method for method, row in dials.iterrows() if FILES in row.exports]
    made = [
        ENDS(len(both), one=_named(one), other=_named(other), both=_named(both)),
        EVEN(even.min(), name=_named([even.idxmin()])),
        MEMORY(
            memory.max() / memory.min() - 1,
            least=_named([memory.idxmin()]),
            most=_named([memory.idxmax()]),
            low=memory.min(),
            high=memory.max(),
        ),
        _whole(dials),
        CHECKPOINTS(len(files), names=_named(files)),
    ]
    lacking = [method for method in NAMES if method not in chapter.answers.index]
    made.append(MISSING(len(lacking), names=_named(lacking)))
    return [sentence for sentence in made if sentence]


def advice(chapter: WhichOne) -> list[str]:
    """What follows for a user."""
    dials = chapter.dials
    near = dials[dials.fidelity >= dials.fidelity.max() - NEAR]
    name = _named([near.largest_step.idxmin()]) if len(near) else ""
    return [
        denoising_words.advice(chapter)[1],
        CHOICE(len(near), near=NEAR, name=name),
        "For more than two objectives, or for objectives such as style that no arithmetic between input "
        "and output reaches, take a method whose first column says *any*.",
        "For a program that loads checkpoints and has no dials, take a method whose last column has two "
        "checkpoints.",
    ]
