"""The API reference and the glossary: docstrings as they are written, links, meanings."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import study_api
import study_terms
from docutils.core import publish_doctree

ROOT = Path(__file__).resolve().parents[2]
PAGES = "\n".join(path.read_text() for path in (ROOT / "book/api").glob("*.md"))
BUILT = Path(os.environ.get("TUNABLE_BOOK") or ROOT / "book/_build/html")
HIDDEN = {
    "study.networks.torchvision_import",
    "study.claims.judges_denoising",
    "study.claims.judges_restoration",
}
"""Modules without anything for others."""


@pytest.mark.parametrize(
    "text", ["x_hat = sum_i a_i * k_i", "*inputs and **more", r"a\b |c|", "[B, C]_"]
)
def test_a_docstring_is_shown_character_by_character(text):
    assert publish_doctree(study_api.plain(text)).astext() == text


def test_code_in_a_docstring_stays_code():
    assert publish_doctree(study_api.plain("in `grid_x` places")).astext() == "in grid_x places"


def test_a_parameter_takes_its_continuation_along_and_wrapped_lines_join():
    lines = ["Do it.", "", "net: any", "    network.", "a, b: numbers", "of two lines.", "Raises X."]
    expected = ["Do it.", "net: any network.", "a, b: numbers of two lines.", "Raises X."]
    assert study_api.paragraphs(lines) == expected


def entry(kind):
    return SimpleNamespace(objtype=kind)


def test_a_name_leads_to_its_entry_and_one_of_two_entries_to_neither():
    known = study_api.names(
        {
            "tunable_core.tunable": entry("module"),
            "tunable_core.tunable.Tunable": entry("class"),
            "tunable_core.tunable.Tunable.at": entry("method"),
            "tunable_core.a.twice": entry("function"),
            "tunable_core.b.twice": entry("function"),
            "torch.nn.Module": entry("class"),
        }
    )
    assert known["Tunable"] == known["tunable.Tunable"] == "tunable_core.tunable.Tunable"
    assert known["tunable_core/tunable.py"] == "tunable_core.tunable"
    assert known["Tunable.at"] == "tunable_core.tunable.Tunable.at"
    assert not {"twice", "at", "Module"} & known.keys()
    assert known["a.twice"] == "tunable_core.a.twice"


def test_every_module_has_its_place_in_the_reference():
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("tunable_core", "study")
        for path in (ROOT / package).rglob("*.py")
        if not path.name.startswith("__")
    }
    listed = set(re.findall(r"automodule:: (\S+)", PAGES))
    assert listed == modules - HIDDEN


def test_the_meaning_of_a_word_is_its_first_sentence():
    from docutils import nodes

    term = nodes.term("", "dial", ids=["term-dial"])
    told = nodes.definition("", nodes.paragraph("", "A number e.g. 1. It turns. Eq. 7."))
    glossary = nodes.definition_list_item("", term, told)
    assert study_terms.meanings(glossary) == {"term-dial": "A number e.g. 1."}


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        (r"\omega = (\omega_1, \dots, \omega_p)", "ω= (ω_1, …, ω_p)"),
        (r"\mathcal L_{rec} = \|\hat y - y\|_1", "L_rec = ‖y\u0302 - y‖_1"),
        (r"\hat{\mathbf k}_\omega", "k\u0302_ω"),
    ],
)
def test_a_formula_is_readable_without_formulas(formula, told):
    assert study_terms.readable(formula).replace(" ", "") == told.replace(" ", "")
