"""The sentences of the chapter on real photographs: templates beside the thresholds that choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.chapters.findings import Either, listed
from study.chapters.photographs_data import REPORTED

if TYPE_CHECKING:
    import study.chapters.photographs  # the full name: a task has the same one

GREY = Either(
    threshold=1.0,
    above="On a grey photograph ({name}) with noise of sigma {sigma:g} the network for photographs "
    "reaches {ours:.2f} dB where the file has {file:.2f} dB and the paper's denoiser {paper:.2f} dB.",
    otherwise="On a grey photograph ({name}) with noise of sigma {sigma:g} the network for "
    "photographs is no better than the paper's denoiser: {ours:.2f} dB and {paper:.2f} dB, where "
    "the file has {file:.2f} dB.",
)
"""value: dB above the paper's denoiser."""
JPEG = Either(
    threshold=1.0,
    above="On a JPEG of quality 95 with 4:2:0 and sigma {sigma:g} ({name}) it reaches {ours:.2f} "
    "dB, against {file:.2f} dB of the file and {paper:.2f} dB of the paper's denoiser.",
    otherwise="On a JPEG of quality 95 with 4:2:0 and sigma {sigma:g} ({name}) it is no better "
    "than the paper's denoiser: {ours:.2f} dB and {paper:.2f} dB, where the file has {file:.2f} dB.",
)
"""value: dB above the paper's denoiser."""
COLOUR = Either(
    threshold=-0.5,
    above="On independent noise in colour, for which the paper's denoiser was made, it is "
    "{gap:.2f} dB {side}: within the 0.5 dB that we allowed.",
    otherwise="On independent noise in colour, for which the paper's denoiser was made, it is "
    "{gap:.2f} dB {side}: more than the 0.5 dB that we allowed. One network of the same cost now "
    "serves many kinds of noise.",
)
"""value: dB above the paper's denoiser."""
EVEN = Either(
    threshold=0.05,
    above="Its dial is not even everywhere: the share of the noise that it keeps leaves the "
    "straight line between its ends by up to {off:.3f} ({worst}).",
    otherwise="Its dial is even: the share of the noise that it keeps is within {off:.3f} of the "
    "straight line between its ends for every kind and level of noise.",
)
"""value: the largest distance from the line, as a share of the noise."""
BLEND = Either(
    threshold=0.1,
    above="Where both keep the same share of the noise, the trained dial is at least {value:.2f} "
    "dB better than blending its cleanest answer with the photograph.",
    otherwise="The trained dial is not better than blending: where both keep the same share of the "
    "noise, it is less than {apart:.2f} dB from a blend of its own cleanest answer with the photograph.",
)
"""value: the smallest lead of the dial, dB."""
OTHERS = Either(
    above="At the same share of the noise it is better than {names} for every kind of photograph on "
    "which they can be compared, by {least:.2f} dB or more.",
    otherwise="At the same share of the noise it is not better than {names} everywhere: the smallest "
    "difference is {least:+z.2f} dB.",
)
"""value: the smallest lead of the dial, dB."""
NAM = Either(
    threshold=-0.005,
    above="On photographs with noise of their own ({count} scenes of nam) the result is better "
    "than the photograph at every position of the dial, by {least:z.2f} to {most:z.2f} dB.",
    otherwise="On photographs with noise of their own ({count} scenes of nam) the result is worse "
    "than the photograph at some position of the dial, by {worse:.2f} dB.",
)
"""value: the smallest gain over the photograph, dB."""
GOALS = Either(
    above="Of the goals that were set before the training, these were missed: {missed}.",
    otherwise="All goals that were set before the training are met: {met}.",
)
"""value: how many are missed."""

