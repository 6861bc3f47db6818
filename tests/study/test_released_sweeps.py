"""The released sweeps: each is found by its network and its settings."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from torch import nn

from study import configs, runs
from study.chapters.beside import every_cell
from study.chapters.denoising_results import gap
from study.claims.store import Store
from study.claims.verdicts import CLEAN
from study.configs import measurements
from study.controls import Blend, Fixed, PixelBlend, Retouch, WaveletBlend
from study.disk.records import ROOT
from study.measuring import sweep, sweep_files
from study.measuring.intervals import lead
from study.measuring.photo_rivals import NonLocalMeans
from study.measuring.photo_sweep import PhotoSweep
from study.measuring.style_sweep import StyleSweep
from study.measuring.sweep import DenoisingSweep, JointSweep, RealSweep, SuperResolutionSweep
from study.measuring.transports import transport
from study.tasks.style import Style
from tunable_photo.resampling import Bicubic

FILES = sorted((ROOT / "data/sweeps").glob("*.csv"))
KINDS = (StyleSweep, JointSweep, SuperResolutionSweep, DenoisingSweep, RealSweep, PhotoSweep)


def tuples(value):
    if isinstance(value, dict):
        return Style(**value)
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def _of(kind, settings):
    """A sweep of this kind with exactly these settings, or None."""
    stored = {field.metadata.get("stored as", field.name): field.name for field in fields(kind)}
    try:
        what = kind(**{stored[name]: value for name, value in settings.items()})
    except (KeyError, TypeError):
        return None
    return what if set(what.settings()) == set(settings) else None


def settings_of(path: Path):
    """Record and settings of a released file, as it is."""
    record = json.loads(path.read_bytes().partition(b"\n")[0].removeprefix(b"# "))
    settings = {name: tuples(value) for name, value in record["settings"].items()}
    (what,) = (each for kind in KINDS if (each := _of(kind, settings)))
    return record, what


@pytest.fixture(scope="module")
def measured_of() -> Callable:
    """Every measured control of the study, by the first digits of the digest of its weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TUNABLE_RUNS", raising=False)
        wanted = [c for name in ("laptop", "gpu") for c in configs.all_runs(configs.profile(name))]
        found = {c.name: runs.get(c, weights=False, progress=False) for c in wanted if runs.find(c)}
    sr = found["sr-dni-smooth-8x32-laptop-seed0"]
    cleanest = found["photo-8x64-seed0"].control.at([1.0, 0.0])
    of = [
        *found.values(),
        Blend(found["denoising-dni-8x32-seed0"].control.networks[0]),
        WaveletBlend(found["denoising-dni-8x32-seed0"].control.networks[0]),
        PixelBlend(found["sr-dni-smooth-8x32-laptop-seed0"].control),
        transport(sr.control.networks[0], sr.config),
        PixelBlend(found["style-tunable-laptop-seed0"].control),
        Retouch(found["joint-fixed-8x32-seed0"].control.denoiser),
        Blend(cleanest),
        WaveletBlend(cleanest),
        Blend(NonLocalMeans()),
        Blend(nn.Identity()),
        Fixed(nn.Identity(), 3),
        Fixed(Bicubic()),
        Fixed(sr.control.networks[0]),
    ]
    by_weights = {}
    for one in of:
        by_weights.setdefault(sweep_files.state(one)[:16], []).append(one)
    return lambda weights: by_weights.get(weights, [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_released_sweep_is_found_by_what_it_is_of(path, measured_of, monkeypatch):
    monkeypatch.delenv("TUNABLE_RUNS", raising=False)
    record, what = settings_of(path)
    assert json.loads(json.dumps(what.settings())) == record["settings"]
    key = path.stem.rpartition("-")[2]
    (one,) = (one for one in measured_of(record["weights"]) if key in sweep_files.keys(one, what))
    assert sweep.find(one, what).attrs["record"] == record


def test_the_sweep_of_every_table_is_released(monkeypatch):
    monkeypatch.delenv("TUNABLE_RUNS", raising=False)
    cells = every_cell(configs.profile("laptop"))
    lacking = cells[cells.ours.isna()]
    assert set(zip(lacking.table, lacking.images, strict=True)) == {
        ("table2b", "sidd"),
        ("table5", "urban100"),
    }


def test_a_training_once_more_is_found_by_the_run_it_repeats(monkeypatch):
    monkeypatch.delenv("TUNABLE_RUNS", raising=False)
    config = configs.denoising("tunable", configs.profile("laptop"), noise_target="eq9", seed=1)
    run, what = runs.get(config, weights=False), measurements.seeds()
    assert len(sweep.repeats(run, what)) == len([*FILES[0].parent.glob("again/*.csv")]) == 1


def test_chapter_3_and_the_claim_on_fidelity_have_one_number(monkeypatch):
    monkeypatch.delenv("TUNABLE_RUNS", raising=False)
    budget, at = configs.profile("laptop"), []
    for method, target in (("dni", "fixed"), ("tunable", "eq9")):
        seeds = configs.seeds_of(method, budget)
        of_seed = [configs.denoising(method, budget, seed=s, noise_target=target) for s in seeds]
        frames = [sweep.find(c, measurements.seeds()) for c in of_seed if runs.find(c) is not None]
        at.append([float(sweep.average(frame).loc[CLEAN, "psnr"]) for frame in frames])
    store = Store(budget, "eq9")
    plain, ours = (store.cells("table1", "kodak", m, "psnr", [CLEAN]) for m in ("DNI", "Tunable"))
    assert lead(plain, ours).value == pytest.approx(gap(*at).mean, abs=1e-4)
