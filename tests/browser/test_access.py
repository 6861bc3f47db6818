"""Accessibility of the book: axe finds nothing serious on any page."""

import pytest
from visits import BUILT, RULES, serious

WEIGHT = 3 * 1024**2
"""Bytes of a page before its images are asked for."""

pytestmark = pytest.mark.browser


def test_axe_finds_nothing_serious(seen):
    assert not {mode: lines[:5] for mode, lines in seen.serious.items() if lines}


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


def test_axe_would_find_a_picture_that_says_nothing_and_pale_words(context):
    page = context.new_page()
    page.set_content(
        "<html lang=en><title>t</title><img src='data:,'><p style='color: #ccc'>pale</p></html>"
    )
    found = {mode: {line.partition(":")[0] for line in serious(page, mode)} for mode in RULES}
    page.close()
    assert found == {
        "light": {"image-alt", "color-contrast"},
        "dark": {"color-contrast"},
        "without colours": {"image-alt"},
    }


def test_a_page_is_light_before_its_images_are_asked_for(seen):
    assert (BUILT / f"{seen.name}.html").stat().st_size < WEIGHT


def test_pictures_are_of_a_reasonable_size(address):
    heavy = {
        path.name: path.stat().st_size
        for path in (BUILT / "_images").iterdir()
        if path.stat().st_size > 2 * 1024**2
    }
    assert not heavy
