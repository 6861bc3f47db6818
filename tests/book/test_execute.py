"""The runner: strict parameters, complete results only, results reused while nothing changes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import execute
import nbformat
import psutil
import pytest
from provenance import Data

BOOK = Path(execute.__file__).parent


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    for name in ("TUNABLE_DATA", "TUNABLE_RUNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MPLBACKEND", "no_such_backend")


@pytest.fixture
def run(project, capsys):
    """Run the notebooks without HTML; returns the exit code and the output."""

    def call(*words: str) -> tuple[int, str]:
        code = execute.main([*words, "--no-html"], root=project)
        out = capsys.readouterr()
        return code, out.out + out.err

    return call


def result(project: Path, stem: str = "01-toy") -> Path:
    return project / f"book/_build/notebooks/{stem}.ipynb"


def printed(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.text for c in cells for o in c.get("outputs", []) if o.get("name") == "stdout")


def test_a_notebook_runs_with_this_python_in_its_own_folder(project, notebook, run):
    notebook("import os, sys\nprint(sys.executable, os.getcwd(), 'MPLBACKEND' in os.environ)\nsteps")
    code, _ = run("-p", "steps", "4")
    text = printed(result(project)).split()
    assert code == 0
    assert text[:2] == [sys.executable, str(project / "notebooks")]
    record = json.loads(result(project).with_suffix(".json").read_text())
    assert record["parameters"] == {"profile": "laptop", "steps": 4, "rate": 0.5, "slow": False}
    assert record["seconds"] > 0
    assert record["machine"]["cores"] == os.cpu_count()
    assert str(project) not in result(project).with_suffix(".json").read_text()


def test_a_profile_sets_what_the_cells_see(project, notebook, run):
    notebook("print(profile, steps)")
    code, _ = run("--profile", "smoke")
    smoke = project / "book/_build/smoke/notebooks/01-toy.ipynb"
    assert code == 0
    assert printed(smoke) == "smoke 3\n"


def test_a_result_is_used_again_until_something_it_is_made_from_changes(project, notebook, run):
    notebook("import time\nprint(time.time())")
    assert "running" in run()[1]
    first = result(project).read_bytes()
    assert "unchanged" in run()[1]
    assert result(project).read_bytes() == first
    for package in ("tunable_core", "tunable_photo", "study"):
        (project / package).mkdir(exist_ok=True)
        (project / package / "core.py").write_text("VALUE = 2\n")
        assert f"changed: {package}" in run()[1]
    assert result(project).read_bytes() != first


def part_of(file: str) -> str:
    """The kind of data that a file of data/ belongs to."""
    folder = file.split("/")[1]
    return {"runs": "runs and sweeps", "sweeps": "runs and sweeps", "datasets": "data sets"}.get(
        folder, "data"
    )


REAL = [
    p.relative_to(BOOK.parent)
    for p in (BOOK.parent / "data").rglob("*")
    if p.is_file() and ".decoded" not in p.parts
]
READ = sorted(
    {path.as_posix() for path in REAL if not path.as_posix().startswith("data/datasets")}
    | {"data/datasets/kodak/kodim01.png", "data/sweeps/samples/s.csv", "data/new/file.bin"}
)
"""Every file of this repository's data/, and kinds of files that it does not have."""
FEW = [file for i, file in enumerate(READ) if part_of(file) != "runs and sweeps" or i % 20 == 0]


@pytest.mark.parametrize("file", FEW)
def test_data_that_appears_or_changes_is_seen(project, file):
    before = Data.now(project).state()
    path = project / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a")
    appeared = Data.now(project).state()
    path.write_text("ab")
    changed = Data.now(project).state()
    assert len({state[part_of(file)] for state in (before, appeared, changed)}) == 3
    os.utime(path, (1, 1))
    assert Data.now(project).state() == changed


@pytest.mark.parametrize("file", ["bench/layers-cpu.json", "runs/r-1/run.json"])
def test_what_a_store_elsewhere_holds_is_seen(project, tmp_path, monkeypatch, file):
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path / "elsewhere"))
    before = Data.now(project).state()
    path = tmp_path / "elsewhere" / file
    path.parent.mkdir(parents=True)
    path.write_text("a")
    assert Data.now(project).state() != before


@pytest.mark.parametrize(
    "file", ["runs/r.part/checkpoint", "runs/r.lock", "bench/layers-cpu.part", "sweeps/.s.csv.part"]
)
def test_unfinished_files_do_not_count_as_data(project, file):
    before = Data.now(project)
    path = project / "data" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    assert Data.now(project) == before


