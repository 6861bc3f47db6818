"""The drawings: legible at book width, self-contained, with correct pictures."""

from itertools import combinations
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from study.figures import diagrams, method_diagrams

DRAWINGS = [diagrams.idea, diagrams.framework, *method_diagrams.DRAWINGS.values()]


@pytest.fixture(scope="module", params=DRAWINGS, ids=lambda draw: draw.__name__)
def drawn(request):
    """A drawing, the boxes of its texts, and the figures of pyplot before and after it was made."""
    before = plt.get_fignums()
    figure = request.param()
    after = plt.get_fignums()
    return SimpleNamespace(figure=figure, boxes=boxes_of_texts(figure), before=before, after=after)


def boxes_of_texts(figure):
    """Text and its box in inches from the lower left corner of the figure."""
    figure.canvas.draw()
    texts = [text for axis in figure.axes for text in axis.texts if text.get_text()]
    return [(t, t.get_window_extent().transformed(figure.dpi_scale_trans.inverted())) for t in texts]


def test_texts_stay_inside_the_figure(drawn):
    width, height = drawn.figure.get_size_inches()
    for text, box in drawn.boxes:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert inside, text.get_text()


def test_no_two_texts_overlap(drawn):
    for (a, box_a), (b, box_b) in combinations(drawn.boxes, 2):
        assert not box_a.overlaps(box_b), (a.get_text(), b.get_text())


def test_every_text_is_legible_at_book_width(drawn):
    assert drawn.figure.get_figwidth() == diagrams.WIDTH
    assert min(text.get_fontsize() for text, _ in drawn.boxes) >= 10


def test_drawing_leaves_pyplot_alone(drawn):
    assert drawn.after == drawn.before


def test_the_look_of_the_study_does_not_move_the_drawings():
    plain = [box.bounds for _, box in boxes_of_texts(diagrams.framework())]
    with plt.rc_context({"figure.constrained_layout.use": True, "axes.grid": True}):
        styled = [box.bounds for _, box in boxes_of_texts(diagrams.framework())]
    np.testing.assert_allclose(styled, plain)


def test_more_noise_is_further_from_the_clean_scene():
    clean = diagrams.scene(0.0)
    distances = [np.abs(diagrams.scene(share) - clean).mean() for share in (0.0, 0.45, 0.9, 1.0)]
    assert distances[0] == 0
    assert (np.diff(distances) > 0).all()
    assert 0 <= clean.min() <= clean.max() <= 1
