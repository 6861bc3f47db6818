"""The sentences of the denoising chapter: templates beside the thresholds that choose between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from study.chapters.denoising_data import DIALS, EVEN, NAMES, SWITCH
from study.chapters.denoising_results import Gap, Reading, above
from study.chapters.findings import Either, counted, listed, spoken
from study.measuring.behaviour import Evenness, miss

if TYPE_CHECKING:
    import study.chapters.denoising  # the full name: a task has the same one

UNEVEN = Either(
    threshold=3.0,
    above="Trained on the noise target of Eq. 9 as printed, the dial does not turn evenly: one of "
    "{steps} steps takes {share:.0%} of the way from keeping {keep:.0%} of the noise to {clean:.0%}.",
    otherwise="Trained on the noise target of Eq. 9 as printed, one network turns from keeping "
    "{keep:.0%} of the noise to {clean:.0%}, and no step of {steps} takes more than {share:.0%} of the "
    "way.",
)
"""value: the largest step in units of an even one."""
SWITCHES = Either(
    threshold=3.0,
    above="With a target that does not move with the dial, the same network becomes a switch: one step "
    "takes {share:.0%} of the way, and at (0.25, 0.75) it still keeps {kept:.0%}.",
    otherwise="With a target that does not move with the dial, it turns about as evenly: no step takes "
    "more than {share:.0%}, and at (0.25, 0.75) it keeps {kept:.0%}.",
)
"""value: the largest step in units of an even one."""
FITS = Either(
    above="The paper's Table 1 fits {best}, not {other}: the kept noise that its PSNRs imply differs "
    "from ours by {near:.3f} on average, against {far:.3f}.",
    otherwise="At this budget the paper's Table 1 fits both targets about as well: {near:.3f} and "
    "{far:.3f} from ours in kept noise, where the formula itself is off by {error:.3f}.",
)
"""value: Reading.margin."""
COSTS = Either(
    above="Turned to fidelity, the network trained on Eq. 9 is {size:.2f} dB {side} a plain network "
    "trained the same way (mean of {seeds} each; the seeds spread by {spread:.2f} dB).",
    otherwise="Turned to fidelity, the network trained on Eq. 9 cannot be distinguished from a plain "
    "network trained the same way: {size:.2f} dB {side}, where {seeds} each spread by {spread:.2f} dB.",
)
"""value: Gap.beyond."""
WHERE = Either(
    threshold=3.0,
    above="In the middle of the dial the trained methods differ by up to {at_middle:.2f} dB in PSNR. "
    "Where each keeps half of the noise, they differ by only {at_equal:.2f} dB. So the table mostly "
    "shows at which position each dial reaches a given strength.",
    otherwise="In the middle of the dial the trained methods differ by up to {at_middle:.2f} dB in "
    "PSNR, and still by {at_equal:.2f} dB where each keeps half of the noise: the pictures themselves "
    "differ.",
)
"""value: the ratio of both ranges."""
ORACLE = Either(
    above="Blending the output of a plain denoiser with its input, which needs no training, is "
    "{ahead:.2f} dB {side} the best trained dial against the noisy target. At every level of kept "
    "noise, a higher PSNR is reached by {names}.",
    otherwise="Blending the output of a plain denoiser with its input, which needs no training, is "
    "{ahead:.2f} dB {side} the best trained dial against the noisy target. No trained dial has a higher "
    "PSNR at every level of kept noise.",
)
"""value: how many trained methods are above Blend at every level of kept noise."""
ORDER = Either(
    above="We compared {ours} with the paper's rivals between the ends: of {all} comparisons, {same} "
    "come out as in its Table 1, {reversed} the other way, and {tied} are within the spread of our "
    "seeds.",
    otherwise="The order of the methods is not the paper's. Of {all} comparisons of {ours} with its "
    "rivals between the ends, {same} come out as in its Table 1, {reversed} the other way, and {tied} "
    "are within the spread of our seeds.",
)
"""value: comparisons that come out as in the paper, less those that come out the other way."""
STRAIGHTEST = Either(
    above="Of the trained dials, {straight} is nearest to a straight line (at most {off:.0%} off it), "
    "and {near} follows Eq. 9 most closely ({value:.2f} off on average, {other:.2f} for {straight}).",
    otherwise="Of the trained dials, {straight} is nearest to a straight line (at most {off:.0%} off "
    "it).",
)
"""value: mean distance from the kept noise that Eq. 9 asks for, of the nearest dial; 0 if that is
the straightest."""
TUNED = Either(
    above="How the dials are drawn in training was chosen by looking at these test images, for the "
    "tunable networks alone: it is worth {value:.2f} dB at fidelity over the paper's uniform draws.",
    otherwise="How the dials are drawn in training was chosen by looking at these test images, for the "
    "tunable networks alone; the paper's uniform draws are no worse at fidelity.",
)
"""value: PSNR at fidelity above that of the paper's draws, in dB, of short trainings."""
WOULD_CHANGE = (
    "Longer trainings of wider networks could change the differences in dB; that the fixed target makes "
    "a switch follows from the loss."
)
TARGETS = {EVEN: "the target of Eq. 9 as printed", SWITCH: "a fixed target"}


