"""The sentences of the chapter on SwinIR for super-resolution: templates beside their thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.chapters.backbones_words import as_good
from study.chapters.findings import Either, counted, listed, titled
from study.chapters.swinir_results import FIDELITY, FIXED, PERCEPTUAL, RESNET

if TYPE_CHECKING:
    from study.chapters.swinir import EnlargingSwinIR

LEVEL = Either(
    threshold=0.0,
    above="The fixed SwinIR is {value:.2f} dB above the ResNet of [](06-super-resolution), mean "
    "over the sets.",
    otherwise="The fixed SwinIR is {short:.2f} dB below the ResNet of [](06-super-resolution), mean "
    "over the sets.",
)
"""value: PSNR of the fixed SwinIR above that of the ResNet, mean over the sets, in dB."""
GRID = Either(
    threshold=3.0,
    above="The outputs have a grid: its peak is up to {value:.1f} along the dial, on {images}.",
    otherwise="There is no grid anywhere on the dial: the grid peak is at most {value:.1f} on {images}.",
)
"""value: the largest mean grid peak of SwinIR along the dial."""
FALLS = Either(
    threshold=0.1,
    above="Turned to the perceptual end it loses {value:.2f} dB on average ({sets}){paper}.",
    otherwise="Turned to the perceptual end its PSNR hardly moves ({sets}){paper}.",
)
"""value: PSNR at fidelity above that at the perceptual end, mean over the sets, in dB."""
BELOW = Either(
    above="The perceptual end is below bicubic interpolation in PSNR: {ours:.2f} against {bicubic:.2f} "
    "dB on {images}.",
    otherwise="Even the perceptual end is above bicubic interpolation in PSNR: {ours:.2f} against "
    "{bicubic:.2f} dB on {images}.",
)
"""value: PSNR of bicubic interpolation above that of the perceptual end on the first set, in dB."""
WARNED = Either(
    above="Its adversarial training warned that {warnings}. So this perceptual end is not the best "
    "possible one.",
    otherwise="Its adversarial training gave no warning; at the end the discriminator had a loss of "
    "{loss:.2f}, where guessing has 0.69.",
)
"""value: number of warnings of the training."""
DRIFTS = Either(
    threshold=2.0,
    above="Colours drift at the perceptual end: by up to {most:.1f} grey levels in the picture shown "
    "({fixed:.1f} for the fixed network).",
    otherwise="Colours stay at the perceptual end: within {most:.1f} grey levels in the picture shown "
    "({fixed:.1f} for the fixed network).",
)
"""value: the largest mean difference of a colour at (0, 1), grey levels of 255."""
ADVICE = Either(
    threshold=0.0,
    above="If PSNR matters, turn the dial to fidelity: the perceptual end is below bicubic "
    "interpolation.",
    otherwise="The whole dial is usable: even its perceptual end is above bicubic interpolation in "
    "PSNR.",
)
"""value: as that of BELOW."""


def findings(chapter: EnlargingSwinIR) -> list[str]:
    """All findings of the chapter, the most important first."""
    ours, gap = chapter.psnr, chapter.gap
    falls = ours[FIDELITY] - ours[PERCEPTUAL]
    sets = ", ".join(f"{value:.2f} dB on {titled(name)}" for name, value in falls.items())
    printed = chapter.printed
    theirs = (printed[FIDELITY] - printed[PERCEPTUAL]).dropna()
    paper = "; in the paper " + listed([f"{v:.2f} dB on {titled(name)}" for name, v in theirs.items()])
    bicubic, perceptual = ours["bicubic"].iloc[0], ours[PERCEPTUAL].iloc[0]
    above, grid = ours[FIXED] - ours[RESNET], chapter.along_means["SwinIR"].grid_peak
    warned, drifts = chapter.warnings, chapter.drifts.abs().max(axis=1)
    return [
        as_good("SwinIR", gap, counted(gap.count, "set")),
        FALLS(falls.mean(), sets=sets, paper=paper if len(theirs) else ""),
        BELOW(bicubic - perceptual, ours=perceptual, bicubic=bicubic, images=titled(ours.index[0])),
        LEVEL(above.mean(), short=-above.mean()),
        GRID(grid.max(), images=titled(chapter.along.images)),
        WARNED(len(warned), warnings="; ".join(warned), loss=chapter.discriminator),
        DRIFTS(drifts[PERCEPTUAL], most=drifts[PERCEPTUAL], fixed=drifts[FIXED]),
    ]


def advice(chapter: EnlargingSwinIR) -> list[str]:
    """What follows for a user."""
    ours = chapter.psnr.iloc[0]
    return [
        ADVICE(ours["bicubic"] - ours[PERCEPTUAL]),
        "Check an evaluation with a published network first: `published` measures any x4 network whose "
        "numbers are known.",
        "Measure colours as well as PSNR: an adversary and a perceptual loss hardly penalise a shift of "
        "all colours together.",
    ]
