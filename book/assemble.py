"""Put the book together: pages, executed notebooks and their results, then strictly built HTML.

A fresh staging folder OUTPUT/source receives the prose of book/, the executed notebooks, their named
figures (figures/NAME.png, for any page to show) and three files for the Sphinx extensions:
results.json (what cells tagged `results` print), runs.json (the record of every run) and
executions.json (the record of every notebook). The HTML is built with warnings as errors, always
whole, and takes the place of the old one only when it is good.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import places
import reference
import teaching
import yaml
from notebook_run import clock_time, read
from parameters import Fault
from provenance import record_path

FOLDERS = ("extensions", "_static", "api", "controls", "examples")
"""Of book/, staged whole: pages, images, and the examples that pages include."""


def build(root: Path, output: Path, stems: Iterable[str], runs: Path) -> None:
    """Stage the book and build OUTPUT/html. Raises Fault; the old HTML then stays.

    stems: the notebooks; a book is built only when each has a result. runs: the store of runs.
    """
    missing = [stem for stem in stems if not (output / "notebooks" / f"{stem}.ipynb").exists()]
    if missing:
        print(f"The book is not built yet: no result of {', '.join(missing)} (run without --only).")
        return
    began = time.monotonic()
    source = stage(root, output, stems, runs)
    html(source, output)
    print(f"Book built in {clock_time(time.monotonic() - began)}: {output / 'html/index.html'}")


def stage(root: Path, output: Path, stems: Iterable[str], runs: Path) -> Path:
    """Fill OUTPUT/source afresh and return it."""
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
    (source / "extra/student").mkdir(parents=True)  # extra goes beside the pages as it is
    config = yaml.safe_load((source / "_config.yml").read_text())
    (source / "_config.yml").write_text(yaml.safe_dump(config | teaching.launch(root, _commit(root))))
    if (source / "live.md").exists():
        import live_assets  # it takes seconds, and torch

        live_assets.write(source / "extra/live", root / "book")
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
            source / "extra/student" / path.name,
        )
        for cell in notebook.cells:
            _prepare(cell)
            _unpack(cell, source / "extra/filmstrips")
        nbformat.write(notebook, source / path.name)
        executions.append(json.loads(record_path(path).read_text()))
    if (source / "figures/fig-4.png").exists():
        preview(source / "figures/fig-4.png", source / "extra/preview.png")
    _dump(source / "results.json", results)
    _dump(source / "executions.json", executions)
    _dump(source / "runs.json", [_load(path) for path in sorted((runs / "runs").glob("*/run.json"))])
    _dump(source / "sweeps.json", [_sweep(path) for path in sorted((runs / "sweeps").rglob("*.csv"))])
    nightly = root / "data/bench/nightly.json"
    tests = json.loads(nightly.read_text()) if nightly.exists() else {}
    _dump(source / "nightly.json", [{"test": test, **record} for test, record in tests.items()])
    registry = root / "data/registry.tsv"
    _dump(source / "licences.json", licences(registry) if registry.exists() else [])
    return source


def _sweep(path: Path) -> dict[str, Any]:
    """The record at the head of a kept sweep."""
    with path.open("rb") as file:
        return json.loads(file.readline().removeprefix(b"# "))


def licences(registry: Path) -> list[dict[str, Any]]:
    """What of others is used: each set of files of the registry once, with its licences."""
    found: dict[str, dict[str, Any]] = {}
    with registry.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            entry = found.setdefault(row["sets"].split()[0], {"files": 0, "bytes": 0, "licences": set()})
            entry["files"] += 1
            entry["bytes"] += int(row["bytes"])
            entry["licences"].add(row["licence"])
    return [{"set": name, **e, "licences": sorted(e["licences"])} for name, e in sorted(found.items())]


def _commit(root: Path) -> str:
    """What is checked out, "" outside of a clone or without git."""
    command = ["git", "-C", root, "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def collect(notebook: nbformat.NotebookNode, stem: str) -> dict[str, Any]:
    """What the cells tagged `results` print: each one JSON object; a key may come only once."""
    results: dict[str, Any] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or "results" not in cell.metadata.get("tags", []):
            continue
        text = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Fault(f"{stem}: a cell tagged 'results' must print one JSON object; got {text!r}")
        if twice := results.keys() & found.keys():
            raise Fault(f"{stem}: the result {', '.join(sorted(twice))} is printed by two cells")
        results |= found
    return results


def pictures(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Keep each named figure as FOLDER/NAME.png or .svg too, so that any page can show it."""
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
    """The picture that is shown where someone links to the book: a figure on 1200 x 630 pixels."""
    from PIL import Image, ImageOps

    with Image.open(figure) as shown:
        page = ImageOps.pad(shown.convert("RGB"), (1200, 630), color="white")
    page.quantize(128).save(target, optimize=True)


def html(source: Path, output: Path, builder: str = "html") -> None:
    """Build the staged book with warnings as errors into OUTPUT/BUILDER. Raises Fault with them."""
    for left in output.glob("work*"):  # by a builder that was killed; its Sphinx may still write there
        shutil.rmtree(left, ignore_errors=True)
    work, log = Path(tempfile.mkdtemp(prefix="work-", dir=output)), output / "sphinx.log"
    log.unlink(missing_ok=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    options = ["-W", "-n", "--keep-going", "--all", "--builder", builder, "--path-output", str(work)]
    with log.open("w", encoding="utf-8") as file:
        ended = subprocess.run(
            [*jupyter_book, "build", str(source), *options],
            stdout=file, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())
    log.write_text(text)
    if ended.returncode:
        faults = [line for line in text.splitlines() if re.search(r"WARNING|ERROR|Error", line)]
        faults = [_readable(line, source) for line in faults] or text.splitlines()[-5:]
        raise Fault("\n".join(["the book has faults:", *faults, f"  all of it: {log}"]))
    new, old = work / "_build" / builder, output / builder
    if old.exists():
        os.replace(old, work / "old")
    os.replace(new, old)
    shutil.rmtree(work)


def _prepare(cell: nbformat.NotebookNode) -> None:
    """For the page: no papermill notes, stderr or empty sentences; cells of results folded."""
    cell.metadata.pop("papermill", None)
    if cell.cell_type != "code":
        return
    cell.outputs = [
        output
        for output in cell.outputs
        if output.get("name") != "stderr" and output.get("data", {}).get("text/markdown") != ""
    ]
    tags = cell.metadata.get("tags", [])
    if "results" in tags:
        cell.metadata["tags"] = [*tags, "hide-cell"]


def _unpack(cell: nbformat.NotebookNode, folder: Path) -> None:
    """Filmstrips out of the page into files of their own, which are asked for when they are seen."""

    def moved(found: re.Match) -> str:
        content = base64.b64decode(found[1])
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.webp"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        return f'loading="lazy" src="filmstrips/{name}"'

    for output in cell.get("outputs", []):
        if text := output.get("data", {}).get("text/html"):
            output.data["text/html"] = re.sub(
                r'src="data:image/webp;base64,([^"]+)"', moved, "".join(text)
            )


def _readable(fault: str, source: Path) -> str:
    """Without the staging folder; and a line of a notebook, 10000 a cell, as its cell."""
    fault = fault.replace(f"{source}/", "")
    return re.sub(r"(\.ipynb):(\d+)\d{4}", r"\1, cell \2", fault)


def _pages(toc: Any) -> list[str]:
    """Every page that a table of contents names."""
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
