"""If a build of the book is killed at any moment, the next build gives the same pages.

TUNABLE_FAULTS says how often it is killed (`make nightly`); twice otherwise.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import execute
import pytest
from conftest import result

REPEATS = int(os.environ.get("TUNABLE_FAULTS", "2"))
TIMED = ("runs.html", "runs.html.md", "searchindex.js", "_sources/01-toy.ipynb")
"""Files that tell when a notebook ran."""
MAKE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import execute
sys.exit(execute.main([], root=Path(sys.argv[2])))
"""


@pytest.fixture
def begin(with_book, notebook, monkeypatch):
    """Starts a build of a book with one notebook."""
    for name in ("TUNABLE_DATA", "TUNABLE_RUNS"):
        monkeypatch.delenv(name, raising=False)
    notebook(
        result(psnr=34.16),
        "import time\nimport matplotlib.pyplot as plt\ntime.sleep(1)\nplt.plot([1, 2]);",
    )
    command = [sys.executable, "-c", MAKE, str(Path(execute.__file__).parent), str(with_book)]

    def call() -> subprocess.Popen:
        with (with_book / "log").open("w") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    return call


def finished(process: subprocess.Popen, log: Path) -> None:
    assert process.wait(timeout=300) == 0, log.read_text()


def pages(html: Path) -> dict[str, bytes | None]:
    """Every file of the book by content; None for files that contain the time."""
    files = {path.relative_to(html).as_posix(): path for path in html.rglob("*") if path.is_file()}
    return {name: None if name in TIMED else path.read_bytes() for name, path in files.items()}


@pytest.mark.slow
def test_a_book_killed_again_and_again_has_the_same_pages(with_book, begin, record_property):
    output, chance, killed = with_book / "book/_build", random.Random(4), 0
    clock = time.monotonic()
    finished(begin(), with_book / "log")
    longest, wanted = time.monotonic() - clock, pages(output / "html")
    assert {"01-toy.html", "intro.html", *TIMED} <= wanted.keys()
    for _ in range(REPEATS):
        if chance.random() < 0.5:  # half of them begin with the notebook, half with the pages
            shutil.rmtree(output, ignore_errors=True)  # processes of the last build may still write
        process = begin()
        time.sleep(chance.uniform(0.1, 0.9) * longest)
        process.kill()
        killed += process.wait(timeout=300) != 0
    record_property("kills", killed)
    assert killed
    finished(begin(), with_book / "log")
    assert pages(output / "html") == wanted
    left = {path.name for path in (output / "notebooks").iterdir()}
    assert left == {"01-toy.ipynb", "01-toy.json"}
