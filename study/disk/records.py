"""Records: what made a run or a measurement, on what machine, sealed by a checksum of their own."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from tunable_core.training.processes import device_name

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, which holds both packages and data/."""
PACKAGES = ("tunable_core", "study")


def seal(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the sha256 of everything in it."""
    return {**record, "sha256": _digest(record)}


def sealed(record: Any) -> bool:
    """Whether this is a record by seal() of which nothing has changed."""
    if not isinstance(record, dict):
        return False
    content = dict(record)
    return content.pop("sha256", None) == _digest(content)


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def wrote(path: Path) -> None:
    """Report a file or folder of the store to the program that runs this one, which asked for it.

    Each is a line of the file that $TUNABLE_WRITTEN names; without it nothing is reported.
    """
    if place := os.environ.get("TUNABLE_WRITTEN"):
        with open(place, "a", encoding="utf-8") as report:
            report.write(f"{path}\n")


def machine(device: str) -> dict[str, Any]:
    """Device, threads and versions."""
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {"device": device_name(device), "threads": torch.get_num_threads(), "versions": versions}


def peak_memory_mb(device: str) -> int | None:
    """The most memory this process has used so far, MiB, on a GPU that of the GPU; None on Windows."""
    if device == "cuda":
        return round(torch.cuda.max_memory_allocated() / 2**20)
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 2**10  # of ru_maxrss: bytes on macOS, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


NOT_REACHED = ("stage", "step", "lr", "gradient_norm")
"""Columns of a history that are no result of the training."""


def took(record: dict[str, Any]) -> str:
    """Time and hardware of a training, from its record, such as "24 min on CPU x86_64, 1 thread"."""
    seconds, threads = record["seconds"], record["threads"]
    if seconds < 120:
        time = f"{seconds:.0f} s"
    else:
        time = f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
    cores = f", {threads} thread{'s' if threads > 1 else ''}" if "CPU" in record["device"] else ""
    return f"{time} on {record['device']}{cores}"


def reached(record: dict[str, Any]) -> str:
    """The losses at the end of a training, from its record, such as "loss 0.0163, noise 0.036"."""
    final = record.get("final", {})
    return ", ".join(f"{name} {value:.3g}" for name, value in final.items() if name not in NOT_REACHED)


def code() -> dict[str, Any]:
    """Commit, whether its tree was clean, and a hash of the source of both packages."""
    source = hashlib.sha256()
    for path in sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        source.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return {
        "commit": _git("rev-parse", "HEAD"),
        "clean": _git("status", "--porcelain", "--", *PACKAGES) == "",
        "core": source.hexdigest(),
    }


def _git(*words: str) -> str | None:
    command = ["git", "-C", str(ROOT), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
