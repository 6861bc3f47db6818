"""Claims: each judged by a threshold, on what is in the store and nothing else."""

from dataclasses import replace

import pandas as pd
import pytest
import yaml
from stored import kept_run, kept_sweep

from study import configs, runs
from study.claims import claims
from study.claims.verdicts import CLEAN, KEEP, NotMeasured, graded, table
from study.configs import measurements
from study.measuring import bench, sweep, sweep_files
from study.measuring.sweep import FIVE
from study.runs import stored

TEXTS = yaml.safe_load(claims.CLAIMS.read_text())
BUDGET = configs.profile("laptop")


def method(name, seed=0):
    """The denoising run of a method."""
    return configs.denoising(name, BUDGET, seed=seed)


def kept(name, psnr, images="kodak", config=None, what=None, **columns):
    """Put a sweep of one image at the five omegas into the store, by default that of Table 1."""
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
    kept_sweep(config or method(name), what or measurements.table_1(images), frame)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_claim_has_its_place_its_words_and_a_statement(text):
    assert set(text) == {"section", "quote", "statement", "figure"}
    assert text["statement"].endswith(".")


def test_every_quote_is_judged_or_openly_not():
    assert set(claims.JUDGES) <= set(TEXTS)
    judged = claims.judged(configs.profile("smoke"))
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
    assert "denoising-dni-8x32-seed0 on kodak" in judged.loc["fidelity", "evidence"]


@pytest.mark.parametrize(
    ("ours", "level"), [(34.95, "reproduced"), (34.85, "partly"), (34.0, "not reproduced")]
)
def test_fidelity_is_judged_against_the_plain_network(store, ours, level):
    kept("dni", [26, 28, 30, 33, 35])
    kept("tunable", [26, 28, 30, 33, ours])
    assert claims.judged(BUDGET).loc["fidelity", "verdict"] == level


def test_a_dial_that_goes_back_does_not_tune(store):
    kept("tunable", [26, 28, 30, 33, 35])
    assert claims.judged(BUDGET).loc["tunes", "verdict"] == "reproduced"
    kept("tunable", [26, 28, 27, 26, 35], kept=[0.9, 0.5, 0.6, 0.7, 0.1])
    assert claims.judged(BUDGET).loc["tunes", "verdict"] == "not reproduced"


def test_a_rival_within_the_spread_takes_no_cell(store):
    for images in ("kodak", "cbsd68"):
        kept("tunable", [26, 28, 30, 33, 35], images)
        for rival in ("dni", "dni-scratch", "dynet", "cfsnet"):
            kept(rival, [26, 28, 30, 33, 35.05], images)
    assert claims.judged(BUDGET).loc["table-1", "evidence"].startswith("No rival is better in 16 of 20")
    for seed, psnr in enumerate((34.9, 35.1)):
        kept("", [26, 28, 30, 33, psnr], config=method("tunable", seed), what=measurements.seeds())
    verdict = claims.judged(BUDGET).loc["table-1"]
    assert verdict.verdict == "reproduced"
    assert verdict.evidence == "No rival is better in 20 of 20 cells."


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("change", [{"crop": 64}, {"sigmas": (5.0,)}], ids=str)
def test_a_chapter_run_with_other_settings_leaves_every_verdict_as_it_was(change):
    kept("dni", [26, 28, 30, 33, 35])
    kept("tunable", [26, 28, 30, 33, 34.95])
    before = claims.judged(BUDGET)
    assert before.loc["fidelity", "verdict"] == "reproduced"
    kept("tunable", [1, 2, 3, 4, 5], what=replace(measurements.table_1(), **change))
    pd.testing.assert_frame_equal(claims.judged(BUDGET), before)


def test_the_style_chapter_run_with_other_steps_leaves_its_verdict_as_it_was(store):
    around(configs.style.transfer("tunable", BUDGET), low=0.0)
    assert claims.judged(BUDGET).loc["three-objectives", "verdict"] == "reproduced"
    around(configs.style.transfer("tunable", BUDGET, steps=1000), low=1.1)
    assert claims.judged(BUDGET).loc["three-objectives", "verdict"] == "reproduced"


@pytest.mark.usefixtures("store")
def test_a_label_decides_nothing():
    kept("tunable", [26, 28, 30, 33, 35])
    config, what = method("tunable"), measurements.table_1()
    (path,) = (runs.store() / "sweeps").iterdir()
    before = sweep.find(config, what)
    record = {k: v for k, v in before.attrs["record"].items() if k not in ("table", "sha256")}
    record["name"] = "mine"
    sweep_files.write(path.with_name(path.name.replace(config.name, "mine")), before, record)
    path.unlink()
    pd.testing.assert_frame_equal(sweep.find(config, what), before)


