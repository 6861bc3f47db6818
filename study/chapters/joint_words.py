"""The sentences of the chapter on two dials: templates beside the thresholds that choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.chapters.findings import Either, listed
from study.chapters.joint_data import BOTH, LEAVE, RESTORE, SHARPEN
from study.chapters.joint_results import Nearest

if TYPE_CHECKING:
    from study.chapters.joint import TwoDials

METRICS = {"psnr": "PSNR", "lpips": "LPIPS"}
"""The metrics in which the paper has Tunable ahead."""
BETTER = Either(
    threshold=-0.5,
    above="At the same dials Tunable is better than CResMD in all {all} comparisons of {metrics} at "
    "(1, 0) and (1, 1){paper}.",
    otherwise="At the same dials Tunable is better than CResMD in {won} of {all} comparisons of "
    "{metrics} at (1, 0) and (1, 1){paper}.",
)
"""value: comparisons won, less all; paper: what the paper has of them."""
TRUTH = Either(
    above="Most of that difference is due to the levels that CResMD is given: with the true noise and "
    "blur of each image it gains {gain:.2f} dB, and is then {size:.2f} dB {side} Tunable, which is "
    "given no level.",
    otherwise="Given the true noise and blur of each image, CResMD changes by {gain:+z.2f} dB "
    "and is {size:.2f} dB {side} Tunable, which is given no level.",
)
"""value: what the truth gains, less what separates the two then, in dB."""
LEAKS = Either(
    threshold=0.1,
    above="The dials are not independent: the wrong dial causes {kept:.0%} of the movement of the noise "
    "and {detail:.0%} of the movement of the detail.",
    otherwise="The dials are close to independent: the wrong dial causes {kept:.0%} of the movement of "
    "the noise and {detail:.0%} of the movement of the detail.",
)
"""value: the larger leak."""
LITERAL = Either(
    threshold=1.0,
    above="The formula as printed cannot have made the paper's Table 3: its target at (1, 0) "
    "itself has only {bound:.2f} dB, and the table has {printed:.2f}.",
    otherwise="The formula as printed could have made the paper's Table 3: its target at (1, 0) has "
    "{bound:.2f} dB, and the table has {printed:.2f}.",
)
"""value: the paper's PSNR at (1, 0) above the literal target's, in dB."""
NEAREST = Either(
    threshold=0.2,
    above="Of the readings that remain, the {best} one is nearest to the printed row: {near:.2f} dB "
    "from it on average, the {second} one {far:.2f}.",
    otherwise="Which of the other two readings the paper used cannot be decided: the {best} one is "
    "{near:.2f} dB from the printed row on average, the {second} one {far:.2f}, one short training "
    "each.",
)
"""value: Nearest.margin, in dB; two trainings of one network differ by up to some 0.2 dB (chapter 3)."""
COSTS = Either(
    above="Turned to restoration, Tunable is {size:.2f} dB below a fixed network trained for "
    "restoration alone.",
    otherwise="Turned to restoration, Tunable is {size:.2f} dB above a fixed network trained for "
    "restoration alone.",
)
"""value: PSNR of the fixed network above Tunable's at (1, 0), in dB."""
ZERO = Either(
    threshold=0.5,
    above="At (0, 0) the loss is always zero; the network keeps {kept:.0%} of the noise there, as the "
    "loss asks at nearby settings.",
    otherwise="At (0, 0) the loss is always zero; the network keeps {kept:.0%} of the noise there, less "
    "than half of what the loss asks at nearby settings.",
)
"""value: kept-noise fraction of the adapted network at (0, 0)."""
HARMS = Either(
    threshold=1.0,
    above="At (0, 0), where nothing should be removed, Tunable damages a nearly clean photograph: the "
    "input has {before:.1f} dB, the output {after:.1f} dB (CResMD: {rival:.1f}).",
    otherwise="At (0, 0), where nothing should be removed, Tunable hardly changes a nearly clean "
    "photograph: the input has {before:.1f} dB, the output {after:.1f} dB (CResMD: {rival:.1f}).",
)
"""value: PSNR of the input above that of Tunable at (0, 0), in dB."""
ARTIFACTS = Either(
    threshold=3.0,
    above="CResMD fails where its dials are most wrong: given the strongest blur and no noise, (0, 1), "
    "it scores {there:.2f} dB on average, below the degraded input ({input:.2f}); Tunable has "
    "{ours:.2f} there.",
    otherwise="CResMD does not fail where its dials are wrong: given the strongest blur and no noise, "
    "(0, 1), it scores {there:.2f} dB on average, the degraded input {input:.2f}, Tunable {ours:.2f}.",
)
"""value: PSNR of the input above CResMD's at (0, 1), in dB."""
FOLLOWS = Either(
    threshold=0.5,
    above="The gain over CResMD grows with the distance between the levels it is given and the true "
    "ones (rank correlation {correlation:.2f} over the degradations).",
    otherwise="The gain over CResMD does not follow the distance between the levels it is given and the "
    "true ones: their rank correlation over the degradations is {correlation:.2f}, where we expected "
    "nearly 1.",
)
"""value: joint_results.follows at (1, 0)."""
WOULD_CHANGE = (
    "One training each, so differences of about 0.2 dB may be chance. Longer trainings of wider "
    "networks could change them, but not that the printed formula asks for noise at (1, 0)."
)


