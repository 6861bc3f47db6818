"""The sentences of the chapter on costs: templates beside the thresholds that choose between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from study.chapters import overhead_results as compute
from study.chapters.findings import Either, counted
from study.chapters.overhead_results import Whole

if TYPE_CHECKING:
    from study.chapters.overhead import Overhead

LAYER = Either(
    threshold=99.5,
    above="One tunable convolution stays under the paper's 20 % in all cases{machine}; its median cost "
    "is {median:.1f} %, or {ms:.2f} ms.",
    otherwise="One tunable convolution costs more than the paper says{machine}: {under:.0f} % of the "
    "cases stay under its 20 %, and {few:.0f} % of those with up to four dials under its 5 %. The "
    "median is {median:.1f} %, or {ms:.2f} ms.",
)
"""value: per cent of the cases under 20 %, forward, float32."""
COMPILED = Either(
    threshold=99.5,
    above="Compiled by PyTorch, every case stays under 20 %, with a median of {median:.1f} %.",
    otherwise="Compiled by PyTorch, {under:.0f} % of the cases stay under 20 %, with a median of "
    "{median:.1f} %.",
)
"""value: per cent of the compiled cases under 20 %."""
WHOLE = Either(
    above="In a whole {size} network the cost cannot be measured{machine}: mixing at every call takes "
    "{forward:.2f} times the plain network's time, where a plain network timed against itself gives "
    "{fixed:.2f} times.",
    otherwise="A whole {size} network that mixes at every call takes {forward:.2f} times the plain "
    "network's time{machine}; with unchanged dials {live:.2f}, fixed by at(omega) {fixed:.2f} times.",
)
"""value: the error of the measurement, at least 3 %, less what mixing adds."""
TRAINING = Either(
    threshold=1.05,
    above="A training step takes {step:.2f} times that of the plain network. Turning all dials at "
    "inference takes {turn:.1f} ms, {share:.1%} of a forward pass.",
    otherwise="A training step takes as long as that of the plain network ({step:.2f} times). Turning "
    "all dials at inference takes {turn:.1f} ms, {share:.1%} of a forward pass.",
)
"""value: time of a training step over the plain network's."""
ON_GPU = Either(
    threshold=20.0,
    above="On a GPU one layer alone takes {added:.2f} ms more, which is {over:.0f} % of a plain layer "
    "and far above the paper's bounds: most of it is the cost of launching operations{age}.",
    otherwise="On a GPU one layer alone takes {added:.2f} ms more, {over:.0f} % of a plain layer, "
    "within the paper's 20 %{age}.",
)
"""value: median overhead on a GPU in per cent, not compiled, forward, float32."""
ON_GPU_WHOLE = Either(
    threshold=1.1,
    above="A whole {size} network on that GPU takes {forward:.2f} times the plain one's time when it "
    "mixes at every call, {live:.2f} with unchanged dials, and {fixed:.2f} fixed by at(omega){age}.",
    otherwise="A whole {size} network on that GPU takes {forward:.2f} times the plain one's time even "
    "when it mixes at every call{age}.",
)
"""value: forward ratio on a GPU."""
SAMPLES = Either(
    threshold=0.5,
    above="When every sample has its own dials, one dense pass per distinct omega is fastest in "
    "{count} of {cases} cases on a CPU.",
    otherwise="When every sample has its own dials, one dense pass per distinct omega is fastest in "
    "only {count} of {cases} cases on a CPU.",
)
"""value: share of the cases in which dense is fastest."""
MEMORY = Either(
    threshold=1.5,
    above="The price is memory: a tunable {size} network with two dials stores {times:.1f} times the "
    "numbers of the plain one during training; with fixed dials it stores as many as the plain one.",
    otherwise="Memory grows little: a tunable {size} network with two dials stores {times:.1f} times "
    "the numbers of the plain one.",
)
"""value: numbers stored over those of the plain network."""
OLD = " (measured with an older version of this code)"
"""Follows a number of a benchmark that bench.stale() rejects."""


def whole(found: Whole, machine: str = "") -> str:
    """WHOLE."""
    error = max(0.03, abs(found.fixed - 1))
    numbers = {"size": found.size, "forward": found.forward, "live": found.live, "fixed": found.fixed}
    return WHOLE(error - (found.forward - 1), machine=machine, **numbers)


def _layers(chapter: Overhead, table: pd.DataFrame) -> list[str]:
    rows = compute.bounds(table)
    machine = f" on {chapter.machine(table)}{chapter.age(table)}"
    main = rows.loc["forward, float32"]
    under, ms = main[compute.UNDER_20], main[compute.MEDIAN_MS]
    numbers = {"under": under, "few": main[compute.UNDER_5], "median": main[compute.MEDIAN]}
    said = [LAYER(under, machine=machine, ms=ms, **numbers)]
    if "forward, float32, compiled" in rows.index:
        fused = rows.loc["forward, float32, compiled"]
        under, median = fused[compute.UNDER_20], fused[compute.MEDIAN]
        said.append(COMPILED(under, under=under, median=median))
    return said


def _card(chapter: Overhead) -> list[str]:
    said, layers, network = [], chapter.gpu("layers"), chapter.gpu("network")
    if layers is not None:
        alone = compute.added(layers).loc["forward, float32"]
        age = chapter.age(layers)
        over = alone["longer than plain, %"]
        said.append(ON_GPU(over, over=over, added=alone["added, ms"], age=age))
    if network is not None:
        found, age = compute.whole(network), chapter.age(network)
        numbers = {"size": found.size, "live": found.live, "fixed": found.fixed}
        said.append(ON_GPU_WHOLE(found.forward, forward=found.forward, age=age, **numbers))
    return said


def findings(chapter: Overhead) -> list[str]:
    """All findings of the chapter, the most important first."""
    network, samples = chapter.measurement("network"), chapter.measurement("samples")
    found, ways = compute.whole(network), compute.fastest(samples)
    share = found.turn_ms / found.forward_ms
    layers, *compiled = _layers(chapter, chapter.measurement("layers"))
    on = f" on {chapter.machine(network)}{chapter.age(network)}"
    dense, times = ways.get("dense", 0), chapter.stored["times the plain network"].iloc[0]
    return [
        whole(found, on),
        TRAINING(found.step, step=found.step, turn=found.turn_ms, share=share),
        layers,
        *_card(chapter),
        *compiled,
        SAMPLES(dense / len(samples), count=dense, cases=counted(len(samples), "case").split()[0]),
        MEMORY(times, times=times, size=chapter.size),
    ]


FOLD = Either(
    threshold=1.1,
    above="On a GPU convert the network with Live, or fix its dials with at(omega): mixing at every "
    "call takes {value:.2f} times the plain network's time there.",
    otherwise="Convert a trained network with Live anyway: a turn of the dials is then one matrix "
    "product, and between turns nothing is mixed.",
)
"""value: forward ratio on a GPU; NaN where none was measured."""


def advice(chapter: Overhead) -> list[str]:
    """What follows for a user."""
    gpu = chapter.gpu("network")
    return [
        FOLD(compute.whole(gpu).forward if gpu is not None else np.nan),
        "If the dials never move, deploy at(omega): it is an ordinary network, in size and speed.",
        "If memory is short, tune fewer layers: everything else is shared by all dials.",
    ]
