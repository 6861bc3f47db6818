"""Locks of runs: one job trains a run, and all processes of a job share the lock."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from study.training import processes

POLL = 60.0
"""Seconds after which the processes of a job that waits for a lock synchronise, to avoid a time-out."""


class Busy(RuntimeError):
    """Another job is training this run."""


@contextlib.contextmanager
def alone(folder: Path, wait: bool) -> Iterator[None]:
    """Hold FOLDER.lock for all processes of this job.

    The file is removed when the block ends without error: the run is then in its folder.
    Raises Busy in every process if another job holds the lock and wait is False.
    """
    lock = FileLock(f"{folder}.lock")

    def acquired() -> bool:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=POLL if wait else 0)
        return lock.is_locked

    while not processes.first(acquired):
        if not wait:
            name = folder.name.rpartition("-")[0]
            raise Busy(f"another process is training '{name}' ({lock.lock_file})")
    try:
        yield
        processes.meet(folder.name)
        if lock.is_locked:
            _remove(lock)
    finally:
        lock.release()


def tidy(folder: Path) -> None:
    """Remove FOLDER.part and FOLDER.lock of a process that was killed after it finished the run.

    Nothing is removed while a process holds the lock.
    """
    part, lock = Path(f"{folder}.part"), FileLock(f"{folder}.lock", timeout=0)
    if not part.exists() and not Path(lock.lock_file).exists():
        return
    with contextlib.suppress(Timeout, OSError), lock:  # the store may be read-only
        shutil.rmtree(part, ignore_errors=True)
        _remove(lock)


def _remove(lock: FileLock) -> None:
    """Remove the file of a lock that is held; a process that waits for it then finds the run."""
    with contextlib.suppress(OSError):  # Windows does not remove a file in use
        Path(lock.lock_file).unlink(missing_ok=True)
