"""What the browser sees on each page of the built book."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote, urlsplit

BUILT = Path(os.environ.get("TUNABLE_BOOK") or Path(__file__).resolve().parents[2] / "book/_build/html")
SHOTS = os.environ.get("TUNABLE_SHOTS")
"""Folder for pictures of the pages at 1280 and 390 pixels; they take a minute."""
PAGES = sorted(
    path.relative_to(BUILT).with_suffix("").as_posix()
    for path in BUILT.rglob("*.html")
    if not path.relative_to(BUILT).parts[0].startswith("_") and path != BUILT / "index.html"
)
"""All pages but index.html, which only leads to the first one."""
LARGE = ("api/study-c*", "api/study-[fimnrt]*", "api/tunable_photo")
"""Pages of the reference that axe leaves out: it takes up to a minute for each, and they are made as
api/tunable_core and api/study-disk are."""
CODE = ("api/*", "controls/*")
"""Pages of which axe looks at the colours of EXAMPLES alone, in light mode too: most of its time."""
ALIKE = (*CODE, "[01][0-9]-*")
"""Pages that have the same colours as others; axe looks at EXAMPLES of them in dark mode."""
EXAMPLES = (
    "01-tunable-convolutions",
    "03-denoising",
    "08-style-transfer",
    "10-claims",
    "api/tunable_core-onnx",
    "controls/index",
)
TAGS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
RULES: dict[str, dict] = {
    "light": {"runOnly": TAGS},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
    "without colours": {"runOnly": TAGS, "rules": {"color-contrast": {"enabled": False}}},
}
"""axe's rules in each mode; in dark mode only those whose answers can differ."""
READ = """() => ({
    headings: [...document.querySelectorAll("h1")].filter(e => e.checkVisibility()).length,
    text: document.body.innerText,
    links: [...document.querySelectorAll("a[href]")].map(e => e.href),
    broken: [...document.images].filter(e => !e.naturalWidth).map(e => e.currentSrc || e.src),
    formulas: document.querySelectorAll(".math").length,
    rendered: document.querySelectorAll(".math .katex").length,
    errors: document.querySelectorAll(".katex-error, .problematic").length,
    height: document.querySelector("main")?.scrollHeight,
})"""
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
SETTLED = """() => new Promise(frame => requestAnimationFrame(() => requestAnimationFrame(frame)))
    .then(() => Promise.race([
        Promise.allSettled(document.getAnimations().map(e => e.finished)),
        new Promise(end => setTimeout(end, 500)),
    ]))"""
LOAD_IMAGES = """() => Promise.all([...document.images].map(e => {
    e.loading = "eager"; return e.decode().catch(() => null); }))"""


@dataclass
class Visit:
    """The findings of the browser on a page."""

    name: str
    found: dict = field(default_factory=dict)
    too_wide: dict[int, int] = field(default_factory=dict)
    """Width of the window to the pixels by which the page is wider."""
    serious: dict[str, list[str]] = field(default_factory=dict)
    """What axe finds serious, by mode."""
    complaints: list[str] = field(default_factory=list)
    """Errors on the console and of scripts."""
    failed: list[str] = field(default_factory=list)
    """Requests that were not answered well."""
    asked: list[str] = field(default_factory=list)
    """Files of the book that it loads, with all pictures."""
    outside: list[str] = field(default_factory=list)
    """Requests to anywhere else; the browser finds no other host."""


def visit(context, address: str, name: str) -> Visit:
    """Open a page, wait until its formulas and images are loaded, and inspect it."""
    page, seen = context.new_page(), Visit(name)

    def asked(request) -> None:
        place = unquote(urlsplit(request.url).path).strip("/")
        if request.url.startswith(address) and (BUILT / place).is_file():
            seen.asked.append(place)
        elif not request.url.startswith((address, "data:", "blob:")):
            seen.outside.append(request.url)

    page.on("request", asked)
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("requestfailed", lambda request: seen.failed.append(request.url))
    page.on("response", lambda r: seen.failed.append(r.url) if r.status >= 400 else None)
    page.emulate_media(color_scheme="light")
    page.goto(f"{address}/{name}.html", wait_until="load")
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.evaluate(LOAD_IMAGES)
    seen.found, seen.too_wide[1280] = page.evaluate(READ), page.evaluate(TOO_WIDE)
    shot = name.replace("/", "-")
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{shot}.png", full_page=True)
    if not _among(name, LARGE):
        for mode in _modes(name):
            scheme = "dark" if mode == "dark" else "light"
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("mode => document.documentElement.dataset.theme === mode", arg=scheme)
            page.evaluate(SETTLED)  # colours change slowly
            seen.serious[mode] = serious(page, mode)
        page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(SETTLED)  # the sidebar slides away
    seen.too_wide[390] = page.evaluate(TOO_WIDE)
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{shot}-phone.png", full_page=True)
    page.close()
    return seen


def _modes(name: str) -> tuple[str, ...]:
    if name in EXAMPLES or not _among(name, ALIKE):
        return "light", "dark"
    return ("without colours",) if _among(name, CODE) else ("light",)


def _among(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def serious(page, mode: str) -> list[str]:
    """What axe finds serious on an open page, one line for each fault."""
    from axe_playwright_python.sync_playwright import Axe

    options = {**RULES[mode], "resultTypes": ["violations"]}
    return [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for fault in Axe().run(page, options=options).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
