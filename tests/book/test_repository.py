"""The repository as it is cloned: settings that parse and agree, notebooks without outputs."""

import importlib.metadata
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from study import configs

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEXTS = {
    ".py",
    ".md",
    ".yml",
    ".yaml",
    ".toml",
    ".ipynb",
    ".cff",
    ".bib",
    ".css",
    ".tsv",
    ".csv",
    ".lock",
    "",
}


def tracked() -> list[Path]:
    """Files that git tracks or would add."""
    words = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for path in map(ROOT.joinpath, listed.splitlines()) if path.is_file()]


def locked(file: str = "requirements.lock") -> dict[str, Requirement]:
    lines = (ROOT / file).read_text().splitlines()
    pins = [Requirement(line.partition(" --hash=")[0]) for line in lines if not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", pin.name).lower(): pin for pin in pins}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_lock_pins_every_package_exactly_and_names_no_host():
    for pin in locked().values():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
        assert pin.url is None
    assert not re.search(r"https?://|file:|^-", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_hashes_are_of_packages_at_their_locked_versions():
    lines = (ROOT / "requirements.hashes").read_text().splitlines()
    assert all(re.search(r" --hash=sha256:[0-9a-f]{64}$", line) for line in lines if line[0] != "#")
    pins, hashed = locked(), locked("requirements.hashes")
    assert {name: pins.get(name) for name in hashed} == hashed
    assert len(hashed) > 100


def test_the_lock_satisfies_what_the_package_and_its_extras_ask():
    pins, extras = locked(), project()["optional-dependencies"]
    asked = [*project()["dependencies"], *(text for extra in extras.values() for text in extra)]
    own = f"{project()['name']}["  # the extra study names other extras
    for requirement in map(Requirement, (text for text in asked if not text.startswith(own))):
        pin = pins[re.sub(r"[-_.]+", "-", requirement.name).lower()]
        version = next(iter(pin.specifier)).version
        assert requirement.specifier.contains(version), f"{requirement} but locked {version}"


def installed() -> dict[str, importlib.metadata.Distribution]:
    """The locked packages that are installed here in their locked version."""
    here = {}
    for name, pin in locked().items():
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if pin.specifier.contains(found.version):
            here[name] = found
    assert len(here) > 100
    return here


@pytest.mark.parametrize("python", ["3.11.0", "3.11.2", "3.12.0", "3.13.0"])
def test_every_locked_package_allows_every_python_that_setup_promises(python):
    asked = {
        name: SpecifierSet(package.metadata["Requires-Python"] or "")
        for name, package in installed().items()
    }
    assert not {name: str(rule) for name, rule in asked.items() if not rule.contains(python)}


def test_the_lock_holds_no_package_that_nothing_asks_for():
    extras = project()["optional-dependencies"]
    texts = [*project()["dependencies"], *(text for extra in extras.values() for text in extra)]
    packages, reached = installed(), {"setuptools"}  # which builds this package
    while texts:
        asked = Requirement(texts.pop())
        name = re.sub(r"[-_.]+", "-", asked.name).lower()
        if (name, *sorted(asked.extras)) in reached:
            continue
        reached |= {name, (name, *sorted(asked.extras))}
        for text in packages[name].requires or [] if name in packages else []:
            marker = Requirement(text).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ["", *asked.extras]):
                texts.append(text)
    assert set(packages) <= reached


def test_urls_of_the_package_are_those_of_the_book():
    book = yaml.safe_load((ROOT / "book/_config.yml").read_text())
    urls = project()["urls"]
    assert urls.get("Repository", "") == book["repository"]["url"]
    assert urls.get("Documentation", "") == book["html"]["baseurl"]


def test_the_pictures_of_the_readme_are_found_from_a_package_index_once_the_address_is_known():
    url = yaml.safe_load((ROOT / "book/_config.yml").read_text())["repository"]["url"]
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    base = f"{url}/raw/main/" if url else ""
    assert pictures
    for picture in pictures:
        assert picture.startswith(base)
        assert (ROOT / picture.removeprefix(base)).is_file()


def test_a_clone_that_changes_line_endings_leaves_every_file_and_the_released_run_as_they_are(
    tmp_path, monkeypatch
):
    clone = tmp_path / "clone"
    words = ["git", "clone", "-q", "--shared", "-c", "core.autocrlf=true", str(ROOT), str(clone)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    words = ["git", "-C", str(clone), "ls-files", "--eol"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert "w/lf" in listed
    assert "w/crlf" not in listed
    monkeypatch.setenv("TUNABLE_RUNS", str(clone / "data"))
    assert configs.released().control


def test_the_conda_environment_has_the_locked_packages_and_a_python_that_fits():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    plain = [item for item in environment["dependencies"] if isinstance(item, str)]
    (pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    python = next(item for item in plain if item.startswith("python=")).split("=")[1]
    asked = Requirement(f"python{project()['requires-python']}").specifier
    assert asked.contains(f"{python}.0")
    assert pip == ["-r requirements.lock", "-e ."]


def test_the_citation_names_the_package_at_its_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == project()["version"]
    assert citation["license"] == project()["license"]
    assert citation["preferred-citation"]["title"].startswith("Tunable Convolutions")
    for key in ("message", "title", "authors"):
        assert citation[key]


WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text())
TRIGGERS = WORKFLOW[True]  # YAML's word for `on`


def test_the_workflow_has_least_rights():
    assert WORKFLOW["permissions"] == {}
    rights = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}
    assert rights.pop("publish") == {"pages": "write", "id-token": "write"}
    assert rights.pop("release") == {"contents": "write"}
    assert all(right == {"contents": "read"} for right in rights.values())


def test_actions_are_pinned_by_commit_and_no_secret_is_asked_for():
    for job in WORKFLOW["jobs"].values():
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"])
    assert "secrets." not in (ROOT / ".github/workflows/book.yml").read_text()


def test_a_push_and_a_tag_are_tested_built_and_then_published():
    assert TRIGGERS["push"] == {"branches": ["main"], "tags": ["v*"]}
    assert set(WORKFLOW["jobs"]["publish"]["needs"]) == set(WORKFLOW["jobs"]) - {"publish", "release"}
    steps = [step.get("run") for step in WORKFLOW["jobs"]["test"]["steps"]]
    assert ".ci/run" in steps


def test_the_core_is_tested_on_every_system_python_and_bound_of_torch_one_change_at_a_time():
    first, *rows = WORKFLOW["jobs"]["core"]["strategy"]["matrix"]["include"]
    assert all(len(first.items() - row.items()) == 1 for row in rows)
    assert {row["os"].partition("-")[0] for row in (first, *rows)} == {"ubuntu", "macos", "windows"}
    classifiers = " ".join(project()["classifiers"])
    assert {row["python"] for row in (first, *rows)} == set(
        re.findall(r"Python :: (3\.\d+)", classifiers)
    )
    (bound,) = [text for text in project()["dependencies"] if text.startswith("torch>")]
    assert {row["torch"] for row in (first, *rows)} == {
        bound.removeprefix("torch"),
        f"=={bound.removeprefix('torch>=')}.0",
    }


@pytest.mark.parametrize("name", ["smoke", "laptop", "paper"])
def test_every_profile_is_a_mapping(name):
    profile = yaml.safe_load((ROOT / f"notebooks/profiles/{name}.yml").read_text())
    assert profile["all"]["profile"] == name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_source_notebook_holds_no_outputs_and_an_ordinary_kernel(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_is_longer_than_a_screen(path):
    cells = nbformat.read(path, as_version=4).cells
    long = [
        c.source.splitlines()[0] for c in cells if c.cell_type == "code" and c.source.count("\n") > 40
    ]
    assert not long


def test_no_file_holds_a_path_of_somebodys_machine():
    home = re.compile(r"(?<![\w.])/(home|Users|root|work)/\w+|[A-Z]:\\\\Users")
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path.suffix in TEXTS and path != Path(__file__)
        for match in home.finditer(path.read_text(errors="ignore"))
    }
    assert not found


def test_no_tracked_file_is_large():
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in tracked()}
    assert max(sizes.values()) < 6_000_000
    assert sum(sizes.values()) < 55_000_000
    released = sum(size for name, size in sizes.items() if name.startswith(("data/runs", "data/sweeps")))
    assert released < 40_000_000


def test_clean_removes_what_was_built_and_nothing_released(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    built = [
        "book/_build/html/a.html",
        ".ruff_cache/b",
        "tunable_core/__pycache__/c.pyc",
        "x.egg-info/d",
    ]
    kept = [
        "data/runs/r/run.json",
        "data/sweeps/s.csv",
        "data/datasets/kodak/1.png",
        "notebooks/01.ipynb",
    ]
    for name in (*built, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("it")
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert not [name for name in built if (tmp_path / name).exists()]
    assert all((tmp_path / name).exists() for name in kept)
