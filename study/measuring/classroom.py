"""The time of chapter 1 in a class, for one student alone and for several on one machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from study.disk.records import ROOT

STEPS = 300
"""Steps of the training in chapter 1 that the page "In class" recommends."""
THREADS = "OMP_NUM_THREADS"


def classroom(steps: int = STEPS, students: int | None = None) -> pd.DataFrame:
    """How long students wait for chapter 1, with one thread each and with PyTorch's default number.

    steps: of its training. students: how many run it at once on the shared machine; by default two per
    core. Columns: students, threads ("one" or "default"), and seconds, the wall time until the last
    student has a result.
    Raises CalledProcessError if the notebook fails.
    """
    shared = students or 2 * (os.cpu_count() or 1)
    cases = [(count, threads) for count in (1, shared) for threads in ("one", "default")]
    rows = [(count, threads, _together(count, threads, steps)) for count, threads in cases]
    return pd.DataFrame(rows, columns=["students", "threads", "seconds"])


def _together(count: int, threads: str, steps: int) -> float:
    """Seconds until `count` students, who start at the same time, have all run chapter 1."""
    settings = {name: value for name, value in os.environ.items() if name != THREADS}
    if threads == "one":
        settings[THREADS] = "1"
    command = [sys.executable, str(ROOT / "book/execute.py"), "--only", "01", "-p", "steps", str(steps)]
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        running = [
            subprocess.Popen(
                [*command, "--no-html", "--output", str(Path(folder) / str(student))],
                env=settings,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for student in range(count)
        ]
        codes = [process.wait() for process in running]
    if failed := [code for code in codes if code]:
        raise subprocess.CalledProcessError(failed[0], command)
    return time.monotonic() - begun
