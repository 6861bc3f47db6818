"""Typed parameters of notebooks: their declarations, the values of a profile, and checks of both.

A notebook declares its parameters in the one cell tagged `parameters`:

    profile: str = "laptop"  # budget
    sigmas: list[float] = [5, 15, 30]  # grey levels of 255
    steps: int | None = None  # None: as many as the profile says

Each line is `name: type = default`; a type consists of int, float, str, bool, None, list, tuple, dict,
Literal and `|`. Without an annotation the type of the default is used. An int is accepted for a float;
nothing else is converted, so the text "false" is not a bool and "1e-4" is not a float.
"""

from __future__ import annotations

import ast
import difflib
import math
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal, Optional, Union, get_args, get_origin

import nbformat
import yaml

KNOWN = {
    **{kind.__name__: kind for kind in (int, float, str, bool, list, tuple, dict)},
    "Any": Any,
    "Literal": Literal,
    "Optional": Optional,
    "Union": Union,
}


class Fault(Exception):
    """An error that the caller can correct; its text is printed."""


class Mismatch(Exception):
    """A value does not have the required type; its text gives the type and the value."""


@dataclass(frozen=True)
class Parameter:
    """A declared parameter of a notebook."""

    name: str
    kind: Any
    """Its type: annotated, or that of the default."""
    default: Any


def declared(notebook: nbformat.NotebookNode, stem: str) -> dict[str, Parameter]:
    """The parameters of a notebook by name, in order; none if no cell is tagged `parameters`.

    Raises Fault when there are two such cells, or a line is not `name: type = literal`.
    """
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) > 1:
        raise Fault(f"{stem} has {len(cells)} cells tagged 'parameters'; one is allowed")
    found: dict[str, Parameter] = {}
    try:
        lines = ast.parse(cells[0].source).body if cells else []
    except SyntaxError as error:
        raise Fault(f"{stem}: the parameters cell is not Python: {error}") from None
    for line in lines:
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
            continue  # a docstring
        match line:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                annotation = line.annotation
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                annotation = None
            case _:
                raise Fault(
                    f"{stem}: the parameters cell may only hold lines `name: type = value`; "
                    f"got {ast.unparse(line)!r}"
                )
        try:
            default = ast.literal_eval(value)
        except ValueError:
            raise Fault(
                f"{stem}: the default of {name} must be a literal; got {ast.unparse(value)!r}"
            ) from None
        kind = _annotated(annotation, name, stem) if annotation else _inferred(default)
        try:
            found[name] = Parameter(name, kind, coerce(default, kind))
        except Mismatch as mismatch:
            raise Fault(f"{stem}: the default of {name} must be {mismatch}") from None
    return found


