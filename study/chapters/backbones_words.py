"""The sentences of the chapter on third-party networks: templates beside their thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.chapters.backbones_results import Spans
from study.chapters.findings import Either, counted, titled

if TYPE_CHECKING:
    from study.chapters.backbones import Backbones

CLAIM = 0.1
"""How much worse "as good as the fixed network" may be, dB: the largest difference that Table 2a
prints."""
AS_GOOD = Either(
    threshold=-CLAIM,
    above="Turned to fidelity, the tunable {name} is {size:.2f} dB {side} the same network trained "
    "without a dial ({low:+z.2f} to {high:+z.2f} over {cases}): not more than {claim:g} dB worse, as "
    "the paper says.",
    otherwise="Turned to fidelity, the tunable {name} is {size:.2f} dB {side} the same network trained "
    "without a dial ({low:+z.2f} to {high:+z.2f} over {cases}): more than the {claim:g} dB of the "
    "paper.",
)
"""value: mean PSNR of the tunable network above the fixed one, in dB."""
LIFTS = Either(
    threshold=-1.0,
    above="Turned to noise preservation it gains {size:.1f} dB ({low:.1f} to {high:.1f}), measured "
    "against its noisy target; an error of a tenth would be worth 20 dB.",
    otherwise="Turned to noise preservation it gains only {size:.1f} dB ({low:.1f} to {high:.1f}), "
    "measured against its noisy target; an error of a tenth would be worth 20 dB.",
)
"""value: minus how far the mean gain is from 20 dB."""
SEEDS = Either(
    above="Fixed NAFNets of different seeds differ by up to {spread:.2f} dB, more than the mean "
    "difference between tunable and fixed.",
    otherwise="Fixed NAFNets of different seeds differ by up to {spread:.2f} dB, less than the mean "
    "difference between tunable and fixed.",
)
"""value: range of the fixed networks over seeds, less the mean difference, in dB."""
SMALL = Either(
    threshold=2.0,
    above="These networks are small: the published SwinIR has {value:,.0f} times the parameters and saw "
    "{pixels:,.0f} times the pixels.",
    otherwise="The networks are about as large as the published SwinIR, which saw {pixels:,.0f} times "
    "the pixels.",
)
"""value: parameters of the published SwinIR over ours."""
ANCHOR = Either(
    above="On whole images of {images} at sigma {sigma:g} the published one is {value:.2f} dB above our "
    "fixed one ({published:.2f} against {ours:.2f} dB).",
    otherwise="On whole images of {images} at sigma {sigma:g} our fixed one reaches {ours:.2f} dB, the "
    "published one {published:.2f}.",
)
"""value: PSNR of the published SwinIR above that of our fixed one, in dB."""
ADVICE = Either(
    threshold=-CLAIM,
    above="Wrap the network that you have: `Tunable(net, p=2)` costs at most {claim:g} dB at fidelity "
    "here, whatever the layers of the network.",
    otherwise="Any network can be wrapped with `Tunable(net, p=2)`, but measure the cost at fidelity: "
    "it is more than {claim:g} dB here.",
)
"""value: the worst mean difference of a tunable network from its fixed one, in dB."""


def as_good(name: str, gap: Spans, cases: str) -> str:
    """AS_GOOD; cases: what the range is over, "6 cases"."""
    numbers = {"size": gap.size, "side": gap.side, "low": gap.low, "high": gap.high}
    return AS_GOOD(gap.mean, name=name, cases=cases, claim=CLAIM, **numbers)


def lifts(lift: Spans) -> str:
    """LIFTS."""
    return LIFTS(-abs(lift.mean - 20), size=lift.mean, low=lift.low, high=lift.high)


def findings(chapter: Backbones) -> list[str]:
    """All findings of the chapter, the most important first."""
    said = []
    if chapter.gap:
        said.append(as_good("SwinIR", chapter.gap, counted(chapter.gap.count, "case")))
    seeds, spread = chapter.seed_gap, float(chapter.seeds.fixed.max() - chapter.seeds.fixed.min())
    said.append(lifts(chapter.lift))
    said.append(as_good("NAFNet (on camera noise)", seeds, counted(seeds.count, "seed")))
    if seeds.count > 1:
        said.append(SEEDS(spread - seeds.size, spread=spread))
    said.append(SMALL(chapter.larger, pixels=chapter.more_pixels))
    anchor = chapter.anchor
    if anchor:
        images, sigma, ours, published = anchor
        numbers = {"images": titled(images), "sigma": sigma, "ours": ours, "published": published}
        said.append(ANCHOR(published - ours, **numbers))
    return said


def advice(chapter: Backbones) -> list[str]:
    """What follows for a user."""
    worst = min(gap.mean for gap in (chapter.gap, chapter.seed_gap) if gap)
    return [
        ADVICE(worst, claim=CLAIM),
        "Leave the norms plain: the next layer can do everything that a tuned scale and shift could do.",
        "Start from trained weights with `pretrained=True`: every position of the dial then gives the "
        "output of the trained network, and a short fine-tuning makes the positions differ.",
    ]