TRAINS = """
import os
from pathlib import Path
place = Path('../data/runs/new').resolve()
place.mkdir()
(place / 'run.json').write_text('a record')
with open(os.environ['TUNABLE_WRITTEN'], 'a') as report:
    print(place, file=report)
"""
CHANGES = """
from pathlib import Path
for file in {files}:
    path = Path('../data', file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('by another process')
"""


def test_what_a_notebook_trains_leaves_its_result_fresh(project, notebook, run):
    notebook(TRAINS)
    run()
    assert "01-toy: unchanged" in run()[1]


def test_what_a_notebook_trains_leaves_earlier_results_fresh(notebook, run):
    notebook("print(1)")
    notebook(TRAINS, stem="02-trains")
    run()
    log = run()[1]
    assert "01-toy: unchanged" in log
    assert "02-trains: unchanged" in log


@pytest.mark.parametrize(
    "file", ["datasets/kodak/kodim01.png", "runs/other/run.json", "bench/layers-cpu.json"]
)
def test_what_appears_while_another_notebook_runs_is_read_the_next_time(notebook, run, file):
    notebook("print(1)")
    notebook(TRAINS + CHANGES.format(files=[file]), stem="02-runs")
    run()
    log = run()[1]
    assert "01-toy: running" in log
    assert "02-runs: running" in log


def test_what_appeared_before_a_notebook_began_is_not_read_twice(notebook, run):
    notebook(CHANGES.format(files=["datasets/kodak/kodim01.png"]))
    notebook("print(1)", stem="02-later")
    run("--jobs", "1")
    said = run()[1]
    assert "01-toy: running" in said
    assert "02-later: unchanged" in said


def test_a_failing_cell_is_named_with_its_error_and_the_old_result_stays(project, notebook, run):
    notebook("print(1)")
    run()
    old = result(project).read_bytes()
    notebook("print(1)", "x = 1\nraise ValueError(f'{x} is not 2')", "print('never')")
    code, text = run()
    part = result(project).with_suffix(".ipynb.part")
    assert code == 1
    assert "01-toy: cell 4 failed: ValueError: 1 is not 2" in text
    assert "at: raise ValueError" in text
    assert str(part) in text
    assert part.exists()
    assert result(project).read_bytes() == old


def test_the_notebook_beside_a_failing_one_ends_and_no_other_begins(project, notebook, run):
    notebook("import time\ntime.sleep(4)\nprint(1)")
    notebook("raise ValueError('no')", stem="02-fails")
    notebook("print(3)", stem="03-later")
    code, text = run("--jobs", "2")
    assert code == 1
    assert "02-fails: cell 3 failed: ValueError: no" in text
    assert "03-later: running" not in text
    assert printed(result(project)) == "1\n"
    assert "01-toy: unchanged" in run("--only", "01")[1]


