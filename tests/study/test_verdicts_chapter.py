"""Chapter 10 agrees with the judges."""

import pandas as pd
import pytest

from study.chapters import verdicts
from study.chapters.verdicts import Verdicts
from study.claims import claims


@pytest.fixture
def chapter(monkeypatch):
    """A chapter of three claims whose verdicts are known."""
    judged = pd.DataFrame(
        {
            "verdict": ["not reproduced", "cannot be told at this budget", "partly"],
            "evidence": ["-1.00 dB on kodak.", "0.10 dB on nam-test.", "Half."],
            "beside": "",
            "sure": ["24 images of kodak, seed 0", "", "24 images of kodak, seeds 0, 1"],
            "readings_differ": [False, False, True],
        },
        index=["a", "b", "c"],
    )
    monkeypatch.setattr(claims, "judged", lambda budget: judged)
    cells = pd.DataFrame({"metric": ["psnr", "psnr"], "ours": [30.0, None], "printed": [30.5, 31.0]})
    monkeypatch.setattr(verdicts, "every_cell", lambda budget: cells)
    return Verdicts("smoke")


def test_the_findings_name_the_claims_of_each_kind(chapter):
    first, unsure, unmeasured, readings, cells = chapter.findings()
    assert first == (
        "Of the paper's 3 claims: 1 partly, 1 not reproduced, 1 cannot be told at this budget."
    )
    assert unsure == "Cannot be told at this budget (1): b."
    assert unmeasured == "Every claim was measured."
    assert readings == "The reading of Eq. 9 decides these verdicts (1): c."
    assert "prints 2 numbers of methods that are rebuilt here; 1 of them were measured" in cells
    assert "0.50 dB" in cells


def test_it_says_how_many_claims_rest_on_several_seeds(chapter):
    text = chapter.how_sure().text
    assert "Claims that rest on several seeds: 1. The intervals of the other 2 are" in text


def test_other_pages_get_the_counts_and_what_failed(chapter):
    found = chapter.results()
    assert found["claims"] == 3
    assert found["failed"] == "a"
    assert found["sentence"].startswith("3 claims: 1 partly")


def test_sets_of_images_are_named_as_in_sentences(chapter):
    assert chapter.judged.evidence.to_list() == [
        "-1.00 dB on Kodak.",
        "0.10 dB on the Nam data set.",
        "Half.",
    ]
    assert chapter.judged.sure.iloc[0] == "24 images of Kodak, seed 0"
    assert chapter.evidence("partly").text == "- **c**: Half."
