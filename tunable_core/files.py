"""Files that are whole or absent: atomic writes."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class DamagedFile(ValueError):
    """A file exists but is not what was written."""


def write_atomically(path: Path, content: bytes | memoryview | str) -> None:
    """Write beside path, flush to disk, rename: readers see the old file or the new one, whole.

    An interrupted or failed write leaves the old file as it was.
    """
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside path, which replaces path when the block ends without error.

    A new file gets the permissions that the umask leaves; a replaced file keeps its own. If path is a
    link, the file it points to is replaced. A killed process leaves .NAME.part, which the next one to
    write the file overwrites; two processes that write it at once take turns (on Windows there must be
    only one).
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with _alone(part) as file:
        try:
            yield part
            os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, part)
            _release(file)
            os.replace(part, path)
        except BaseException:
            _release(file)
            part.unlink(missing_ok=True)
            raise


def _alone(part: Path) -> BinaryIO:
    """The file `part`, open, and locked against other processes until it is closed."""
    while True:
        file = part.open("ab")
        with contextlib.suppress(AttributeError, OSError):  # this system has no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), part.stat()):
                return file
        file.close()  # the process that had the lock has renamed the file


def _release(file: BinaryIO) -> None:
    """Close the file on Windows, which neither renames nor deletes an open one."""
    if fcntl is None:
        file.close()
