"""Run the notebooks strictly and build the book: `python book/execute.py --profile laptop`.

Papermill alone is lenient: an unknown parameter only warns, text passes for a number, and a killed
run leaves a plausible file. Here names and types are checked before anything runs (parameters.py);
a notebook is written to a `.part` file that takes the name of the result only when every cell has
finished; and a result is used again only while everything it was made from is unchanged: notebook,
parameters, both packages, requirements.lock, and the data (every file of data/, runs, sweeps, and
which data sets are available). A result counts as made from the data as they were before its notebook
began; only the runs and sweeps that the notebooks report to have written themselves are added. So
whatever others change while the book runs is read the next time. Beside each result NN.ipynb lies
NN.json: what it was made from, when, on what machine, in how many seconds. assemble.py then puts the
HTML together.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import assemble
import single
import yaml
from filelock import FileLock, Timeout
from notebook_run import clock_time, execute, read
from parameters import Fault, declared, near, resolve, settings
from provenance import Data, changed, inputs, record_path, store, write_record

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """The command line; returns 0, or 1 with what went wrong on stderr."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--profile", default="laptop", help="notebooks/profiles/PROFILE.yml")
    parser.add_argument("--only", nargs="+", metavar="NN", help="these notebooks (03, 03-denoising)")
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="given",
        help="set a parameter; VALUE is YAML",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, help="default book/_build, or book/_build/PROFILE")
    parser.add_argument("--force", action="store_true", help="run also what is unchanged")
    parser.add_argument("--no-html", action="store_true", help="only run the notebooks")
    parser.add_argument("--single", action="store_true", help="also all on one page, and as a PDF")
    args = parser.parse_args(argv)
    default = root / "book/_build" / ("" if args.profile == "laptop" else args.profile)
    output = (args.output or default).resolve()
    try:
        with alone(output):
            stems = run(root, args.profile, output, args.only, args.given, args.force)
            if not args.no_html:
                assemble.build(root, output, stems, store(root))
            if args.single:
                single.build(output)
    except Fault as fault:
        print(f"\nexecute.py: {fault}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def alone(output: Path):
    """Wait until no other process works on OUTPUT, then keep others from it."""
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
    root: Path, profile: str, output: Path, only: list[str] | None, given: list, force: bool
) -> list[str]:
    """Execute the notebooks that need it; return the stems of all notebooks. Raises Fault."""
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
    read_by = {stem: data for stem in selected if not why[stem]}  # the data that each result knows
    for stem in read_by:
        print(f"{stem}: unchanged, used again", flush=True)
    for number, stem in enumerate(due := [stem for stem in selected if why[stem]], 1):
        print(f"{stem}: running ({number} of {len(due)}; {why[stem]})", flush=True)
        defaults = {name: parameter.default for name, parameter in known[stem].items()}
        changes = {n: v for n, v in values[stem].items() if v != defaults[n]}
        read_by[stem] = Data.now(root)
        record, written = execute(sources[stem], results[stem], changes, folder)
        record = {"profile": profile, "parameters": values[stem], **record}
        own = Data.now(root).written(written, kept)
        for other, seen in read_by.items():  # what this notebook trained does not make them stale
            read_by[other] = seen = replace(seen, made=seen.made | own)
            place = record_path(results[other])
            record_of = record if other == stem else json.loads(place.read_text())
            write_record(place, record_of | {"inputs": made_from[other] | seen.state()})
        note = f"; {record['stderr_lines']} lines on stderr" if record["stderr_lines"] else ""
        print(f"{stem}: done in {clock_time(record['seconds'])}{note}", flush=True)
    return list(sources)


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
