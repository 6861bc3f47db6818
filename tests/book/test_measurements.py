"""What the chapters measure at the released budget is what judges, tables and the README look up."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from notebook_run import read
from parameters import declared, resolve, settings

from study import configs
from study.configs import measurements
from study.measuring.sweep import DenoisingSweep, JointSweep, SuperResolutionSweep
from tunable_core.omega import path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="module")
def chapter():
    """chapter("03"): the parameters of a notebook at the laptop budget."""
    sources = {p.stem: p for p in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))}
    known = {stem: declared(read(p), stem) for stem, p in sources.items()}
    values = resolve(known, settings(NOTEBOOKS / "profiles", "laptop"), {}, sources)
    by_number = {stem[:2]: SimpleNamespace(**given) for stem, given in values.items()}
    return by_number.__getitem__


def denoising(given, images, **changes):
    return DenoisingSweep(images, sigmas=tuple(given.sigmas), **changes)


def test_denoising(chapter):
    given = chapter("03")
    for images in given.images:
        assert denoising(given, images, crop=given.crop) == measurements.table_1(images)
    first, side = given.images[0], given.seed_crop
    assert denoising(given, first, crop=side) == measurements.seeds(first)
    assert denoising(given, first, crop=side, every=2) == measurements.ablations(first)
    omegas = path((0, 1), (1, 0), given.dial_positions).tolist()
    omegas = tuple(tuple(round(v, 6) for v in omega) for omega in omegas)
    fine = denoising(given, first, omegas=omegas, every=given.dial_every, crop=given.dial_crop)
    assert fine == measurements.dial(first)


def test_backbones(chapter):
    given, budget = chapter("04"), configs.profile("laptop")
    for images in given.images:
        what = denoising(given, images, omegas=measurements.ENDS, crop=given.crop, every=given.every)
        assert what == measurements.table_2a(images)
    assert measurements.nafnet("tunable", budget).data == given.real


def test_joint(chapter):
    given = chapter("05")
    levels = {"sigmas": tuple(given.sigmas), "rhos": tuple(given.rhos)}
    for images, every in zip(given.images, given.every, strict=True):
        what = JointSweep(images, **levels, every=every, crop=given.crop, bf16=True)
        assert what == measurements.table_3(images)
    grid = measurements.joint_grid(given.images[0])
    assert (grid.every, grid.crop) == (given.grid_every, given.grid_crop)
    assert len(grid.omegas) == given.grid_positions**2


def test_super_resolution(chapter):
    for images in chapter("06").images:
        what = SuperResolutionSweep(images, every=chapter("06").every, crop=chapter("06").crop)
        assert what == measurements.table_4(images)
    for images in chapter("07").images:
        given = {"every": chapter("07").every, "crop": chapter("07").crop}
        what = SuperResolutionSweep(images, measurements.ENDS, **given, perceptual=False, luma=True)
        assert what == measurements.table_5(images)


def test_style(chapter):
    given, what = chapter("08"), measurements.three_styles(configs.profile("laptop"))
    assert (given.images, given.every, given.crop) == (what.images, what.every, what.crop)
    assert tuple(given.styles) == configs.style.STYLES
    assert len(what.omegas) == 3 * given.edge + 1