def coerce(value: Any, kind: Any) -> Any:
    """The value as that type; raises Mismatch. Only int to float and list to tuple are converted."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        for member in inner:
            try:
                return coerce(value, member)
            except Mismatch:
                continue
    elif origin is Literal:
        if any(value == choice and type(value) is type(choice) for choice in inner):
            return value
    elif kind is float:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    elif kind in (int, str, bool, types.NoneType, None):
        if type(value) is (types.NoneType if kind is None else kind):
            return value
    elif (origin or kind) is dict:
        if isinstance(value, dict):
            key, item = inner or (Any, Any)
            return {coerce(k, key): coerce(v, item) for k, v in value.items()}
    elif (origin or kind) in (list, tuple) and isinstance(value, list | tuple):
        fixed = (origin or kind) is tuple and inner and inner[-1] is not Ellipsis
        if not fixed or len(inner) == len(value):
            kinds = inner if fixed else [inner[0] if inner else Any] * len(value)
            try:
                return (origin or kind)(coerce(v, k) for v, k in zip(value, kinds, strict=True))
            except Mismatch as mismatch:
                raise Mismatch(f"{spelled(kind)}: an item must be {mismatch}") from None
    raise Mismatch(f"{spelled(kind)}; got {value!r} ({type(value).__name__}){_hint(value, kind)}")


def settings(profiles: Path, profile: str) -> dict[str, dict[str, Any]]:
    """The settings of a profile: {notebook stem or "all": {name: value}}. Raises Fault."""
    path = profiles / f"{profile}.yml"
    if not path.exists():
        names = sorted(p.stem for p in profiles.glob("*.yml"))
        raise Fault(f"there is no profile {profile!r}{near(profile, names)}")
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise Fault(f"{path} is not valid YAML: {error}") from None
    for stem, values in content.items():
        if not isinstance(values, dict | None):
            raise Fault(f"{path}: {stem} must hold `name: value` lines; got {values!r}")
    return {stem: values or {} for stem, values in content.items()}


def resolve(
    notebooks: Mapping[str, Mapping[str, Parameter]],
    profile: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, Any],
    selected: Iterable[str],
) -> dict[str, dict[str, Any]]:
    """The value of every parameter of every notebook; all faults are reported at once.

    notebooks: their declared parameters. profile: from settings(); `all` applies to each notebook that
    declares the name, and a notebook's own entry overrides it. given: from the command line, for the
    selected notebooks.
    """
    faults: list[str] = []
    selected = list(selected)
    values = {s: {n: p.default for n, p in d.items()} for s, d in notebooks.items()}

    def put(stems: Iterable[str], name: str, value: Any, where: str) -> None:
        stems = list(stems)
        declaring = [stem for stem in stems if name in notebooks[stem]]
        if not declaring:
            names = sorted({n for stem in stems for n in notebooks[stem]})
            faults.append(f"{where}: there is no parameter {name!r}{near(str(name), names)}")
        for stem in declaring:
            try:
                values[stem][name] = coerce(value, notebooks[stem][name].kind)
            except Mismatch as mismatch:
                faults.append(f"{where}: {name} of {stem} must be {mismatch}")

    for stem in sorted(profile, key=lambda stem: stem != "all"):
        if stem != "all" and stem not in notebooks:
            faults.append(f"profile: there is no notebook {stem!r}{near(stem, notebooks)}")
            continue
        for name, value in profile[stem].items():
            where = f"profile, {stem}"
            put(notebooks if stem == "all" else [stem], name, value, where)
    for name, value in given.items():
        put(selected, name, value, "-p")
    if faults:
        raise Fault("\n".join(faults))
    return values


def near(name: str, names: Iterable[str]) -> str:
    """`; did you mean X?`, or a list of all names."""
    names = list(names)
    close = difflib.get_close_matches(name, names, n=3)
    close = close or [other for other in names if name and name in other][:3]
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(names)}" if names else "; there are none"


def spelled(kind: Any) -> str:
    """A type as Python source."""
    if kind in (None, types.NoneType):
        return "None"
    return kind.__name__ if type(kind) is type else str(kind).replace("typing.", "")


def _annotated(annotation: ast.expr, name: str, stem: str) -> Any:
    try:
        return eval(ast.unparse(annotation), {"__builtins__": {}}, dict(KNOWN))
    except Exception:
        raise Fault(
            f"{stem}: the type of {name}, {ast.unparse(annotation)!r}, is not one of "
            f"{', '.join(KNOWN)} or made of them"
        ) from None


def _inferred(default: Any) -> Any:
    if isinstance(default, list | tuple):
        kinds = {_inferred(item) for item in default}
        kinds -= {int} if float in kinds else set()
        item = reduce(or_, sorted(kinds, key=str)) if kinds else Any
        return list[item] if isinstance(default, list) else tuple[item, ...]
    return dict if isinstance(default, dict) else type(default)


def _hint(value: Any, kind: Any) -> str:
    """How to write the value that was probably meant."""
    if not isinstance(value, str) or kind is str:
        return ""
    try:
        number = float(value)
    except ValueError:
        quoted = value.lower() in ("true", "false", "null", "none")
        return f": write {value.lower()} without quotes" if quoted else ""
    if "e" in value.lower():
        return f": YAML reads {value} as text, write {_dotted(value)}"
    return f": write {number:g} without quotes"


def _dotted(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    sign = "" if exponent.startswith(("-", "+")) else "+"
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{sign}{exponent}"