def test_notebooks_run_side_by_side_and_share_the_cores(project, notebook, run, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    meet = """
import os, time
from pathlib import Path
Path("{mine}").touch()
deadline = time.monotonic() + 60
while not Path("{other}").exists():
    assert time.monotonic() < deadline
    time.sleep(0.1)
print(os.environ.get("OMP_NUM_THREADS"))
"""
    notebook(meet.format(mine="a", other="b"))
    notebook(meet.format(mine="b", other="a"), stem="02-other")
    assert run("--jobs", "2")[0] == 0
    assert printed(result(project)) == f"{max(1, os.cpu_count() // 2)}\n"


def test_an_interrupted_runner_says_so_and_ends_its_notebooks(project, notebook):
    notebook("from pathlib import Path\nimport os, time\n"
             "Path('started').write_text(str(os.getpid()))\ntime.sleep(120)")  # fmt: skip
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        f"sys.path.insert(0, {str(BOOK)!r}); import execute; from pathlib import Path;"
        f"sys.exit(execute.main(['--no-html'], root=Path({str(project)!r})))"
    )
    runner = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    started = project / "notebooks/started"
    deadline = time.monotonic() + 60
    while not (started.exists() and started.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    runner.send_signal(signal.SIGINT)
    said = runner.communicate(timeout=30)[1]
    assert runner.returncode == 1
    assert said.strip().endswith(f"interrupted; partial notebooks: {result(project)}.part")
    assert "Traceback" not in said
    deadline = time.monotonic() + 30
    while psutil.pid_exists(int(started.read_text())):  # its kernel
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_cell_that_leaves_is_a_failure(project, notebook, run):
    notebook("raise SystemExit(0)", "print('never')")
    code, text = run()
    assert code == 1
    assert "cell 3 failed" in text
    assert not result(project).exists()


def test_a_dead_kernel_is_a_failure(project, notebook, run):
    notebook("import os\nos._exit(9)")
    code, text = run()
    assert code == 1
    assert "cell 3 failed" in text
    assert "the kernel died" in text


def test_a_runner_killed_in_mid_notebook_leaves_the_old_result_whole(project, notebook, run):
    notebook("from pathlib import Path\nimport time\nprint('fine')",
             "if slow:\n    Path('started').touch()\n    time.sleep(120)")  # fmt: skip
    run()
    files = [result(project), result(project).with_suffix(".json")]
    old = [file.read_bytes() for file in files]
    script = (
        f"import sys; sys.path.insert(0, {str(BOOK)!r}); import execute; from pathlib import Path;"
        f"execute.main(['-p', 'slow', 'true', '--no-html'], root=Path({str(project)!r}))"
    )
    runner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (project / "notebooks/started").exists():
        assert time.monotonic() < deadline
        assert runner.poll() is None
        time.sleep(0.1)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    assert [file.read_bytes() for file in files] == old
    assert "unchanged" in run()[1]


def test_two_runners_at_once_take_turns(project, notebook):
    notebook("import time\ntime.sleep(3)")
    script = (
        f"import sys; sys.path.insert(0, {str(BOOK)!r}); import execute; from pathlib import Path;"
        f"sys.exit(execute.main(['--no-html'], root=Path({str(project)!r})))"
    )
    command = [sys.executable, "-c", script]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    logs = [runner.communicate(timeout=120)[0] for runner in both]
    assert [runner.returncode for runner in both] == [0, 0]
    first, second = sorted(logs, key=lambda text: "waiting for it" in text)
    assert "01-toy: running" in first
    assert "01-toy: running" not in second
    assert "another process is making the book" in second
    assert "01-toy: unchanged, used again" in second


def test_an_altered_result_is_not_used(project, notebook, run):
    notebook("print(1)")
    run()
    result(project).write_text(result(project).read_text().replace("1", "2"))
    assert "altered" in run()[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-p", "step", "3"], "no parameter 'step'; did you mean steps?"),
        (["-p", "slow", "'false'"], "slow of 01-toy must be bool; got 'false' (str)"),
        (["-p", "rate", "1e-4"], "rate of 01-toy must be float; got '1e-4' (str)"),
        (["-p", "rate", "[1"], "'[1' is not YAML"),
        (["--only", "02"], "no notebook '02'; there are 01-toy"),
        (["--only", "01-tay"], "no notebook '01-tay'; did you mean 01-toy?"),
        (["--profile", "lptop"], "no profile 'lptop'; did you mean laptop?"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_runs(notebook, run, words, sentence):
    notebook("print(1)")
    code, text = run(*words)
    assert code == 1
    assert sentence in text
    assert "running" not in text
    assert len(text.strip().splitlines()) == 1


def test_a_file_that_is_no_notebook_is_refused(project, run):
    (project / "notebooks/01-toy.ipynb").write_text("{")
    assert "01-toy.ipynb is not a notebook" in run()[1]


def test_only_the_selected_notebook_runs(project, notebook, run):
    notebook("print(1)")
    notebook("raise ValueError", stem="02-other")
    assert run("--only", "01")[0] == 0
    assert result(project).exists()
    assert not result(project, "02-other").exists()


@pytest.mark.parametrize(
    ("stems", "before", "words"),
    [
        ([], {}, "none left"),
        (["a", "b"], {"a": 60.0, "b": 5.0}, "2 left, about 1:05 min as last time"),
        (["a", "b"], {"a": 60.0}, "2 left"),
    ],
)
def test_progress_says_what_is_left(stems, before, words):
    assert execute.left(stems, before) == words


def test_the_end_says_what_took_how_long_the_longest_first():
    text = execute.summary({"03-denoising": 61.0, "Sphinx": 90.0, "pictures": 0.2}, 152.0)
    assert text == "All of it took 2:32 min.\n  1:30 min  Sphinx\n  1:01 min  03-denoising"


def test_a_notebook_that_is_done_is_followed_by_what_is_left(project, notebook, run):
    notebook("print(1)")
    notebook("print(2)", stem="02-more")
    log = run()[1]
    assert "01-toy: running (1 of 2; no result yet)" in log
    assert "1 left" in log
    assert "none left" in log
    assert "All of it took" in log


def test_the_runner_starts_without_torch():
    code = "import execute, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=BOOK).returncode == 0
