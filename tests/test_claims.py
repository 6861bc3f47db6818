"""Claims: each judged by a threshold, on what is in the store and nothing else."""

import pandas as pd
import pytest
import yaml

from tunable_core import bench, study, sweep
from tunable_core.study import claims
from tunable_core.study.verdicts import CLEAN, KEEP, NotMeasured, graded, table
from tunable_core.style_sweep import ring
from tunable_core.sweep import FIVE

TEXTS = yaml.safe_load(claims.CLAIMS.read_text())
BUDGET = study.profile("laptop")


def kept(store, name, psnr, images="kodak", key="0123456789", **columns):
    """Put a sweep of one image at the five omegas into the store."""
    frame = pd.DataFrame(
        {
            "image": "one",
            "sigma": 5.0,
            "omega_1": [w[0] for w in FIVE],
            "omega_2": [w[1] for w in FIVE],
            "psnr": psnr,
            "psnr_eta": columns.get("psnr_eta", psnr),
            "kept": columns.get("kept", [0.9, 0.7, 0.5, 0.3, 0.1]),
        }
    )
    record = {"name": f"{name}-laptop", "settings": {"images": images}}
    sweep._write(store / "sweeps" / f"{name}-laptop-{images}-{key}.csv", frame, record)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_claim_has_its_place_its_words_and_a_statement(text):
    assert set(text) == {"section", "quote", "statement", "figure"}
    assert text["statement"].endswith(".")


def test_every_quote_is_judged_or_openly_not():
    assert set(claims.JUDGES) <= set(TEXTS)
    judged = claims.judged(study.profile("smoke"))
    assert list(judged.index) == list(TEXTS)
    assert set(judged.verdict) <= set(claims.LEVELS)
    unjudged = judged.drop(index=list(claims.JUDGES))
    assert set(unjudged.verdict) <= {"not tested"}


@pytest.mark.parametrize(
    ("value", "level"),
    [(0.05, "reproduced"), (0.1, "reproduced"), (0.15, "partly"), (0.25, "not reproduced")],
)
def test_where_little_is_good(value, level):
    assert graded(value, 0.1, 0.2, "").level == level


@pytest.mark.parametrize(
    ("value", "level"), [(95, "reproduced"), (60, "partly"), (40, "not reproduced")]
)
def test_where_much_is_good(value, level):
    assert graded(value, 90, 50, "").level == level


def test_no_number_is_no_success():
    assert graded(float("nan"), 90, 50, "").level == "not reproduced"
    assert graded(float("nan"), 0.1, 0.2, "").level == "not reproduced"


def test_what_was_not_measured_is_not_tested_and_named(store):
    judged = claims.judged(BUDGET)
    assert judged.loc["fidelity", "verdict"] == "not tested"
    assert "denoising-tunable-fixed on kodak" in judged.loc["fidelity", "evidence"]


@pytest.mark.parametrize(
    ("ours", "level"), [(34.95, "reproduced"), (34.85, "partly"), (34.0, "not reproduced")]
)
def test_fidelity_is_judged_against_the_plain_network(store, ours, level):
    kept(store, "denoising-dni", [26, 28, 30, 33, 35])
    kept(store, "denoising-tunable-fixed", [26, 28, 30, 33, ours])
    assert claims.judged(BUDGET).loc["fidelity", "verdict"] == level


def test_a_dial_that_goes_back_does_not_tune(store):
    kept(store, "denoising-tunable-fixed", [26, 28, 30, 33, 35])
    assert claims.judged(BUDGET).loc["tunes", "verdict"] == "reproduced"
    kept(store, "denoising-tunable-fixed", [26, 28, 27, 26, 35], kept=[0.9, 0.5, 0.6, 0.7, 0.1])
    assert claims.judged(BUDGET).loc["tunes", "verdict"] == "not reproduced"


