"""The API reference and the glossary: docstrings as they are written, links, meanings."""

import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import reference
import study_api
import study_terms
import yaml
from docutils.core import publish_doctree
from parameters import Fault

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ.get("TUNABLE_BOOK") or ROOT / "book/_build/html")


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


def test_a_sentence_with_a_colon_is_no_parameter_where_a_line_of_it_begins():
    lines = ["An adversary is an", "exception: its loss", "differs."]
    assert study_api.paragraphs(lines) == ["An adversary is an exception: its loss differs."]


@pytest.mark.parametrize("default", ["<factory>", "<function <lambda>>", "<function l1 at 0x7f>"])
def test_a_default_that_python_cannot_read_becomes_dots(default):
    (signature, _) = study_api.tidy(None, "class", "T", None, None, f"(a: int = {default}, b=1)", None)
    assert signature == "(a: int = ..., b=1)"


def test_an_example_in_a_docstring_keeps_its_lines():
    lines = ["Do it.", "", "    >>> from x_y import z", "    >>> z()", "    True", "", "It is done."]
    study_api.tell(None, "class", "Z", None, None, lines)
    assert lines == ["Do it.", "", ">>> from x_y import z", ">>> z()", "True", "", "It is done.", ""]


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


@pytest.mark.parametrize("name", ["tunable", "at"])
def test_the_name_of_a_command_or_method_leads_to_no_function(name):
    known = study_api.names({f"study.figures.drawings.{name}": entry("function")})
    assert name not in known
    assert known[f"drawings.{name}"] == f"study.figures.drawings.{name}"


@pytest.fixture
def staged(tmp_path):
    """The pages of the reference, as they are staged."""
    shutil.copytree(ROOT / "book/api", tmp_path / "api")
    reference.write(ROOT, tmp_path)
    return tmp_path / "api"


def test_every_public_module_is_on_one_page_of_the_reference(staged):
    public = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("tunable_core", "tunable_photo", "study")
        for path in (ROOT / package).rglob("*.py")
        if not path.name.startswith("_")
    ]
    text = "\n".join(path.read_text() for path in staged.glob("*.md"))
    assert sorted(re.findall(r"automodule:: (\S+)", text)) == sorted(public)


def test_the_reference_has_a_page_for_each_folder_in_the_order_of_the_tree(staged):
    index = (staged / "index.md").read_text()
    subjects = re.findall(r"^- \[\]\(/(api/\S+)\): \w.*", index, re.MULTILINE)
    assert subjects[:3] == ["api/tunable_core", "api/tunable_core-onnx", "api/tunable_photo"]
    folders = [reference.page_name(name) for name in reference.tree(ROOT)]
    assert [page for page in subjects if page in folders] == [p for p in folders if p in subjects]
    assert {f"{page.removeprefix('api/')}.md" for page in subjects} == {
        path.name for path in staged.glob("*.md") if path.stem != "index"
    }


def test_every_page_of_the_reference_is_in_the_table_of_contents(staged):
    toc = reference.with_pages(yaml.safe_load((ROOT / "book/_toc.yml").read_text()), ROOT)
    (entry,) = [e for part in toc["parts"] for e in part["chapters"] if e["file"] == reference.INDEX]
    listed = [section["file"] for section in entry["sections"]]
    assert sorted(listed) == sorted(f"api/{p.stem}" for p in staged.glob("*.md") if p.stem != "index")


def test_a_folder_that_the_tree_does_not_list_is_named(tmp_path):
    for name in ("tunable_core", "study/new"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "module.py").write_text('"""A module."""\n')
    (tmp_path / "book").mkdir()
    (tmp_path / reference.TREE).write_text("```\ntunable_core/   the library\n```\n")
    with pytest.raises(Fault, match=r"book/maintain\.md does not list study/new"):
        reference.folders(tmp_path)


def test_the_tree_names_folders_that_exist():
    assert [name for name in reference.tree(ROOT) if not (ROOT / name).is_dir()] == []


def test_the_meaning_of_a_word_is_its_first_sentence():
    from docutils import nodes

    term = nodes.term("", "dial", ids=["term-dial"])
    meaning = nodes.definition("", nodes.paragraph("", "A number e.g. 1. It turns. Eq. 7."))
    glossary = nodes.definition_list_item("", term, meaning)
    assert study_terms.meanings(glossary) == {"term-dial": "A number e.g. 1."}


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        (r"\omega = (\omega_1, \dots, \omega_p)", "ω= (ω_1, …, ω_p)"),
        (r"\mathcal L_{rec} = \|\hat y - y\|_1", "L_rec = ‖y\u0302 - y‖_1"),
        (r"\hat{\mathbf k}_\omega", "k\u0302_ω"),
    ],
)
def test_a_formula_is_readable_without_formulas(formula, plain):
    assert study_terms.readable(formula).replace(" ", "") == plain.replace(" ", "")


def test_the_first_use_of_a_word_of_the_glossary_is_a_link_and_the_author_s_own_links_stay():
    from docutils import nodes
    from sphinx import addnodes

    own = addnodes.pending_xref("", nodes.inline("", "LPIPS"), reftarget="LPIPS")
    first = nodes.paragraph("", "", nodes.literal("", "PSNR"), nodes.Text(" and PSNR_eta, PSNR, PSNR "))
    page = nodes.section("", nodes.title("", "FiLM"), first, nodes.paragraph("", "LPIPS", own))
    transform = study_terms.FirstUse.__new__(study_terms.FirstUse)
    transform.document = SimpleNamespace(
        findall=page.findall,
        settings=SimpleNamespace(
            env=SimpleNamespace(docname="03", found_docs={"03", "glossary"}, app=None)
        ),
    )
    transform.apply()
    links = [x for x in page.findall(addnodes.pending_xref) if x is not own]
    assert [(x["reftarget"], x.astext()) for x in links] == [("PSNR", "PSNR")]
    assert page.astext().count("PSNR") == 4
    assert first.astext().startswith("PSNR and PSNR_eta, PSNR, PSNR")
