"""The pages on control methods: their code runs, their table is right, and the worked example works."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest
import test_controls as contract
import yaml
from parameters import declared
from torch import nn

from study import configs, runs
from study.controls.base import AtOmega
from study.measuring import sweep
from study.runs import stored
from tunable_photo.resnet import ResNetConfig

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "book/controls"
PAGES = sorted(path.stem for path in CHAPTER.glob("*.md"))
METHODS = contract.CONFIGS
"""The pages that explain a method."""
OWN = "add-your-own"


def page(name):
    return (CHAPTER / f"{name}.md").read_text()


def fences(name, language):
    """The code blocks of a page in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)


def run(name, blocks, names=None):
    """Run code blocks one after the other, as a reader would; returns the names they define."""
    names = {"__name__": name} if names is None else names
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{name}.md, block {number}", "exec"), names)
    return names


# All pages


def test_every_page_of_the_chapter_explains_a_method_and_is_in_the_table_of_contents():
    assert {*PAGES} == {"index", *METHODS, OWN}
    parts = yaml.safe_load((ROOT / "book/_toc.yml").read_text())["parts"]
    (chapter,) = [e for part in parts for e in part["chapters"] if e["file"] == "controls/index"]
    listed = [entry["file"] for entry in (chapter, *chapter["sections"])]
    assert sorted(listed) == [f"controls/{name}" for name in PAGES]


@pytest.mark.parametrize("name", ["index", *METHODS])
def test_the_code_of_a_page_runs(name):
    blocks = fences(name, "python")
    assert blocks
    run(name, blocks)


@pytest.mark.parametrize("name", METHODS)
def test_a_page_of_a_method_has_its_drawing_equation_and_parts(name):
    text = page(name)
    figure = rf"^```{{figure}} images/{name}\.svg\n:name: fig-control-{name}\n:alt: \w+"
    assert re.search(figure, text, re.MULTILINE)
    assert text.count("$$") >= 2
    for part in ("**Trained**", "**Costs**", "**Expect**"):
        assert part in text
    assert "{cite:" in text or name == "blend"  # arithmetic needs no source


