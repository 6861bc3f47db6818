"""The summary of the claims: themes, a bar, and computed numbers."""

import re

import pandas as pd
import pytest

from study.claims import claims, summary

FIDELITY = (
    "Eq. 9 as printed: partly. Against the plain network: 0.09 dB below [0.07, 0.12] on Kodak; "
    "0.08 dB below [0.07, 0.09] on CBSD68."
)


def judged(**verdicts: str) -> pd.DataFrame:
    """All claims, reproduced except these."""
    names = list(claims.claims())
    made = pd.DataFrame(
        {"verdict": "reproduced", "evidence": "", "sure": "", "readings_differ": False}, index=names
    )
    for name, verdict in verdicts.items():
        made.loc[name.replace("_", "-"), "verdict"] = verdict
    return made


def test_each_theme_is_of_claims_that_exist_and_no_claim_is_in_two():
    named = [name for theme in summary.THEMES for name in theme.claims]
    assert set(named) <= set(claims.claims())
    assert len(named) == len(set(named))
    assert 5 <= len(summary.THEMES) <= 7
    assert set(summary.NUMBERS) <= set(named)


def test_where_all_holds_the_table_says_so():
    text = summary.table(judged())
    assert text.count("all hold") == len(summary.THEMES)
    assert re.findall(r"\d+ [a-z ]+(?=</span>)", text) == [
        f"{len(theme.claims)} reproduced" for theme in summary.THEMES
    ]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("not reproduced", "fails"),
        ("partly", "holds in part"),
        ("cannot be told at this budget", "is too close to tell"),
        ("not measured here", "is not measured with this version"),
    ],
)
def test_a_claim_that_does_not_hold_is_named_with_its_reason_and_a_link(verdict, words):
    text = summary.table(judged(tunes=verdict))
    assert f'<a href="10-claims.html#tunes">tunes</a> {words}</td>' in text
    assert f">1 {verdict}</span>" in text


def test_several_claims_with_one_reason_share_it():
    text = summary.table(judged(tunes="not reproduced", smooth_sr="not reproduced"))
    assert 'tunes</a> and <a href="10-claims.html#smooth-sr">smooth-sr</a> fail</td>' in text


def test_a_verdict_that_the_reading_of_equation_9_decides_is_said_to_be_so():
    found = judged(smooth="partly")
    found.loc["smooth", "readings_differ"] = True
    assert "smooth</a> holds under one reading of Eq. 9 alone" in summary.table(found)


def test_the_bar_has_a_part_for_each_verdict_as_wide_as_its_count():
    text = summary.bar(judged(tunes="partly", smooth="partly"))
    count = len(claims.claims())
    assert re.findall(r"flex:(\d+)", text) == [str(count - 2), "2"]
    assert "<strong>2</strong> partly" in text


def test_a_number_is_read_with_its_interval_from_the_evidence():
    found = judged()
    found.loc["fidelity", ["evidence", "sure"]] = [FIDELITY, "24 squares of Kodak, seeds 0, 1, 2"]
    text = summary.number_list(found)
    assert "<strong>0.09 dB below [0.07, 0.12] on Kodak</strong>" in text
    assert "24 squares of Kodak" in text
    assert text.count("<li>") == 1


def test_without_a_measurement_there_is_no_number():
    assert summary.number_list(judged()) == "<p>Nothing was measured at this budget.</p>"
