"""The table of README.md agrees with the released sweeps."""

from types import SimpleNamespace

import headline
import pytest

from study.chapters.verdicts import Verdicts
from study.measuring import sweep
from study.runs import named, stored


@pytest.fixture(scope="module")
def verdicts():
    """The claims, judged by the released sweeps alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TUNABLE_RUNS", raising=False)
        patch.setattr(sweep, "measure", lambda *_, **__: pytest.fail("a sweep is not released"))
        found = Verdicts("laptop")
        assert not found.judged.empty
    return found


def test_every_claim_is_judged_at_the_laptop_budget_but_for_times_on_a_gpu(verdicts):
    judged = verdicts.judged
    assert set(judged.index[judged.verdict == "not measured here"]) <= {"overhead-20", "overhead-5"}


def test_the_readme_agrees_with_the_released_sweeps(verdicts, monkeypatch):
    monkeypatch.delenv("TUNABLE_RUNS", raising=False)
    monkeypatch.setattr(headline, "Verdicts", lambda profile: verdicts)
    monkeypatch.setattr(sweep, "measure", lambda *_, **__: pytest.fail("a sweep is not released"))
    text = headline.README.read_text()
    assert headline.readme(text, headline.table()) == text


@pytest.mark.usefixtures("store")
def test_without_the_released_runs_nothing_is_trained_and_the_run_is_named(monkeypatch):
    monkeypatch.setattr(stored, "train", lambda *args, **kwargs: pytest.fail("it trains"))
    missing = r"denoising-tunable-fixed-8x32-seed0-\w{10}.*`make runs`"
    with pytest.raises(named.MissingRun, match=missing):
        headline.table()
    with pytest.raises(named.MissingRun, match="with its weights"):
        headline.picture()


def test_only_the_headline_is_replaced():
    text = f"before\n{headline.BEGIN} note -->\nold\n{headline.END}\nafter\n"
    new = headline.readme(text, "new")
    assert new == f"before\n{headline.BEGIN} note -->\nnew\n{headline.END}\nafter\n"


def test_the_hardware_is_that_of_the_records():
    cpu, cores, gpu = (
        SimpleNamespace(record={"device": device, "threads": threads})
        for device, threads in (("CPU x86_64", 1), ("CPU arm64", 4), ("NVIDIA H200", 1))
    )
    assert headline.trained_on([cpu, cpu]) == "one thread of a CPU (x86_64)"
    assert headline.trained_on([gpu, cores]) == "4 threads of a CPU (arm64) or NVIDIA H200"
