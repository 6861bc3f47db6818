"""Imports inside the study have one direction, from the upper folders to the lower ones."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "study"
LAYERS = (
    {"disk"},
    {"images"},
    {"networks"},
    {"controls"},
    {"training"},
    {"tasks"},
    {"runs"},
    {"measuring"},
    {"configs"},
    {"claims", "figures"},
    {"chapters", "__main__.py"},
)
"""Each folder may import those of the layers above its own in this list, and itself."""


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
    assert {arrow for arrow in arrows() if points_up(arrow)} == set()


def test_files_of_the_study_lie_in_folders_of_a_layer():
    assert {path.parent for path in ROOT.glob("*.py")} <= {ROOT}
    assert {path.name for path in ROOT.glob("*.py")} <= {"__init__.py", "__main__.py"}
