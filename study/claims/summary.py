"""The claims in one minute: a bar of verdicts, a table of themes, three numbers with intervals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

import pandas as pd

from study.claims.page import COLOURS, counts


@dataclass(frozen=True)
class Theme:
    """Claims that answer one question of a reader."""

    question: str
    page: str
    """The page that answers it at length."""
    claims: tuple[str, ...]
    """Their names; the first is the one whose number is shown."""


THEMES = (
    Theme("Does turning a dial do what its objective asks for?", "03-denoising", ("tunes", "smooth-sr")),
    Theme(
        "Is a network with dials as good as one without?",
        "04-denoising-backbones",
        ("fidelity", "swinir", "nafnet", "sr-fidelity", "swinir-sr"),
    ),
    Theme("Is the dial even from end to end?", "03-denoising", ("smooth", "equation-9")),
    Theme(
        "Is it better than its rivals?",
        "controls/index",
        (
            "table-1",
            "table-4",
            "cresmd",
            "rivals-drop",
            "dynet-sr",
            "fewer-artifacts",
            "fewer-artifacts-sr",
        ),
    ),
    Theme(
        "Do rivals break down between the ends of the dial?",
        "06-super-resolution",
        ("dni-interior", "dni-interior-sr", "cfsnet-noise", "cresmd-artifacts"),
    ),
    Theme(
        "Are several dials independent of each other?",
        "05-denoising-and-deblurring",
        ("disentangled", "three-objectives", "only-one"),
    ),
    Theme("Does a dial cost time?", "02-runtime-overhead", ("overhead-20", "overhead-5")),
)

NUMBERS = {
    "fidelity": (
        "With the dial at fidelity, against a denoiser without a dial: {}.",
        r"\d[\d.]* dB (?:below|above) \[[^]]*\] on [\w ]+?(?=[;.])",
    ),
    "equation-9": (
        "Mean distance of the kept noise from the line that Eq. 9 asks for: {}; 0 is perfect.",
        r"\d[\d.]* \[[^]]*\]",
    ),
    "swinir-sr": (
        "SwinIR that enlarges four times, with a dial against without: {}.",
        r"\d[\d.]* dB (?:below|above) \[[^]]*\] on [\w ]+?(?=[;.])",
    ),
}
"""Of three claims the sentence, and the pattern of the number with its interval in the evidence."""


def bar(judged: pd.DataFrame) -> str:
    """All verdicts as one bar of HTML, each part as wide as its count, with its words below."""
    found = {str(level): int(count) for level, count in counts(judged).items() if count}
    parts = "".join(
        f'<span style="flex:{count};background:{COLOURS[level]}"></span>'
        for level, count in found.items()
    )
    words = "".join(
        f'<li><span class="verdict-mark" style="background:{COLOURS[level]}"></span>'
        f"<strong>{count}</strong> {escape(level)}</li>"
        for level, count in found.items()
    )
    drawn = f'<div class="verdict-bar" aria-hidden="true">{parts}</div>'
    return f'{drawn}<ul class="verdict-words">{words}</ul>'


def table(judged: pd.DataFrame) -> str:
    """One row of HTML for each theme: the question, its verdicts and the reason for those that fail."""
    head = "<tr><th>question</th><th>of the paper's claims</th><th>why not all</th></tr>"
    rows = "".join(_row(theme, judged) for theme in THEMES)
    return f'<table class="summary"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def numbers(judged: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Of each of the three numbers the sentence with {} in its place, the number, and how sure it is.

    A number that was not measured is left out.
    """
    found = []
    for name in judged.index.intersection([*NUMBERS]):
        (sentence, pattern), claim = NUMBERS[name], judged.loc[name]
        if match := re.search(pattern, claim.evidence):
            images = match[0].rpartition(" on ")[2]
            sure = [part for part in claim.sure.split("; ") if images in part]
            found.append((sentence, match[0], sure[0] if sure else claim.sure))
    return found


def number_list(judged: pd.DataFrame) -> str:
    """The three numbers as a list of HTML."""
    lines = []
    for sentence, number, sure in numbers(judged):
        certainty = f" <small>({escape(sure)})</small>" if sure else ""
        lines.append(f"<li>{sentence.format(f'<strong>{escape(number)}</strong>')}{certainty}</li>")
    return f"<ul>{''.join(lines)}</ul>" if lines else "<p>Nothing was measured at this budget.</p>"


def reasons(claims: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Why claims of a theme do not hold whole: each reason with the names of its claims."""
    differ = claims.readings_differ.astype(bool)
    groups = {
        "hold under one reading of Eq. 9 alone": claims.index[differ],
        "fail": claims.index[~differ & (claims.verdict == "not reproduced")],
        "hold in part": claims.index[~differ & (claims.verdict == "partly")],
        "are too close to tell": claims.index[
            ~differ & (claims.verdict == "cannot be told at this budget")
        ],
        "are not measured with this version": claims.index[claims.verdict == "not measured here"],
    }
    return [(reason, list(names)) for reason, names in groups.items() if len(names)]


def _row(theme: Theme, judged: pd.DataFrame) -> str:
    claims = judged.loc[[name for name in theme.claims if name in judged.index]]
    found = {level: int(count) for level, count in counts(claims).items() if count}
    verdicts = ", ".join(
        f'<span class="verdict" style="border-color:{COLOURS[str(level)]}">{count} {level}</span>'
        for level, count in found.items()
    )
    why = [f"{_linked(names)} {_verb(reason, len(names))}" for reason, names in reasons(claims)]
    return (
        f'<tr><th scope="row"><a href="{theme.page}.html">{escape(theme.question)}</a></th>'
        f"<td>{verdicts}</td><td>{'; '.join(why) or 'all hold'}</td></tr>"
    )


def _verb(reason: str, count: int) -> str:
    """The reason for one claim, or for several."""
    if count > 1:
        return reason
    verb, _, rest = reason.partition(" ")
    return f"{'is' if verb == 'are' else f'{verb}s'} {rest}".strip()


def _linked(names: list[str]) -> str:
    links = [f'<a href="10-claims.html#{name}">{name}</a>' for name in names]
    return links[0] if len(links) == 1 else f"{', '.join(links[:-1])} and {links[-1]}"
