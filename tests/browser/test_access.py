"""Accessibility of the book: axe finds nothing serious on any page."""

import os
from fnmatch import fnmatch
from pathlib import Path

import pytest

BUILT = Path(os.environ.get("TUNABLE_BOOK") or Path(__file__).resolve().parents[2] / "book/_build/html")
PAGES = sorted(
    path.relative_to(BUILT).as_posix()
    for path in BUILT.rglob("*.html")
    if not path.relative_to(BUILT).parts[0].startswith("_") and path != BUILT / "index.html"
)
"""index.html only leads to the first page, which would still be loading while axe looks at it."""
LARGE = ("api/study-c*", "api/study-[fimnrt]*")
"""Pages of the reference that axe leaves out: it takes up to a minute for each, and they are made as
api/tunable_core and api/study-disk are."""
CHECKED = [name for name in PAGES if not any(fnmatch(name, pattern) for pattern in LARGE)]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""Rules whose answers can differ between light and dark."""
WEIGHT = 3 * 1024**2
"""Bytes of a page before its images are asked for."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["light", "dark"])
def colours(request, context):
    """A window of the browser, in one of its two modes."""
    made = context.browser.new_context(
        color_scheme=request.param, viewport={"width": 1200, "height": 900}
    )
    made.rules = RULES if request.param == "light" else COLOURS
    yield made
    made.close()


@pytest.mark.parametrize("name", CHECKED or ["book"])
def test_axe_finds_nothing_serious(colours, address, name):
    from axe_playwright_python.sync_playwright import Axe

    page = colours.new_page()
    page.goto(f"{address}/{name}", wait_until="load")
    page.wait_for_timeout(300)  # scripts that put sliders and headings in their places
    options = colours.rules | {"resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    page.close()
    serious = [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
    assert not serious, "\n".join(serious[:10])


def test_a_table_wider_than_a_phone_can_be_reached_and_says_that_it_scrolls(context, address):
    own = context.browser.new_context(viewport={"width": 390, "height": 844})
    page = own.new_page()
    page.goto(f"{address}/03-denoising.html", wait_until="load")
    page.wait_for_selector(".scrolls")
    for box in page.locator(".scrolls").all():
        assert box.get_attribute("tabindex") == "0"
        assert "scroll sideways" in box.evaluate("e => getComputedStyle(e, '::before').content")
    page.set_viewport_size({"width": 1400, "height": 900})
    page.wait_for_function("document.querySelector('.scrolls') === null")
    own.close()


def test_axe_would_find_a_picture_that_says_nothing(colours):
    from axe_playwright_python.sync_playwright import Axe

    page = colours.new_page()
    page.set_content("<html lang=en><title>t</title><img src='data:,'></html>")
    found = Axe().run(page, options=RULES).response["violations"]
    page.close()
    assert "image-alt" in {fault["id"] for fault in found}


@pytest.mark.parametrize("name", PAGES or ["book"])
def test_a_page_is_light_before_its_images_are_asked_for(name):
    text = (BUILT / name).read_bytes()
    assert len(text) < WEIGHT


def test_pictures_are_of_a_reasonable_size(address):
    heavy = {
        path.name: path.stat().st_size
        for path in (BUILT / "_images").iterdir()
        if path.stat().st_size > 2 * 1024**2
    }
    assert not heavy
