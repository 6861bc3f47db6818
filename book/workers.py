"""Run several notebooks at once, each in its own process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notebook_run import clock_time, execute, partial, place
from parameters import Fault


@dataclass(frozen=True)
class Job:
    """A notebook to run; the fields are the arguments of execute()."""

    source: Path
    target: Path
    changes: dict[str, Any]
    folder: Path

    @property
    def stem(self) -> str:
        """The name of the notebook."""
        return self.source.stem


Result = tuple[dict[str, Any], list[Path]]


def run_all(
    jobs: Sequence[Job], at_once: int, begin: Callable[[Job], None]
) -> Iterator[tuple[Job, Result]]:
    """Run all jobs, at most at_once at the same time; yields each job with its result when it ends.

    begin: called with each job before it starts. After a Fault no further job starts; those that are
    running end and are yielded, and then the first Fault is raised. Any other error and an interrupt
    stop all jobs.
    """
    waiting, running, fault = list(jobs), {}, None
    pool = ProcessPoolExecutor(min(at_once, len(jobs)) or 1, initializer=_attend, initargs=(at_once,))
    try:
        while running or waiting:
            while waiting and len(running) < at_once:
                job = waiting.pop(0)
                begin(job)
                future = pool.submit(execute, job.source, job.target, job.changes, job.folder)
                running[future] = job, time.monotonic()
            for future in _ended(running):
                job, _ = running.pop(future)
                try:
                    result = future.result()
                except Fault as found:
                    fault, waiting = fault or found, []
                    continue
                yield job, result
        if fault:
            raise fault
    except KeyboardInterrupt:
        parts = ", ".join(str(partial(job.target)) for job, _ in running.values())
        raise Fault(f"interrupted; partial notebooks: {parts or 'none'}") from None
    finally:
        for process in multiprocessing.active_children():
            process.terminate()
        pool.shutdown(cancel_futures=True)


def _ended(running: dict[Future, tuple[Job, float]]) -> set[Future]:
    """Wait until at least one job ends; meanwhile print which cells are running."""
    live = sys.stdout.isatty()
    while not (done := wait(running, timeout=2 if live else 30, return_when=FIRST_COMPLETED).done):
        now = time.monotonic()
        states = [
            f"{job.stem}: {place(job.target) or 'begins'}, {clock_time(now - began)}"
            for job, began in running.values()
        ]
        text = "  " + "; ".join(states)
        print(f"\r\033[K{text}" if live else text, end="" if live else "\n", flush=True)
    if live:
        print("\r\033[K", end="")
    return done


def _attend(at_once: int) -> None:
    """Set up a process that runs notebooks: it ignores interrupts, and ends when its parent ends.

    Kernels that run at the same time share the cores.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if at_once > 1:
        threads = max(1, (os.cpu_count() or 1) // at_once)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
