"""How the claims on the cells of the paper's Tables 1 to 5 are judged (Sec. 4.1)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np

from study.claims.comparing import (
    RIVALS,
    SETS,
    Judge,
    Place,
    differences,
    each_reading,
    gap,
    leads,
    number,
    places_of,
)
from study.claims.sources import Source
from study.claims.verdicts import CLEAN, KEEP, Bounds, NotMeasured, Verdict, graded
from study.configs.measurements import FAIR, NO_SKIP
from study.measuring.image_sweep import FIVE
from study.measuring.intervals import Block, Estimate, count, estimate, lead, sided
from tunable_core.objectives import NU


def _no_rival_is_better(table: str, metrics: Sequence[str]) -> Judge:
    """How many cells of Table 1 or 4 no rival takes; beside it with the fair rival too."""
    places = places_of(metrics, FIVE)

    def judge(source: Source, bounds: Bounds) -> Verdict:
        cells = leads(source, table, "Tunable", RIVALS, places)
        found = count(cells)
        lost = [m for i, m in enumerate(RIVALS) if any(cell[i].value < 0 for cell in cells)]
        text = f"No rival is better in {number(found, len(cells))}"
        text += f"; better in the others: {', '.join(lost)}." if lost else "."
        return graded(found, bounds, text, _with_fair(source, table, places, cells, bounds))

    return judge


def _with_fair(
    source: Source,
    table: str,
    places: Sequence[Place],
    cells: Sequence[Sequence[Estimate]],
    bounds: Bounds,
) -> str:
    """The same count with a DNI that starts from a common network; "" where there is none."""
    try:
        fair = leads(source, table, "Tunable", [FAIR], places)
    except NotMeasured:
        return ""
    found = count([[*cell, *more] for cell, more in zip(cells, fair, strict=True)])
    level = graded(found, bounds, "").level
    return f"With {FAIR}, among the rivals: {level}, {number(found, len(cells))}."


@each_reading
def _fidelity(source: Source, bounds: Bounds) -> Verdict:
    """The plain network is DNI's for fidelity: trained the same way, for L_rec alone."""
    worst, text, _ = gap(source, "table1", "DNI", "Tunable", [(i, "psnr", None) for i in SETS])
    return graded(worst, bounds, text)


def _rivals_drop(source: Source, bounds: Bounds) -> Verdict:
    pairs: list[Block] = []
    words = []
    for images in SETS:
        for method in ("DyNet", "CFSNet"):
            pair = [source.cells("table1", images, m, "psnr", [CLEAN]) for m in ("DNI", method)]
            words.append(f"{method} {sided(lead(*pair))} on {images}")
            pairs += pair
    far = estimate(lambda *means: np.abs(differences(means) - 0.2).max(-1), *pairs)
    return graded(far, bounds, f"Against the plain network: {'; '.join(words)}.")


def _falls_between(table: str, methods: Sequence[str]) -> Judge:
    """In how many cases PSNR between the ends is below the worse end.

    DNI of Table 1 is taken without our image skip, as in the paper, where it is measured: with the skip,
    the mixture of two unrelated networks still contains the image.
    """

    def dips(source: Source, methods: Sequence[str]) -> tuple[Estimate, str]:
        found = {
            f"{method} on {images}": estimate(
                lambda m: m[..., [0, -1]].min(-1) - m[..., 1:-1].min(-1),
                source.cells(table, images, method, "psnr"),
            )
            for images in SETS
            for method in methods
        }
        words = "; ".join(f"{name} {sided(dip, form='.1f')}" for name, dip in found.items())
        cells = [[each] for each in found.values()]
        return count(cells), words

    def judge(source: Source, bounds: Bounds) -> Verdict:
        judged, fair = [*methods], {FAIR: FAIR}
        if table == "table1":
            with contextlib.suppress(NotMeasured):
                dips(source, [NO_SKIP])
                judged = [NO_SKIP if m == "DNI" else m for m in methods]
                fair = {"DNI": "our image skip", FAIR: FAIR}
        found, words = dips(source, judged)
        others = []
        for other, title in fair.items():
            with contextlib.suppress(NotMeasured):
                others.append(f"With {title}: {dips(source, [other])[1]}.")
        return graded(
            found,
            bounds,
            f"The worst point between the ends, against the worse end: {words}.",
            " ".join(others),
        )

    return judge


@each_reading
def _cfsnet_noise(source: Source, bounds: Bounds) -> Verdict:
    places = places_of(("psnr", "psnr_eta"), FIVE[:2])
    pairs: list[Block] = []
    for images, metric, omega in places:
        pairs += [source.cells("table1", images, m, metric, [omega]) for m in ("Tunable", "CFSNet")]
    worst = estimate(lambda *means: differences(means).max(-1), *pairs)
    return graded(worst, bounds, f"In its worst cell there, CFSNet is {sided(worst)} Tunable.")


def _backbone(table: str, fixed: str, places: Sequence[tuple[str, str, float | None]]) -> Judge:
    """A third-party network at (1, 0) against its fixed baseline."""

    def judge(source: Source, bounds: Bounds) -> Verdict:
        worst, text, _ = gap(source, table, fixed, f"Tunable {fixed}", places)
        return graded(worst, bounds, text)

    return judge


