"""The claims as a page and as a command."""

from dataclasses import replace

import pandas as pd
import pytest

from study import configs, runs
from study.claims import __main__ as command
from study.claims import claims, page
from study.claims.store import Store
from study.claims.verdicts import LEVELS, Verdict
from study.configs import measurements
from study.measuring.sweep import DenoisingSweep

JUDGED = pd.DataFrame(
    {
        "section": "Sec. 1",
        "quote": "a < b",
        "statement": "Smaller.",
        "because": "it says so",
        "figure": "03-denoising#tab-dial",
        "seen": ["Kodak", ""],
        "verdict": ["partly", "not measured here"],
        "evidence": ["0.1 dB.", "Nothing."],
        "beside": ["", "A CPU."],
        "sure": ["24 images of kodak, seed 0", ""],
        "minutes": [150.0, 0.0],
        "memory_mb": [1300, 0],
        "device": ["CPU x86_64", ""],
    },
    index=["one", "two"],
)


def test_every_verdict_has_a_colour_and_a_count():
    assert set(page.COLOURS) == set(LEVELS)
    assert page.counts(JUDGED).to_dict() == dict.fromkeys(LEVELS, 0) | {
        "partly": 1,
        "not measured here": 1,
    }
    assert page.sentence(JUDGED) == "2 claims: 1 partly, 1 not measured here"
    assert set(page.results(JUDGED)) == {
        "reproduced",
        "partly",
        "not_reproduced",
        "cannot_be_told",
        "not_measured",
        "claims",
        "sentence",
    }


def test_a_row_has_quote_test_thresholds_verdict_and_how_sure():
    first, second = page.table(JUDGED).split("<tr ")[1:]
    assert "href='03-denoising.html#tab-dial'" in first
    assert "a &lt; b" in first
    assert "<em>Thresholds:</em> it says so." in first
    assert "24 images of kodak, seed 0; settings were chosen while looking at Kodak." in first
    assert "Also" not in first
    assert "<em>Also:</em> A CPU." in second
    assert "How sure" not in second


def test_every_claim_has_a_row_of_its_cost():
    found = page.costs(JUDGED)
    assert found.index[0] == "make claim NAME=one"
    assert found.iloc[0].to_list() == ["2.5 h", "1,300 MiB", "CPU", "partly"]
    assert found.iloc[1, :3].to_list() == ["seconds", "", ""]
    assert page.time(float("nan")) == "not recorded"
    assert page.time(95) == "95 min"


@pytest.mark.usefixtures("store")
def test_the_command_prints_the_verdict_with_its_numbers(capsys):
    command.main(["any-layer", "--stored"])
    text = capsys.readouterr().out
    assert text.startswith("any-layer (Sec. 3.2): REPRODUCED\n")
    assert "found:     Largest difference over strided" in text


@pytest.mark.usefixtures("store")
def test_a_name_that_no_claim_has_is_refused_with_the_names_there_are(capsys):
    with pytest.raises(SystemExit):
        command.main(["tabel-1"])
    assert "no claim is called tabel-1; there are overhead-20, " in capsys.readouterr().err


def test_what_is_missing_is_trained_and_measured_and_nothing_else(store, monkeypatch):
    what = DenoisingSweep("samples-test", sigmas=(30.0,), crop=32, omegas=((1.0, 0.0), (0.0, 1.0)))
    monkeypatch.setattr(measurements, "ablations", lambda: what)
    made = Store(replace(configs.profile("smoke"), seeds=1), make=True)
    found = claims.judge(claims.claims()["affine"], made)
    assert found.level != "not measured here", found
    trained = sorted(path.name.rpartition("-")[0] for path in (runs.store() / "runs").iterdir())
    assert trained == [
        "ablation-as-released-2x8-seed0",
        "ablation-phi-identity-2x8-seed0",
        "ablation-phi-se-2x8-seed0",
    ]


def test_without_its_images_a_claim_is_not_judged_on_others(store, monkeypatch):
    monkeypatch.setenv("TUNABLE_DATA", str(store / "nowhere"))
    found = claims.judge(claims.claims()["affine"], Store(configs.profile("smoke"), make=True))
    assert found.evidence == (
        "Not measured at this profile: kodak, whose images are missing "
        "(`make data DATASETS=kodak` gets them)."
    )
    assert not (runs.store() / "runs").exists()


def test_a_report_says_what_stands_beside_a_verdict():
    claim = claims.claims()["overhead-20"]
    text = command.report(claim, Verdict("partly", "Half.", "A CPU."), Store(None))
    assert "\n  also:      A CPU." in text
    assert "made in" not in text
