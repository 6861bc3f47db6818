"""Judges, tables and the README find the measurements of the chapters at the released budget."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from notebook_run import read
from parameters import declared, resolve, settings

from study import configs
from study.chapters.backbones import Backbones
from study.chapters.denoising import Denoising
from study.chapters.joint import TwoDials
from study.chapters.style import Styles
from study.chapters.super_resolution import SuperResolution
from study.chapters.swinir import EnlargingSwinIR
from study.configs import measurements
from study.measuring.photo_sweep import PhotoSweep

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="module")
def chapter():
    """chapter("03"): the parameters of a notebook at the laptop budget."""
    sources = {p.stem: p for p in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))}
    known = {stem: declared(read(p), stem) for stem, p in sources.items()}
    values = resolve(known, settings(NOTEBOOKS / "profiles", "laptop"), {}, sources)
    by_number = {stem[:2]: SimpleNamespace(**given) for stem, given in values.items()}
    return by_number.__getitem__


def test_denoising(chapter):
    given = chapter("03")
    data = Denoising("laptop", given.images, given.sigmas, given.crop, given.rivals, given.seeds).data
    for images in given.images:
        assert data.whole(images) == measurements.table_1(images)
    assert data.squares == measurements.seeds(given.images[0])
    assert data.dial == measurements.dial(given.images[0])


def test_backbones(chapter):
    given, budget = chapter("04"), configs.profile("laptop")
    sizes = (given.sigmas, given.crop, given.real, given.seeds)
    data = Backbones("laptop", given.images, *sizes).data
    for images in given.images:
        assert data.squares(images) == measurements.table_2a(images)
    assert data.pairs == measurements.table_2b()
    assert measurements.nafnet("tunable", budget).data == given.real


def test_joint(chapter):
    given = chapter("05")
    levels = (given.sigmas, given.rhos)
    data = TwoDials("laptop", given.images, *levels, given.crop, given.positions).data
    for images in given.images:
        assert data.whole(images) == measurements.table_3(images)
    assert data.grid == measurements.joint_grid(given.images[0])


def test_super_resolution(chapter):
    given = chapter("06")
    data = SuperResolution("laptop", given.images, given.crop, given.rivals, given.positions).data
    for images in given.images:
        assert data.five(images) == measurements.table_4(images)
    assert data.along(statistics=False) == measurements.plane(given.images[0])


def test_swinir(chapter):
    given = chapter("07")
    made = EnlargingSwinIR("laptop", given.images, given.crop)
    for images in given.images:
        assert made.what(images) == measurements.table_5(images)


def test_style(chapter):
    given, what = chapter("08"), measurements.three_styles(configs.profile("laptop"))
    chosen = (given.styles, given.steps, given.rivals, given.images, given.photos, given.edge)
    assert Styles("laptop", *chosen).data.round == what


def test_photographs(chapter):
    given = chapter("11")
    sweep = PhotoSweep(
        given.images,
        kinds=tuple(given.kinds),
        sigmas=tuple(given.sigmas),
        every=3,
        crop=given.crop,
    )
    assert sweep == measurements.photographs(given.images)
    assert given.real == measurements.photographs_real().images
