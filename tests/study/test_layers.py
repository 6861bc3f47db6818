"""Imports inside the study point one way: what computes builds on what stores, never the reverse."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "study"
LAYERS = (
    {"disk"},
    {"images"},
    {"networks"},
    {"tasks"},
    {"runs"},
    {"measuring"},
    {"configs"},
    {"claims", "chapters", "figures", "__main__.py"},
)
"""Each folder may import those of the layers above its own in this list, and itself."""
UPWARD = {
    "runs/card.py -> measuring",  # the card shows sweeps
    "runs/named.py -> configs",  # which run is the released one
    "runs/watch.py -> measuring",  # a training measures its samples
    "measuring/reruns.py -> configs",  # what to train again
}
"""Imports that still break the rule, with what they are for. Nothing may join them."""


def arrows() -> set[str]:
    """Every import from one folder of the study to another, as "FILE -> FOLDER"."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                module = node.module or ""
                names = [f"{module}.{alias.name}" for alias in node.names]
            for name in names:
                package, _, rest = name.partition(".")
                if package == "study":
                    found.add(f"{path.relative_to(ROOT).as_posix()} -> {rest.partition('.')[0]}")
    return found


def layer(folder: str) -> int:
    """The place of a folder in LAYERS; one that is in none is an error."""
    (place,) = [i for i, folders in enumerate(LAYERS) if folder in folders]
    return place


def points_up(arrow: str) -> bool:
    path, _, target = arrow.partition(" -> ")
    source = path.partition("/")[0]
    return source != target and layer(source) <= layer(target)


def test_imports_point_from_what_computes_to_what_stores():
    up = {arrow for arrow in arrows() if points_up(arrow)}
    assert up - UPWARD == set()
    assert UPWARD - up == set(), "mended: take it off the list"


def test_files_of_the_study_lie_in_folders_of_a_layer():
    assert {path.parent for path in ROOT.glob("*.py")} <= {ROOT}
    assert {path.name for path in ROOT.glob("*.py")} <= {"__init__.py", "__main__.py"}
