"""With other values of its parameters a chapter still works, and its sentences are adapted.

`make smoke` ran every chapter with the parameters of the smoke budget; its runs are used again.
"""

from __future__ import annotations

import ast
from pathlib import Path

import matplotlib as mpl
import nbformat
import pandas as pd
import pytest
from conftest import unavailable
from parameters import declared, resolve, settings
from visits import BUILT

from study.chapters.shown import FIRST_SCREEN

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9][0-9]-*.ipynb"))
CHANGES = {
    "01-tunable-convolutions": {"sigma": 60.0, "picture": "coffee", "steps": 12, "channels": 8},
    "02-runtime-overhead": {"seconds": 0.1, "omega_demo": [0.0, 1.0]},
    "03-denoising": {"rivals": ["film"], "figure_sigma": 50.0, "sigmas": [20.0], "crop": 48},
    "04-denoising-backbones": {"sigmas": [40.0], "seeds": 1, "crop": 40},
    "05-denoising-and-deblurring": {
        "sigmas": [5.0],
        "rhos": [1.0, 3.0],
        "figure_image": "kodim15",
        "positions": 2,
    },
    "06-super-resolution": {
        "rivals": ["dynet"],
        "positions": 3,
        "crop": 208,
        "figure_image": "astronaut",
    },
    "07-super-resolution-swinir": {"figure_image": "coffee", "crop": 56},
    "08-style-transfer": {"rivals": ["film"], "edge": 4, "steps": 4, "photos": ["chelsea"]},
    "09-kernel-manifolds": {"positions": 7, "seed": 1, "perplexity": 3.0},
    "10-claims": {"profile": "paper"},
    "11-real-photographs": {
        "kinds": ["colour"],
        "figure_sigma": 40.0,
        "images": "photos",
        "crop": 48,
    },
    "12-which-one": {"sigmas": [20.0], "rivals": ["film"], "crop": 48},
    "13-denoising-details": {
        "rivals": ["film"],
        "figure_rival": "film",
        "sigmas": [20.0],
        "seeds": 1,
    },
    "14-here-not-there": {"feather": 3.0, "sigma": 40.0, "face": [8, 8, 40, 56]},
    "15-denoising-and-deblurring-details": {
        "outside": [[60.0, 0.0]],
        "sigmas": [5.0],
        "rhos": [0.0, 2.0],
    },
    "16-solvable-dial": {"steps": 20, "sigma": 1.0, "correlation": 0.5, "side": 3},
    "18-style-details": {"rivals": ["film"], "edge": 4, "steps": 4, "photos": ["chelsea"]},
}
"""For each notebook other values of its main parameters than those of the smoke budget."""

PROCESSES = pd.DataFrame(
    {"processes": [1, 2], "ms": [3.0, 2.0], "speedup": [1, 1.5], "efficiency": [1, 0.75]}
)
"""In place of a measurement that starts two processes; tests/study/test_bench.py makes it."""


@pytest.fixture(scope="module")
def results():
    """The results of `make smoke`, and its store of runs."""
    if not (BUILT.parent / "notebooks").is_dir():
        unavailable(f"there are no results in {BUILT.parent} (make smoke)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNABLE_RUNS", str(BUILT.parent / "runs"))
        patch.setattr("matplotlib.pyplot.show", lambda: None)
        patch.setattr("study.measuring.overhead.with_processes", lambda *_, **__: PROCESSES)
        patch.chdir(NOTEBOOKS[0].parent)
        mpl.use("Agg")
        yield BUILT.parent / "notebooks"


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


def first_screen(bundles) -> str:
    return " ".join(bundle[FIRST_SCREEN] for bundle in bundles if FIRST_SCREEN in bundle)


def test_every_chapter_has_changes():
    assert set(CHANGES) == {path.stem for path in NOTEBOOKS}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_with_other_parameters_works_and_says_something_else(path, results):
    shown = run(path, CHANGES[path.stem])
    cells = nbformat.read(results / path.name, as_version=4).cells
    before = [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]
    assert shown
    assert "nan" not in first_screen(shown).split()
    assert first_screen(shown) != first_screen(before) or not first_screen(before)
