"""llms.txt, and each page as Markdown beside its HTML: for programs that read the book.

Each page PAGE.html is also written as PAGE.html.md, with all numbers, formulas as TeX, and tables;
llms.txt lists the pages with a sentence each (llmstxt.org). Existing Sphinx extensions build the book a
second time or return notebooks as JSON, so here the Markdown is made from the HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from bs4 import BeautifulSoup, NavigableString, Tag

LEFT_OUT = "script, style, button, input, a.headerlink, details.record, details.provenance"
"""Elements without text, and full records, which are summarised in the tables before them."""
INLINE = {"em": "*", "i": "*", "strong": "**", "b": "**", "code": "`", "tt": "`"}


def write(html: Path, pages: Sequence[str], about: dict[str, Any]) -> None:
    """Write these files into a built book. pages: their names in the order of the book."""
    listed = []
    for name in pages:
        path = html / f"{name}.html"
        if not path.exists():
            continue
        title, text = markdown(path.read_text(encoding="utf-8"))
        path.with_name(f"{path.name}.md").write_text(text, encoding="utf-8")
        first = next((line for line in text.split("\n\n")[1:] if re.match(r"[\w*]", line)), "")
        address = urljoin(about.get("book", ""), f"{name}.html.md")
        listed.append(f"- [{title}]({address}): {_sentence(first)}")
    head = f"# {about.get('title', 'The book')}\n\n> {about.get('description', '')}"
    (html / "llms.txt").write_text(
        f"{head}\n\n## Pages\n\n" + "\n".join(listed) + "\n", encoding="utf-8"
    )


def markdown(page: str) -> tuple[str, str]:
    """Title and text of a page."""
    article = BeautifulSoup(page, "html.parser").select_one("article.bd-article")
    if article is None:
        return "", ""
    for element in article.select(LEFT_OUT):
        element.decompose()
    title = article.find("h1")
    text = "\n\n".join(part for part in blocks(article) if part.strip())
    return (inline(title) if title else ""), text + "\n"


def blocks(element: Tag) -> Iterator[str]:
    """The paragraphs of an element."""
    for child in element.children:
        if not isinstance(child, Tag):
            if str(child).strip():
                yield " ".join(str(child).split())
        elif re.fullmatch(r"h[1-6]", child.name):
            yield f"{'#' * int(child.name[1])} {inline(child)}"
        elif child.name == "p":
            yield inline(child)
        elif child.name == "pre":
            yield f"```\n{child.get_text().rstrip()}\n```"
        elif child.name in ("ul", "ol"):
            yield "\n".join(
                _item(item, child, n) for n, item in enumerate(child.find_all("li", recursive=False), 1)
            )
        elif child.name == "table":
            yield table(child)
        elif child.name == "img":
            yield inline(child)
        elif child.name == "div" and "math" in child.get("class", []):
            yield child.get_text().strip().replace("\\[", "$$", 1).replace("\\]", "$$", 1)
        elif child.find(re.compile(r"^(p|div|table|ul|ol|pre|h\d|dl|dt|dd|figure|section|img)$")):
            yield from blocks(child)
        elif text := inline(child):
            yield text


def inline(element: Tag) -> str:
    """The text of an element in one line."""
    return " ".join(_spaced(element).split())


def _spaced(element: Tag) -> str:
    """As inline(), with all spaces."""
    made = []
    for child in [element] if element.name == "img" else element.children:
        if isinstance(child, NavigableString):
            made.append(str(child))
        elif child.name == "img":
            made.append(f"![{child.get('alt', '')}]({child.get('src', '')})")
        elif child.name == "br":
            made.append(" ")
        elif "math" in child.get("class", []):
            made.append(re.sub(r"^\\\((.*)\\\)$", r"$\1$", child.get_text(), flags=re.DOTALL))
        elif child.name == "a" and child.get("href"):
            made.append(f"[{inline(child)}]({child['href']})")
        elif mark := INLINE.get(child.name):
            made.append(f"{mark}{child.get_text()}{mark}")
        else:
            made.append(_spaced(child))
    return "".join(made)


def table(element: Tag) -> str:
    """A table; a heading that spans rows or columns is written in each of its cells."""
    rows: list[list[str]] = []
    above: dict[int, tuple[int, str]] = {}
    for row in element.find_all("tr"):
        cells: list[str] = []
        for cell in row.find_all(["th", "td"]):
            while len(cells) in above:
                _take(cells, above)
            text = inline(cell).replace("|", "\\|")
            for _ in range(int(cell.get("colspan", 1))):
                if (deep := int(cell.get("rowspan", 1))) > 1:
                    above[len(cells)] = (deep - 1, text)
                cells.append(text)
        while len(cells) in above:
            _take(cells, above)
        rows.append(cells)
    wide = max(map(len, rows), default=0)
    lines = [f"| {' | '.join(row + [''] * (wide - len(row)))} |" for row in rows]
    return "\n".join([*lines[:1], "|---" * wide + "|", *lines[1:]])


def _take(cells: list[str], above: dict[int, tuple[int, str]]) -> None:
    """Add the cell that spans this row from a row above."""
    place = len(cells)
    left, text = above.pop(place)
    if left > 1:
        above[place] = (left - 1, text)
    cells.append(text)


def _item(item: Tag, parent: Tag, number: int) -> str:
    mark = f"{number}." if parent.name == "ol" else "-"
    inner = "\n\n".join(blocks(item)) if item.find(["p", "ul", "ol", "pre"]) else inline(item)
    return f"{mark} " + inner.replace("\n", "\n  ")


def _sentence(text: str) -> str:
    """The first sentence of a paragraph, without marks and links."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("*", "")
    return re.split(r"(?<=[.?!]) ", plain, maxsplit=1)[0]