def test_a_rival_within_the_spread_takes_no_cell(store):
    for images in ("kodak", "cbsd68"):
        kept(store, "denoising-tunable-fixed", [26, 28, 30, 33, 35], images)
        for rival in ("dni", "dni-scratch", "dynet", "cfsnet"):
            kept(store, f"denoising-{rival}", [26, 28, 30, 33, 35.05], images)
    assert claims.judged(BUDGET).loc["table-1", "evidence"].startswith("No rival is better in 16 of 20")
    for seed, psnr in enumerate((34.9, 35.1)):
        kept(store, f"seeds-tunable-fixed-{seed}", [26, 28, 30, 33, psnr])
    verdict = claims.judged(BUDGET).loc["table-1"]
    assert verdict.verdict == "reproduced"
    assert verdict.evidence == "No rival is better in 20 of 20 cells."


def test_a_kept_sweep_is_found_by_its_name(store):
    kept(store, "a", [1, 2, 3, 4, 5])
    kept(store, "a-b", [5, 4, 3, 2, 1])
    assert list(sweep.kept("a-laptop", "kodak").psnr) == [1, 2, 3, 4, 5]
    with pytest.raises(FileNotFoundError, match=r"no sweep 'a-laptop' on 'cbsd68'"):
        sweep.kept("a-laptop", "cbsd68")
    with pytest.raises(NotMeasured, match="b on kodak"):
        table("b", BUDGET)


def test_of_two_sweeps_of_one_name_none_is_judged_and_both_are_named(store):
    name = "denoising-tunable-fixed"
    for key in ("0123456789", "abcdef0123"):
        kept(store, name, [1, 2, 3, 4, 5], key=key)
    with pytest.raises(
        sweep.SeveralSweeps, match=rf"2 sweeps of '{name}-laptop' on 'kodak'.*0123456789.*abcdef0123"
    ):
        sweep.kept(f"{name}-laptop", "kodak")
    judged = claims.judged(BUDGET).loc["fidelity"]
    assert judged.verdict == "not tested"
    assert "keep one of" in judged.evidence
    assert study.cells.beside_printed(BUDGET).ours.isna().all()


def test_the_ends_of_the_dial_are_preservation_and_fidelity():
    assert (KEEP, CLEAN) == ((0.0, 1.0), (1.0, 0.0))


@pytest.mark.parametrize(("low", "level"), [(0.0, "reproduced"), (1.1, "not reproduced")])
def test_three_objectives_are_judged_along_the_edges(store, low, level):
    frame = pd.DataFrame(ring(3, 2)[:-1], columns=["omega_1", "omega_2", "omega_3"])
    frame = frame.assign(image="one", **{f"loss_{i}": 1 - frame[f"omega_{i}"] for i in (1, 2, 3)})
    frame.loc[frame.omega_1 == 1, "loss_1"] = low
    record = {"name": "style-tunable-laptop", "settings": {"images": "kodak"}}
    sweep._write(store / "sweeps/style-tunable-laptop-kodak-0123456789.csv", frame, record)
    assert claims.judged(BUDGET).loc["three-objectives", "verdict"] == level


def test_the_runtime_is_judged_by_eager_cases_of_the_cpu_and_the_others_are_told(store):
    rows = pd.DataFrame(
        {"p": [1, 2, 8, 2], "compiled": [False, False, False, True], "overhead": [4.0, 30.0, 50.0, 2.0]}
    )
    bench.keep("layers", rows, "cpu")
    verdict = claims.JUDGES["overhead-5"](BUDGET)
    assert verdict.level == "partly"
    assert "50 % of 2 cases are under 5 %, on a CPU; compiled, 100 % of 1 cases" in verdict.evidence
    bench.keep("layers", rows.assign(overhead=300.0), "cpu")
    assert claims.JUDGES["overhead-20"](BUDGET).level == "not reproduced"


def test_nafnet_is_judged_by_the_mean_over_all_seeds(store):
    for seed, gap in enumerate((0.4, 0.0, -0.2)):
        for control, ahead in (("fixed", gap), ("tunable", 0)):
            name = f"seeds-nafnet-{control}-{seed}" if seed else f"nafnet-{control}"
            assert claims.judged(BUDGET).loc["nafnet", "verdict"] == "not tested"
            kept(store, name, [30 + ahead] * 5, images="nam-test")
    judged = claims.judged(BUDGET).loc["nafnet"]
    assert judged.verdict == "reproduced"
    assert "+0.07 dB on photographs of nam, from -0.20 to +0.40 over 3 seeds" in judged.evidence
