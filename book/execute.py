"""Run the notebooks strictly and build the book: `python book/execute.py --profile laptop`.

Papermill alone is lenient: an unknown parameter gives only a warning, text is accepted for a number, and
a killed run leaves a plausible file. Here names and types are checked before anything runs
(parameters.py); a notebook is written to a `.part` file, which is renamed to the result only when every
cell has finished; and a result is used again only while everything it was made from is unchanged:
notebook, parameters, the packages, requirements.lock, and the data (every file of data/, runs, sweeps,
and the list of available data sets). The record of a result contains the data as they were before its
notebook started, plus the runs and sweeps that the notebooks report to have written. So changes by other
processes while the book runs are noticed the next time. Next to each result NN.ipynb is NN.json, with
everything it was made from, time, machine and seconds. assemble.py then builds the HTML.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import assemble
import single
import workers
import yaml
from filelock import FileLock, Timeout
from notebook_run import clock_time, read
from parameters import Fault, declared, near, resolve, settings
from provenance import Data, changed, inputs, record_path, store, write_record

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """The command line; returns 0, or 1 with an error message on stderr."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--profile", default="laptop", help="the budget, notebooks/profiles/PROFILE.yml")
    parser.add_argument(
        "--only", nargs="+", metavar="NN", help="run only these notebooks (03, 03-denoising)"
    )
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="given",
        help="set a parameter; VALUE is YAML",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, help="default book/_build, or book/_build/PROFILE")
    parser.add_argument("--force", action="store_true", help="also run unchanged notebooks")
    parser.add_argument(
        "--jobs", type=int, default=min(2, os.cpu_count() or 1), help="notebooks at once (default 2)"
    )
    parser.add_argument("--no-html", action="store_true", help="only run the notebooks")
    parser.add_argument(
        "--single", action="store_true", help="also build one page of everything, and a PDF"
    )
    args = parser.parse_args(argv)
    if args.jobs < 1:
        parser.error(f"--jobs must be at least 1; got {args.jobs}")
    default = root / "book/_build" / ("" if args.profile == "laptop" else args.profile)
    output = (args.output or default).resolve()
    try:
        with alone(output):
            began = time.monotonic()
            stems, took = run(root, args.profile, output, args.only, args.given, args.force, args.jobs)
            if not args.no_html:
                pdf = single.NAME if args.single and single.printer() else ""
                took |= assemble.build(root, output, stems, store(root), pdf=pdf)
            if args.single:
                single.build(output)
            print(summary(took, time.monotonic() - began))
    except Fault as fault:
        print(f"\nexecute.py: {fault}", file=sys.stderr)
        return 1
    return 0


def summary(took: dict[str, float], whole: float) -> str:
    """The seconds of each part, the longest first; parts under a second are left out."""
    parts = sorted(took.items(), key=lambda part: -part[1])
    lines = [f"  {clock_time(seconds)}  {name}" for name, seconds in parts if seconds >= 1]
    return "\n".join([f"All of it took {clock_time(whole)}.", *lines])


@contextlib.contextmanager
def alone(output: Path):
    """Wait until no other process works on OUTPUT, then lock it."""
    output.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another process is making the book in {output}: waiting for it", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def run(
    root: Path,
    profile: str,
    output: Path,
    only: list[str] | None,
    given: list,
    force: bool,
    at_once: int,
) -> tuple[list[str], dict[str, float]]:
    """Execute the notebooks that need it, at most at_once at the same time. Raises Fault.

    Returns the stems of all notebooks, and the seconds of those that were executed.
    """
    folder = root / "notebooks"
    sources = {path.stem: path for path in sorted(folder.glob("[0-9][0-9]-*.ipynb"))}
    if not sources:
        raise Fault(f"there are no notebooks NN-*.ipynb in {folder}")
    selected = _selected(sources, only)
    known = {stem: declared(read(path), stem) for stem, path in sources.items()}
    given = {name: _yaml(name, value) for name, value in given}
    values = resolve(known, settings(folder / "profiles", profile), given, selected)

    results = {stem: output / "notebooks" / f"{stem}.ipynb" for stem in selected}
    data, kept = Data.now(root), store(root)
    made_from = {stem: inputs(root, sources[stem], values[stem]) for stem in selected}
    state = data.state()
    why = {s: "forced" if force else changed(results[s], made_from[s] | state) for s in selected}
    read_by = {stem: data for stem in selected if not why[stem]}  # the data recorded for each result
    for stem in read_by:
        print(f"{stem}: unchanged, used again", flush=True)
    due, finished, took = [stem for stem in selected if why[stem]], [*read_by], {}
    before = {stem: seconds for stem in due if (seconds := _seconds(results[stem]))}
    todo = []
    for stem in due:
        defaults = {name: parameter.default for name, parameter in known[stem].items()}
        changes = {n: v for n, v in values[stem].items() if v != defaults[n]}
        todo.append(workers.Job(sources[stem], results[stem], changes, folder))

    def begin(job: workers.Job) -> None:
        number, reason = due.index(job.stem) + 1, why[job.stem]
        print(f"{job.stem}: running ({number} of {len(due)}; {reason})", flush=True)
        read_by[job.stem] = Data.now(root)

    for job, (record, written) in workers.run_all(todo, at_once, begin):
        stem = job.stem
        finished.append(stem)
        record = {"profile": profile, "parameters": values[stem], **record}
        own = Data.now(root).written(written, kept)
        for other, seen in read_by.items():  # runs of this notebook do not make the other results stale
            read_by[other] = seen = replace(seen, made=seen.made | own)
            if other in finished:
                place = record_path(results[other])
                record_of = record if other == stem else json.loads(place.read_text())
                write_record(place, record_of | {"inputs": made_from[other] | seen.state()})
        note = f"; {record['stderr_lines']} lines on stderr" if record["stderr_lines"] else ""
        took[stem] = record["seconds"]
        rest = left([other for other in due if other not in finished], before, at_once)
        print(f"{stem}: done in {clock_time(record['seconds'])}{note}; {rest}", flush=True)
    return list(sources), took


def left(stems: list[str], before: dict[str, float], at_once: int = 1) -> str:
    """The number of remaining notebooks, and their time by the last run if all have been run before."""
    if not stems:
        return "none left"
    known = [before[stem] for stem in stems if stem in before]
    rest = sum(known) / min(at_once, len(stems))
    about = f", about {clock_time(rest)} as last time" if len(known) == len(stems) else ""
    return f"{len(stems)} left{about}"


def _seconds(result: Path) -> float:
    """Seconds of the notebook of a result; 0 if unknown."""
    try:
        return float(json.loads(record_path(result).read_text())["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def _selected(sources: Iterable[str], only: list[str] | None) -> list[str]:
    if not only:
        return list(sources)
    chosen = []
    for word in (Path(word).stem for word in only):
        found = [stem for stem in sources if stem == word or stem.startswith(f"{word}-")]
        if not found:
            raise Fault(f"there is no notebook {word!r}{near(word, sources)}")
        chosen += found
    return sorted(set(chosen))


def _yaml(name: str, value: str) -> Any:
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise Fault(f"-p {name}: {value!r} is not YAML") from None


if __name__ == "__main__":
    sys.exit(main())
