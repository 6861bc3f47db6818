"""Run one notebook through papermill: its result appears whole, or a Fault says what stopped it."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from parameters import Fault
from provenance import machine, sha256


def execute(
    source: Path, target: Path, changes: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Any], list[Path]]:
    """Run a notebook with the given changes to its parameters; target appears whole or not at all.

    folder: where its cells run. Returns its record, and the runs and sweeps that it reported to have
    written (records.wrote). Raises Fault naming the cell that failed.
    """
    import papermill  # slow to import, and not needed to see that nothing has changed

    notebook = read(source)
    if changes:
        lines = [f"{name} = {value!r}" for name, value in changes.items()]
        cell = nbformat.v4.new_code_cell("\n".join(["# Set by the profile", *lines]))
        cell.metadata["tags"] = ["injected-parameters"]
        where = [i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", [])]
        notebook.cells.insert(where[0] + 1, cell)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".ipynb.part")
    started, clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.monotonic()
    try:
        with _kernel_environment() as report, _heartbeat(part, source.stem), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # papermill's, of the name .part
            result = papermill.execute_notebook(
                notebook, str(part), kernel_name="python3", progress_bar=False, cwd=str(folder),
                start_timeout=180,
                extra_arguments=["--log-level=CRITICAL"],  # nothing of encryption and shutdown
            )  # fmt: skip
            written = [Path(line) for line in report.read_text().splitlines()] if report.exists() else []
    except KeyboardInterrupt:
        raise Fault(f"{source.stem}: interrupted; its partial notebook is {part}") from None
    except Exception as error:
        raise _failure(source, part, error) from error
    code = [cell for cell in result.cells if cell.cell_type == "code"]
    unfinished = [c for c in code if c.metadata.papermill.get("status") != "completed"]
    unfinished += [c for c in code if any(o.output_type == "error" for o in c.outputs)]
    if unfinished:
        raise _failure(source, part, RuntimeError("a cell did not finish"))
    seconds = time.monotonic() - clock
    stderr = [o.text for c in code for o in c.outputs if o.get("name") == "stderr"]
    result.metadata.pop("papermill", None)  # it holds this machine's paths
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
    """Kernels run this very Python, whatever kernels, settings or backend the user has.

    Yields the file in which they report what they write to the store.
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


@contextmanager
def _heartbeat(part: Path, stem: str) -> Iterator[None]:
    """Say now and then which cell is running, read off the partial notebook."""
    over, clock, live = threading.Event(), time.monotonic(), sys.stdout.isatty()

    def beat() -> None:
        while not over.wait(2 if live else 30):
            try:
                cells = nbformat.read(part, as_version=4).cells
            except (OSError, ValueError, nbformat.ValidationError):
                continue  # in the middle of a write
            states = [cell.metadata.get("papermill", {}).get("status") for cell in cells]
            number = states.index("running") + 1 if "running" in states else len(states)
            text = f"  {stem}: cell {number} of {len(states)}, {clock_time(time.monotonic() - clock)}"
            print(f"\r{text} " if live else text, end="" if live else "\n", flush=True)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if live:
            print("\r", end="")


def _failure(source: Path, part: Path, error: Exception) -> Fault:
    """The Fault for a notebook that stopped: its name, the cell, the error, the partial file."""
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
    """A notebook from a file; raises Fault when it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise Fault(f"{path} is not a notebook: {error}") from None


def clock_time(seconds: float) -> str:
    """Seconds as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
