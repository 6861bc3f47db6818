"""Remove unused rules from the style sheets of the book.

The theme includes Bootstrap and more, 400 kB, of which a page uses a tenth. A rule is removed if each of
its selectors names a class or an id that no page and no script contains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

WORD = re.compile(r"[A-Za-z_][\w-]*")
NAME = re.compile(r"[.#]((?:[A-Za-z_]|-(?=[A-Za-z_-]))[\w-]*)")
NESTED = ("@media", "@supports", "@layer", "@container")


def words(texts: Iterable[str]) -> set[str]:
    """Every word of pages and scripts that can be a class or an id."""
    found: set[str] = set()
    for text in texts:
        found.update(WORD.findall(text))
    return found


def purge(css: str, known: set[str]) -> str:
    """The style sheet without rules that no page of these words can use, and without comments."""
    made = []
    for head, body in rules(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)):
        if body is None:
            made.append(f"{head};")
        elif head.startswith(NESTED):
            if inner := purge(body, known):
                made.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            made.append(f"{head}{{{_tight(body)}}}")
        elif kept := [selector for selector in selectors(head) if _possible(selector, known)]:
            made.append(f"{','.join(kept)}{{{_tight(body)}}}")
    return "\n".join(made)


def rules(css: str) -> Iterator[tuple[str, str | None]]:
    """The rules of a style sheet: text before and inside the braces; None inside for `@import x;`."""
    start = place = 0
    while place < len(css):
        letter = css[place]
        if letter in "\"'(":
            place = _closed(css, place)
        elif letter == ";":
            yield css[start:place].strip(), None
            start = place = place + 1
        elif letter == "{":
            end = _closed(css, place)
            yield " ".join(css[start:place].split()), css[place + 1 : end - 1].strip()
            start = place = end
        else:
            place += 1


def selectors(head: str) -> list[str]:
    """The selectors of a rule, split at the commas outside brackets."""
    found, start, place = [], 0, 0
    while place < len(head):
        if head[place] in "\"'([":
            place = _closed(head, place)
        elif head[place] == ",":
            found.append(head[start:place].strip())
            start = place = place + 1
        else:
            place += 1
    return [*found, head[start:].strip()]


def _possible(selector: str, known: set[str]) -> bool:
    """Whether a page can contain every class and id that the selector names outside brackets."""
    plain = re.sub(r"\[[^]]*\]|:(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)", "", selector)
    plain = plain.replace("\\", "-")
    return all(name in known for name in NAME.findall(plain))


def _tight(body: str) -> str:
    """Declarations without unnecessary spaces."""
    return re.sub(r"\s*\n\s*", "", body)


def _closed(text: str, place: int) -> int:
    """The position after the bracket or quotation mark that closes the one at `place`."""
    opened = text[place]
    closing = {"(": ")", "{": "}", "[": "]"}.get(opened)
    place += 1
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            place += 2
        elif closing is None:
            place += 1
            if letter == opened:
                return place
        elif letter == closing:
            return place + 1
        elif letter in "\"'" or (letter in "({[" and not (opened == "(" and letter == "{")):
            place = _closed(text, place)
        else:
            place += 1
    return place
