"""The directives `runs` and `executions`: tables of what was trained and of what made the pages.

They read runs.json and executions.json of the staging folder (see book/assemble.py). Records may
lack any field; where there are none, a sentence says so.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

Record = Mapping[str, Any]


def inside(record: Record, *keys: str) -> Any:
    """A value deep in a record, or None."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def control(record: Record) -> str:
    """The method of a run: the class of its control's config, without `Config`."""
    value = inside(record, "config", "control")
    name = inside(record, "config", "control", "type") or (value if isinstance(value, str) else None)
    return str(name or "").removesuffix("Config")


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
    texts: ClassVar = {"name", "key", "control", "device", "commit"}
    columns: ClassVar = {
        "name": lambda r: r.get("name") or r.get("folder", ""),
        "key": lambda r: r.get("key", ""),
        "control": control,
        "steps": lambda r: number(inside(r, "config", "training", "steps")),
        "seed": lambda r: number(inside(r, "config", "training", "seed")),
        "parameters": lambda r: number(r.get("parameters")),
        "time": duration,
        "commit": commit,
        "device": lambda r: r.get("device", ""),
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


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("runs", Runs)
    app.add_directive("executions", Executions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
