"""What a notebook's result is made from, as hashes; and the machine that made it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


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


def inputs(root: Path, source: Path, values: Mapping[str, Any], state: Mapping) -> dict[str, str]:
    """Hashes of everything that a result is made from."""
    return {
        "notebook": sha256(source),
        "parameters": hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest(),
        "tunable_core": _hash_files(root, (root / "tunable_core").rglob("*.py")),
        "requirements.lock": _hash_files(root, [root / "requirements.lock"]),
        **state,
    }


def data_state(root: Path) -> dict[str, str]:
    """Hashes of the runs and sweeps by content, and of the data sets by file names and sizes."""
    kept = store(root)
    fixed = [root / "data/registry.tsv", *(root / "data/paper").glob("*.csv")]
    made = [p for name in ("runs", "sweeps") for p in (kept / name).rglob("*") if p.is_file()]
    sets = Path(os.environ.get("TUNABLE_DATA") or root / "data/datasets")
    listing = [
        f"{path.relative_to(sets).as_posix()} {path.stat().st_size}"
        for path in sets.rglob("*")
        if path.is_file() and _settled(path, sets)
    ]
    return {
        "data": _hash_files(root, fixed),
        "runs and sweeps": _hash_files(kept, [p for p in made if _settled(p, kept)]),
        "data sets": hashlib.sha256("\n".join(sorted(listing)).encode()).hexdigest(),
    }


def store(root: Path) -> Path:
    """Where runs/ and sweeps/ lie: $TUNABLE_RUNS, or data/."""
    return Path(os.environ.get("TUNABLE_RUNS") or root / "data").resolve()


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


def _settled(path: Path, folder: Path) -> bool:
    return not any(p.startswith(".") or p.endswith(".part") for p in path.relative_to(folder).parts)


def _hash_files(base: Path, paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(paths):
        if path.is_file():
            total.update(f"{path.relative_to(base).as_posix()} {sha256(path)}\n".encode())
    return total.hexdigest()


def sha256(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
