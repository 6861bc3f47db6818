"""The sentences of the chapter on SwinIR for super-resolution: templates beside their thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.chapters.backbones_words import as_good
from study.chapters.findings import Either, counted, listed, titled
from study.chapters.swinir_results import FIDELITY, FIXED, PERCEPTUAL

if TYPE_CHECKING:
    from study.chapters.swinir import EnlargingSwinIR

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
    "({fixed:.1f} for the fixed network). Only a part of the second objective, with a weight of 0.01, "
    "compares pixels.",
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
    warned, drifts = chapter.warnings, chapter.drifts.abs().max(axis=1)
    return [
        as_good("SwinIR", gap, counted(gap.count, "set")),
        FALLS(falls.mean(), sets=sets, paper=paper if len(theirs) else ""),
        BELOW(bicubic - perceptual, ours=perceptual, bicubic=bicubic, images=titled(ours.index[0])),
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
