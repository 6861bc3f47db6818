"""Claims: each is judged by the thresholds stored with its quote, on the measurements in the store."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from stored import kept_run, kept_sweep

from study import configs, runs
from study.claims import claims
from study.claims.printed import PAPER, printed
from study.claims.sources import Paper
from study.claims.store import Store
from study.claims.verdicts import CLEAN, KEEP, Bounds, NotMeasured, Verdict, graded, joined, table
from study.configs import measurements
from study.measuring import bench, sweep, sweep_files
from study.measuring.intervals import Estimate
from study.measuring.sweep import FIVE
from study.runs import stored

CLAIMS = claims.claims()
BUDGET = configs.profile("laptop")
SENTENCES = yaml.safe_load((PAPER / "sentences.yml").read_text(encoding="utf-8"))
FROM_TABLES = {
    "tunes",
    "table-1",
    "fidelity",
    "rivals-drop",
    "dni-interior",
    "cfsnet-noise",
    "swinir",
    "nafnet",
    "backbones-keep-noise",
    "cresmd",
    "table-4",
    "dynet-sr",
    "dni-interior-sr",
    "sr-fidelity",
    "smooth-sr",
    "fewer-artifacts-sr",
    "swinir-sr",
}
"""Claims for which the paper's printed tables suffice."""
RIVALS = ("dni", "dni-scratch", "dynet", "cfsnet")


def method(name, seed=0, target="fixed"):
    """The denoising run of a method."""
    return configs.denoising(name, BUDGET, seed=seed, noise_target=target)


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
        }
    )
    kept_sweep(config or method(name), what or measurements.table_1(images), frame)


def both_readings(psnr, images=("kodak", "cbsd68")):
    """The tunable network under both readings of Eq. 9, with these five PSNRs on each set."""
    for one in images:
        for target in ("fixed", "eq9"):
            kept("", psnr, one, config=method("tunable", target=target))


def verdict(name):
    """The verdict on a claim from the measurements in the store."""
    return claims.judge(CLAIMS[name], Store(BUDGET))


@pytest.mark.parametrize("name", CLAIMS)
def test_given_the_papers_own_numbers_a_judge_reproduces_or_says_what_it_needs(name):
    found = claims.judge(CLAIMS[name], Paper())
    if name in FROM_TABLES:
        assert found.level == "reproduced", found.evidence
    else:
        assert found.level == "not measured here"
        assert found.evidence.startswith("The paper's tables do not suffice; this needs ")


@pytest.mark.parametrize("name", sorted(FROM_TABLES))
def test_given_numbers_at_random_no_judge_always_reproduces(name, monkeypatch):
    random = np.random.default_rng(0)
    levels = set()
    for _ in range(6):
        values = {}
        monkeypatch.setattr(
            "study.claims.sources.printed",
            lambda table, v=values: v.setdefault(
                table, {c: random.normal(0, 50) for c in printed(table)}
            ),
        )
        levels.add(claims.judge(CLAIMS[name], Paper()).level)
    assert levels - {"reproduced"}


@pytest.mark.parametrize("text", CLAIMS.values(), ids=CLAIMS)
def test_every_statement_shows_the_thresholds_that_the_code_uses(text):
    raw = yaml.safe_load(claims.CLAIMS.read_text(encoding="utf-8"))[text.name]
    assert text.statement.endswith(".")
    assert text.because
    assert "{good" in raw["statement"], "a number that is typed may differ from the code's"
    assert "{fair" in raw["statement"]


def test_every_claim_has_a_judge_and_every_judge_a_claim():
    assert set(claims.JUDGES) == set(CLAIMS)


def test_the_page_has_every_testable_sentence_of_the_paper():
    tested = {sentence["claim"] for sentence in SENTENCES if "claim" in sentence}
    assert tested == set(CLAIMS) == set(claims.judged(configs.profile("smoke")).index)
    for sentence in SENTENCES:
        assert set(sentence) in ({"section", "text", "claim"}, {"section", "text", "not_tested"})


@pytest.mark.parametrize("text", CLAIMS.values(), ids=CLAIMS)
def test_the_words_of_every_claim_are_among_the_sentences(text):
    of = " ".join(sentence["text"] for sentence in SENTENCES if sentence.get("claim") == text.name)
    last = text.quote.replace(",", "").split()[-4:]
    assert " ".join(last) in of.replace(",", "")


LITTLE, MUCH = Bounds(0.1, 0.2), Bounds(90, 50)


@pytest.mark.parametrize(
    ("value", "level"),
    [(0.05, "reproduced"), (0.1, "reproduced"), (0.15, "partly"), (0.25, "not reproduced")],
)
def test_where_little_is_good(value, level):
    assert graded(Estimate.exact(value), LITTLE, "").level == level


