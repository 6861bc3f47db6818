"""What the timings of the chapter on costs say, computed from stored benchmarks (Fig. 3)."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tunable_core.tunable import Tunable

UNDER_20, UNDER_5 = "under 20 %, % of cases", "under 5 % for p up to 4, % of cases"
MEDIAN, MEDIAN_MS = "median, %", "median, ms"
"""Columns of bounds()."""


def kind(work: str, precision: str, compiled: bool) -> str:
    """A kind of work as tables name it: "forward, float32, compiled"."""
    return f"{work}, {precision}" + (", compiled" if compiled else "")


def share_below(overhead: pd.Series, bound: float) -> float:
    """Per cent of the cases whose overhead is below a bound in per cent; NaN without a case."""
    return 100 * float((overhead < bound).mean()) if len(overhead) else float("nan")


def bounds(layers: pd.DataFrame) -> pd.DataFrame:
    """How often the paper's bounds hold: a row for each kind of work.

    layers: a row for each case with k, p, c, work, precision, compiled, overhead in per cent, and the
    milliseconds plain and tunable.
    """
    rows = {}
    for key, part in layers.groupby(["work", "precision", "compiled"]):
        rows[kind(*key)] = {
            "cases": len(part),
            MEDIAN: part.overhead.median(),
            UNDER_20: share_below(part.overhead, 20),
            UNDER_5: share_below(part.overhead[part.p <= 4], 5),
            "median for c of 64 or more, %": part.overhead[part.c >= 64].median(),
            MEDIAN_MS: (part.tunable - part.plain).median(),
        }
    return pd.DataFrame(rows).T


def added(layers: pd.DataFrame) -> pd.DataFrame:
    """Milliseconds that a tunable layer adds, medians; layers as in bounds()."""
    rows = {}
    for key, part in layers.assign(ms=layers.tunable - layers.plain).groupby(
        ["work", "precision", "compiled"]
    ):
        few, many = part.p.min(), part.p.max()
        rows[kind(*key)] = {
            "cases": len(part),
            "plain, ms": part.plain.median(),
            "added, ms": part.ms.median(),
            "added with the fewest dials, ms": part.ms[part.p == few].median(),
            "added with the most dials, ms": part.ms[part.p == many].median(),
            "longer than plain, %": part.overhead.median(),
        }
    return pd.DataFrame(rows).T


@dataclass(frozen=True)
class Whole:
    """What tuning costs one network; the ratios are to the plain network's time for the same work."""

    size: str
    forward: float
    """Kernels mixed at every call."""
    live: float
    """Live, with the dials of the last call."""
    fixed: float
    """at(omega), a plain network: how far it is from 1 is the error of the measurement."""
    step: float
    """A training step."""
    step_ms: float
    """The same in milliseconds."""
    turn_ms: float
    """A turn of the dials of Live."""
    forward_ms: float
    """A forward pass of the plain network."""


def whole(network: pd.DataFrame) -> Whole:
    """The costs of the last size; network: rows with size, work, case, ms and ratio."""
    size = network["size"].iloc[-1]
    table = network[network["size"] == size].set_index(["work", "case"])
    (forward,) = {work for work, _ in table.index if work.startswith("forward")}
    (step,) = {work for work, _ in table.index if work.startswith("training")}
    return Whole(
        size,
        *(float(table.ratio[forward, c]) for c in ("tunable", "live, same omega", "at(omega)")),
        step=float(table.ratio[step, "tunable"]),
        step_ms=float(table.ms[step, "tunable"]),
        turn_ms=float(table.ms["a turn of the dials", "live"]),
        forward_ms=float(table.ms[forward, "plain"]),
    )


def fastest(samples: pd.DataFrame) -> dict[str, int]:
    """In how many cases each way to serve one omega per sample is fastest, the most frequent first."""
    counts = samples[["dense", "grouped", "vmap"]].idxmin(axis=1).value_counts()
    return {str(way): int(count) for way, count in counts.items()}


def memory(plain, choices: dict[str, tuple[str, ...]], dials: tuple[int, ...]) -> pd.DataFrame:
    """Numbers that a tunable network stores, a row for each choice of tuned layers and of dials.

    plain: an ordinary network. choices: name to patterns of names, see Tunable.
    """
    count = sum(parameter.numel() for parameter in plain.parameters())
    rows = {}
    for name, tuned in choices.items():
        for p in dials:
            stored = sum(q.numel() for q in Tunable(plain, p, tuned=tuned).parameters())
            rows[f"{name}, p = {p}"] = {
                "stored": stored,
                "times the plain network": stored / count,
                "MB in float16": 2 * stored / 1e6,
            }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"stored": int})
