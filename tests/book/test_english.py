"""Prose is plain technical English: patterns that made readers stumble do not come back.

Each pattern has its reason. Pages and notebooks are read completely, with the captions of figures; of
code only strings with a space, which are docstrings and messages.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from conftest import written

ROOT = Path(__file__).resolve().parents[2]
EVERYWHERE = {
    r"(?<!model )\bcards?\b": "write GPU; a model card is called model card",
    r"\btwins?\b": "write fixed baseline",
    r"\bat hand\b": "write available, or here",
    r"\bstand-ins?\b|\bstand(?:s|ing)? in for\b": "write used instead, or replaces",
    r"\b(?:is|are|was|be|been) (?<!annot be )told\b(?! apart)": "write given, or reported",
    r"\b(?:is|are) said (?:to be )?so\b": "write who says it: we say so",
    r"\bof others'? making\b|\bthat others wrote\b|\bof others\b": "write third-party",
    r"\b(?:leads?|ahead|above|below|behind|trails?) (?:by )?[-−]\d[\d.]* dB": "turn the word",
    r"\b(?:is|are) [-−]\d[\d.]* dB\b": "say above or below",
    r"\bYou will see\b|\bThe cell below holds\b": "a sentence that says that the next one comes",
    r"\bof now\b": "write today's, or current",
    r"\bvivid\b": "write perceptual",
    r"\b1 (?:images|squares|seeds|steps|photographs|networks|cases|minutes)\b": "one is singular",
    r"\bcentral squares of \d+ pixels\b(?= of)": "write 128-pixel squares",
}
"""Where the dialect comes from, and what to write instead."""
IN_PROSE = {
    r"(?:^|(?<=[.:] ))What [^?.!|]*\.(?=\s|$)": "name the thing: The images it needs, not What it needs",
    r"(?:^|(?<=[.:] ))Who (?!is\b|are\b)[^?.!|]*\.(?=\s|$)": "write Those who, or You",
    r"(?<!are )(?<!never )\balike\b": "write the same way",
    r"\bbut for\b": "write except for",
    r"\bwhoever\b": "write those who",
    r"\bask(?:s|ed)? nothing of\b": "write need nothing from",
}
"""What docstrings, which are headings as often as sentences, may have."""


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs, rows and items of Markdown in one line each; no code, formulas and headings."""
    text = re.sub(
        r"^(`{3,})(?!\{(?:figure|glossary|note)).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE
    )
    text = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`\n]*`|\$[^$]*\$", "x", text)
    for part in re.split(r"\n\s*\n|\n(?=[ \t]*(?:[-|*>]|\d+\.) )|\n(?=:)", text):
        if not part.lstrip().startswith("#"):
            yield " ".join(part.split()).removeprefix("- ")


def in_pages() -> Iterator[tuple[str, str]]:
    """Each paragraph of the pages and notebooks, with its file."""
    for path in [ROOT / "README.md", *written(ROOT / "book", ".md")]:
        if "vendor" not in path.relative_to(ROOT).parts:
            for part in paragraphs(path.read_text()):
                yield path.relative_to(ROOT).as_posix(), part
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            shown = cell["metadata"].get("mystnb", {})
            texts = [shown.get("figure", {}).get("caption", ""), shown.get("image", {}).get("alt", "")]
            if cell["cell_type"] == "markdown":
                texts.append("".join(cell["source"]))
            for part in (part for text in texts for part in paragraphs(text)):
                yield path.relative_to(ROOT).as_posix(), part


def in_strings() -> Iterator[tuple[str, str]]:
    """Each string of the packages with a space in it, with its file; parts of an f-string one by one."""
    for folder in ("tunable_core", "tunable_photo", "study", "book"):
        for path in written(ROOT / folder, ".py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                    text = re.sub(r"`[^`]*`", "x", node.value)
                    yield path.relative_to(ROOT).as_posix(), " ".join(text.split())


@cache
def read(where) -> list[tuple[str, str]]:
    """The texts of in_pages() or in_strings(), read once for all patterns."""
    return [*where()]


def found(pattern: str, texts: Iterable[tuple[str, str]]) -> list[str]:
    """The places of a pattern, with some context."""
    return [
        f"{name}: ...{text[max(0, match.start() - 40) : match.end() + 40]}..."
        for name, text in texts
        for match in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("pattern", [*EVERYWHERE, *IN_PROSE])
def test_pages_and_notebooks_have_no_such_words(pattern):
    where = found(pattern, read(in_pages))
    assert not where, f"{(EVERYWHERE | IN_PROSE)[pattern]}:\n" + "\n".join(where)


@pytest.mark.parametrize("pattern", EVERYWHERE)
def test_docstrings_and_messages_have_no_such_words(pattern):
    where = found(pattern, read(in_strings))
    assert not where, f"{EVERYWHERE[pattern]}:\n" + "\n".join(where)


@pytest.mark.parametrize(
    "sentence",
    [
        "A card takes longer.",
        "The fixed twin is ahead.",
        "Uniform omegas lead by -1.00 dB.",
        "The larger tunable network is -0.09 dB from the small one.",
        "What does not come out as printed is said to be so.",
        "Who has no Python can take part.",
        "You will see two networks of others' making.",
        "Measured on 1 squares.",
        "The network is unchanged but for one line.",
    ],
)
def test_the_sentences_that_readers_stumbled_over_are_found(sentence):
    assert any(found(pattern, [("page", sentence)]) for pattern in EVERYWHERE | IN_PROSE)


@pytest.mark.parametrize(
    "sentence",
    [
        "What does a dial do?",
        "A model card is written.",
        "It cannot be told at this budget.",
        "Who is it?",
    ],
)
def test_plain_sentences_are_left_alone(sentence):
    assert not any(found(pattern, [("page", sentence)]) for pattern in EVERYWHERE | IN_PROSE)
