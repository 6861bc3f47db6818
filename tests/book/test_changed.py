"""With a changed parameter a chapter still works, and its sentences are adapted.

`make smoke` runs every chapter with the parameters of the smoke budget.
"""

from __future__ import annotations

import ast

import matplotlib as mpl
import nbformat
import pytest
from parameters import declared, resolve, settings
from test_notebooks import NOTEBOOKS

from study.chapters.shown import FIRST_SCREEN

CHANGES = {
    "01-tunable-convolutions": [{"sigma": 60.0, "picture": "coffee"}, {"steps": 12, "channels": 8}],
    "02-runtime-overhead": [{"seconds": 0.1}, {"omega_demo": [0.0, 1.0]}],
    "03-denoising": [{"rivals": ["film"], "figure_sigma": 50.0}, {"sigmas": [20.0], "crop": 48}],
    "11-real-photographs": [
        {"kinds": ["colour"], "figure_sigma": 40.0},
        {"images": "photos", "crop": 48},
    ],
    "04-denoising-backbones": [{"sigmas": [40.0]}, {"seeds": 1, "crop": 40}],
    "05-denoising-and-deblurring": [
        {"sigmas": [5.0], "figure_image": "kodim15"},
        {"rhos": [1.0, 3.0], "positions": 2},
    ],
    "06-super-resolution": [
        {"rivals": ["dynet"], "positions": 4},
        {"figure_image": "astronaut", "crop": 96},
    ],
    "07-super-resolution-swinir": [{"figure_image": "coffee", "crop": 56}, {"crop": 48}],
    "08-style-transfer": [{"rivals": ["film"], "edge": 4}, {"steps": 4, "photos": ["chelsea"]}],
    "09-kernel-manifolds": [{"positions": 7}, {"seed": 1, "perplexity": 3.0}],
    "10-claims": [{"profile": "laptop"}, {"profile": "paper"}],
    "12-which-one": [{"sigmas": [20.0]}, {"rivals": ["film"], "crop": 48}],
    "13-denoising-details": [
        {"rivals": ["film"], "figure_rival": "film"},
        {"sigmas": [20.0], "seeds": 1},
    ],
    "14-here-not-there": [{"feather": 3.0}, {"sigma": 40.0, "face": [8, 8, 40, 56]}],
    "15-denoising-and-deblurring-details": [
        {"outside": [[60.0, 0.0]]},
        {"sigmas": [5.0], "rhos": [0.0, 2.0]},
    ],
    "16-solvable-dial": [{"steps": 20, "sigma": 1.0, "correlation": 0.5}, {"steps": 20, "side": 3}],
    "18-style-details": [{"rivals": ["film"], "edge": 4}, {"steps": 4, "photos": ["chelsea"]}],
}
"""For each notebook two other values of its main parameters, beside those of the smoke budget."""


@pytest.fixture(scope="module")
def miniature(tmp_path_factory):
    """A store that all of these tests fill together, and no data set."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNABLE_RUNS", str(folder))
        patch.setenv("TUNABLE_DATA", str(folder / "none"))
        patch.setattr("matplotlib.pyplot.show", lambda: None)
        patch.chdir(NOTEBOOKS[0].parent)
        mpl.use("Agg")
        yield


def run(path, changes):
    """The outputs of the cells of a notebook, at the smoke budget with changed parameters."""
    known = {p.stem: declared(nbformat.read(p, as_version=4), p.stem) for p in NOTEBOOKS}
    values = resolve(known, settings(path.parent / "profiles", "smoke"), changes, [path.stem])
    names, shown = dict(values[path.stem]), []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code" or "parameters" in cell.metadata.get("tags", []):
            continue
        *body, last = ast.parse(cell.source).body
        if not isinstance(last, ast.Expr):
            body, last = [*body, last], None
        exec(compile(ast.Module(body, []), path.stem, "exec"), names)
        value = eval(compile(ast.Expression(last.value), path.stem, "eval"), names) if last else None
        if hasattr(value, "_repr_mimebundle_"):
            shown.append(value._repr_mimebundle_())
    return shown


def test_every_chapter_has_two_changes():
    assert set(CHANGES) == {path.stem for path in NOTEBOOKS}
    assert {len(changes) for changes in CHANGES.values()} == {2}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("miniature")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_with_other_parameters_works_and_says_something_else(path):
    said = []
    for changes in CHANGES[path.stem]:
        shown = run(path, changes)
        assert shown
        said.append(" ".join(bundle[FIRST_SCREEN] for bundle in shown if FIRST_SCREEN in bundle))
        assert all("nan" not in text for text in said[-1].split())
    if any(said):
        assert len({*said}) == 2
