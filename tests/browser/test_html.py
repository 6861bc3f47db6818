"""The built book in a headless browser, offline: every page is complete and self-contained.

`make test` names the book in TUNABLE_BOOK. TUNABLE_SHOTS=folder saves a picture of every page.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
BOOK = Path(os.environ.get("TUNABLE_BOOK") or ROOT / "book/_build/html")
SHOTS = os.environ.get("TUNABLE_SHOTS")
"""Folder for pictures of the pages at 1280 and 390 pixels; they take a minute."""
PAGES = sorted(
    path.relative_to(BOOK).with_suffix("").as_posix()
    for path in BOOK.rglob("*.html")
    if not path.relative_to(BOOK).parts[0].startswith("_")
)
READ = """() => ({
    headings: [...document.querySelectorAll("h1")].filter(e => e.checkVisibility()).length,
    text: document.body.innerText,
    ids: [...document.querySelectorAll("[id]")].map(e => e.id),
    links: [...document.querySelectorAll("a[href]")].map(e => e.href),
    broken: [...document.images].filter(e => !e.naturalWidth).map(e => e.currentSrc || e.src),
    formulas: document.querySelectorAll(".math").length,
    rendered: document.querySelectorAll(".math .katex").length,
    errors: document.querySelectorAll(".katex-error, .problematic").length,
    too_wide: document.documentElement.scrollWidth - window.innerWidth,
    height: document.querySelector("main")?.scrollHeight,
})"""
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

    found: dict
    too_wide_on_a_phone: int = 0
    complaints: list[str] = field(default_factory=list)
    """Errors on the console and of scripts."""
    failed: list[str] = field(default_factory=list)
    """Requests that were not answered well."""
    outside: list[str] = field(default_factory=list)
    """Requests to anywhere else; they were blocked."""


def visit(context, address: str, name: str) -> Visit:
    """Open a page, wait until its formulas and images are loaded, and inspect it."""
    page, seen = context.new_page(), Visit({})

    def route(handler, request):
        if request.url.startswith((address, "data:", "blob:")):
            handler.continue_()
        else:
            seen.outside.append(request.url)
            handler.abort()

    page.route("**/*", route)
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("requestfailed", lambda request: seen.failed.append(request.url))
    page.on("response", lambda r: seen.failed.append(r.url) if r.status >= 400 else None)
    page.goto(f"{address}/{name}.html", wait_until="load")
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.evaluate(LOAD_IMAGES)
    seen.found = page.evaluate(READ)
    shot = name.replace("/", "-")
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{shot}.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(SETTLED)  # the sidebar slides away
    seen.too_wide_on_a_phone = page.evaluate(READ)["too_wide"]
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{shot}-phone.png", full_page=True)
    page.close()
    return seen


@pytest.fixture(scope="module")
def visits(context, address) -> dict[str, Visit]:
    """Each page, visited once; the page that only leads to the first one is left out."""
    return {name: visit(context, address, name) for name in PAGES if name != "index"}


@pytest.fixture(params=[name for name in PAGES if name != "index"] or ["book"])
def seen(request, visits) -> Visit:
    return visits[request.param]


def test_a_page_has_one_heading(seen):
    assert seen.found["headings"] == 1


def test_a_page_asks_nothing_of_anywhere_else(seen):
    assert not seen.outside


def test_a_page_loads_without_a_complaint(seen):
    assert not seen.complaints
    assert not seen.failed


def test_every_image_is_there(seen):
    assert not seen.found["broken"]


def test_no_page_shows_a_traceback_or_an_unread_value(seen):
    for word in ("Traceback", "IPython.core", "nan dB", "{result}", "{numref}", "{cite"):
        assert word not in seen.found["text"]


def test_formulas_are_rendered(seen):
    assert seen.found["rendered"] >= seen.found["formulas"]
    assert seen.found["errors"] == 0


def test_a_page_fits_a_phone(seen):
    assert seen.found["too_wide"] <= 0
    assert seen.too_wide_on_a_phone <= 0


@pytest.mark.parametrize("number", ["03", "05", "08"])
def test_a_long_chapter_is_at_most_twelve_screens(visits, number):
    (found,) = [visit.found for name, visit in visits.items() if name.startswith(f"{number}-")]
    assert found["height"] <= 12 * 900


@pytest.mark.parametrize("number", range(1, 11))
def test_a_chapter_begins_with_what_it_asked_and_found(visits, number):
    (found,) = [visit.found for name, visit in visits.items() if name.startswith(f"{number:02}-")]
    places = [
        found["text"].index(word) for word in ("Asked.", "Found.", "How sure.", "Parameters, which")
    ]
    assert places == sorted(places)


def test_links_within_the_book_lead_somewhere(seen, visits, address):
    dead = []
    for link in seen.found["links"]:
        where, place = urldefrag(link)
        if not where.startswith(address):
            continue
        place, path = unquote(place), unquote(urlsplit(where).path).strip("/") or "index.html"
        target = visits.get(path.removesuffix(".html"))
        view = path == "live.html" and place.startswith("network=")  # see test_live_views.py
        known = view or not target or place in ("", *target.found["ids"])
        if not (BOOK / path).is_file() or not known:
            dead.append(link)
    assert not dead


def test_dark_mode_shows_photographs_as_they_are(context, address):
    page = context.new_page()
    page.goto(f"{address}/intro.html")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    filters = page.evaluate("""() => [...document.querySelectorAll("article img")]
        .filter(e => !e.src.endsWith(".svg")).map(e => getComputedStyle(e).filter)""")
    assert filters
    assert set(filters) == {"none"}
    page.close()


def test_no_file_of_the_book_names_a_place_on_this_machine():
    texts = [p for p in BOOK.rglob("*") if p.suffix in (".html", ".ipynb", ".js", ".json", ".txt")]
    assert texts
    elsewhere = [os.environ[name] for name in ("TUNABLE_DATA", "TUNABLE_RUNS") if os.environ.get(name)]
    places = [str(Path(place).resolve()) for place in (ROOT, *elsewhere)]
    found = {
        f"{path.relative_to(BOOK)}: {place}"
        for path in texts
        for text in [path.read_text(encoding="utf-8", errors="replace")]
        for place in places
        if place in text
    }
    assert not found


def test_some_page_has_formulas_and_some_a_figure(visits):
    assert any(v.found["rendered"] for v in visits.values())
    assert list((BOOK / "_images").glob("*"))


def test_the_front_door_leads_to_the_first_page(context, address):
    page = context.new_page()
    page.goto(f"{address}/")
    page.wait_for_url("**/intro.html")
    assert page.locator("h1:visible").count() == 1
    page.close()


def test_the_search_finds_a_word_without_network(context, address):
    page = context.new_page()
    page.goto(f"{address}/search.html?q=kernel")
    page.wait_for_selector("#search-results li")
    assert page.locator("#search-results li").count() > 0
    page.close()


def test_a_filmstrip_shows_the_frame_of_its_slider(context, address):
    page = context.new_page()
    page.goto(f"{address}/03-denoising.html")
    film = page.locator(".filmstrip[data-ready]").first
    slider, strip = film.locator("input").first, film.locator("img")
    seen = set()
    for position in ("0", "1"):
        slider.fill(position)
        seen.add((strip.evaluate("e => e.style.transform"), film.locator("output").inner_text()))
    assert len(seen) == 2
    frame = film.locator(".filmstrip-frame").bounding_box()
    frames = len(film.evaluate("e => JSON.parse(e.dataset.film).labels"))
    assert strip.bounding_box()["width"] == pytest.approx(frames * frame["width"], rel=0.01)
    assert strip.get_attribute("src").startswith("filmstrips/")
    page.close()
