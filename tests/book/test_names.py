"""Names of code in pages, notebooks and commands: each can be imported, opened or run."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest
import teaching
from conftest import written

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *written(ROOT / "book", ".md")]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
COMMANDS = [ROOT / "Makefile", ROOT / ".ci/run", *sorted((ROOT / ".github/workflows").glob("*.yml"))]
PACKAGES = ("tunable_core", "tunable_photo", "study", "book")
CODE = [path for name in PACKAGES for path in written(ROOT / name, ".py")]
FILES = [*PAGES, *NOTEBOOKS, *COMMANDS, *CODE]
OWN = "study.controls.output_scale"
"""A module that a page asks its reader to write."""
CLONED = "study/notebooks"
"""A folder that a notebook clones where the study is not installed."""
INVENTED = {CLONED, f"{OWN.replace('.', '/')}.py"}
PLACEHOLDER = re.compile(r"NN|NAME|PROFILE")


def text_of(path):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def unknown(name):
    """Whether a dotted name is neither a module nor something inside one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return True
            found = getattr(found, part)
        return False
    return True


def not_runnable(module):
    """Whether `python -m module` would not start."""
    spec = importlib.util.find_spec(module)
    if spec and spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
    return spec is None or '__name__ == "__main__"' not in Path(spec.origin).read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_notebook_gives_an_imported_name_another_meaning(path):
    notebook = nbformat.read(path, as_version=4)
    nodes = [node for cell in teaching.solved(notebook).cells for node in parsed(cell)]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {(name.asname or name.name).split(".")[0] for node in imports for name in node.names}
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    assert sorted(stored & imported) == []


def parsed(cell):
    return ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_dotted_name_can_be_imported(path):
    named = re.findall(r"(?<![\w./-])(?:tunable_(?:core|photo)|study)(?:\.[A-Za-z_]\w*)+", text_of(path))
    assert sorted({name for name in named if name != OWN and unknown(name)}) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_exists(path):
    folders = "tunable_core|tunable_photo|study|tests|book|notebooks"
    named = re.findall(rf"(?<![\w./-])(?:{folders})/[\w/.*-]*[\w*](?:/|\b)", text_of(path))
    places = {name for name in named if not name.startswith("book/_build")}
    missing = {name for name in places - INVENTED if not list(ROOT.glob(name.rstrip("/")))}
    assert sorted(name for name in missing if not PLACEHOLDER.search(name)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_that_is_run_can_be_run(path):
    named = re.findall(r"-m (study[\w.]*\w|tunable_(?:core|photo)[\w.]*\w)", text_of(path))
    assert sorted({name for name in named if not_runnable(name)}) == []
