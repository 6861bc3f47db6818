"""What the library asks for: torch to be imported, and never the study."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tunable_core

ROOT = Path(__file__).resolve().parents[2]


def loaded(*packages: str) -> set[str]:
    """The third-party packages that a fresh Python has after importing these."""
    code = (
        f"import sys, {', '.join(packages)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    )
    words = [sys.executable, "-c", code]
    printed = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return set(printed.split()) - sys.stdlib_module_names


def imported(path: Path) -> set[str]:
    """The packages that a file imports anywhere, by their first name."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_importing_the_library_loads_torch_and_what_torch_loads_alone():
    assert loaded("torch", "tunable_core") - loaded("torch") == {"tunable_core"}


@pytest.mark.parametrize("package", ["tunable_core", "tests/core"])
def test_the_library_and_its_tests_import_nothing_of_the_study(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    assert not [str(path) for path in files if "study" in imported(path)]


def test_the_package_is_not_split_over_two_places():
    assert Path(tunable_core.__file__).parent == ROOT / "tunable_core"


def test_every_public_name_is_there():
    for name in tunable_core.__all__:
        assert getattr(tunable_core, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'Tuneable'"):
        tunable_core.Tuneable  # noqa: B018
