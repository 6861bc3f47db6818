"""Hashes of everything a notebook's result is made from, and the machine."""

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

from study.disk.records import folder

MADE = ("runs", "sweeps")
"""Folders of the store that notebooks add to."""
UNFINISHED = (".part", ".lock")
"""Endings of the names of unfinished files and folders, and of locks."""


def changed(result: Path, made_from: Mapping[str, str]) -> str:
    """Why a result must be made again, in a few words; "" if it can be used."""
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
    """Hashes of everything a result is made from, except the data."""
    return {
        "notebook": sha256(source),
        "parameters": hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest(),
        **{
            name: _hash(_files(root, (root / name).rglob("*.py")))
            for name in ("tunable_core", "tunable_photo", "study")
        },
        "requirements.lock": _hash(_files(root, [root / "requirements.lock"])),
    }


@dataclass(frozen=True)
class Data:
    """All data that a chapter can read: a hash or the size of each file, by its path."""

    fixed: dict[str, str]
    """Hashes of all files of data/, such as the registry, the paper's numbers, claims and benchmarks."""
    made: dict[str, str]
    """Hashes of runs and sweeps."""
    sets: dict[str, str]
    """Sizes of the files of data sets."""

    @classmethod
    def now(cls, root: Path) -> Data:
        """The current state on disk."""
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
        """The hashes of the runs and sweeps that a notebook reported: files, or all files of folders."""
        names = {_name(path, kept) for path in by if path.is_relative_to(kept)}
        return {
            file: content
            for file, content in self.made.items()
            if names.intersection([file, *(parent.as_posix() for parent in Path(file).parents)])
        }


def store(root: Path) -> Path:
    """Folder of runs/ and sweeps/: $TUNABLE_RUNS, or data/."""
    return folder("TUNABLE_RUNS", root / "data")


def data_sets(root: Path) -> Path:
    """Folder of the data sets: $TUNABLE_DATA, or data/datasets/."""
    return folder("TUNABLE_DATA", root / "data/datasets")


def machine() -> dict[str, Any]:
    """Processor, cores, system and Python of the machine; no host name, no path."""
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
    """The path of the record of a result."""
    return result.with_suffix(".json")


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write a record atomically."""
    part = path.with_suffix(".json.part")
    part.write_text(json.dumps(content, indent=1, default=str))
    os.replace(part, path)


def of_files(base: Path, paths: Iterable[Path]) -> str:
    """One hash over names and content of files; paths that are not files are left out."""
    return _hash(_files(base, paths))


def _settled(place: Path, base: Path) -> Iterator[Path]:
    """The files of a folder that are not being written."""
    for path in place.rglob("*"):
        parts = path.relative_to(base).parts
        if path.is_file() and not any(p.startswith(".") or p.endswith(UNFINISHED) for p in parts):
            yield path


def _files(base: Path, paths: Iterable[Path]) -> dict[str, str]:
    return {_name(path, base): sha256(path) for path in paths if path.is_file()}


def _name(path: Path, base: Path) -> str:
    """The path, relative to the base if it is inside."""
    return (path.relative_to(base) if path.is_relative_to(base) else path).as_posix()


def _hash(files: Mapping[str, str]) -> str:
    lines = (f"{name} {content}\n" for name, content in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
