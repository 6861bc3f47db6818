"""What a notebook's result is made from, as hashes; and the machine that made it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunable_core.files import folder

MADE = ("runs", "sweeps")
"""Folders of the store that notebooks add to."""
UNFINISHED = (".part", ".lock")
"""Ends of the names of files and folders that are being written, or only hold others off."""


def changed(result: Path, made_from: Mapping[str, str]) -> str:
    """Why a result may not be used again, in a few words; "" when it may."""
    try:
        record = json.loads(record_path(result).read_text())
        whole = record["output"] == sha256(result)
        before = record["inputs"]
    except (OSError, ValueError, KeyError):
        return "no result yet"
    if not whole:
        return "its result was altered"
    different = [name for name in made_from if before.get(name) != made_from[name]]
    return f"changed: {', '.join(different)}" if different else ""


def inputs(root: Path, source: Path, values: Mapping[str, Any]) -> dict[str, str]:
    """Hashes of what a result is made from, but for the data."""
    return {
        "notebook": sha256(source),
        "parameters": hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest(),
        **{name: _hash(_files(root, (root / name).rglob("*.py"))) for name in ("tunable_core", "study")},
        "requirements.lock": _hash(_files(root, [root / "requirements.lock"])),
    }


@dataclass(frozen=True)
class Data:
    """Everything of the data that a chapter can read: what identifies each file, by its path."""

    fixed: dict[str, str]
    """All of data/, such as the registry, the paper's numbers, claims and benchmarks, by content."""
    made: dict[str, str]
    """Runs and sweeps, by content."""
    sets: dict[str, str]
    """Data sets, by size."""

    @classmethod
    def now(cls, root: Path) -> Data:
        """As it lies there."""
        root, kept = root.resolve(), store(root)
        sets = data_sets(root)
        own = [kept / name for name in MADE]
        made = [path for place in own for path in _settled(place, kept)]
        others = [*own, sets, *(root / "data" / name for name in ("datasets", *MADE))]
        fixed = {
            path
            for place in (root / "data", kept)
            for path in _settled(place, place)
            if not any(path.is_relative_to(other) for other in others)
        }
        return cls(
            _files(root, fixed),
            _files(kept, made),
            {_name(path, sets): str(path.stat().st_size) for path in _settled(sets, sets)},
        )

    def state(self) -> dict[str, str]:
        """A hash of each part, by its name."""
        parts = {"data": self.fixed, "runs and sweeps": self.made, "data sets": self.sets}
        return {name: _hash(files) for name, files in parts.items()}

    def written(self, by: Iterable[Path], kept: Path) -> dict[str, str]:
        """Of the runs and sweeps those that a notebook reported: files, or folders with all in them."""
        names = {_name(path, kept) for path in by if path.is_relative_to(kept)}
        return {
            file: content
            for file, content in self.made.items()
            if names.intersection([file, *(parent.as_posix() for parent in Path(file).parents)])
        }


def store(root: Path) -> Path:
    """Where runs/ and sweeps/ lie: $TUNABLE_RUNS, or data/."""
    return folder("TUNABLE_RUNS", root / "data")


def data_sets(root: Path) -> Path:
    """Where data sets lie: $TUNABLE_DATA, or data/datasets/."""
    return folder("TUNABLE_DATA", root / "data/datasets")


def machine() -> dict[str, Any]:
    """The machine in words: processor, cores, system, Python; no name, no path."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        cpu = models[0] if models else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def record_path(result: Path) -> Path:
    """The record beside a result."""
    return result.with_suffix(".json")


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write a record, whole or not at all."""
    part = path.with_suffix(".json.part")
    part.write_text(json.dumps(content, indent=1, default=str))
    os.replace(part, path)


def _settled(place: Path, base: Path) -> Iterator[Path]:
    """The files of a folder that are not being written."""
    for path in place.rglob("*"):
        parts = path.relative_to(base).parts
        if path.is_file() and not any(p.startswith(".") or p.endswith(UNFINISHED) for p in parts):
            yield path


def _files(base: Path, paths: Iterable[Path]) -> dict[str, str]:
    return {_name(path, base): sha256(path) for path in paths if path.is_file()}


def _name(path: Path, base: Path) -> str:
    """Relative to the base where it lies in there."""
    return (path.relative_to(base) if path.is_relative_to(base) else path).as_posix()


def _hash(files: Mapping[str, str]) -> str:
    lines = (f"{name} {content}\n" for name, content in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
