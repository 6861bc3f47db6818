"""Start processes of the study: each is a fork of one that has imported it, which saves three seconds.

Otherwise a Job behaves like Python with a script, or like torchrun with a script and several processes.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
from multiprocessing.reduction import DupFd

CONTEXT = multiprocessing.get_context("forkserver")
LONGEST = 300
"""Seconds after which a job that does not end is killed."""
CONTEXT.set_forkserver_preload(["study.configs", "study.measuring.sweep"])


class Job:
    """One script in one or more processes, which write into one pipe.

    settings: environment variables beside those of this process.
    """

    def __init__(self, script: str, *arguments: object, processes: int = 1, **settings: object) -> None:
        reader, writer = os.pipe()
        self.stdout = os.fdopen(reader)
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (until rest())
        self.errors = ""
        given = os.environ | {name: str(value) for name, value in settings.items()}
        words, self._processes = list(map(str, arguments)), []
        for ranks in [{}] if processes == 1 else _ranks(processes):
            streams = [DupFd(writer), DupFd(self._errors.fileno())]
            work = (script, words, given | ranks, *streams)
            process = CONTEXT.Process(target=_run, args=work, daemon=True)
            process.start()
            self._processes.append(process)
        os.close(writer)

    def kill(self) -> None:
        for process in self._processes:
            process.kill()

    def rest(self) -> str:
        """Its output until its end, without what has been read; then `errors` is its stderr."""
        late = threading.Timer(LONGEST, self.kill)
        late.daemon = True
        late.start()
        with self.stdout, self._errors:
            said = self.stdout.read()
            for process in self._processes:
                process.join()
            late.cancel()
            self._errors.seek(0)
            self.errors = self._errors.read()
        return said

    @property
    def codes(self) -> list[int | None]:
        """The exit code of each process; None while it runs."""
        return [process.exitcode for process in self._processes]

    def ended(self) -> str:
        """Its output until its end; fails unless every process ends well."""
        said = self.rest()
        assert not any(self.codes), self.errors[-3000:]
        return said


def _ranks(processes: int):
    """What torchrun adds to the environment of each process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    for rank in map(str, range(processes)):
        yield {**address, "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": str(processes)}


def _run(script: str, arguments: list[str], environment: dict, output, errors) -> None:
    for descriptor, given in ((1, output), (2, errors)):
        os.dup2(given.detach(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["script.py", *arguments]
    try:
        exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out
