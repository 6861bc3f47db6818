"""Records of how and on what machine a run or measurement was made, each sealed by its checksum."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

# torch is imported where it is used: it takes two seconds, and the book's runner needs none of it.

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, which holds the packages and data/."""
PACKAGES = ("tunable_core", "tunable_photo", "study")


def folder(variable: str, default: Path) -> Path:
    """The folder that an environment variable names, or the default: `~` expanded, absolute."""
    return Path(os.environ.get(variable) or default).expanduser().resolve()


def seal(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the sha256 of its content added."""
    return {**record, "sha256": _digest(record)}


def sealed(record: Any) -> bool:
    """Whether this is a record from seal() that has not been changed."""
    if not isinstance(record, dict):
        return False
    content = dict(record)
    return content.pop("sha256", None) == _digest(content)


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def wrote(path: Path) -> None:
    """Report a file or folder of the store that was written, if the calling program asks for it.

    Each path becomes a line of the file that $TUNABLE_WRITTEN names; if it is not set, none does.
    """
    if place := os.environ.get("TUNABLE_WRITTEN"):
        with open(place, "a", encoding="utf-8") as report:
            report.write(f"{path}\n")


def device_name(device: str) -> str:
    """The name of the device in records: the model of the GPU, or the architecture of the CPU."""
    if device != "cuda":
        return f"CPU {platform.machine()}"
    import torch

    return torch.cuda.get_device_name()


def machine(device: str) -> dict[str, Any]:
    """Device, threads and versions."""
    import torch

    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {"device": device_name(device), "threads": torch.get_num_threads(), "versions": versions}


def peak_memory_mb(device: str) -> int | None:
    """Peak memory of this process in MiB, on a GPU that of the GPU; None on Windows."""
    if device == "cuda":
        import torch

        return round(torch.cuda.max_memory_allocated() / 2**20)
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes on macOS, in KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


NOT_REACHED = ("stage", "step", "lr", "gradient_norm")
"""Columns of a history that are not results of the training."""


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
    """The final losses of a training, from its record, such as "loss 0.0163, noise 0.036"."""
    final = record.get("final", {})
    return ", ".join(f"{name} {value:.3g}" for name, value in final.items() if name not in NOT_REACHED)


def code() -> dict[str, Any]:
    """Commit, whether the working tree was clean, and a hash of the packages' sources."""
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
