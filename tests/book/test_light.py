"""Pages are small: only used icons and rules, one style sheet, one script, WebP."""

import hashlib
from pathlib import Path

import icons
import light
import numpy as np
import pydata_sphinx_theme
import pytest
import styles
import webp
from PIL import Image

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"
(VENDOR,) = (THEME / "vendor/fontawesome").iterdir()
PAGE = '<i class="fa-solid fa-bars"></i><i class="fab fa-github fa-lg"></i><p class="fancy">fast</p>'


def test_the_icons_of_the_pages_are_found_by_their_face():
    found = icons.named([PAGE])
    assert found == {"solid": {"fa-bars"}, "regular": set(), "brands": {"fa-github", "fa-lg"}}


def test_icons_weigh_a_few_kilobytes_and_each_has_its_glyph():
    made = icons.styles(VENDOR, [PAGE], ':root{--pst-icon-check-circle: "\\f058"}')
    assert len(made) < 8_000
    assert '.fa-bars::before{content:"\\f0c9"}' in made
    assert made.count("@font-face") == 2


def test_a_font_holds_the_glyphs_that_are_asked_for_alone(tmp_path):
    from fontTools.ttLib import TTFont

    (tmp_path / "a.woff").write_bytes(
        icons.subset(VENDOR / "webfonts/fa-solid-900.ttf", [0xF0C9, 0xF058])
    )
    with TTFont(tmp_path / "a.woff") as font:
        assert set(font.getBestCmap()) == {0xF0C9, 0xF058}


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".a{x:1}.b{x:2}", ".a{x:1}"),
        (".a,.b .a{x:1}", ".a{x:1}"),
        ("p > a[href='.b{}']{x:1}", "p > a[href='.b{}']{x:1}"),
        ('/* .a{ */ #b{x:1} :root{--y:"}"}', ':root{--y:"}"}'),
        ("@media print{.b{x:1}}@media print{.a{x:1}}", "@media print{.a{x:1}}"),
        (".a:not(.b){x:1}", ".a:not(.b){x:1}"),
        ("@font-face{src:url(data:x;y,z)}", "@font-face{src:url(data:x;y,z)}"),
        ('@import url("b.css");.a{x:.5em}', '@import url("b.css");\n.a{x:.5em}'),
        ("@keyframes b{0%{x:1}to{x:2}}", "@keyframes b{0%{x:1}to{x:2}}"),
    ],
)
def test_a_rule_stays_when_some_page_can_use_it(css, left):
    assert styles.purge(css, styles.words(["<p class='a'>"])) == left


@pytest.fixture
def book(tmp_path):
    """A built book of a page with a formula and one without."""
    static = tmp_path / "_static"
    (static / "scripts").mkdir(parents=True)
    (static / "study.css").write_text(".used{x:1}\n.unused{x:2}")
    (static / "pygments.css").write_text(".highlight .k{x:3}")
    (static / "tables.js").write_text("const tables = 1;")
    (static / "filmstrip.js").write_text("const films = 1;")
    (tmp_path / "sub").mkdir()
    for name, body in (("a", '<span class="math">\\(x\\)</span>'), ("sub/b", "<p class='used'>b</p>")):
        up = "../" if "/" in name else ""
        head = "\n".join(
            [
                f'<link rel="stylesheet" type="text/css" href="{up}_static/{css}?v=1" />'
                for css in ("pygments.css", "study.css")
            ]
            + [
                f'<script src="{up}_static/{js}?v=1"></script>'
                for js in ("tables.js", "filmstrip.js", "documentation_options.js")
            ]
            + [f'<script defer="defer" src="{up}_static/katex/katex.min.js?v=1"></script>']
        )
        (tmp_path / f"{name}.html").write_text(
            f"<html><head>\n{head}\n</head>\n<body>{body}</body></html>"
        )
    light.lighten(tmp_path)
    return tmp_path


