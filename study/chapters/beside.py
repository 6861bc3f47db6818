"""Ours beside the paper's: every printed cell with our number and the difference, in one long table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from pandas.io.formats.style import Styler

from study.claims.printed import Cell, printed, value
from study.claims.verdicts import NotMeasured, measured
from study.configs import measurements
from study.configs.profiles import Profile
from study.figures import tables
from study.figures.plots import dials
from study.images import datasets
from study.measuring.sweep import average, leaders, spread

Means = Mapping[str, Mapping[str, pd.DataFrame]]
"""Images to method to the means of a sweep, as sweep.average() returns them."""
LOWER = ("lpips", "niqe")
"""Metrics that are better where they are lower."""


def beside(table: str, means: Means, printed_as: Mapping[str, str]) -> pd.DataFrame:
    """One row for each number of ours or of the paper's, of the images in means.

    table: a file of data/paper. printed_as: our methods to the names under which the paper prints
    them; a printed method that none of them names is not in the result. Several of ours may have one
    printed name.
    Columns: images, method (ours), metric, omega (tuple), dials (the same as a heading), sigma (None
    for a mean over levels), ours and printed: NaN where one of them has no such number.
    """
    paper = printed(table)
    metrics = dict.fromkeys(cell.metric for cell in paper)
    cells: dict[Cell, None] = {}
    for images, frames in means.items():
        for method, frame in frames.items():
            with_sigma = "sigma" in frame.index.names
            for place in frame.index:
                sigma, omega = (place[0], place[1:]) if with_sigma else (None, place)
                cells |= dict.fromkeys(Cell(images, method, m, tuple(omega), sigma) for m in metrics)
        for method, name in printed_as.items():
            theirs = [c for c in paper if c.images == images and c.method == name]
            cells |= dict.fromkeys(cell._replace(method=method) for cell in theirs)
    rows = []
    for cell in cells:
        name = printed_as.get(cell.method, "")
        row = cell._asdict() | {
            "dials": dials(cell.omega),
            "ours": value(table, cell, means[cell.images].get(cell.method)),
            "printed": paper.get(cell._replace(method=name), float("nan")),
        }
        rows.append(row)
    return pd.DataFrame(rows, columns=[*Cell._fields, "dials", "ours", "printed"])


def wide(
    cells: pd.DataFrame, of: str, rows: Sequence[str] = ("images", "method"), columns: str = "dials"
) -> pd.DataFrame:
    """The column `of` (ours or printed) of beside(), as rows by columns in the order of the cells.

    Rows and columns without a number are left out. Raises ValueError where two cells have one place.
    """
    known = cells.dropna(subset=of)
    table = known.pivot(index=[*rows], columns=columns, values=of)
    order = known.drop_duplicates([*rows]).set_index([*rows]).index
    table = table.reindex(index=order, columns=list(dict.fromkeys(cells[columns])))
    table = table.dropna(axis=1, how="all").rename_axis(columns=None)
    names = [None] * table.index.nlevels
    return table.rename_axis(index=names if len(rows) > 1 else None)


def bold(values: pd.DataFrame, spreads: pd.DataFrame, *, lower: bool = False) -> pd.DataFrame:
    """Where a method is the best of its column, or differs from the best by less than its seeds spread.

    values: methods x positions. spreads: half the range over seeds, of some of the methods; a method
    without one takes the largest of its column. lower: lower is better.
    """
    filled = spreads.reindex_like(values).fillna(spreads.reindex(columns=values.columns).max())
    return leaders(-values if lower else values, filled)


def versus(
    cells: pd.DataFrame,
    metric: str,
    *,
    rows: Sequence[str] = ("images", "method"),
    columns: str = "dials",
    digits: int = 2,
    best: pd.DataFrame | None = None,
) -> Styler:
    """The table of one metric: ours, below it the paper's and the difference.

    best: where ours is bold, with the rows and columns of wide(). Either side may be empty.
    """
    shown = cells[cells.metric == metric]
    ours, paper = (wide(shown, of, rows, columns) for of in ("ours", "printed"))
    return tables.versus(ours, paper, digits, best, lower=metric in LOWER)


def over_seeds(
    means: Mapping[str, Mapping[int, pd.DataFrame]],
    omegas: Sequence[tuple[float, ...]],
    metrics: Mapping[str, str],
    names: Mapping[str, str],
    digits: int = 2,
) -> Styler:
    """Mean and half the range over seeds: metrics and methods x omegas.

    means: method to seed to averaged sweep; a method with one seed has no range. metrics: column to
    title, in the order of the rows. names: of methods, where the table has others.
    """
    found, halves = {}, {}
    for metric, title in metrics.items():
        for method, frames in means.items():
            row = (title, names.get(method, method))
            found[row] = sum(f.loc[[*omegas], metric] for f in frames.values()) / len(frames)
            half = spread([*frames.values()]).loc[[*omegas], metric]
            halves[row] = half if len(frames) > 1 else half * float("nan")
    mean, half = (pd.DataFrame(t).T.set_axis([*map(dials, omegas)], axis=1) for t in (found, halves))
    return tables.with_spread(mean, half, digits)


def every_cell(budget: Profile) -> pd.DataFrame:
    """beside() of all tables of the paper, for the methods that are rebuilt here, from stored sweeps.

    A column `table` comes first. attrs["records"] holds the records of the sweeps.
    """
    found, sources = [], []
    for table, (configs, sweep_of) in measurements.tables(budget).items():
        paper = [cell for cell in printed(table) if cell.method in configs]
        by = ["omega_1", "omega_2"] if paper[0].sigma is None else ["sigma", "omega_1", "omega_2"]
        means: dict[str, dict[str, pd.DataFrame]] = {cell.images: {} for cell in paper}
        for images, method in dict.fromkeys((cell.images, cell.method) for cell in paper):
            if images not in datasets.names():
                continue  # a set of the paper that the registry does not have
            try:
                frame = measured(configs[method], sweep_of(images))
            except NotMeasured:
                continue
            sources.append(frame.attrs["record"])
            means[images][method] = average(frame, by)
        cells = beside(table, means, {method: method for method in configs})
        found.append(cells.dropna(subset="printed").assign(table=table))
    made = pd.concat(found, ignore_index=True)
    made.insert(0, "table", made.pop("table"))
    made.attrs["records"] = sources
    return made
