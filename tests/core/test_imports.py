"""The library imports torch and nothing else, and never the study."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tunable_core

ROOT = Path(__file__).resolve().parents[2]


def imported(path: Path) -> set[str]:
    """The packages that a file imports anywhere, by their first name."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_importing_the_library_loads_torch_and_what_torch_loads_alone():
    code = "import sys, torch; old = {*sys.modules}; import tunable_core; print(*{*sys.modules} - old)"
    words = [sys.executable, "-c", code]
    printed = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    packages = {name.partition(".")[0] for name in printed.split()} - sys.stdlib_module_names
    # Submodules of torch that torch itself loads late are not counted.
    assert packages - {"torch"} == {"tunable_core"}


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("tunable_core", {"tunable_photo", "study"}),
        ("tests/core", {"tunable_photo", "study"}),
        ("tunable_photo", {"study"}),
        ("tests/photo", {"study"}),
    ],
)
def test_imports_go_from_the_study_to_the_command_to_the_library(package, never):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    assert not [str(path) for path in files if never & imported(path)]


def test_the_library_stays_small():
    lines = sum(path.read_text().count("\n") for path in (ROOT / "tunable_core").rglob("*.py"))
    assert lines <= 2600  # code for the study or the command alone belongs there


def test_the_package_is_not_split_over_two_places():
    assert Path(tunable_core.__file__).parent == ROOT / "tunable_core"


def test_every_public_name_is_there():
    for name in tunable_core.__all__:
        assert getattr(tunable_core, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'Tuneable'"):
        tunable_core.Tuneable  # noqa: B018