def test_a_page_asks_for_one_style_sheet_and_one_script(book):
    for name, up in (("a", ""), ("sub/b", "../")):
        text = (book / f"{name}.html").read_text()
        assert text.count("stylesheet") == 1
        assert f'href="{up}_static/book.css?v=' in text
        assert f'src="{up}_static/book.js?v=' in text
        assert "tables.js" not in text
        assert "documentation_options.js" in text
    assert "unused" not in (book / "_static/book.css").read_text()
    assert "const films" in (book / "_static/book.js").read_text()


def test_only_a_page_with_a_formula_loads_what_sets_it(book):
    assert "katex" in (book / "a.html").read_text()
    assert "katex" not in (book / "sub/b.html").read_text()


def picture(path, *, noisy: bool) -> None:
    generator = np.random.default_rng(0)
    image = np.full((400, 1000, 3), 255, np.uint8)
    image[100:300, 100:900] = generator.integers(0, 255, (200, 800, 3)) if noisy else 30
    if not noisy:
        image[::20, ::20] = generator.integers(0, 255, (20, 50, 3))
    Image.fromarray(image).save(path)


@pytest.mark.parametrize("noisy", [True, False])
def test_a_picture_becomes_smaller_and_has_a_size_for_phones(tmp_path, monkeypatch, noisy):
    html, cache = tmp_path / "html", tmp_path / "cache"
    (html / "_images").mkdir(parents=True)
    picture(html / "_images/p.png", noisy=noisy)
    size = (html / "_images/p.png").stat().st_size
    (html / "a.html").write_text(
        '<img alt="A." src="_images/p.png" /><img alt="A." src="_images/p.png" />'
    )
    monkeypatch.setattr(webp, "SMALLEST", 100)
    webp.lighten(html, cache)
    first, second = (html / "a.html").read_text().split("<img")[1:]
    assert 'src="_images/p.webp" srcset="_images/p-640.webp 640w, _images/p.webp 1000w"' in first
    assert 'width="1000" height="400"' in first
    assert ("lazy" in first, "lazy" in second) == (False, True)
    assert (html / "_images/p.webp").stat().st_size < size
    with Image.open(html / "_images/p-640.webp") as small:
        assert small.size == (640, 256)
    with Image.open(html / "_images/p.webp") as made, Image.open(html / "_images/p.png") as original:
        error = np.abs(np.asarray(made.convert("RGB"), int) - np.asarray(original, int))
    assert error.max() == 0 if not noisy else error.mean() < 25


def test_a_picture_that_did_not_change_is_not_made_again(tmp_path, monkeypatch):
    html, cache = tmp_path / "html", tmp_path / "cache"
    (html / "_images").mkdir(parents=True)
    picture(html / "_images/p.png", noisy=True)
    page = '<img alt="A." src="_images/p.png" />'
    (html / "a.html").write_text(page)
    (cache).mkdir()
    (cache / "old.webp").write_bytes(b"old")
    webp.lighten(html, cache)
    assert not (cache / "old.webp").exists()
    monkeypatch.setattr(webp, "encode", lambda *args: pytest.fail("it is made again"))
    (html / "a.html").write_text(page)
    webp.lighten(html, cache)
    assert "p.webp" in (html / "a.html").read_text()


def test_the_files_that_set_formulas_are_as_they_were_published():
    folder = Path(light.__file__).parent / "vendor/katex"
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.suffix != ".part"
    }
    for digest, name in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_a_page_of_the_reference_keeps_its_words_and_loses_marks_and_the_deepest_contents():
    words = '<code><span class="pre">m</span></code>'
    member = f'<li class="toc-h4 nav-item toc-entry"><a href="#m">{words}</a></li>'
    page = (
        '<dt><span class="pre">a:</span><span class="w"> </span><span class="pre">int</span></dt>'
        '<li class="toc-h3"><a href="#c">C</a>'
        f'<ul class="nav section-nav flex-column">{member}</ul></li>'
    )
    assert light.shorter(page) == '<dt>a: int</dt><li class="toc-h3"><a href="#c">C</a></li>'
