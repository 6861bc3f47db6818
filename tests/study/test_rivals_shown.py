"""The rivals in a chapter: those in the store; none is trained or measured for it."""

import pandas as pd
import pytest

from study import runs
from study.chapters import denoising_data, super_resolution_data
from study.chapters.denoising_data import OPTIONAL, SHORT, UNTRAINED
from study.controls import Blend
from study.measuring.sweep import FIVE


def denoising(profile="laptop"):
    return denoising_data.Measured(profile, ["kodak"], (30.0,), ["film"], 1, None, 3)


def test_an_optional_method_is_shown_where_the_store_has_its_run(monkeypatch):
    monkeypatch.setattr(runs, "find", lambda config, weights=False: None)
    assert not {*OPTIONAL} & {*denoising().methods}
    has = "denoising-low-rank-4-8x32-seed0"
    monkeypatch.setattr(runs, "find", lambda c, weights=False: "here" if c.name == has else None)
    assert {*OPTIONAL} & {*denoising().methods} == {"low-rank-4"}


def test_a_small_budget_trains_some_of_them(store):
    assert {*OPTIONAL} & {*denoising("smoke").methods} == {*SHORT}


@pytest.mark.parametrize("measured", [True, False])
def test_the_wavelet_blend_is_shown_where_all_its_sweeps_are_stored(monkeypatch, measured):
    data = denoising()
    data.__dict__["controls"] = dict.fromkeys(UNTRAINED)
    wanted = []

    def stored(of, what):
        wanted.append(what)
        return measured or len(wanted) < 3

    monkeypatch.setattr(denoising_data, "stored", stored)
    assert data.untrained == ([*UNTRAINED] if measured else ["blend"])
    assert data.dial in wanted


def test_transport_is_never_measured_for_a_chapter(monkeypatch):
    data = super_resolution_data.Measured("laptop", ["kodak"], None, [], 3)
    data.__dict__["controls"] = {"transport": Blend(None), "blend": Blend(None)}
    data.__dict__["runs"] = {}
    monkeypatch.setattr(super_resolution_data, "_stored", lambda of, what: None)
    monkeypatch.setattr(super_resolution_data, "sweep", None)  # calling it would fail
    assert data._table("transport", data.five("kodak")) is None


def test_one_method_whose_seeds_differ_a_lot_does_not_stand_for_those_with_one_seed():
    def means(value):
        return pd.DataFrame({"psnr": 5 * [value]}, index=pd.MultiIndex.from_tuples(FIVE))

    data = object.__new__(denoising_data.Measured)
    seeds = {"dni": (34.0, 34.2), "film": (34.0, 34.4), "soup": (30.0, 33.0), "blend": (35.0,)}
    data.seed_means = {m: dict(enumerate(map(means, values))) for m, values in seeds.items()}
    spreads = data.spreads("psnr")
    assert spreads.loc["soup"].tolist() == pytest.approx(5 * [1.5])
    assert spreads.loc["blend"].tolist() == pytest.approx(5 * [0.2])
