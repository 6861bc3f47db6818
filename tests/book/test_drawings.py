"""The stored drawings are the ones that the script makes."""

import base64
import io
import re
from xml.etree import ElementTree

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from study.figures import plots
from study.figures.method_diagrams import DRAWINGS

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def parts(svg):
    """The content of a picture: tags, words and numbers of every drawn element, in order.

    Ids and metadata are left out, and embedded pictures are decoded. So another version of matplotlib
    or of its PNG writer makes no difference if the drawing is the same.
    """
    found = []
    for element in ElementTree.fromstring(svg).iter():
        if not element.tag.startswith(SVG):
            continue
        for name, value in sorted(element.attrib.items()):
            if value.startswith("data:image/png;base64,"):
                picture = Image.open(io.BytesIO(base64.b64decode(value.partition(",")[2])))
                found.append((element.tag, name, "picture", np.asarray(picture).ravel()))
            elif name not in ("id", "clip-path", HREF):
                words = NUMBER.sub("#", value).split()
                found.append((element.tag, name, words, np.array(NUMBER.findall(value), float)))
    return found


def same(one, other):
    """Whether two SVG files have the same content, to within a tenth of a point."""
    one, other = parts(one), parts(other)
    return len(one) == len(other) and all(
        a[:3] == b[:3] and a[3].shape == b[3].shape and np.allclose(a[3], b[3], atol=0.1, rtol=0)
        for a, b in zip(one, other, strict=True)
    )


def test_the_pages_have_exactly_the_drawings_of_the_script():
    assert {path.stem for path in drawings.IMAGES.iterdir()} == {*DRAWINGS}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_kept_drawing_is_what_the_script_makes(name):
    kept = (drawings.IMAGES / f"{name}.svg").read_text()
    assert same(kept, drawings.svg(name)), "run python book/drawings.py"


def test_a_drawing_that_differs_is_noticed(monkeypatch):
    kept = drawings.svg("dni")
    assert same(kept, drawings.svg("dni"))
    draw = DRAWINGS["dni"]

    def moved():
        figure = draw()
        word = figure.axes[0].texts[0]
        word.set_x(word.get_position()[0] + 0.02)
        return figure

    def recoloured():
        figure = draw()
        figure.axes[0].patches[0].set_edgecolor("red")
        return figure

    for other in (moved, recoloured):
        monkeypatch.setitem(DRAWINGS, "dni", other)
        assert not same(kept, drawings.svg("dni"))
    assert not same(kept, drawings.svg("dynet"))


def test_a_drawing_is_the_same_to_the_byte_whatever_the_look_of_the_session():
    plain = drawings.svg("blend")
    with plt.rc_context():
        plots.style()
        assert drawings.svg("blend") == plain


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_has_a_white_background_no_fonts_and_no_date(name):
    text = (drawings.IMAGES / f"{name}.svg").read_text()
    first = ElementTree.fromstring(text).find(f".//{SVG}path")
    assert "fill: #ffffff" in first.get("style")
    assert f"{SVG}text" not in {element.tag for element in ElementTree.fromstring(text).iter()}
    assert not re.search(r"dc:date|Matplotlib v|https?://matplotlib", text)


def test_a_removed_drawing_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(drawings, "svg", lambda name: name)
    (tmp_path / "old.svg").write_text("")
    drawings.main(tmp_path)
    assert {path.stem: path.read_text() for path in tmp_path.iterdir()} == {n: n for n in DRAWINGS}
