"""The reference and its links, in the built book."""

import re

import pytest
from visits import BUILT

pytestmark = pytest.mark.browser


def test_a_word_says_what_it_means_to_the_pointer_and_to_the_keyboard(context, address):
    page = context.new_page()
    page.goto(f"{address}/03-denoising.html")
    word = page.locator("a.study-term").first
    assert len(word.get_attribute("title")) > 20
    word.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    shown = word.evaluate("e => getComputedStyle(e, '::after').content")
    assert word.get_attribute("title") in shown.replace("\\", "")
    page.close()


def test_prose_leads_to_the_reference():
    text = (BUILT / "02-runtime-overhead.html").read_text()
    assert 'href="api/tunable_core.html#tunable_core.live.Live"' in text


def test_the_reference_holds_a_docstring():
    text = (BUILT / "api/tunable_core.html").read_text()
    assert "any network or layer; it is copied, never changed." in text


def test_a_page_has_a_title_and_a_description_for_links():
    text = (BUILT / "03-denoising.html").read_text()
    tags = dict(re.findall(r'<meta property="(og:[a-z:]+)" content="([^"]*)"', text))
    assert tags["og:title"].endswith("The denoising dial")
    assert len(tags["og:description"]) > 60
    assert tags["og:image"].endswith("preview.png")
    assert (BUILT / "preview.png").stat().st_size < 400_000