def test_of_a_run_without_weights_nothing_is_trained_for_a_verdict(store, monkeypatch):
    kept_run(method("tunable"))
    monkeypatch.setattr(stored, "train", None)
    verdict = claims.judged(BUDGET).loc["manifolds"]
    assert verdict.verdict == "not tested"
    assert "the weights of denoising-tunable-fixed" in verdict.evidence


@pytest.mark.usefixtures("store")
def test_a_misspelt_method_is_an_error():
    with pytest.raises(ValueError, match=r"method must be one of .*; got 'tunabel'"):
        table(configs.denoising("tunabel", BUDGET), measurements.table_1())


@pytest.mark.usefixtures("store")
def test_of_a_run_that_was_measured_otherwise_nothing_is_found():
    kept("tunable", [26, 28, 30, 33, 35], what=measurements.seeds())
    with pytest.raises(NotMeasured, match="denoising-tunable-fixed-8x32-seed0 on kodak"):
        table(method("tunable"), measurements.table_1())


def test_the_ends_of_the_dial_are_preservation_and_fidelity():
    assert (KEEP, CLEAN) == ((0.0, 1.0), (1.0, 0.0))


def around(config, low):
    """A sweep round the triangle; low: what style 1 has where its dial alone is turned up."""
    what = measurements.three_styles(BUDGET)
    frame = pd.DataFrame(what.omegas, columns=["omega_1", "omega_2", "omega_3"])
    frame = frame.assign(image="one", **{f"loss_{i}": 1 - frame[f"omega_{i}"] for i in (1, 2, 3)})
    frame.loc[frame.omega_1 == 1, "loss_1"] = low
    kept_sweep(config, what, frame)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("low", "level"), [(0.0, "reproduced"), (1.1, "partly")])
def test_three_objectives_are_judged_along_the_edges(low, level):
    around(configs.style.transfer("tunable", BUDGET), low)
    assert claims.judged(BUDGET).loc["three-objectives", "verdict"] == level


def test_the_runtime_is_judged_by_eager_cases_of_the_cpu_and_the_others_are_told(store):
    rows = pd.DataFrame(
        {"p": [1, 2, 8, 2], "compiled": [False, False, False, True], "overhead": [4.0, 30.0, 50.0, 2.0]}
    )
    bench.write("layers", rows, "cpu")
    verdict = claims.JUDGES["overhead-5"](BUDGET)
    assert verdict.level == "partly"
    assert "50 % of 2 cases are under 5 %, on a CPU; compiled, 100 % of 1 cases" in verdict.evidence
    bench.write("layers", rows.assign(overhead=300.0), "cpu")
    assert claims.JUDGES["overhead-20"](BUDGET).level == "not reproduced"


def test_a_measurement_of_a_gpu_with_another_version_is_not_judged(store, monkeypatch):
    rows = pd.DataFrame({"p": [1], "compiled": [False], "overhead": [4.0]})
    bench.path("layers", "cuda").write_bytes(bench.write("layers", rows, "cpu").read_bytes())
    device = bench.find("layers", "cuda").attrs["record"]["device"]
    judge = claims.JUDGES["overhead-20"]
    assert f"; on {device}, 100 % of 1 cases." in judge(BUDGET).evidence
    monkeypatch.setattr(bench, "wrapper", lambda: "of other sources")
    assert judge(BUDGET).evidence == (
        "100 % of 1 cases are under 20 %, on a CPU (another version); "
        f"not measured with this version on {device}."
    )


def test_nafnet_is_judged_by_the_mean_over_all_seeds(store):
    for seed, gap in enumerate((0.4, 0.0, -0.2)):
        for control, ahead in (("fixed", gap), ("tunable", 0)):
            assert claims.judged(BUDGET).loc["nafnet", "verdict"] == "not tested"
            config = measurements.nafnet(control, BUDGET, seed=seed)
            kept("", [30 + ahead] * 5, config=config, what=measurements.table_2b())
    judged = claims.judged(BUDGET).loc["nafnet"]
    assert judged.verdict == "reproduced"
    assert "+0.07 dB on photographs of nam, from -0.20 to +0.40 over 3 seeds" in judged.evidence
