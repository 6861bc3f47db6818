"""Run one notebook by papermill: it gives a complete result, or a Fault with the reason."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import teaching
from parameters import Fault
from provenance import machine, sha256


def execute(
    source: Path, target: Path, changes: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Any], list[Path]]:
    """Run a notebook with the given changes to its parameters; target is written only if it succeeds.

    The code of its solutions is run as well, each as a cell tagged `solution` after the others.

    folder: working directory of the cells. Returns its record, and the runs and sweeps that it reported
    to have written (records.wrote). Raises Fault naming the cell that failed.
    """
    import papermill  # slow to import, and not needed if nothing has changed

    notebook = teaching.solved(read(source))
    if changes:
        lines = [f"{name} = {value!r}" for name, value in changes.items()]
        cell = nbformat.v4.new_code_cell("\n".join(["# Set by the profile", *lines]))
        cell.metadata["tags"] = ["injected-parameters"]
        where = [i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", [])]
        notebook.cells.insert(where[0] + 1, cell)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = partial(target)
    started, clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.monotonic()
    try:
        with _kernel_environment() as report, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # papermill warns about the name .part
            result = papermill.execute_notebook(
                notebook, str(part), kernel_name="python3", progress_bar=False, cwd=str(folder),
                start_timeout=180,
                extra_arguments=["--log-level=CRITICAL"],  # no messages about encryption and shutdown
            )  # fmt: skip
            written = [Path(line) for line in report.read_text().splitlines()] if report.exists() else []
    except Exception as error:
        raise _failure(source, part, error) from error
    code = [cell for cell in result.cells if cell.cell_type == "code"]
    unfinished = [c for c in code if c.metadata.papermill.get("status") != "completed"]
    unfinished += [c for c in code if any(o.output_type == "error" for o in c.outputs)]
    if unfinished:
        raise _failure(source, part, RuntimeError("a cell did not finish"))
    seconds = time.monotonic() - clock
    stderr = [o.text for c in code for o in c.outputs if o.get("name") == "stderr"]
    result.metadata.pop("papermill", None)  # contains paths of this machine
    with part.open("w", encoding="utf-8") as file:
        nbformat.write(result, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, target)
    record = {
        "notebook": source.stem,
        "started": started,
        "seconds": round(seconds, 1),
        "cells": len(code),
        "stderr_lines": sum(text.count("\n") for text in stderr),
        "machine": machine(),
        "output": sha256(target),
    }
    return record, written


@contextmanager
def _kernel_environment() -> Iterator[Path]:
    """Make kernels run this Python, independently of the user's kernels, settings and backend.

    Yields the file in which they report files written to the store.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {
            "JUPYTER_PATH": str(Path(sys.prefix) / "share/jupyter"),  # its python3 is sys.executable
            "JUPYTER_RUNTIME_DIR": scratch,
            "IPYTHONDIR": scratch,
            "TUNABLE_WRITTEN": str(report := Path(scratch) / "written.txt"),
        }
        for name in ("TUNABLE_DATA", "TUNABLE_RUNS"):  # cells run in notebooks/
            if before.get(name):
                os.environ[name] = str(Path(before[name]).expanduser().resolve())
        os.environ.pop("MPLBACKEND", None)
        try:
            yield report
        finally:
            os.environ.clear()
            os.environ.update(before)


def place(target: Path) -> str:
    """The cell that a notebook is running, from its partial result; "" if unknown."""
    try:
        cells = nbformat.read(partial(target), as_version=4).cells
    except (OSError, ValueError, nbformat.ValidationError):
        return ""  # not begun, or being written
    states = [cell.metadata.get("papermill", {}).get("status") for cell in cells]
    number = states.index("running") + 1 if "running" in states else len(states)
    return f"cell {number} of {len(states)}"


def partial(target: Path) -> Path:
    """The file that a running notebook is written to."""
    return target.with_suffix(".ipynb.part")


def _failure(source: Path, part: Path, error: Exception) -> Fault:
    """The Fault for a failed notebook: its name, the cell, the error, the partial file."""
    number, line = "?", ""
    try:
        cells = [
            c for c in read(part).cells if "papermill-error-cell-tag" not in c.metadata.get("tags", [])
        ]
        notes = [cell.metadata.get("papermill", {}) for cell in cells]
        begun = [i for i, note in enumerate(notes) if note.get("start_time")]
        failed = [i for i, note in enumerate(notes) if note.get("status") == "failed"]
        index = (failed or begun[-1:] or [None])[0]
        if index is not None:
            ids = [cell.get("id") for cell in read(source).cells]
            number = ids.index(cells[index].id) + 1 if cells[index].get("id") in ids else index + 1
    except (OSError, ValueError, Fault):
        pass
    name, text = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(getattr(error, "traceback", [])))
    if arrow := re.search(r"^-+> *\d+ (.*)$", trace, re.MULTILINE):
        line = f"\n  at: {arrow[1].strip()}"
    if name == "DeadKernelError":
        text = "the kernel died (out of memory, or killed)"
    where = f"\n  partial notebook: {part}" if part.exists() else ""
    return Fault(f"{source.stem}: cell {number} failed: {name}: {text}{line}{where}")


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook from a file; raises Fault if it is not one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise Fault(f"{path} is not a notebook: {error}") from None


def clock_time(seconds: float) -> str:
    """Seconds as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
