"""Assemble the book from pages, executed notebooks and their results, and build the HTML strictly.

A fresh staging folder OUTPUT/source receives the prose of book/, the executed notebooks, their named
figures (figures/NAME.png, which any page can show) and three files for the Sphinx extensions:
results.json (the results in the outputs of notebooks), runs.json (the record of every run) and
executions.json (the record of every notebook). The HTML is always built completely, with warnings as
errors, and replaces the old one only if the build succeeds.
"""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import finish
import nbformat
import pages
import places
import provenance
import publication
import reference
import teaching
import yaml
from notebook_run import clock_time, read
from parameters import Fault
from provenance import record_path

RECORD = "html.json"
"""File in OUTPUT with the hashes of everything that its HTML was made from."""
FOLDERS = ("extensions", "_static", "api", "controls", "examples")
"""Folders of book/ that are copied completely: pages, images, and the examples that pages include."""


def build(
    root: Path, output: Path, stems: Iterable[str], runs: Path, *, pdf: str = ""
) -> dict[str, float]:
    """Stage the book and build OUTPUT/html, unless everything it is made from is unchanged.

    stems: the notebooks; the book is built only if each has a result. runs: the store of runs. pdf: a
    file in OUTPUT/html that the home page links, made by single.py; "" for none. Returns the seconds of
    each part of the work. Raises Fault, and then keeps the old HTML.
    """
    stems = list(stems)
    missing = [stem for stem in stems if not (output / "notebooks" / f"{stem}.ipynb").exists()]
    if missing:
        print(f"The book is not built yet: no result of {', '.join(missing)} (run without --only).")
        return {}
    before, first = made_from(root, output, stems) | {"pdf": pdf}, output / "html/index.html"
    if first.exists() and _same(output / RECORD, before):
        print(f"Book unchanged: {first}")
        return {}
    (output / RECORD).unlink(missing_ok=True)
    began = time.monotonic()
    print("Book: putting pages and results together (1 of 3)", flush=True)
    source = stage(root, output, stems, runs, pdf=pdf)
    took = {"pages and results": time.monotonic() - began}
    took |= html(source, output, beside=partial(_live, root, source))
    (output / RECORD).write_text(json.dumps(before))
    print(f"Book built in {clock_time(time.monotonic() - began)}: {first}")
    return took


def made_from(root: Path, output: Path, stems: Iterable[str]) -> dict[str, str]:
    """Hashes of everything the book is made from; while they stay the same, it need not be rebuilt."""
    book, results = root / "book", output / "notebooks"
    built = {"_build", "__pycache__"}
    own = [p for p in book.rglob("*") if not built & set(p.relative_to(book).parts)]
    paths = {
        "pages": own,
        "notebooks": [root / f"notebooks/{stem}.ipynb" for stem in stems],
        "results": [results / f"{stem}{end}" for stem in stems for end in (".ipynb", ".json")],
        "code": [
            p for name in ("tunable_core", "tunable_photo", "study") for p in (root / name).rglob("*.py")
        ],
        "about": [root / name for name in ("CITATION.cff", "pyproject.toml", "requirements.lock")],
    }
    return {
        **{name: provenance.of_files(root, files) for name, files in paths.items()},
        **provenance.Data.now(root).state(),
        "commit": _commit(root),
    }


def _same(record: Path, now: Mapping[str, str]) -> bool:
    try:
        return bool(json.loads(record.read_text()) == now)
    except (OSError, ValueError):
        return False


