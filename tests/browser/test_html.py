"""The built book in a headless browser, offline: every page is complete and self-contained.

`make test` names the book in TUNABLE_BOOK. TUNABLE_SHOTS=folder saves a picture of every page.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from visits import BUILT, PAGES

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [name for name in PAGES if re.match(r"(0[1-9]|10)-", name)]
LONG = [name for name in CHAPTERS if name[:2] in ("03", "05", "08")]


@cache
def ids(path: str) -> set[str]:
    """The places on a page that a link can name."""
    return set(re.findall(r'\bid=["\']([^"\']+)', (BUILT / path).read_text(encoding="utf-8")))


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
    assert max(seen.too_wide.values()) <= 0


@pytest.mark.parametrize("seen", LONG, indirect=True)
def test_a_long_chapter_is_at_most_twelve_screens(seen):
    assert seen.found["height"] <= 12 * 900


@pytest.mark.parametrize("seen", CHAPTERS, indirect=True)
def test_a_chapter_begins_with_what_it_asked_and_found(seen):
    places = [
        seen.found["text"].index(word) for word in ("Asked.", "Found.", "How sure.", "Parameters, which")
    ]
    assert places == sorted(places)


def test_there_are_ten_chapters_with_formulas_and_figures():
    assert len(CHAPTERS) == 10
    assert any('class="math' in (BUILT / f"{name}.html").read_text() for name in CHAPTERS)
    assert list((BUILT / "_images").glob("*"))


def test_links_within_the_book_lead_somewhere(seen, address):
    dead = []
    for link in seen.found["links"]:
        where, place = urldefrag(link)
        if not where.startswith(address):
            continue
        place, path = unquote(place), unquote(urlsplit(where).path).strip("/") or "index.html"
        view = path == "live.html" and place.startswith("network=")  # see test_live_views.py
        whole = not place or path == "index.html" or not path.endswith(".html")
        known = view or whole or place in ids(path)
        if not (BUILT / path).is_file() or not known:
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
    texts = [p for p in BUILT.rglob("*") if p.suffix in (".html", ".ipynb", ".js", ".json", ".txt")]
    assert texts
    elsewhere = [os.environ[name] for name in ("TUNABLE_DATA", "TUNABLE_RUNS") if os.environ.get(name)]
    places = [str(Path(place).resolve()) for place in (ROOT, *elsewhere)]
    found = {
        f"{path.relative_to(BUILT)}: {place}"
        for path in texts
        for text in [path.read_text(encoding="utf-8", errors="replace")]
        for place in places
        if place in text
    }
    assert not found


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
