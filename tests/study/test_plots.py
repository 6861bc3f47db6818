"""Tables and figures show the given data."""

import base64
import html
import io
import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from study.figures import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_strip_has_a_second_row_for_the_zoom():
    image = torch.rand(3, 20, 30)
    figure = plots.strip([image, image], ["a", "b"], zoom=(5, 6, 8))
    shapes = [axis.images[0].get_array().shape for axis in figure.axes]
    assert shapes == [(20, 30, 3), (20, 30, 3), (8, 8, 3), (8, 8, 3)]


def test_pictures_are_clipped():
    picture = plots.to_picture(torch.tensor([-1.0, 0.5, 2.0]).view(3, 1, 1))
    assert picture.ravel().tolist() == [0.0, 0.5, 1.0]


def test_curves_draw_what_they_were_given():
    frame = pd.DataFrame({"x": [0.0, 1.0], "y": [2.0, 3.0]})
    _, axis = plt.subplots()
    plots.curves(axis, {"ours": frame, "paper": frame + 1}, "x", "y", black=["paper"])
    assert [line.get_ydata().tolist() for line in axis.lines] == [[2.0, 3.0], [3.0, 4.0]]
    assert axis.lines[1].get_color() == "black"


def test_the_seven_channels_of_figure_3_have_seven_colours():
    frame = pd.DataFrame({"x": [0.0], "y": [1.0]})
    _, axis = plt.subplots()
    plots.curves(axis, dict.fromkeys("abcdefg", frame), "x", "y")
    assert len({line.get_color() for line in axis.lines}) == 7


def test_curves_whose_colour_repeats_have_another_line():
    frame = pd.DataFrame({"x": [0.0], "y": [1.0]})
    _, axis = plt.subplots()
    plots.curves(axis, dict.fromkeys("abcdefghijklm", frame), "x", "y")
    assert len({(line.get_color(), line.get_linestyle()) for line in axis.lines}) == 13


def test_provenance_names_each_run_once_and_escapes():
    record = {"name": "<run>", "key": "abc", "config": {"training": {"seed": 3, "steps": 10}}}
    page = plots.provenance([record, record], images="kodak & co")
    assert page.count("<li>") == 1
    assert "&lt;run&gt;" in page
    assert "kodak &amp; co" in page
    assert "seed 3" in page


@pytest.mark.parametrize(("device", "said"), [("CPU x86_64", "2, CPU"), ("NVIDIA H200", "2, H200")])
def test_the_minutes_of_a_training_say_what_it_ran_on(device, said):
    assert plots.minutes({"seconds": 119.0, "device": device}) == said


def test_an_error_map_is_darkest_where_there_is_no_error():
    clean = torch.zeros(3, 4, 4)
    output = clean.clone()
    output[:, 0, 0] = 0.2
    picture = plots.error_map(output, clean)
    assert picture.shape == (3, 4, 4)
    assert picture[:, 1, 1].sum() < 0.05 < 2 < picture[:, 0, 0].sum()


def test_shares_are_one_bar_and_leave_out_what_is_empty():
    counts = pd.Series({"yes": 3, "perhaps": 0, "no": 1})
    (axis,) = plots.shares(counts, ["#009E73", "#E69F00", "#D55E00"]).axes
    assert [bar.get_width() for bar in axis.patches] == [3, 1]
    assert [text.get_text() for text in axis.texts] == ["3", "1"]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["yes", "no"]


def film(count, **dials):
    frames = [torch.full((3, 4, 6), i / count) for i in range(count)]
    return plots.filmstrip(frames, [f"at {i}" for i in range(count)], dials, 'a "film"')


def test_a_filmstrip_is_one_picture_of_all_frames_side_by_side():
    content = re.search(r'src="data:image/webp;base64,([^"]+)"', film(5, dial=5))[1]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
    assert picture.shape == (4, 30, 3)
    assert (np.abs(picture[2, 3::6, 0] - 255 * np.arange(5) / 5) < 12).all()


def test_a_filmstrip_says_its_dials_and_labels_and_escapes():
    text = film(6, one=2, other=3)
    data = json.loads(html.unescape(re.search(r'data-film="([^"]+)"', text)[1]))
    assert data == {"dials": ["one", "other"], "shape": [2, 3], "labels": [f"at {i}" for i in range(6)]}
    assert 'alt="a &quot;film&quot;"' in text


def test_a_filmstrip_needs_a_frame_for_each_position():
    with pytest.raises(ValueError, match=r"each of the 4 positions of its dials; got 3 and 3"):
        film(3, one=2, other=2)


def test_every_cell_is_a_point_of_its_own_panel():
    cells = pd.DataFrame(
        {
            "table": ["table1", "table1", "table4"],
            "metric": ["psnr", "psnr_eta", "lpips"],
            "printed": [30.0, 40.0, 0.2],
            "ours": [29.0, 39.5, 0.3],
        }
    )
    figure = plots.against_printed(cells, {"dB": ["psnr", "psnr_eta"], "LPIPS": ["lpips"]})
    decibels, lpips = figure.axes
    drawn = np.concatenate([c.get_offsets() for c in decibels.collections])
    assert drawn.tolist() == [[30.0, 29.0], [40.0, 39.5]]
    drawn = np.concatenate([c.get_offsets() for c in lpips.collections])
    assert drawn.tolist() == [[0.2, 0.3]]


def test_provenance_names_the_training_images_by_checksum():
    record = {"key": "abc", "data": {"name": "bsds500", "checksum": "0123456789abcdef"}}
    assert "trained on bsds500 0123456789," in plots.provenance([record])
