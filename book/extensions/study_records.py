"""Directives `runs`, `executions`, `costs`, `nightly`, `frames`, `licences`, `students`: tables.

What was trained and measured, what made the pages, what it cost in all, what the long tests found, how
long frames of the live page take, and third-party data. Each is a table of the file of its name in the
staging folder (see book/assemble.py). Records may lack any field; where there are none, a sentence says
so.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from study.disk.records import reached

Record = Mapping[str, Any]


def inside(record: Record, *keys: str) -> Any:
    """A value deep in a record, or None."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def commit(record: Record) -> str:
    """Short commit; a star where the tree was not clean."""
    text = str(record.get("commit") or "")[:7]
    return text + ("*" if text and record.get("clean") is False else "")


def duration(record: Record) -> str:
    """Seconds as m:ss."""
    seconds = record.get("seconds")
    if not isinstance(seconds, int | float):
        return ""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def number(value: Any) -> str:
    """An integer with thin groups of three digits; anything else as it is, nothing for None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return "" if value is None else str(value)


class Table(SphinxDirective):
    """A table with one row a record, then the full records, folded."""

    file: ClassVar[str]
    none: ClassVar[str]
    columns: ClassVar[dict[str, Callable[[Record], str]]]
    texts: ClassVar[set[str]]
    """Columns that are no numbers: left-aligned."""

    def run(self) -> list[nodes.Node]:
        """The nodes."""
        path = Path(self.env.srcdir) / self.file
        self.env.note_dependency(str(path))
        records = json.loads(path.read_text())
        if not records:
            return [nodes.paragraph(self.none, self.none)]
        head = "".join(self._cell("th", name, name) for name in self.columns)
        rows = "".join(f"<tr>{self._row(record)}</tr>" for record in records)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        parts = [f'<div class="records">{table}</div>', *map(self._folded, records)]
        return [nodes.raw("", "\n".join(parts), format="html")]

    def label(self, record: Record) -> str:
        """What a record is called, once in the page."""
        raise NotImplementedError

    def _row(self, record: Record) -> str:
        return "".join(self._cell("td", name, get(record)) for name, get in self.columns.items())

    def _cell(self, tag: str, column: str, text: str) -> str:
        kind = "text" if column in self.texts else "number"
        return f'<{tag} class="{kind}">{html.escape(str(text))}</{tag}>'

    def _folded(self, record: Record) -> str:
        label = html.escape(self.label(record))
        full = html.escape(json.dumps(record, indent=1))
        return (
            f'<details class="record" id="{label}"><summary>{label}</summary><pre>{full}</pre></details>'
        )


class Runs(Table):
    """Every run of the store."""

    file = "runs.json"
    none = "There is no run here yet."
    texts: ClassVar = {"name", "key", "device", "commit"}
    columns: ClassVar = {
        "name": lambda r: r.get("name") or r.get("folder", ""),
        "key": lambda r: r.get("key", ""),
        "steps": lambda r: number(inside(r, "config", "training", "steps")),
        "parameters": lambda r: number(r.get("parameters")),
        "time": duration,
        "commit": commit,
        "device": lambda r: r.get("device", ""),
        "final loss": lambda r: reached(r).partition(",")[0].removeprefix("loss "),
    }

    def label(self, record: Record) -> str:
        """The folder of the run."""
        return str(record.get("folder") or record.get("key") or "run")


class Executions(Table):
    """Every notebook of this build."""

    file = "executions.json"
    none = "No notebook was executed for this build."
    texts: ClassVar = {"notebook", "profile", "executed", "processor"}
    columns: ClassVar = {
        "notebook": lambda r: r.get("notebook", ""),
        "profile": lambda r: r.get("profile", ""),
        "executed": lambda r: str(r.get("started", "")).replace("T", " ").removesuffix("Z"),
        "cells": lambda r: number(r.get("cells")),
        "time": duration,
        "processor": lambda r: inside(r, "machine", "cpu") or "",
        "cores": lambda r: number(inside(r, "machine", "cores")),
    }

    def label(self, record: Record) -> str:
        """The notebook."""
        return f"execution-{record.get('notebook', '')}"


class Nightly(Table):
    """Every long test, when it last ran."""

    file = "nightly.json"
    none = "These tests have not been run here."
    texts: ClassVar = {"test", "outcome", "measured", "date", "commit"}
    columns: ClassVar = {
        "test": lambda r: str(r.get("test", "")).removeprefix("test_").replace("_", " "),
        "outcome": lambda r: r.get("outcome", ""),
        "time": duration,
        "date": lambda r: r.get("date", ""),
        "commit": commit,
        "measured": lambda r: r.get("measured", ""),
    }

    def _folded(self, record: Record) -> str:
        return ""


class Frames(Table):
    """What a frame of each network of the live page takes."""

    file = "frames.json"
    none = "No frame of the live page has been timed."
    texts: ClassVar = {"network", "output"}
    columns: ClassVar = {
        "network": lambda r: r["network"],
        "output": lambda r: r["output"].replace("x", "×"),
        "ms": lambda r: f"{r['ms']:.0f}",
        "by ONNX Runtime": lambda r: f"{r['onnx_ms']:.0f}",
        "ratio": lambda r: f"{r['ratio']:.2f}",
        "ms on the clock": lambda r: f"{r['clock_ms']:.0f}",
    }

    def run(self) -> list[nodes.Node]:
        """The table, and a sentence about what it was measured on."""
        table = super().run()
        records = json.loads((Path(self.env.srcdir) / self.file).read_text())
        if not records:
            return table
        on = records[0]["on"]
        sentence = (
            f"Measured with {on['browser']} on {on['device']}, {on['cores']} cores, one thread, at "
            f"commit {commit(on)}. The load of the machine before the measurement was "
            f"{on['load_before']:.1f}; at load 0 the clock shows hardly more than the processor's time."
        )
        if whole := on.get("whole"):
            sentence += (
                f" A whole photograph of {whole['output'].replace('x', '×')} pixels takes the network "
                f"{whole['run']} {whole['seconds'] / 60:.1f} minutes on the clock, with at most "
                f"{number(whole['memory_mb'])} MB of memory in the browser."
            )
        return [*table, nodes.paragraph(sentence, sentence)]

    def _folded(self, record: Record) -> str:
        return ""


class Licences(Table):
    """Every set of third-party files, and its licences."""

    file = "licences.json"
    none = "No third-party data are used."
    texts: ClassVar = {"set", "licence or origin"}
    columns: ClassVar = {
        "set": lambda r: r["set"],
        "files": lambda r: number(r["files"]),
        "MB": lambda r: f"{r['bytes'] / 1e6:.1f}",
        "licence or origin": lambda r: "; ".join(r["licences"]),
    }

    def _folded(self, record: Record) -> str:
        return ""


class Costs(SphinxDirective):
    """The sums over all records: how many, how long, on what, of which sizes."""

    def run(self) -> list[nodes.Node]:
        """The nodes."""
        files = [Path(self.env.srcdir) / f"{name}.json" for name in ("runs", "sweeps", "executions")]
        for file in files:
            self.env.note_dependency(str(file))
        rows = costs(*(json.loads(file.read_text()) for file in files))
        cell = '<td class="text">{}</td>'
        cells = "".join(
            f"<tr>{''.join(cell.format(html.escape(text)) for text in row)}</tr>" for row in rows.items()
        )
        head = '<tr><th class="text">quantity</th><th class="text">value</th></tr>'
        table = f"<table><thead>{head}</thead><tbody>{cells}</tbody></table>"
        return [nodes.raw("", f'<div class="records">{table}</div>', format="html")]


class Students(SphinxDirective):
    """A link to each notebook without its solutions."""

    def run(self) -> list[nodes.Node]:
        """The nodes."""
        folder = Path(self.env.srcdir) / "extra/student"
        links = [
            f'<a href="student/{path.name}" download>{html.escape(path.stem)}</a>'
            for path in sorted(folder.glob("*.ipynb"))
        ]
        return [nodes.raw("", f"<p>{', '.join(links)}</p>", format="html")]


def costs(
    runs: Sequence[Record], sweeps: Sequence[Record], executions: Sequence[Record]
) -> dict[str, str]:
    """Rows of the checklist, summed over the records."""

    def hours(records: Sequence[Record]) -> str:
        return f"{sum(r.get('seconds') or 0 for r in records) / 3600:.1f} hours"

    def every(*values: Any) -> str:
        return ", ".join(sorted({str(value) for value in values if value})) or "none"

    sizes = [r["parameters"] for r in runs if r.get("parameters")]
    memory = [r["peak_memory_mb"] for r in runs if r.get("peak_memory_mb")]
    cpus = (inside(r, "machine", "cpu") for r in executions)
    return {
        "networks trained and released": number(len(runs)),
        "total time of training": hours(runs),
        "trained on": every(*(r.get("device") for r in runs)),
        "parameters": f"{number(min(sizes))} to {number(max(sizes))}" if sizes else "none",
        "largest memory of a training": f"{number(round(max(memory)))} MB" if memory else "not recorded",
        "seeds": every(*(str(inside(r, "config", "training", "seed")) for r in runs)),
        "versions of torch": every(*(inside(r, "versions", "torch") for r in (*runs, *sweeps))),
        "measurements stored": number(len(sweeps)),
        "total time of measuring": hours(sweeps),
        "notebooks executed in": hours(executions),
        "notebooks executed on": every(*cpus),
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("runs", Runs)
    app.add_directive("executions", Executions)
    app.add_directive("costs", Costs)
    app.add_directive("licences", Licences)
    app.add_directive("nightly", Nightly)
    app.add_directive("frames", Frames)
    app.add_directive("students", Students)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