@pytest.mark.parametrize(
    ("value", "level"), [(95, "reproduced"), (60, "partly"), (40, "not reproduced")]
)
def test_where_much_is_good(value, level):
    assert graded(Estimate.exact(value), MUCH, "").level == level


@pytest.mark.parametrize(
    ("low", "high", "level"),
    [
        (0.02, 0.08, "reproduced"),
        (0.08, 0.15, "partly"),
        (0.12, 0.18, "partly"),
        (0.15, 0.25, "cannot be told at this budget"),
        (0.05, 0.25, "cannot be told at this budget"),
        (0.25, 0.35, "not reproduced"),
    ],
)
def test_a_verdict_is_what_the_whole_interval_supports(low, high, level):
    assert graded(Estimate((low + high) / 2, low, high, images=24), LITTLE, "").level == level


def test_no_number_is_no_verdict():
    assert graded(Estimate.exact(float("nan")), LITTLE, "").level == "not measured here"


def test_where_readings_disagree_the_claim_holds_in_part_and_both_are_shown():
    yes, no = Verdict("reproduced", "Near."), Verdict("not reproduced", "Far.")
    found = joined([("A", yes), ("B", no)])
    assert found.level == "partly"
    assert found.evidence == "A: reproduced. Near. B: not reproduced. Far."
    assert joined([("A", no), ("B", no)]).level == "not reproduced"
    unsure = Verdict("cannot be told at this budget", "")
    assert joined([("A", no), ("B", unsure)]).level == "cannot be told at this budget"


def test_what_was_not_measured_is_named(store):
    judged = claims.judged(BUDGET)
    assert judged.loc["fidelity", "verdict"] == "not measured here"
    assert "denoising-dni-scratch-8x32-seed0 on kodak" in judged.loc["fidelity", "evidence"]
    assert set(judged.verdict) == {"not measured here", "reproduced"}
    assert list(judged.index[judged.verdict == "reproduced"]) == ["any-layer"]


@pytest.mark.parametrize(
    ("ours", "level"), [(34.95, "reproduced"), (34.85, "partly"), (34.0, "not reproduced")]
)
def test_fidelity_is_judged_against_the_plain_network(store, ours, level):
    for images in ("kodak", "cbsd68"):
        kept("dni-scratch", [26, 28, 30, 33, 35], images)
    both_readings([26, 28, 30, 33, ours])
    assert verdict("fidelity").level == level


def test_a_dial_that_goes_back_does_not_tune(store):
    both_readings([26, 28, 30, 33, 35])
    assert verdict("tunes").level == "reproduced"
    both_readings([26, 28, 27, 26, 35])
    assert verdict("tunes").level == "not reproduced"


def test_a_fair_rival_counts_beside_the_papers_own(store):
    both_readings([26, 28, 30, 33, 35])
    for images in ("kodak", "cbsd68"):
        for rival in RIVALS[1:]:
            kept(rival, [26, 28, 30, 33, 34.9], images)
        kept("dni", [26, 28, 30.5, 33.5, 34.9], images)
    found = verdict("table-1")
    assert found.level == "reproduced"
    assert "No rival is better in 20 of 20 cells" in found.evidence
    assert "With DNI, fine-tuned, among the rivals: partly, 12 of 20 cells" in found.beside


def test_seeds_of_kodak_decide_with_their_spread(store):
    for seed, psnr in enumerate((34.7, 35.0, 35.3)):
        for target in ("fixed", "eq9"):
            config = method("tunable", seed, target)
            kept("", [26, 28, 30, 33, psnr], config=config, what=measurements.seeds())
            kept("", [26, 28, 30, 33, 35], "cbsd68", config=method("tunable", target=target))
        kept("", [26, 28, 30, 33, 35], config=method("dni-scratch", seed), what=measurements.seeds())
    kept("dni-scratch", [26, 28, 30, 33, 35], "cbsd68")
    found = verdict("fidelity")
    assert found.level == "cannot be told at this budget"
    store_ = Store(BUDGET)
    claims.judge(CLAIMS["fidelity"], store_)
    assert store_.sure() == "1 square of kodak, seeds 0, 1, 2; 1 image of cbsd68, seed 0"


def test_dni_between_the_ends_is_judged_without_the_image_skip_where_it_is_measured(store):
    for images in ("kodak", "cbsd68"):
        kept("dni-scratch", [26, 27, 28, 29, 34], images)  # with the skip it does not fall
        kept("dynet", [26, 27, 28, 29, 34], images)
    assert verdict("dni-interior").level == "not reproduced"
    for images in ("kodak", "cbsd68"):
        kept("", [26, 25, 25, 26, 34], images, config=configs.without_skip(BUDGET))
    found = verdict("dni-interior")
    assert found.level == "partly"
    assert "DNI, no image skip on kodak 1.0 dB below" in found.evidence
    assert "With our image skip: DNI on kodak 1.0 dB above" in found.beside