def turning(either: Either, found: Evenness, steps: int, **numbers: float) -> str:
    """UNEVEN or SWITCHES, of a dial with that many steps."""
    return either(found.largest_step * steps, share=found.largest_step, steps=steps, **numbers)


def fits(found: Reading) -> str:
    """FITS."""
    (other,) = [method for method in found.distance if method != found.best]
    return FITS(
        found.margin,
        best=TARGETS[found.best],
        other=TARGETS[other],
        near=found.distance[found.best],
        far=found.distance[other],
        error=found.error,
    )


def cost(found: Gap) -> str:
    """COSTS."""
    return COSTS(
        found.beyond,
        size=abs(found.mean),
        side="below" if found.mean > 0 else "above",
        seeds=counted(min(found.seeds), "seed"),
        spread=found.spread,
    )


def findings(chapter: study.chapters.denoising.Denoising) -> list[str]:
    """All findings of the chapter, the most important first."""
    steps, kept = chapter.data.positions - 1, chapter.table("kept")
    ends = {"keep": kept.at[EVEN, DIALS[0]], "clean": kept.at[EVEN, DIALS[-1]]}
    made = [
        turning(UNEVEN, chapter.evenness[EVEN], steps, **ends),
        turning(SWITCHES, chapter.evenness[SWITCH], steps, kept=kept.at[SWITCH, DIALS[1]]),
        *([fits(chapter.reading)] if chapter.reading else []),
        cost(chapter.cost()),
        _straightest(chapter),
        _where(chapter),
        _oracle(chapter),
        _order(chapter),
    ]
    gained = chapter.ends("as released") - chapter.ends("uniform, as in the paper")
    return [sentence for sentence in (*made, TUNED(gained)) if sentence]


def _straightest(chapter: study.chapters.denoising.Denoising) -> str:
    trained = chapter.trained
    off = {method: chapter.evenness[method].off_line for method in trained}
    missed = {method: miss(chapter.data.along[method]) for method in trained}
    straight, near = min(off, key=off.__getitem__), min(missed, key=missed.__getitem__)
    return STRAIGHTEST(
        0.0 if straight == near else missed[near],
        straight=spoken(NAMES.get(straight, straight)),
        near=spoken(NAMES.get(near, near)),
        off=off[straight],
        other=missed[straight],
    )


def _where(chapter: study.chapters.denoising.Denoising) -> str:
    trained = chapter.trained
    middle = chapter.table("psnr").loc[trained, DIALS[2]]
    equal = chapter.equal.loc[trained, 0.5].dropna()
    if len(equal) < 2:
        return ""
    at_middle, at_equal = float(np.ptp(middle)), float(np.ptp(equal))
    return WHERE(at_middle / at_equal, at_middle=at_middle, at_equal=at_equal)


def _oracle(chapter: study.chapters.denoising.Denoising) -> str:
    inside = chapter.table("psnr_eta")[DIALS[1:-1]]
    ahead = float((inside.loc["blend"] - inside.loc[chapter.trained].max()).mean())
    named = {method: spoken(name) for method, name in NAMES.items()}
    names = above(chapter.equal.loc[[*chapter.trained, "blend"]], "blend", named)
    side = "above" if ahead > 0 else "below"
    return ORACLE(len(names), ahead=abs(ahead), side=side, names=listed(names))


def _order(chapter: study.chapters.denoising.Denoising) -> str:
    words = [w for m in ("psnr", "psnr_eta") for w in chapter.order(m).to_numpy().ravel()]
    if not words:
        return ""
    counts = {word: words.count(word) for word in ("same", "reversed", "tied")}
    return ORDER(
        counts["same"] - counts["reversed"], all=len(words), ours=spoken(NAMES[SWITCH]), **counts
    )


EVEN_ADVICE = Either(
    above="For a dial that a person turns, train on the noise target of Eq. 9 as printed: its largest "
    "step is {value:.1f} times smaller than with a fixed target.",
    otherwise="Neither target gives a clearly evener dial here, so plot the dial before you trust it.",
    threshold=1.5,
)
"""value: largest step with the fixed target over that with Eq. 9."""
ORACLE_ADVICE = Either(
    above="If denoising strength is all you need, blend the output of any denoiser with its input: "
    "this needs no training and is {value:.2f} dB above the best trained dial between the ends.",
    otherwise="A trained dial is the better choice here: blending the output of a plain denoiser with "
    "its input is {size:.2f} dB below it between the ends.",
)
"""value: PSNR against the noisy target of Blend above the best trained dial, in dB."""


def advice(chapter: study.chapters.denoising.Denoising) -> list[str]:
    """What follows for a user."""
    inside = chapter.table("psnr_eta")[DIALS[1:-1]]
    ahead = float((inside.loc["blend"] - inside.loc[chapter.trained].max()).mean())
    ratio = chapter.evenness[SWITCH].largest_step / chapter.evenness[EVEN].largest_step
    return [
        EVEN_ADVICE(ratio),
        ORACLE_ADVICE(ahead, size=abs(ahead)),
        "Compare dials where they keep the same share of the noise, not at the same position.",
    ]