SLIDER = Either(
    threshold=0.1,
    above="A trained dial gives better photographs than the slider of an editor, which blends a "
    "denoised image with the original.",
    otherwise="If your editor blends a denoised image with the original, its slider is as good as "
    "a trained dial in PSNR. Train a dial where a blend of its ends does not give the pictures "
    "between them, as in denoising and deblurring.",
)
"""value: the smallest lead of the dial over a blend of pixels, dB."""
SHARE = Either(
    threshold=0.05,
    above="The command `tunable denoise --keep 0.3` asks for a share of the grain; what remains "
    "differs between kinds of photographs, since the dial is not even.",
    otherwise="The command `tunable denoise --keep 0.3` asks for a share of the grain. Because the "
    "dial is even, a step of it changes any photograph by the same part of its noise.",
)
"""value: the largest distance of the kept share from its line."""
TEXTURE = Either(
    above="The goal for grey photographs is missed by {value:.2f} dB on the photograph {name}: on its "
    "lawn, texture as fine as the noise, the error is {lawn:.1f} grey levels (non-local means: "
    "{lawn_means:.1f}), in its sky {sky:.1f} ({sky_means:.1f}). On the {count} colour photographs of "
    "scikit-image, in grey and with the same noise, the network reaches {elsewhere:.2f} dB.",
    otherwise="The goal for grey photographs is met on the photograph {name}: the error is {lawn:.1f} "
    "grey levels on its lawn (non-local means: {lawn_means:.1f}) and {sky:.1f} in its sky "
    "({sky_means:.1f}). On the {count} colour photographs of scikit-image, in grey and with the same "
    "noise, the network reaches {elsewhere:.2f} dB.",
)
"""value: dB below the goal."""
USE = (
    "Use the network of this chapter for photographs, and the paper's denoiser only where the noise "
    "is independent in three channels: no camera writes such files."
)
WOULD_CHANGE = (
    "One training of one seed; a longer one or a larger network would raise the numbers at full "
    "fidelity, but not change which dial is better: that follows from the target, as shown below."
)


def findings(chapter: study.chapters.photographs.Photographs) -> list[str]:
    """See Chapter."""
    data, found = chapter.data, []
    for template, kind in ((GREY, "grey"), (JPEG, "jpeg95")):
        row, (name, sigma) = data.reported.loc[kind], REPORTED[kind]
        numbers = {"sigma": sigma, "name": name, "ours": row.photo, "paper": row.paper, "file": row.file}
        found.append(template(row.photo - row.paper, **numbers))
    off, worst = chapter.off_line
    found.append(EVEN(off, off=off, worst=worst))
    if leads := chapter.leads("pixels"):
        apart = 0.01 * (1 + int(100 * max(map(abs, leads))))
        found.append(BLEND(min(leads), apart=apart))
    if "colour" in data.kinds:
        gap = data.cleanest("photo", "colour") - data.cleanest("paper", "colour")
        found.append(COLOUR(gap, gap=abs(gap), side="above it" if gap > 0 else "below it"))
    others = {name: chapter.leads(name) for name in ("wavelets", "means")}
    found += [
        OTHERS(
            min(leads),
            least=min(leads),
            names={"wavelets": "a blend of wavelets", "means": "non-local means"}[name],
        )
        for name, leads in others.items()
        if leads
    ]
    if data.real_frames:
        gains = chapter.gains
        count = data.real_frames["photo"].image.nunique()
        least, most = float(gains.min()), float(gains.max())
        found.append(NAM(least, least=least, most=most, worse=-least, count=count))
    goals = chapter.goals
    if len(goals):
        missed = [str(row.goal) for row in goals.itertuples() if not row.met]
        met = [str(row.goal) for row in goals.itertuples() if row.met]
        name, _ = REPORTED["grey"]
        elsewhere = data.grey_elsewhere
        below = float(goals.asked.iloc[0] - goals.reached.iloc[0])
        numbers = {"name": name, "count": len(elsewhere), "elsewhere": elsewhere.mean()}
        found.append(TEXTURE(below, **numbers, **data.camera_errors))
        found.append(GOALS(len(missed), missed=listed(missed), met=listed(met)))
    return found


def advice(chapter: study.chapters.photographs.Photographs) -> list[str]:
    """See Chapter."""
    leads = chapter.leads("pixels")
    return [USE, *([SLIDER(min(leads))] if leads else []), SHARE(chapter.off_line[0])]