def _sr_swinir(source: Source, bounds: Bounds) -> Verdict:
    places = [(images, "psnr", None) for images in ("set5", "set14", "bsd100")]
    worst, text, _ = gap(source, "table5", "SwinIR", "Tunable SwinIR", places)
    return graded(worst, bounds, text)


def _sr_fidelity(source: Source, bounds: Bounds) -> Verdict:
    places = [(images, "psnr", None) for images in SETS]
    worst, text, each = gap(source, "table4", "DNI", "Tunable", places)
    verdict = graded(worst, bounds, text)
    if verdict.level == "reproduced" and not any(gap.below for gap in each):
        return Verdict("partly", f"{text} It is above the plain network on neither set.", verdict.beside)
    return verdict


def _backbones_keep_noise(source: Source, bounds: Bounds) -> Verdict:
    """PSNR_eta of the input itself: its error is (1 - nu) of the noise."""
    blocks: list[Block] = []
    inputs: list[float] = []
    for images in SETS:
        for sigma in (15.0, 25.0, 50.0):
            blocks.append(source.cells("table2a", images, "Tunable SwinIR", "psnr_eta", [KEEP], sigma))
            inputs.append(20 * np.log10(255 / ((1 - NU) * sigma)))
    known = np.array(inputs)
    nafnet = [
        source.cells("table2b", "sidd", "Tunable NAFNet", metric, [KEEP])
        for metric in ("psnr_eta", "psnr")
    ]

    def ahead(*means: np.ndarray) -> np.ndarray:
        *swinir, eta, psnr = (mean[..., 0] for mean in means)
        of_input = psnr + 20 * np.log10(NU / (1 - NU))  # psnr is of an output with nu of the noise
        return np.stack([*(m - k for m, k in zip(swinir, known, strict=True)), eta - of_input], -1).min(
            -1
        )

    least = estimate(ahead, *blocks, *nafnet)
    return graded(
        least, bounds, f"Against the input, PSNR_eta is at least {sided(least, 'above', 'below')}."
    )


def _cresmd(source: Source, bounds: Bounds) -> Verdict:
    corners = ((0.0, 0.0), KEEP, CLEAN, (1.0, 1.0))
    places = places_of(("psnr", "lpips", "niqe"), corners)
    cells = leads(source, "table3", "Tunable", ["CResMD"], places)
    found = count(cells)
    lost = sorted(
        f"{metric.upper()} at ({omega[0]:g}, {omega[1]:g}) on {images}"
        for (images, metric, omega), [ahead] in zip(places, cells, strict=True)
        if ahead.value < 0
    )
    text = f"Better than CResMD in {number(found, len(cells))}"
    return graded(found, bounds, text + (f"; worse in {', '.join(lost)}." if lost else "."))


def _rises(table: str) -> Judge:
    """In how many steps from (0, 1) to (1, 0) PSNR of Tunable rises, over both sets."""

    def judge(source: Source, bounds: Bounds) -> Verdict:
        steps = []
        for images in SETS:
            along = source.cells(table, images, "Tunable", "psnr")
            for i in range(len(FIVE) - 1):
                steps.append([estimate(lambda m, i=i: m[..., i + 1] - m[..., i], along)])
        found = count(steps)
        text = number(found, len(steps)).replace("cells", "steps")
        return graded(found, bounds, f"PSNR rises in {text}.")

    return judge


def _ahead_in(table: str, first: str, rival: str, metric: str) -> Judge:
    """In how many of ten cells a rival is not better in a metric."""

    def judge(source: Source, bounds: Bounds) -> Verdict:
        cells = leads(source, table, first, [rival], places_of((metric,), FIVE))
        found = count(cells)
        text = f"{rival} is not better in {number(found, len(cells))} in {metric.upper()}."
        return graded(found, bounds, text)

    return judge


JUDGES: dict[str, Judge] = {
    "tunes": each_reading(_rises("table1")),
    "table-1": each_reading(_no_rival_is_better("table1", ("psnr", "psnr_eta"))),
    "fidelity": _fidelity,
    "rivals-drop": _rivals_drop,
    "dni-interior": _falls_between("table1", ("DNI", "DyNet")),
    "cfsnet-noise": _cfsnet_noise,
    "swinir": _backbone("table2a", "SwinIR", [(i, "psnr", s) for i in SETS for s in (15.0, 25.0, 50.0)]),
    "nafnet": _backbone("table2b", "NAFNet", [("sidd", "psnr", None)]),
    "backbones-keep-noise": _backbones_keep_noise,
    "cresmd": _cresmd,
    "table-4": _no_rival_is_better("table4", ("psnr", "lpips")),
    "dynet-sr": _ahead_in("table4", "DyNet", "CFSNet", "psnr"),
    "dni-interior-sr": _falls_between("table4", ("DNI",)),
    "sr-fidelity": _sr_fidelity,
    "smooth-sr": _rises("table4"),
    "fewer-artifacts-sr": _ahead_in("table4", "Tunable", "DyNet", "lpips"),
    "swinir-sr": _sr_swinir,
}
