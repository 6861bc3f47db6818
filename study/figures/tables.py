"""Tables: how numbers are written, which are bold, and which differences are better."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

PAPER = Path(__file__).parents[2] / "data" / "paper"
BETTER, WORSE = "var(--study-better, #00558a)", "var(--study-worse, #a84a00)"
"""Blue and orange for text, dark enough to read; the book has lighter ones for its dark mode."""


def paper_table(name: str) -> pd.DataFrame:
    """A table as the paper prints it, one row per cell: data/paper/NAME.csv."""
    return pd.read_csv(PAPER / f"{name}.csv")


def number(value: Any, digits: int = 2, *, signed: bool = False) -> str:
    """A number as a table shows it: "" for none, whole numbers whole, no minus before a zero."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    if isinstance(value, int | bool) or (hasattr(value, "dtype") and value.dtype.kind in "iu"):
        return f"{value:{'+' if signed else ''},}"
    rounded = f"{value:{'+' if signed else ''}z.{digits}f}"
    return rounded.removeprefix("+") if float(rounded) == 0 else rounded


def versus(
    ours: pd.DataFrame,
    paper: pd.DataFrame,
    digits: int = 2,
    best: pd.DataFrame | None = None,
    *,
    lower: bool = False,
) -> Styler:
    """Rows of ours, below each the paper's of the same index and the difference, blue for better.

    Both: one row per method, with any index, one column per position of the dials. A row that only one
    of them has stands alone. best: as ours, true where a cell is set in bold (sweep.leaders). lower:
    the metric is better where it is lower, as LPIPS.
    """
    parts = {}
    for row in [*ours.index, *paper.index.difference(ours.index, sort=False)]:
        key = row if isinstance(row, tuple) else (row,)
        if row in ours.index:
            parts[*key, "ours"] = ours.loc[row]
        if row in paper.index:
            parts[*key, "paper"] = paper.loc[row]
        if row in ours.index and row in paper.index:
            parts[*key, "difference"] = ours.loc[row] - paper.loc[row]
    table = pd.DataFrame(parts).T[[*dict.fromkeys([*ours, *paper])]]
    styler = tidy(table, digits, signed=[k for k in table.index if k[-1] == "difference"], lower=lower)
    if best is not None:
        index = pd.MultiIndex.from_tuples(
            [(*(row if isinstance(row, tuple) else (row,)), "ours") for row in best.index]
        )
        _embolden(styler, best.set_axis(index))
    return styler


def with_spread(
    mean: pd.DataFrame, spread: pd.DataFrame, digits: int = 2, best: pd.DataFrame | None = None
) -> Styler:
    """Cells "mean ± spread"; those where best is true in bold. All three: the same rows and columns."""
    texts = mean.copy().astype(object)
    for column in mean:
        pairs = zip(mean[column], spread[column], strict=True)
        texts[column] = [
            "" if pd.isna(m) else number(m, digits) + ("" if pd.isna(s) else f" ± {number(s, digits)}")
            for m, s in pairs
        ]
    return _embolden(_laid_out(texts.style), best)


def tidy(table: pd.DataFrame, digits: int = 2, signed: Sequence = (), *, lower: bool = False) -> Styler:
    """A table, numbers at the right and words at the left.

    Rows in signed show a sign, blue for better and orange for worse. digits: of all columns, or column
    to digits, 2 for the rest. lower: lower is better.
    """
    if not isinstance(digits, int):
        formats = {c: partial(number, digits=digits.get(c, 2)) for c in table}
        return _laid_out(table.style.format(formats))
    styler = _laid_out(table.style.format(lambda value: number(value, digits)))
    if len(signed):
        rows = pd.IndexSlice[list(signed), :]

        def colour(value: float) -> str:
            shown = number(value, digits, signed=True)
            if not shown or float(shown) == 0:
                return ""
            return f"color: {BETTER if (value < 0) == lower else WORSE}"

        styler = styler.format(lambda value: number(value, digits, signed=True), subset=rows)
        styler = styler.map(colour, subset=rows)
    return styler


def _laid_out(styler: Styler) -> Styler:
    """The same table: columns of words at the left, no line break in short names of rows."""
    table = styler.data
    styler = styler.format_index(_unbroken, axis="index")
    words = [c for i, c in enumerate(table) if _has_words(table.iloc[:, i])]
    left = [{"selector": "", "props": "text-align: left"}]
    return styler.set_table_styles(dict.fromkeys(words, left), overwrite=False)


def _unbroken(label: Any) -> Any:
    short = isinstance(label, str) and len(label) <= len("keeps 50 %")
    return label.replace(" ", "\N{NO-BREAK SPACE}") if short else label


def _has_words(column: pd.Series) -> bool:
    words = column.dropna()
    return len(words) > 0 and all(isinstance(word, str) and word[:1].isalpha() for word in words)


def sortable(styler: Styler) -> Styler:
    """The same table; in the book a click on a heading sorts it by that column."""
    return styler.set_table_attributes('class="dataframe sortable"')


def _embolden(styler: Styler, best: pd.DataFrame | None) -> Styler:
    if best is None:
        return styler

    def weights(table: pd.DataFrame) -> pd.DataFrame:
        bold = best.reindex(index=table.index, columns=table.columns).fillna(False).astype(bool)
        return bold.replace({True: "font-weight: bold", False: ""})

    return styler.apply(weights, axis=None)
