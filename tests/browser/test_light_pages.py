"""Every page is small, the search finds the right page, and links show their targets."""

from __future__ import annotations

import re

import pytest
from visits import BUILT

pytestmark = pytest.mark.browser

BYTES, REQUESTS, WHOLE = 1_000_000, 20, 4_000_000
"""Of a page before its pictures, and of a page with all of them."""
PICTURES = (".png", ".webp", ".jpg", ".svg")


def test_a_page_is_light(seen):
    """The networks and the runtime of the live page, below live/, are loaded later and not counted."""
    found = [path for path in dict.fromkeys(seen.asked) if not path.startswith("live/")]
    sizes = {path: (BUILT / path).stat().st_size for path in found}
    before = {path: size for path, size in sizes.items() if not path.endswith(PICTURES)}
    assert f"{seen.name}.html" in before
    assert len(before) <= REQUESTS, sorted(before)
    assert sum(before.values()) <= BYTES, before
    assert sum(sizes.values()) <= WHOLE, sizes


def test_only_pages_with_formulas_load_what_sets_them(seen):
    assert any("katex" in path for path in seen.asked) == (seen.found["formulas"] > 0)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("omega", "01-tunable-convolutions.html"),
        ("LPIPS", "glossary.html"),
        ("DNI", "controls/dni.html"),
        ("grey photo", "11-real-photographs.html"),
        ("which value", "use.html"),
        ("FiLM", "controls/film.html"),
        ("super-resolution", "06-super-resolution.html"),
    ],
)
def test_the_search_shows_the_page_that_answers_first(context, address, words, first):
    page = context.new_page()
    page.goto(f"{address}/search.html?q={words}")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function("document.querySelector('#search-results p')?.innerText.match(/[0-9]/)")
    links = page.locator("#search-results li > a").evaluate_all(
        "es => es.map(e => e.getAttribute('href'))"
    )
    page.close()
    assert re.split(r"[?#]", links[0])[0] == first, links[:5]


def test_a_link_to_a_figure_of_another_page_shows_it_to_pointer_and_keyboard(context, address):
    page = context.new_page()
    page.goto(f"{address}/10-claims.html")
    chosen = page.locator(".bd-article a[href*='.html#fig-'], .bd-article a[href*='.html#tab-']").first
    for begin, end in (("hover", "mouse"), ("focus", "key")):
        getattr(chosen, begin)()
        page.wait_for_selector(".hover-preview", timeout=5000)
        assert page.locator(".hover-preview :is(img, table, svg)").count() >= 1
        assert chosen.get_attribute("aria-describedby") == "hover-preview"
        if end == "key":
            page.keyboard.press("Escape")
        else:
            page.mouse.move(0, 0)
        page.wait_for_selector(".hover-preview", state="detached")
    page.close()


def test_the_home_page_sums_the_study_up(context, address):
    page = context.new_page()
    page.goto(f"{address}/intro.html")
    assert page.locator(".verdict-bar > span").count() >= 1
    rows = page.locator("table.summary tbody tr")
    assert 5 <= rows.count() <= 7
    for link in page.locator("table.summary a").evaluate_all(
        "es => es.map(e => e.getAttribute('href'))"
    ):
        target, _, anchor = link.partition("#")
        assert (BUILT / target).is_file(), link
        assert not anchor or f"id='{anchor}'" in (BUILT / target).read_text(), link
    captions = page.locator(".bd-links .caption, .bd-links p.caption").all_inner_texts()
    assert [text for text in captions if text] == ["Read", "Use", "Teach", "Look up"]
    page.close()


def test_the_home_page_can_be_cited_with_one_button(context, address):
    page = context.new_page()
    page.goto(f"{address}/intro.html")
    cited = page.locator("div.highlight-bibtex")
    assert "doi = {10.1109/" in cited.inner_text()
    assert cited.locator("button.copybtn").count() == 1
    page.close()


def test_a_page_that_does_not_exist_leads_back(context, address):
    page = context.new_page()
    page.goto(f"{address}/404.html")
    assert page.locator("h1:visible").inner_text() == "Page not found"
    page.locator("main a", has_text="first page").click()
    page.wait_for_url("**/intro.html")
    page.close()


def test_programs_find_every_page_as_markdown(address):
    listed = re.findall(r"\]\(([^)]+\.html\.md)\)", (BUILT / "llms.txt").read_text())
    assert "03-denoising.html.md" in listed
    assert [name for name in listed if not (BUILT / name).is_file()] == []
    assert "{result}" not in "".join((BUILT / name).read_text() for name in listed)


def test_no_number_is_a_zero_with_a_sign_or_a_count_with_decimals(address):
    odd = re.compile(
        r"(?<![\w.\d])[-−+]0\.0+(?![\d])|\b\d+\.000 (?:cases|images|steps|seeds)|\b0\.0e\+00|\bnan\b"
    )
    found = {
        f"{path.name}: {text[max(0, match.start() - 40) : match.end() + 20]}"
        for path in BUILT.glob("*.html.md")
        for text in [re.sub(r"```.*?```|`[^`]*`", "", path.read_text(), flags=re.DOTALL)]
        for match in odd.finditer(text)
    }
    assert not found


def test_folded_solutions_are_open_on_paper(context, address):
    page = context.new_page()
    page.goto(f"{address}/03-denoising.html")
    folded = page.locator("details.sd-dropdown:not([open])").count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded > 0
    assert page.locator("details.sd-dropdown:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.sd-dropdown:not([open])").count() == folded
    page.close()
