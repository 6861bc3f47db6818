"""The claims as a page: a table of verdicts, a table of costs, and the count of each verdict."""

from __future__ import annotations

from html import escape

import pandas as pd

from study.claims.verdicts import LEVELS

COLOURS = {
    "reproduced": "#009E73",
    "partly": "#E69F00",
    "not reproduced": "#D55E00",
    "cannot be told at this budget": "#56B4E9",
    "not measured here": "#999999",
}
"""Of each verdict, from a palette that colour-blind readers can tell apart."""

KINDS = {"CPU": "CPU", "GPU": "NVIDIA"}
"""How devices are called, and what their names contain."""


def counts(judged: pd.DataFrame) -> pd.Series:
    """How many claims have each verdict; verdicts that none has are there with 0."""
    return judged.verdict.value_counts().reindex(LEVELS, fill_value=0)


def sentence(judged: pd.DataFrame) -> str:
    """Such as "32 claims: 10 reproduced, 16 partly, 3 not reproduced, 3 not measured here"."""
    found = counts(judged)
    parts = [f"{count} {level}" for level, count in found.items() if count]
    return f"{len(judged)} claims: {', '.join(parts)}"


def results(judged: pd.DataFrame) -> dict[str, int | str]:
    """The counts for the book's prose, by names without spaces, and as the sentence."""
    found: dict[str, int | str] = {"claims": len(judged), "sentence": sentence(judged)}
    for level, count in counts(judged).items():
        name = str(level).removesuffix(" at this budget").removesuffix(" here")
        found[name.replace(" ", "_")] = int(count)
    return found


def table(judged: pd.DataFrame) -> str:
    """Every claim as a row of HTML: what the paper says and where, how it is tested, and our result."""
    head = "<tr><th>What the paper says, and the test</th><th>Our result</th></tr>"
    body = "".join(_row(claim) for claim in judged.itertuples())
    return f"<table class='claims'><thead>{head}</thead><tbody>{body}</tbody></table>"


def _row(claim) -> str:
    page, _, anchor = claim.figure.partition("#")
    where = f"<a href='{page}.html{'#' + anchor if anchor else ''}'>{escape(claim.section)}</a>"
    said = f"{where}: “{escape(claim.quote)}”<br><em>Tested:</em> {escape(claim.statement)}"
    said += f" <em>Thresholds:</em> {escape(claim.because)}."
    result = f"<strong>{claim.verdict}</strong><br>{escape(claim.evidence)}"
    if claim.beside:
        result += f" <em>Also:</em> {escape(claim.beside)}"
    sure = [claim.sure] if claim.sure else []
    if claim.seen:
        sure.append(f"settings were chosen while looking at {claim.seen}")
    if sure:
        result += f"<br><em>How sure:</em> {escape('; '.join(sure))}."
    kind = claim.verdict.replace(" ", "-")
    return f"<tr class='{kind}' id='{claim.Index}'><td>{said}</td><td>{result}</td></tr>"


def costs(judged: pd.DataFrame) -> pd.DataFrame:
    """One row per command: what its numbers took from scratch, and what should be seen."""
    rows = {
        f"make claim NAME={claim.Index}": {
            "from scratch": time(claim.minutes),
            "memory": f"{claim.memory_mb:,} MiB" if claim.memory_mb else "",
            "on": " and ".join(name for name, kind in KINDS.items() if kind in claim.device),
            "you should see": claim.verdict,
        }
        for claim in judged.itertuples()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def time(minutes: float) -> str:
    """Such as "40 min" or "3.5 h"; "seconds" below a minute, "not recorded" for NaN."""
    if pd.isna(minutes):
        return "not recorded"
    if minutes < 1:
        return "seconds"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
