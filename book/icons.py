"""Extract the few icons that the pages use from the 1.5 MB of Font Awesome.

The theme loads all of Font Awesome on every page. Here fonttools extracts the glyphs that a page or
style uses from the theme's fonts, into a style sheet of a few kB.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from pathlib import Path

FACES = {
    "solid": ('"Font Awesome 6 Free"', 900, "fa-solid-900.ttf", {"fa", "fas", "fa-solid"}),
    "regular": ('"Font Awesome 6 Free"', 400, "fa-regular-400.ttf", {"far", "fa-regular"}),
    "brands": ('"Font Awesome 6 Brands"', 400, "fa-brands-400.ttf", {"fab", "fa-brands"}),
}
"""Family, weight, file, and CSS classes of each face."""
SHAPES = {
    "fa-lg": "font-size:1.25em;line-height:.05em;vertical-align:-.075em",
    "fa-fw": "text-align:center;width:1.25em",
}


def named(pages: Iterable[str]) -> dict[str, set[str]]:
    """The classes fa-... of the icons on these pages, by face."""
    found: dict[str, set[str]] = {face: set() for face in FACES}
    for page in pages:
        for classes in re.findall(r"""class=["']([^"']*\bfa[srb]?\b[^"']*)["']""", page):
            words = set(classes.split())
            for face, (*_, asking) in FACES.items():
                if words & asking:
                    found[face] |= {word for word in words - asking if word.startswith("fa-")}
    return found


def styles(vendor: Path, pages: Iterable[str], others: str) -> str:
    """A style sheet with these icons and their embedded fonts.

    vendor: the theme's folder of Font Awesome, with css/ and webfonts/. others: the other style sheets,
    whose icons (as `content: "\\f058"`) are included as well.
    """
    known = dict(re.findall(r"\.(fa-[\w-]+):before\{content:\"(\\[0-9a-f]+)\"\}", _listed(vendor)))
    found = named(pages)
    drawn = {name: known[name] for names in found.values() for name in sorted(names) if name in known}
    extra = {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", others)}
    rules = [
        ":root{--fa-style-family-classic:\"Font Awesome 6 Free\";--fa-font-solid:normal 900 1em/1 "
        "\"Font Awesome 6 Free\";--fa-font-regular:normal 400 1em/1 \"Font Awesome 6 Free\"}"
    ]  # fmt: skip
    for face, (family, weight, file, asking) in FACES.items():
        codes = {int(known[name][1:], 16) for name in found[face] if name in known}
        codes |= extra if face == "solid" else set()
        if font := subset(vendor / "webfonts" / file, codes) if codes else b"":
            source = f"url(data:font/woff;base64,{base64.b64encode(font).decode()}) format('woff')"
            rules.append(
                f"@font-face{{font-family:{family};font-weight:{weight};font-display:block;src:{source}}}"
            )
        selectors = ",".join(sorted(f".{name}" for name in asking))
        rules.append(
            f"{selectors}{{font-family:{family};font-weight:{weight};font-style:normal;line-height:1;"
            "display:var(--fa-display,inline-block);text-rendering:auto}"
        )
    rules += [f".{name}{{{shape}}}" for name, shape in SHAPES.items()]
    rules += [f'.{name}::before{{content:"{code}"}}' for name, code in sorted(drawn.items())]
    return "\n".join(rules)


def subset(font: Path, codes: Iterable[int]) -> bytes:
    """The glyphs of these code points as a WOFF file; those that the font lacks are left out."""
    from fontTools import subset as tools

    options = tools.Options(flavor="woff", layout_features=[], hinting=False, notdef_outline=False)
    options.drop_tables += ["GSUB", "GPOS", "FFTM"]
    options.name_IDs, options.glyph_names = [], False
    made = tools.load_font(str(font), options)
    tool = tools.Subsetter(options)
    tool.populate(unicodes=set(codes))
    tool.subset(made)
    file = io.BytesIO()
    made.flavor = "woff"
    made.save(file)
    made.close()
    return file.getvalue()


def _listed(vendor: Path) -> str:
    """The theme's list of icons, with a separate rule for each of several names of a code point."""
    text = (vendor / "css/all.min.css").read_text(encoding="utf-8")
    rules = re.findall(r"((?:\.fa-[\w-]+:before,?)+)\{(content:\"\\[0-9a-f]+\")\}", text)
    return "".join(f"{name}{{{content}}}" for names, content in rules for name in names.split(","))
