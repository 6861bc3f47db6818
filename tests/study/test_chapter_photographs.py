"""The chapter on real photographs, on made-up measurements with known answers."""

import pandas as pd
import pytest

from study.chapters.photographs import Photographs
from study.chapters.photographs_data import REAL, Measured
from study.measuring.photo_sweep import ALONG

KEPT = {
    "photo": (0.1, 0.9),
    "pixels": (0.1, 0.9),
    "wavelets": (0.1, 0.4),
    "means": (0.2, 0.9),
    "paper": (0.8, 0.9),
}
"""Share of the noise at full fidelity and at full preservation, by method."""
LEAD = {"photo": 0.0, "pixels": 0.0, "wavelets": -1.0, "means": -3.0, "paper": -9.0}
"""PSNR beside that of the trained dial, dB."""


def rows(method, kind, sigma, bend=0.0, lead=None):
    """A dial whose kept share is a straight line with a bend in its middle; 10 dB a share of 1."""
    low, high = KEPT[method]
    frame = []
    for a, b in ALONG:
        kept = low * a + high * b + bend * 4 * a * b
        above = LEAD[method] if lead is None else lead
        frame.append(
            {"image": "one", "kind": kind, "sigma": sigma, "omega_1": a, "omega_2": b, "kept": kept}
            | {"psnr": 32 - 10 * kept + above, "ssim": 0.9, "input": 21.0}
        )
    return pd.DataFrame(frame)


def chapter(bend=0.0, leads=None, real=True, budget="smoke", reported=31.5):
    """The chapter with measurements that are made up."""
    made = Photographs.__new__(Photographs)
    data = Measured(budget, "kodak", ("grey", "colour", "jpeg95"), (15.0, 20.0), 1, None, "nam-test")
    leads = leads or {}
    data.__dict__["methods"] = dict.fromkeys(KEPT)
    frames = {
        m: pd.concat(
            [
                rows(m, k, s, bend if m == "photo" else 0, leads.get(m))
                for k in data.kinds
                for s in (15.0, 20.0)
            ]
        )
        for m in KEPT
    }
    for frame in frames.values():
        frame.attrs["record"] = {"settings": {"images": "kodak"}}
    data.__dict__["frames"] = frames
    one = {m: rows(m, "", 0.0, lead=leads.get(m)).drop(columns=["kind", "sigma"]) for m in KEPT}
    data.__dict__["real_frames"] = one if real else {}
    errors = {"lawn": 11.0, "lawn_means": 9.5, "sky": 2.0, "sky_means": 2.5}
    data.__dict__["camera_errors"] = errors
    data.__dict__["grey_elsewhere"] = pd.Series({"a": 33.0, "b": 34.0})
    data.__dict__["reported"] = pd.DataFrame(
        {"file": [24.0, 25.0], "photo": [reported, 31.0], "paper": [25.0, 26.0]}, ["grey", "jpeg95"]
    )
    made.data, made.kept = data, (0.3,)
    return made


def sentence(start, made):
    (found,) = [s for s in made.findings() if start in s]
    return found


def test_a_straight_dial_is_even_and_a_bent_one_is_not():
    assert chapter().off_line[0] == pytest.approx(0, abs=1e-9)
    assert "Its dial is even" in sentence("Its dial is", chapter(real=False))
    off, worst = chapter(bend=0.08).off_line
    assert off == pytest.approx(0.08)
    assert worst
    assert "not even everywhere" in sentence("Its dial", chapter(bend=0.08))
    assert "up to 0.080" in sentence("Its dial", chapter(bend=0.08))


def test_methods_are_compared_where_they_keep_the_same_share():
    equal = chapter().equal
    assert equal.loc[(0.3, "photo"), "grey"] == pytest.approx(29)  # 32 - 10 * 0.3
    assert equal.loc[(0.3, "means"), "grey"] == pytest.approx(26)
    assert equal.loc[(0.3, "paper")].isna().all()  # it keeps 0.8 at least
    assert chapter().leads("means") == pytest.approx([3.0] * 4)
    assert chapter().leads("paper") == []


