"""Names and types of notebook parameters are checked, and every error says what to do."""

import types
from typing import Any, Literal, get_args, get_origin

import hypothesis
import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parameters import Fault, Mismatch, coerce, declared, resolve, settings


def declare(source: str) -> dict:
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    return declared(nbformat.v4.new_notebook(cells=[cell]), "01-toy")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, float, 3.0),
        (3, int | None, 3),
        (None, int | None, None),
        (True, bool, True),
        ([5, 15], list[float], [5.0, 15.0]),
        ([0, 1], tuple[float, float], (0.0, 1.0)),
        ({"a": 1}, dict[str, float], {"a": 1.0}),
        ("fixed", Literal["fixed", "eq9"], "fixed"),
        ([[0, 1]], list[list[float]], [[0.0, 1.0]]),
        ({"x": []}, Any, {"x": []}),
    ],
)
def test_a_value_of_the_type_is_taken(value, kind, expected):
    taken = coerce(value, kind)
    assert taken == expected
    assert type(taken) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("false", bool),
        ("1e-4", float),
        ("3", int),
        (2.5, int),
        (True, int),
        (True, float),
        (1, bool),
        (None, int),
        (float("nan"), float),
        (float("inf"), float),
        ("eq10", Literal["fixed", "eq9"]),
        ([1, "a"], list[float]),
        ([1, 2, 3], tuple[float, float]),
        (5, list[float]),
        ("ab", list[str]),
    ],
)
def test_a_value_of_another_type_is_refused(value, kind):
    with pytest.raises(Mismatch):
        coerce(value, kind)


@pytest.mark.parametrize(
    ("value", "kind", "way_out"),
    [
        ("false", bool, "write false without quotes"),
        ("1e-4", float, "write 1.0e-4"),
        ("12", int, "write 12 without quotes"),
    ],
)
def test_a_refusal_says_how_to_write_what_was_meant(value, kind, way_out):
    with pytest.raises(Mismatch, match=way_out):
        coerce(value, kind)


def test_defaults_give_the_type_where_there_is_no_annotation():
    kinds = {name: p.kind for name, p in declare("a = 1\nb = [1, 2.5]\nc = 'x'\nd = -0.5").items()}
    assert kinds == {"a": int, "b": list[float], "c": str, "d": float}


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "a: int = 'x'",
        "a: Path = 'x'",
        "a = open('f')",
        "a: int",
        "a, b = 1, 2",
        "a = (",
    ],
)
def test_a_parameters_cell_holds_typed_literals_only(source):
    with pytest.raises(Fault, match="01-toy"):
        declare(source)


def test_a_notebook_has_one_parameters_cell():
    cells = [nbformat.v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]}) for _ in "ab"]
    with pytest.raises(Fault, match="2 cells tagged"):
        declared(nbformat.v4.new_notebook(cells=cells), "01-toy")


@pytest.fixture
def notebooks():
    return {
        "01-toy": declare("profile: str = 'laptop'\nsteps: int = 3"),
        "02-other": declare("steps: int = 4"),
    }


def test_a_notebooks_own_entry_wins_over_all(notebooks):
    profile = {"01-toy": {"steps": 9}, "all": {"steps": 5, "profile": "smoke"}}
    values = resolve(notebooks, profile, {}, notebooks)
    assert values == {"01-toy": {"profile": "smoke", "steps": 9}, "02-other": {"steps": 5}}


def test_the_command_line_reaches_only_the_selected(notebooks):
    values = resolve(notebooks, {}, {"steps": 7}, ["02-other"])
    assert (values["01-toy"]["steps"], values["02-other"]["steps"]) == (3, 7)


def test_all_faults_are_reported_at_once(notebooks):
    profile = {"all": {"stepps": 1}, "01-toy": {"steps": "9"}, "01-tay": {}}
    with pytest.raises(Fault) as fault:
        resolve(notebooks, profile, {"rate": 1}, ["02-other"])
    text = str(fault.value)
    assert text.count("\n") == 3
    assert "'stepps'; did you mean steps?" in text
    assert "'01-tay'; did you mean 01-toy?" in text
    assert "steps of 01-toy must be int; got '9' (str)" in text
    assert "-p: there is no parameter 'rate'" in text


def test_an_unknown_profile_names_the_near_ones(tmp_path):
    (tmp_path / "smoke.yml").write_text("all: {}")
    with pytest.raises(Fault, match="'smok'; did you mean smoke"):
        settings(tmp_path, "smok")


@pytest.mark.parametrize("text", ["all: [1", "all: 3", "all: {a: 1}\n01-toy: x"])
def test_a_profile_that_is_no_profile_is_refused(tmp_path, text):
    (tmp_path / "smoke.yml").write_text(text)
    with pytest.raises(Fault, match=r"smoke\.yml"):
        settings(tmp_path, "smoke")


KINDS = [int, float, str, bool, list[str], list[float], int | None, list[list[float]]]
SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4))
ANYTHING = st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=3), max_leaves=6)


def fits(value, kind):
    """Whether a value has an annotated type, as strictly as a notebook needs."""
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(item, get_args(kind)[0]) for item in value)
    if get_origin(kind) is types.UnionType:
        return any(fits(value, one) for one in get_args(kind))
    return type(value) is kind or (kind is types.NoneType and value is None)


@hypothesis.settings(max_examples=200, deadline=None, derandomize=True)
@given(value=ANYTHING, kind=st.sampled_from(KINDS))
def test_any_value_becomes_one_of_the_declared_kind_or_is_refused(value, kind):
    try:
        found = coerce(value, kind)
    except Mismatch:
        return
    assert fits(found, kind), (found, kind)
