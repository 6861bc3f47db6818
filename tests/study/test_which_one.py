"""The requirements and properties of each method, found by building it, and the chapter's sentences."""

from types import SimpleNamespace

import pandas as pd
import pytest

from study import configs
from study.chapters import which_one_words as words
from study.chapters.which_one_results import FILES, LIVE, PIXELS, PLAIN, goes_on, properties
from study.controls import BlendConfig, TransportConfig, WaveletBlendConfig
from tunable_photo.resnet import ResNetConfig

NETWORK = ResNetConfig(4, 8, image_skip=True, head_relu=False)
KINDS = {
    **configs.METHODS,
    "blend": BlendConfig(),
    "wavelets": WaveletBlendConfig(),
    "transport": TransportConfig(),
}


def of(method):
    return properties(KINDS[method].build, NETWORK.build())


EXPORTS = {
    "tunable": (LIVE, FILES, PLAIN),
    "dni": (FILES, PLAIN),
    "dni-scratch": (FILES, PLAIN),
    "soup": (FILES, PLAIN),
    "low-rank-1": (FILES, PLAIN),
    "low-rank-4": (FILES, PLAIN),
    "low-rank-16": (FILES, PLAIN),
    "film": (PLAIN,),
    "dynet": (),
    "cfsnet": (),
    "blend": (PIXELS,),
    "wavelets": (PIXELS,),
    "transport": (PIXELS,),
}


def test_every_method_is_expected():
    assert EXPORTS.keys() == KINDS.keys()


@pytest.mark.parametrize("method", EXPORTS)
def test_to_what_a_method_can_be_exported(method):
    assert of(method).exports == EXPORTS[method]


@pytest.mark.parametrize("method", KINDS)
def test_for_how_many_objectives_a_method_is(method):
    two = ("dynet", "cfsnet", "blend", "wavelets", "transport")
    assert of(method).objectives == ("2" if method in two else "any")


def test_what_a_method_stores_and_trains():
    assert of("dni").memory == 2
    assert of("blend").memory == of("blend").training == of("tunable").training == 1
    assert of("tunable").memory == pytest.approx(2, abs=0.02)
    assert of("dni").training == 1.25
    assert of("low-rank-1").memory < of("low-rank-4").memory < of("low-rank-16").memory


def test_a_dial_extrapolates_beyond_its_end_or_not():
    assert goes_on((0.6, 0.8, 1.0)) == pytest.approx(1.0)
    assert goes_on((0.6, 0.8, 0.8)) == 0
    assert goes_on((0.6, 0.8, 0.7)) == pytest.approx(-0.5)
    assert pd.isna(goes_on((0.8, 0.8, 0.9)))


@pytest.fixture
def chapter():
    """Three trained dials and one that is not."""
    answers = pd.DataFrame(
        {
            "memory": [2.0, 1.1, 2.0],
            "fidelity": [35.0, 34.95, 34.0],
            "preservation": [55.0, 54.0, 55.001],
            "largest_step": [9.0, 8.0, 5.0],
            "exports": ["two checkpoints", "a plain network", "two checkpoints"],
        },
        index=["dni", "film", "soup"],
    )
    return SimpleNamespace(dials=answers, answers=answers)


def test_findings_name_the_best_of_each_column(chapter):
    ends, even, memory, files, missing = words.findings(chapter)
    assert ends == "The best trained dial at both ends: DNI (fine-tuned)."
    assert "is DNI (mixed basis): no step takes more than 5 %" in even
    assert "FiLM stores least, 1.10 times" in memory
    assert "the whole dial of DNI (fine-tuned) and DNI (mixed basis)" in files
    assert missing.startswith(
        "Not in the table, because their trainings or measurements are not stored: Tunable"
    )


def test_no_dial_may_be_best_at_both_ends(chapter):
    chapter.dials.loc["film", "fidelity"] = 36.0
    assert words.findings(chapter)[0].startswith(
        "No trained dial is best at both ends. The best at fidelity: FiLM;"
    )


def test_the_choice_is_the_evenest_of_those_that_are_near(chapter, monkeypatch):
    monkeypatch.setattr(words.denoising_words, "advice", lambda chapter: ["", "Blend."])
    assert "FiLM moves most evenly" in words.advice(chapter)[1]


@pytest.mark.parametrize(
    ("fidelity", "said"),
    [
        (34.5, "Low-rank changes in place of whole kernels cost 0.50 dB at fidelity: PaLoRA (rank 1)"),
        (34.95, "Whole kernels are not needed for fidelity: PaLoRA (rank 1), the best of the low-rank"),
    ],
)
def test_whole_kernels_are_weighed_against_low_rank_changes(chapter, fidelity, said):
    assert not any("hole kernels" in sentence for sentence in words.findings(chapter))
    for method, memory, psnr in (
        ("tunable-fixed", 2.0, 35.0),
        ("low-rank-1", 1.1, fidelity),
        ("low-rank-4", 1.3, 34),
    ):
        chapter.dials.loc[method] = [memory, psnr, 54.0, 20.0, "two checkpoints"]
    (found,) = [sentence for sentence in words.findings(chapter) if "hole kernels" in sentence]
    assert found.startswith(said)
    assert found.endswith("times the plain network, and Tunable (fixed) 2.00 times.")