@pytest.mark.parametrize(
    ("lead", "said"),
    [(-0.5, "at least 0.50 dB better"), (0.0, "not better than blending"), (0.05, "not better")],
)
def test_the_sentence_about_blending_follows_the_numbers(lead, said):
    assert said in sentence(
        "blend of its own" if lead > -0.1 else "blending its", chapter(leads={"pixels": lead})
    )


@pytest.mark.parametrize(
    ("lead", "said"), [(-1.0, "it is 1.70 dB"), (8.0, "more than the 0.5 dB"), (7.0, "0.00 dB")]
)
def test_the_sentence_about_colour_follows_the_numbers(lead, said):
    # At full fidelity the dial keeps 0.1, 31 dB, and the paper's denoiser 0.8, 24 dB and its lead.
    found = sentence("made", chapter(leads={"paper": lead}))
    assert {"it is 1.70 dB": "it is 8.00 dB"}.get(said, said) in found
    assert ("above it" in found) == (lead < 7)


def test_the_sentence_about_real_photographs_follows_the_numbers():
    assert "better than the photograph at every position" in sentence("scenes of nam", chapter())
    worse = chapter()
    worse.data.real_frames["photo"]["input"] = 25.0
    assert "worse than the photograph at some position" in sentence("scenes of nam", worse)
    assert worse.gains.min() == pytest.approx(23 - 25)
    assert not [s for s in chapter(real=False).findings() if "nam" in s]


def test_goals_are_said_to_be_met_or_missed():
    assert len(chapter().goals) == 0
    missed = chapter(budget="laptop")
    goals = missed.goals.set_index("goal")
    assert goals.met.tolist() == [False, True, True, True, True]
    assert goals.reached["kept share off its line"] == pytest.approx(0, abs=1e-9)
    assert "missed: grey, sigma 15" in sentence("goals that were set", missed)
    assert "All goals" in sentence("oals that were set", chapter(budget="laptop", reported=32.5))


@pytest.mark.parametrize(("reached", "said"), [(31.5, "missed by 0.50 dB"), (32.5, "is met")])
def test_the_reason_of_a_missed_goal_names_other_photographs(reached, said):
    found = sentence("goal for grey", chapter(budget="laptop", reported=reached))
    assert said in found
    assert "On the 2 colour photographs" in found
    assert "33.50 dB" in found
    assert "11.0 grey levels" in found


@pytest.mark.parametrize(("reached", "said"), [(31.5, "reaches 31.50 dB"), (25.5, "is no better than")])
def test_the_sentence_about_the_grey_report_follows_the_numbers(reached, said):
    assert said in sentence("grey photograph (camera)", chapter(reported=reached))


def test_kinds_that_a_reader_leaves_out_are_left_out_of_the_sentences():
    made = chapter()
    made.data.kinds = ("grey",)
    assert not [s for s in made.findings() if "in colour" in s]


def test_the_table_at_full_fidelity_has_every_kind_and_level():
    table = chapter().clean
    assert table.loc["photo", ("grey", 15.0)] == pytest.approx(31)
    assert table.loc["the photograph", ("colour", 20.0)] == 21
    assert len(table.columns) == 6


def test_real_photographs_are_a_kind_of_their_own():
    assert chapter().kinds[-1] == REAL
    assert chapter(real=False).kinds[-1] == "jpeg95"


@pytest.mark.parametrize(
    ("lead", "said"), [(-0.5, "better photographs than the slider"), (0.0, "as good as")]
)
def test_the_advice_about_sliders_follows_the_numbers(lead, said):
    assert [s for s in chapter(leads={"pixels": lead}).advice() if said in s]


@pytest.mark.parametrize(("bend", "said"), [(0.08, "is not even"), (0.0, "Because the dial is even")])
def test_the_advice_about_shares_follows_the_numbers(bend, said):
    assert [s for s in chapter(bend=bend).advice() if said in s]