def nearest(found: Nearest) -> str:
    """NEAREST."""
    return NEAREST(
        found.margin,
        best=found.best,
        second=found.second,
        near=found.distance[found.best],
        far=found.distance[found.second],
    )


def truth(gain: float, behind: float) -> str:
    """TRUTH; gain: what the truth gives CResMD; behind: how far it is below Tunable then, in dB."""
    side = "below" if behind > 0 else "above"
    return TRUTH(gain - abs(behind), gain=gain, size=abs(behind), side=side)


def findings(chapter: TwoDials) -> list[str]:
    """All findings of the chapter, the most important first."""
    restored, leaks = chapter.restored(), chapter.leaks.loc["tunable"]
    corner, duels = chapter.data.means[chapter.data.first], chapter.promised
    metrics = [name for m, name in METRICS.items() if m in set(duels.metric)]
    informed, misled = restored.at["truth", "psnr"], restored.at["cresmd", "psnr"]
    ours, fixed = restored.at["tunable", "psnr"], restored.at["fixed", "psnr"]
    won, before, after = int((duels.ours > 0).sum()), *chapter.photo.leave("tunable")
    there, given = corner["cresmd"].loc[SHARPEN, "psnr"], restored.at["input", "psnr"]
    known, many = duels.printed.dropna(), chapter.gains.size > 3
    kept = chapter.data.grid_means["tunable"].loc[LEAVE, "kept"]
    bound, printed = chapter.bound, chapter.printed.loc[RESTORE]
    return [
        BETTER(
            won - len(duels),
            won=won,
            all=len(duels),
            metrics=listed(metrics),
            paper=f"; in the paper, in {int((known > 0).sum())} of {len(known)}" if len(known) else "",
        ),
        truth(informed - misled, ours - informed),
        LEAKS(leaks.max(), **leaks),
        LITERAL(printed - bound, bound=bound, printed=printed),
        *([nearest(chapter.nearest)] if chapter.data.first == "kodak" else []),
        COSTS(fixed - ours, size=abs(fixed - ours)),
        ZERO(kept, kept=kept),
        HARMS(before - after, before=before, after=after, rival=chapter.photo.leave("cresmd")[1]),
        ARTIFACTS(given - there, there=there, input=given, ours=corner["tunable"].loc[SHARPEN, "psnr"]),
        *([FOLLOWS(chapter.follows, correlation=chapter.follows)] if many else []),
    ]


COST_ADVICE = Either(
    above="One network can have two dials; here they cost {value:.2f} dB of restoration.",
    otherwise="One network can have two dials; here they cost no PSNR of restoration.",
)
"""value: PSNR of the fixed network above Tunable's at (1, 0), in dB."""
RETOUCH_ADVICE = Either(
    above="Arithmetic does not make independent dials: the worst leak of Retouch, two lines over a "
    "plain network, is {arithmetic:.0%}, Tunable's {trained:.0%}.",
    otherwise="If independent dials matter most, try arithmetic first: the worst leak of Retouch, two "
    "lines over a plain network, is {arithmetic:.0%}, Tunable's {trained:.0%}.",
)
"""value: the larger leak of Retouch, less that of Tunable."""
TRUE_LEVELS_ADVICE = Either(
    threshold=0.2,
    above="If a network takes the degradation as an input, evaluate it with the true levels, too, not "
    "only at equal dials: they are worth {gain:.2f} dB to CResMD.",
    otherwise="The true levels change the PSNR of CResMD by {gain:+z.2f} dB only, so equal dials are a "
    "fair comparison here.",
)
"""value: PSNR of CResMD given the true levels above that at (1, 0), in dB."""
BOTH_ADVICE = Either(
    threshold=1.0,
    above="For a faithful picture stay at (1, 0) and turn the second dial up in small steps: at (1, 1) "
    "PSNR is {value:.1f} dB lower.",
    otherwise="The second dial can be turned up in full: at (1, 1) PSNR is within {size:.1f} dB of (1, "
    "0).",
)
"""value: PSNR at (1, 0) above that at (1, 1), in dB."""


def advice(chapter: TwoDials) -> list[str]:
    """What follows for a user."""
    psnr, worst = chapter.restored().psnr, chapter.leaks.max(axis=1)
    ours = chapter.data.means[chapter.data.first]["tunable"].psnr
    gain = psnr["truth"] - psnr["cresmd"]
    return [
        COST_ADVICE(psnr["fixed"] - psnr["tunable"]),
        RETOUCH_ADVICE(
            worst["retouch"] - worst["tunable"], arithmetic=worst["retouch"], trained=worst["tunable"]
        ),
        BOTH_ADVICE(ours.loc[RESTORE] - ours.loc[BOTH], size=abs(ours.loc[RESTORE] - ours.loc[BOTH])),
        TRUE_LEVELS_ADVICE(gain, gain=gain),
    ]
