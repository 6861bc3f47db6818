"""A new user with Python and make follows README in an empty folder, and finds twenty answers.

    TUNABLE_BOOK     the built book to read; without it, book/_build/html
    TUNABLE_VENV     an environment of `make setup` to be used again; without it, `make book` is run

Questions about numbers are for the book of the released networks; those of the miniature book differ.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import llms
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ.get("TUNABLE_BOOK") or ROOT / "book/_build/html")
VENV = os.environ.get("TUNABLE_VENV", "")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """The repository in an empty folder, as a visitor gets it."""
    folder = tmp_path_factory.mktemp("stranger") / "study"
    words = ["git", "clone", "-q", "--shared", str(ROOT), str(folder)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    if VENV:
        (folder / ".venv").symlink_to(Path(VENV).resolve())
    photo = next((folder / "data/photos").glob("*.png"))
    shutil.copy(photo, folder / "photo.png")
    return folder


def blocks(language: str) -> list[str]:
    """The code blocks of README in a language."""
    text = (ROOT / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def typed(clone: Path, command: str) -> str:
    """The output of a command of README, run in the folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TUNABLE_DATA") if name in os.environ}
    found = subprocess.run(
        command, shell=True, cwd=clone, env=kept, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, f"{command}\n{found.stdout[-2000:]}\n{found.stderr[-2000:]}"
    return found.stdout


def test_the_commands_of_the_readme_work_as_they_stand_there(clone):
    lines = [line.partition("#")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    assert lines[0] == "make book"
    for line in lines:
        if line == "make test" or (line.startswith("make") and VENV):
            continue  # this is one of its tests; and a book was made before
        typed(clone, line)
    assert (clone / "strip.png").stat().st_size > 1000
    assert (clone / "clean.png").stat().st_size > 1000


def test_the_python_of_the_readme_works_as_it_stands_there(clone):
    (clone / "example.py").write_text("\n".join(blocks("python")))
    typed(clone, ".venv/bin/python example.py")


@cache
def article(name: str) -> BeautifulSoup:
    """The text of a page, as HTML."""
    path = BUILT / f"{name}.html"
    if not path.exists():
        pytest.skip(f"there is no built book in {BUILT}")
    found = BeautifulSoup(path.read_text(), "html.parser").select_one("article.bd-article")
    for element in found.select("a.headerlink"):
        element.decompose()
    for element in found.select("p, li, td, th, dt, dd, h1, h2, h3, div, br"):
        element.append(" ")
    return found


def says(name: str, pattern: str) -> re.Match:
    """The match of the answer in the text of a page; fails if there is none."""
    text = " ".join(article(name).get_text().split())
    found = re.search(pattern, text)
    assert found, f"{name}.html does not say {pattern!r}"
    return found


def row(name: str, table: str, *heads: str) -> list[str]:
    """The cells of the row of a table that begins with these headings."""
    place = article(name).find(id=table)
    assert place, f"{name}.html has no {table}"
    shown = place if place.name == "table" else place.find("table") or place.find_next("table")
    for line in llms.table(shown).splitlines():
        cells = [cell.strip().replace("*", "") for cell in line.strip("|").split("|")]
        if tuple(cells[: len(heads)]) == heads:
            return cells[len(heads) :]
    raise AssertionError(f"{table} of {name}.html has no row {heads}")


def claims() -> dict:
    return yaml.safe_load((ROOT / "data/paper/claims.yml").read_text())


def released() -> bool:
    """Whether the book is of the released networks."""
    made = BUILT.parent / "source/executions.json"
    return made.exists() and json.loads(made.read_text())[0]["profile"] == "laptop"


@pytest.fixture
def of_the_released_networks():
    if not released():
        pytest.skip("the book is not of the released networks")


def test_1_which_paper_is_this_about():
    assert says("intro", r"arXiv (\d{4}\.\d{5})")[1] == "2304.00898"


def test_2_which_version_do_i_read():
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    assert says("intro", r"Version ([\d.]+) of \d{4}-\d\d-\d\d")[1] == version


def test_3_may_i_use_it():
    assert says("intro", r"Licence: (\w+)")[1] == "MIT"


def test_4_how_do_i_cite_it():
    assert says("intro", r"doi = \{\s*(\S+?)\s*\}")[1].startswith("10.1109/CVPR")


def test_5_how_many_claims_does_the_paper_make():
    assert int(says("intro", r"Of the paper’s (\d+) claims")[1]) == len(claims())


def test_6_how_many_of_them_reproduce():
    words = " ".join(item.get_text(" ") for item in article("intro").select(".verdict-words li"))
    counts = re.findall(
        r"(\d+)\s+(?:reproduced|partly|not reproduced|cannot be told|not measured)", words
    )
    assert sum(map(int, counts)) == len(claims())


def test_7_which_claims_fail():
    failed = {tr["id"] for tr in article("10-claims").select("table.claims tr.not-reproduced")}
    sentence = says("report", r"Not reproduced: ([\w\- ,]+?) ?\.")[1]
    assert set(re.split(r", | and ", sentence)) == (failed or {"none"})


def test_8_what_would_count_as_reproduced():
    (cell,) = article("10-claims").select("tr#fidelity td:first-child")
    good = re.search(r"at most ([\d.]+) dB below", cell.get_text(" "))
    assert float(good[1]) == claims()["fidelity"]["good"]


def test_9_what_is_dni():
    assert says("glossary", r"DNI (Deep network interpolation)")


def test_10_how_much_noise_does_the_target_keep():
    assert (
        float(says("glossary", r"ν The part of the noise that noise preservation keeps, ([\d.]+\d)")[1])
        == 0.9
    )


def test_11_how_do_i_keep_three_tenths_of_the_grain():
    assert says("use", r"tunable denoise photo\.png clean\.png --keep 0\.3")


def test_12_how_do_i_choose_a_value():
    assert says("use", r"Which value .*?give --keep")


def test_13_how_do_i_ship_a_network_with_live_dials():
    assert says("use", r'export\(model, "tunable\.onnx"\)')


def test_14_which_pythons_work():
    assert says("intro", r"Python (3\.11) or newer")


def test_15_how_long_does_the_book_take():
    assert (
        int(
            says("reproduce", r"make book every chapter from the released networks under (\d+) minutes")[
                1
            ]
        )
        <= 10
    )


def test_16_at_fidelity_how_far_is_tunable_below_the_plain_network_on_kodak(of_the_released_networks):
    (cell,) = article("10-claims").select("tr#fidelity td:last-child")
    found = re.search(
        r"Against the plain network: ([\d.]+) dB below \[([\d.]+), ([\d.]+)\] on Kodak",
        cell.get_text(" "),
    )
    value, low, high = map(float, found.groups())
    assert low <= value <= high
    assert value == pytest.approx(0.09, abs=0.05)


@pytest.mark.parametrize(
    ("of", "label"), [("ours", "Tunable, target of Eq. 9"), ("paper", "the paper's Tunable")]
)
def test_17_what_psnr_does_it_reach_in_the_middle_of_the_dial(of_the_released_networks, of, label):
    stated = float(row("03-denoising", "tab-psnr", "Tunable, Eq. 9", of)[2])
    line = next(line for line in (ROOT / "README.md").read_text().splitlines() if label in line)
    assert stated == pytest.approx(float(line.split("|")[4].partition("/")[0]), abs=0.011)


def test_18_what_does_the_paper_print_there(of_the_released_networks):
    printed = pd.read_csv(ROOT / "data/paper/table1.csv").query(
        "images == 'kodak' and method == 'Tunable' and metric == 'psnr' and omega_1 == 0.5"
    )
    stated = float(row("03-denoising", "tab-psnr", "Tunable, Eq. 9", "paper")[2])
    assert stated == pytest.approx(printed.value.mean(), abs=0.011)


def test_19_how_much_of_the_noise_is_left_at_each_end(of_the_released_networks):
    found = says("03-denoising", r"from keeping (\d+) ?% of the noise to (\d+) ?%")
    assert int(found[1]) == pytest.approx(90, abs=5)
    assert int(found[2]) == pytest.approx(12, abs=5)


def test_20_how_many_trainings_stand_behind_it(of_the_released_networks):
    assert int(says("03-denoising", r"trained from (\d+) seeds")[1]) >= 3