@pytest.mark.parametrize("name", PAGES)
def test_the_code_of_a_page_fits_its_column(name):
    blocks = re.findall(r"^```(?:python|bash|diff)\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 82


def table():
    """The last two cells of every method in the table of the first page."""
    rows = re.findall(r"^\| \[\w+\]\(([\w-]+)\) (.*) \|$", page("index"), re.MULTILINE)
    return {name: [cell.strip() for cell in row.split("|")][-2:] for name, row in rows}


def test_the_table_lists_every_method():
    assert table().keys() == METHODS.keys()


@pytest.mark.parametrize("name", METHODS)
def test_the_table_says_truly_which_methods_have_a_plain_network(name):
    control = METHODS[name]().build(ResNetConfig(2, 4).build(), p=2)
    if table()[name][0] == "yes":
        assert type(control.at([0.7, 0.3])) is type(ResNetConfig(2, 4).build())
    else:
        assert table()[name][0] == "no"
        assert type(control.at([0.7, 0.3])) is AtOmega


@pytest.mark.parametrize("name", METHODS)
def test_the_table_says_truly_what_a_method_works_for(name):
    def takes(network, p):
        try:
            METHODS[name]().build(network, p)
        except ValueError:
            return False
        return True

    works_for = table()[name][1]
    assert takes(ResNetConfig(2, 4).build(), 2)
    assert takes(ResNetConfig(2, 4).build(), 3) == ("any $p$" in works_for)
    assert takes(nn.Conv2d(3, 3, 3, padding=1), 2) == ("ResNet" not in works_for)


# The worked example


@pytest.fixture
def example():
    """The names that the file of the page defines."""
    return run(OWN, fences(OWN, "python")[:1])


def additions():
    """Each diff of the page: the file that it names, the lines before, the lines that it adds."""
    found = []
    for diff in fences(OWN, "diff"):
        named, *lines = diff.splitlines()
        context = [line[1:] for line in lines if line.startswith(" ")]
        added = [line[1:] for line in lines if line.startswith("+")]
        found.append((named.removeprefix(" # "), "\n".join(context), "\n".join(added)))
    return found


def entries(file):
    """The entries that the last diff of a file adds to a dictionary, as Python."""
    return [added for named, _, added in additions() if Path(named).name == file][-1]


def test_the_file_is_short(example):
    (source, _) = fences(OWN, "python")
    assert len([line for line in source.splitlines() if line.strip()]) <= 40


@pytest.fixture
def method(example):
    return partial(contract.smallest, example["OutputScaleConfig"]())


@pytest.fixture
def control(method):
    return contract.perturbed(method())


x = contract.x
CONTRACT = {
    name.removeprefix("test_"): test
    for name, test in vars(contract).items()
    if name.startswith("test_")
    and "control" in inspect.signature(test).parameters
    and not hasattr(test, "pytestmark")
}
"""The tests of test_controls.py that every method passes, except those of bad inputs."""


@pytest.mark.parametrize("name", CONTRACT)
def test_the_example_keeps_the_contract(name, request):
    test = CONTRACT[name]
    test(**{fixture: request.getfixturevalue(fixture) for fixture in inspect.signature(test).parameters})


def test_the_contract_is_what_the_page_says():
    for words in (
        "shape",
        "per_sample",
        "many_omegas",
        "at_equals",
        "stages",
        "its_own",
        "disk",
        "copy",
    ):
        assert any(words in name for name in CONTRACT), words


def test_the_example_is_trained_and_measured_once_and_found_in_table_1(store, monkeypatch):
    names = run(OWN, fences(OWN, "python"))
    trained, frame = names["run"], names["frame"]
    assert trained.folder.parent == store / "runs"
    assert {*trained.history.stage} == {0, 1}
    assert trained.control.scale.abs().min() > 0
    assert len(sweep.average(frame)) == len(sweep.FIVE)

    def refuse(*arguments, **settings):
        raise AssertionError("not found again")

    monkeypatch.setattr(stored, "train", refuse)
    monkeypatch.setattr(sweep, "measure", refuse)
    run(OWN, fences(OWN, "python")[1:], names)
    added = eval(f"{{{entries('denoising.py')}}}", names)
    for name, config in added.items():
        monkeypatch.setitem(configs.METHODS, name, config)
        wanted = configs.denoising(name, names["budget"])
        assert wanted.key == trained.config.key
        assert runs.find(wanted) == trained.folder
        assert wanted in configs.all_runs(names["budget"])


def test_the_chapter_is_run_with_the_method_that_the_page_names():
    (given,) = re.findall(r"-p (\w+) '(.*)'", "".join(fences(OWN, "bash")))
    name, value = given[0], yaml.safe_load(given[1])
    notebook = nbformat.read(ROOT / "notebooks/03-denoising.ipynb", as_version=4)
    assert name in declared(notebook, "03-denoising")
    assert value == [*eval(f"{{{entries('denoising_data.py')}}}")]


@pytest.mark.slow
def test_who_follows_the_page_has_a_method_that_keeps_the_contract_and_has_a_run(tmp_path):
    folders = (
        "tunable_core",
        "tunable_photo",
        "study",
        "tests",
        "notebooks",
        "book/extensions",
        "data/paper",
    )
    for folder in folders:
        ignored = shutil.ignore_patterns("__pycache__", "_build")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for file in ("pyproject.toml", "data/registry.tsv"):
        shutil.copy(ROOT / file, tmp_path / file)
    (saved,) = re.findall(r"Save the file as `(.+?)`", page(OWN))
    (tmp_path / saved).write_text(fences(OWN, "python")[0])
    for name, context, added in additions():
        path = tmp_path / name
        text = path.read_text()
        assert text.count(f"\n{context}\n") == 1
        path.write_text(text.replace(f"\n{context}\n", f"\n{context}\n{added}\n"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "TUNABLE_RUNS": str(tmp_path / "store")}

    def run_there(*words):
        command = [sys.executable, "-m", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    (command,) = re.findall(r"-m (pytest .*)", page(OWN))
    tested = run_there(*command.split(), "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    assert int(re.search(r"(\d+) passed", tested.stdout)[1]) > len(CONTRACT)
    listed = run_there("study", "--profile", "smoke", "--list", "--only", "output-scale")
    assert re.match(r"denoising-output-scale-2x8-seed0-\w{10}: missing\n", listed.stdout), listed