def stage(root: Path, output: Path, stems: Iterable[str], runs: Path, *, pdf: str = "") -> Path:
    """Create OUTPUT/source anew, and return it."""
    source = output / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for path in (root / "book").glob("*"):
        if path.suffix in (".md", ".yml", ".bib"):
            shutil.copy(path, source)
    folders = (*(root / "book" / name for name in FOLDERS), root / "data/figures")
    for folder in folders:
        if folder.is_dir():
            shutil.copytree(folder, source / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    if (katex := root / "book/vendor/katex").is_dir():
        shutil.copytree(katex, source / "extensions/katex")
    (source / "extra/student").mkdir(parents=True)  # extra is copied next to the pages unchanged
    config = yaml.safe_load((source / "_config.yml").read_text())
    about = publication.publication(root)
    _dump(source / publication.NAME, about | {"pdf": pdf} if about else {})
    config |= publication.settings(about) | teaching.launch(root, _commit(root))
    (source / "_config.yml").write_text(yaml.safe_dump(config))
    toc = yaml.safe_load((source / "_toc.yml").read_text())
    if reference.INDEX in _pages(toc):
        reference.write(root, source)
        toc = reference.with_pages(toc, root)
        (source / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    for page in _pages(toc):
        if not (source / f"{page}.md").exists() and page not in stems:
            raise Fault(f"book/_toc.yml lists {page!r}, which is neither a page nor a notebook")

    results, executions = {}, []
    for stem in stems:
        path = output / "notebooks" / f"{stem}.ipynb"
        notebook = places.shortened(read(path), root, runs)
        results[stem] = collect(notebook, stem)
        pictures(notebook, source / "figures")
        nbformat.write(
            teaching.student(read(root / f"notebooks/{stem}.ipynb")),
            source / "extra/student" / f"student-{path.name}",
        )
        pages.page(notebook, stem, source)
        nbformat.write(notebook, source / path.name)
        executions.append(json.loads(record_path(path).read_text()))
    if (source / "figures/fig-4.png").exists():
        preview(source / "figures/fig-4.png", source / "extra/preview.png")
    results["class"] = class_times(root / "data/bench/class-cpu.json")
    _dump(source / "results.json", results)
    _dump(source / "executions.json", executions)
    _dump(source / "runs.json", [_load(path) for path in sorted((runs / "runs").glob("*/run.json"))])
    _dump(source / "sweeps.json", [_sweep(path) for path in sorted((runs / "sweeps").rglob("*.csv"))])
    nightly = root / "data/bench/nightly.json"
    tests = json.loads(nightly.read_text()) if nightly.exists() else {}
    _dump(source / "nightly.json", [{"test": test, **record} for test, record in tests.items()])
    _dump(source / "frames.json", frames(root / "data/bench/live-cpu.json"))
    registry = root / "data/registry.tsv"
    _dump(source / "licences.json", licences(registry) if registry.exists() else [])
    return source


def class_times(path: Path) -> dict[str, Any]:
    """The stored times of chapter 1 in a class, by the names that pages use; {} without them."""
    if not path.exists():
        return {}
    rows = json.loads(path.read_text())["rows"]
    most = max(row["students"] for row in rows)
    where = {1: "alone", most: "shared"}
    times = {f"{where[row['students']]}_{row['threads']}": row["seconds"] for row in rows}
    return {"students": most, **times}


def _sweep(path: Path) -> dict[str, Any]:
    """The record in the first line of a stored sweep."""
    with path.open("rb") as file:
        return json.loads(file.readline().removeprefix(b"# "))


def frames(path: Path) -> list[dict[str, Any]]:
    """The times of the live page's networks, from live_times.py, each with its machine."""
    if not path.exists():
        return []
    record = json.loads(path.read_text())
    rows = record.pop("rows")
    return [{**row, "on": record} for row in rows]


def licences(registry: Path) -> list[dict[str, Any]]:
    """Third-party data: each set of the registry once, with its licences."""
    found: dict[str, dict[str, Any]] = {}
    with registry.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            entry = found.setdefault(row["sets"].split()[0], {"files": 0, "bytes": 0, "licences": set()})
            entry["files"] += 1
            entry["bytes"] += int(row["bytes"])
            entry["licences"].add(row["licence"])
    return [{"set": name, **e, "licences": sorted(e["licences"])} for name, e in sorted(found.items())]


def _commit(root: Path) -> str:
    """The commit that is checked out; "" outside a clone or without git."""
    command = ["git", "-C", root, "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def collect(notebook: nbformat.NotebookNode, stem: str) -> dict[str, Any]:
    """The results in the outputs of a notebook. Raises Fault for a key that occurs twice."""
    results: dict[str, Any] = {}
    for found in pages.results(notebook):
        if twice := results.keys() & found.keys():
            raise Fault(f"{stem}: the result {', '.join(sorted(twice))} comes from two cells")
        results |= found
    return results


def pictures(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Write each named figure to FOLDER/NAME.png or .svg as well, so that any page can show it."""
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        shown = [output.data for output in cell.get("outputs", []) if "data" in output]
        if not name or not shown:
            continue
        folder.mkdir(exist_ok=True)
        if png := shown[0].get("image/png"):
            (folder / f"{name}.png").write_bytes(base64.b64decode(png))
        if svg := shown[0].get("image/svg+xml"):
            (folder / f"{name}.svg").write_text("".join(svg), encoding="utf-8")


def preview(figure: Path, target: Path) -> None:
    """Write the picture for links to the book on other sites: a figure on 1200 x 630 pixels."""
    from PIL import Image, ImageOps

    with Image.open(figure) as shown:
        page = ImageOps.pad(shown.convert("RGB"), (1200, 630), color="white")
    page.quantize(128).save(target, optimize=True)


def _live(root: Path, source: Path, folder: Path) -> None:
    """Write the files of the live page into a folder, if the book has that page."""
    if (source / "live.md").exists():
        import live_assets  # slow to import, and needs torch

        live_assets.write(folder / "live", root / "book")


def html(
    source: Path,
    output: Path,
    builder: str = "html",
    beside: Callable[[Path], None] = lambda folder: None,
) -> dict[str, float]:
    """Build the staged book with warnings as errors into OUTPUT/BUILDER, and finish its pages.

    beside: called while Sphinx runs; files that it writes into the given folder are added to the book.
    Returns the seconds of each part of the work. Raises Fault with the warnings.
    """
    began = time.monotonic()
    print(f"Book: Sphinx writes {builder} (2 of 3)", flush=True)
    for left in output.glob("work*"):  # left by a killed build, whose Sphinx may still write
        shutil.rmtree(left, ignore_errors=True)
    work, log = Path(tempfile.mkdtemp(prefix="work-", dir=output)), output / "sphinx.log"
    log.unlink(missing_ok=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    options = ["-W", "-n", "--keep-going", "--all", "--builder", builder, "--path-output", str(work)]
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            [*jupyter_book, "build", str(source), *options], stdout=file, stderr=subprocess.STDOUT
        ) as sphinx,
    ):
        try:
            beside(work / "beside")
        except BaseException:
            sphinx.kill()
            raise
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())
    log.write_text(text)
    if sphinx.returncode:
        faults = [line for line in text.splitlines() if re.search(r"WARNING|ERROR|Error", line)]
        faults = [_readable(line, source) for line in faults] or text.splitlines()[-5:]
        raise Fault("\n".join(["the book has faults:", *faults, f"  all of it: {log}"]))
    new, old = work / "_build" / builder, output / builder
    took = {"Sphinx, live page": time.monotonic() - began}
    if (work / "beside").exists():
        shutil.copytree(work / "beside", new, dirs_exist_ok=True)
    if builder == "html":
        print("Book: styles, pictures and Markdown (3 of 3)", flush=True)
        names = _pages(yaml.safe_load((source / "_toc.yml").read_text()))
        took |= finish.finish(new, source, output / "pictures", names)
    if old.exists():
        os.replace(old, work / "old")
    os.replace(new, old)
    shutil.rmtree(work)
    return took


def _readable(fault: str, source: Path) -> str:
    """A message without the path of the staging folder, and with the cell for a line of a notebook."""
    fault = fault.replace(f"{source}/", "")
    return re.sub(r"(\.ipynb):(\d+)\d{4}", r"\1, cell \2", fault)


def _pages(toc: Any) -> list[str]:
    """Every page in a table of contents."""
    if isinstance(toc, Mapping):
        own = [toc[key] for key in ("root", "file") if key in toc]
        return own + [page for value in toc.values() for page in _pages(value)]
    return [page for item in toc for page in _pages(item)] if isinstance(toc, list) else []


def _load(path: Path) -> dict[str, Any]:
    try:
        return {"folder": path.parent.name, **json.loads(path.read_text())}
    except ValueError as error:
        raise Fault(f"{path} is not JSON: {error}") from None


def _dump(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1))
