"""Reduce what every page loads: one style sheet, one script, KaTeX only on pages with formulas.

The theme loads 25 files of 2 MB before the first picture. Here the style sheets are merged into one,
with only the rules and icons that the book uses (styles.py, icons.py), the small scripts are merged into
one, and the script for formulas is kept only on pages with a formula.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import icons
import styles

BUNDLED = (
    "doctools.js",
    "sphinx_highlight.js",
    "clipboard.min.js",
    "copybutton.js",
    "scripts/sphinx-book-theme.js",
    "togglebutton.js",
    "tables.js",
    "filmstrip.js",
    "hover.js",
    "print.js",
)
"""Scripts that depend on their page only through the settings before them."""
STYLE = re.compile(r'[ \t]*<link [^>]*href="((?:\.\./)*)_static/((?!katex/)[^"?]+\.css)[^"]*"[^>]*>\n?')
SCRIPT = re.compile(r'[ \t]*<script src="((?:\.\./)*)_static/([^"?]+\.js)[^"]*"></script>\n?')
ICONS = re.compile(r"[ \t]*<(?:link|script) [^>]*_static/vendor/fontawesome/[^>]*>(?:</script>)?\n?")
KATEX = re.compile(r"[ \t]*<(?:script|link) [^>]*_static/katex/[^>]*>(?:</script>)?\n?")
FORMULA = re.compile(r'class="[^"]*\b(?:math|tex2jax_process|mathjax_process)\b|\\\(|\\\[')


def lighten(html: Path) -> None:
    """Rewrite every page of a built book in place, and remove files that no page loads any more."""
    static = html / "_static"
    pages = {path: path.read_text(encoding="utf-8") for path in built(html)}
    for path, text in pages.items():
        pages[path] = ICONS.sub("", text)
    sheet = _style_sheet(html, list(pages.values()))
    script = _bundle(static)
    for path, text in pages.items():
        text = _once(STYLE, text, {None}, f'<link rel="stylesheet" href="{{}}_static/{sheet}" />')
        text = _once(
            SCRIPT, text, set(BUNDLED), f'<script src="{{}}_static/{script}"></script>', last=True
        )
        body = text.partition("<body")[2]
        if not FORMULA.search(body):
            text = KATEX.sub("", text)
        if "sd-tab-label" not in body:
            text = re.sub(r"[ \t]*<script [^>]*design-tabs\.js[^>]*></script>\n?", "", text)
        if path.parent.name == "api":
            text = shorter(text)
        path.write_text(text, encoding="utf-8")


def shorter(text: str) -> str:
    """A page of the reference without the tags around each word of a signature, and with a table of
    contents down to classes and functions only: two thirds of the bytes.
    """
    text = re.sub(r'<span class="(?:pre|w)">([^<]*)</span>', r"\1", text)
    text = re.sub(r'<li class="toc-h4 (?:(?!<li\b|</li>).)*</li>', "", text, flags=re.DOTALL)
    return re.sub(r'<ul class="nav section-nav[^"]*">\s*</ul>', "", text)


def built(html: Path) -> list[Path]:
    """The pages of the book, without files in folders such as _static."""
    return sorted(p for p in html.rglob("*.html") if not p.relative_to(html).parts[0].startswith("_"))


def _style_sheet(html: Path, pages: list[str]) -> str:
    """Write the merged style sheet; returns its name with its version."""
    static = html / "_static"
    asked = max(([name for _, name in STYLE.findall(page)] for page in pages), key=len)
    scripts = [
        path.read_text(encoding="utf-8", errors="ignore")
        for folder in (static, html / "live")
        for path in folder.rglob("*.js")
        if not {"vendor", "katex"} & set(path.relative_to(html).parts)
    ]
    known = styles.words([*pages, *scripts])
    text = "\n".join(styles.purge(_read(static / name), known) for name in asked)
    text = re.sub(r"^@import [^;]*;$", "", text, flags=re.MULTILINE)
    for vendor in static.glob("vendor/fontawesome/*"):
        text = f"{icons.styles(vendor, pages, text)}\n{text}"
    return _written(static / "book.css", text)


def _read(path: Path) -> str:
    """A style sheet, with Sphinx's style sheet in place of the theme's import of it."""
    text = path.read_text(encoding="utf-8")
    if path.name == "theme.css" and (basic := path.parent.parent / "basic.css").exists():
        text += basic.read_text(encoding="utf-8")
    return text


def _bundle(static: Path) -> str:
    """Write the merged script; returns its name with its version."""
    texts = [(static / name).read_text(encoding="utf-8") for name in BUNDLED if (static / name).exists()]
    texts = [re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE) for text in texts]
    return _written(static / "book.js", ";\n".join(texts))


def _written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return f"{path.name}?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _once(pattern: re.Pattern, text: str, names: set, put: str, *, last: bool = False) -> str:
    """The text with one line in place of all matches of the pattern with these names ({None}: any)."""
    found = [match for match in pattern.finditer(text) if names == {None} or match[2] in names]
    if not found:
        return text
    stays = found[-1 if last else 0]
    for match in reversed(found):
        line = f"    {put.format(match[1])}\n" if match is stays else ""
        text = text[: match.start()] + line + text[match.end() :]
    return text