@pytest.mark.usefixtures("store")
def test_table_3_is_judged_on_squares_where_several_seeds_have_them():
    first, second = (configs.joint("tunable", BUDGET, seed=seed) for seed in range(2))
    kept("", [26, 28, 30, 33, 35.0], config=first, what=measurements.table_3())
    kept("", [26, 28, 30, 33, 30.0], config=first, what=measurements.joint_seeds())
    cells = ("table3", "kodak", "Tunable", "psnr", [CLEAN])
    assert Store(BUDGET).cells(*cells).values.ravel().tolist() == [35.0]
    kept("", [26, 28, 30, 33, 31.0], config=second, what=measurements.joint_seeds())
    assert Store(BUDGET).cells(*cells).values.ravel().tolist() == [30.0, 31.0]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("change", [{"crop": 64}, {"sigmas": (5.0,)}], ids=str)
def test_a_chapter_run_with_other_settings_leaves_every_verdict_as_it_was(change):
    both_readings([26, 28, 30, 33, 35])
    before = verdict("tunes")
    assert before.level == "reproduced"
    kept("tunable", [5, 4, 3, 2, 1], what=replace(measurements.table_1(), **change))
    assert verdict("tunes") == before


def test_the_style_chapter_run_with_other_steps_leaves_its_verdict_as_it_was(store):
    around(configs.style.transfer("tunable", BUDGET), low=0.0)
    assert verdict("three-objectives").level == "reproduced"
    around(configs.style.transfer("tunable", BUDGET, steps=1000), low=1.1)
    assert verdict("three-objectives").level == "reproduced"


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
    kept_run(method("tunable", target="eq9"))
    monkeypatch.setattr(stored, "train", None)
    found = verdict("manifolds")
    assert found.level == "not measured here"
    assert "the weights of denoising-tunable-eq9" in found.evidence


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
    assert verdict("three-objectives").level == level


@pytest.mark.usefixtures("store")
def test_a_rival_that_tunes_three_styles_as_well_leaves_ours_not_the_only_one():
    around(configs.style.transfer("tunable", BUDGET), 0.0)
    for rival in ("dni", "film"):
        around(configs.style.transfer(rival, BUDGET), 1.1)
    assert verdict("only-one").level == "reproduced"
    around(configs.style.transfer("dni", BUDGET), 0.0)
    assert verdict("only-one").level == "partly"


TIMES = pd.DataFrame(
    {
        "p": [1, 2, 8, 2],
        "compiled": [False, False, False, True],
        "work": "forward",
        "precision": "float32",
        "overhead": [4.0, 3.0, 50.0, 200.0],
    }
)


def test_without_a_gpu_the_runtime_is_not_measured_and_the_cpu_stands_beside_it(store):
    bench.write("layers", TIMES, "cpu")
    found = verdict("overhead-5")
    assert found.level == "not measured here"
    assert "On a CPU: reproduced. 100 % of 2 cases are under 5 %" in found.beside
    found = verdict("overhead-20")
    assert "On a CPU: partly. 67 % of 3 cases are under 20 %" in found.beside


def test_a_gpu_of_this_code_grades_the_runtime_and_one_of_other_code_nothing(store, monkeypatch):
    content = bench.write("layers", TIMES[:2], "cpu").read_bytes()
    bench.path("layers", "cuda").write_bytes(content)
    assert verdict("overhead-20").level == "reproduced"
    monkeypatch.setattr(bench, "wrapper", lambda: "of other sources")
    found = verdict("overhead-20")
    assert found.level == "not measured here"
    assert found.evidence.startswith("Stale, so not used for the verdict: with an older version")
    assert "On a CPU: not measured here. Stale" in found.beside


def test_nafnet_is_judged_by_all_seeds(store):
    for seed, gap in enumerate((0.0, -0.1, -0.2)):
        for control, ahead in (("fixed", gap), ("tunable", 0)):
            config = measurements.nafnet(control, BUDGET, seed=seed)
            kept("", [30 + ahead] * 5, config=config, what=measurements.table_2b())
    found = verdict("nafnet")
    assert found.level == "reproduced"
    assert "0.10 dB above [0.00, 0.20] on nam-test" in found.evidence


def test_networks_that_are_measured_on_set5_did_not_train_on_an_image_of_it():
    configs_of, _ = measurements.tables(configs.profile("laptop"))["table5"]
    assert {config.data for config in configs_of.values()} == {"bsds500-clean"}
