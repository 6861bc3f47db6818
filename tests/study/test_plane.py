"""Curves in the perception-distortion plane."""

import pandas as pd
import pytest

from study.measuring.plane import below


def curve(*points):
    return pd.DataFrame(points, columns=["psnr", "lpips"])


OURS = curve((26.0, 0.3), (25.0, 0.2), (24.0, 0.1))


def test_a_curve_lies_below_another_by_their_distance_at_the_same_psnr():
    theirs = curve((25.5, 0.30), (24.5, 0.10))
    assert below(OURS, theirs).tolist() == pytest.approx([0.05, -0.05])


def test_a_curve_lies_neither_above_nor_below_itself():
    assert below(OURS, OURS).tolist() == pytest.approx([0, 0, 0])


def test_a_point_of_higher_psnr_than_all_of_ours_has_no_answer():
    assert below(OURS, curve((26.5, 0.5))).isna().all()


def test_a_point_that_is_worse_in_both_than_our_end_is_above_it_and_else_has_no_answer():
    gap = below(OURS, curve((23.0, 0.15), (23.0, 0.05)))
    assert gap.iloc[0] == pytest.approx(0.05)
    assert pd.isna(gap.iloc[1])
