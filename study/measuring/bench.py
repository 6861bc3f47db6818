"""What tuning costs: ratios of times measured in one run, printed as tables and stored as JSON."""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from study.disk.records import ROOT, code, machine
from study.measuring import overhead, pixels
from study.measuring.classroom import classroom
from study.measuring.overhead import LayerGrid
from study.measuring.waiting import waiting
from study.runs import store
from tunable_core.files import DamagedFile, write_atomically
from tunable_photo.resnet import ResNetConfig

SIZES = {"8 x 32": (ResNetConfig(8, 32), 8, 48), "16 x 64": (ResNetConfig(16, 64), 16, 64)}
"""Backbone, batch and patch of each size."""
GRID = LayerGrid()
"""The cases of Fig. 3, measured in eager mode and compiled; compiling takes seconds for each."""
WRAPPER = ("banks", "exchange", "live", "mixing", "omega", "phi", "pixels", "samples", "tunable")
"""The modules of tunable_core whose code the benchmarks run."""
FEW = LayerGrid(kernel=(3,), p=(1, 2, 4, 8), channels=(8, 32, 128))
"""The cases of Fig. 3 that are measured by default, in half a minute."""


def measure(part: str, seconds: float, device: str, *, few: bool = False) -> pd.DataFrame:
    """Measure one part: "network", "layers" (Fig. 3), "samples" (one omega per sample), "pixels" (one
    per pixel), "processes", "waiting" (for batches) or "class" (chapter 1 in a class).

    seconds: time limit of a case; few: only the layers' cases of FEW. Processes and classes are always
    measured on the CPU. Raises ValueError for another part.
    """
    if part == "network":
        return _each_size(overhead.network, seconds=20 * seconds, device=device)
    if part == "layers":
        if few:
            return overhead.layers(FEW, seconds=seconds, device=device)
        return _all_layers(seconds, device)
    if part == "samples":
        return overhead.per_sample(seconds=2 * seconds, device=device)
    if part == "pixels":
        return _each_size(pixels.cost, rounds=5, seconds=10 * seconds, device=device)
    if part == "processes":
        return _each_size(overhead.with_processes)
    if part == "waiting":
        return _each_size(waiting, seconds=20 * seconds, device=device)
    if part == "class":
        return classroom()
    raise ValueError(
        f"part must be network, layers, samples, pixels, processes, waiting or class; got {part!r}"
    )


def _each_size(measured: Callable[..., pd.DataFrame], **settings: Any) -> pd.DataFrame:
    """A measurement of the backbone of each of SIZES, with a column size."""
    tables = {
        size: measured(config.build(), batch=batch, patch=patch, **settings)
        for size, (config, batch, patch) in SIZES.items()
    }
    return pd.concat(tables, names=["size"]).reset_index("size")


def _all_layers(seconds: float, device: str) -> pd.DataFrame:
    """All cases of Fig. 3; continues an interrupted call with the same settings."""
    begun = _begun("layers", device)
    conditions = {"seconds": str(seconds), **machine(device), "core": code()["core"]}
    landed = []
    if begun.exists():
        record = _read(begun)
        earlier = record.pop("rows")
        landed = earlier if record == conditions else []

    def keep_so_far() -> None:
        write_atomically(begun, json.dumps({**conditions, "rows": landed}))

    more = {"seconds": seconds, "device": device, "landed": landed, "keep": keep_so_far}
    grids = (replace(GRID, compiled=compiled) for compiled in (False, True))
    return pd.concat([overhead.layers(grid, **more) for grid in grids])


def _begun(part: str, device: str) -> Path:
    return path(part, device).with_suffix(".part")


def path(part: str, device: str = "cpu") -> Path:
    """The file of the stored measurement of a part."""
    return store() / "bench" / f"{part}-{device}.json"


def write(part: str, table: pd.DataFrame, device: str, *, took: float | None = None) -> Path:
    """Write a measurement with the record of its machine; took: total time in seconds."""
    rows = json.loads(table.to_json(orient="records", double_precision=6))
    record = {"part": part, **machine(device), **code(), "wrapper": wrapper()}
    record |= {"rows": rows} if took is None else {"seconds": round(took, 1), "rows": rows}
    write_atomically(path(part, device), json.dumps(record, indent=1) + "\n")
    _begun(part, device).unlink(missing_ok=True)
    return path(part, device)


def wrapper() -> str:
    """Digest of the code of WRAPPER as it is now, without comments, docstrings and texts of errors."""
    sources = [(ROOT / "tunable_core" / f"{name}.py").read_text() for name in WRAPPER]
    return hashlib.sha256(json.dumps([_code(ast.parse(text)) for text in sources]).encode()).hexdigest()


def _code(node: Any) -> Any:
    """A syntax tree as nested lists, the same in every version of Python that the project supports."""
    if isinstance(node, list):
        return [_code(child) for child in node if not _is_docstring(child)]
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.Raise):
        return "Raise"
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    return [type(node).__name__, *([name, _code(value)] for name, value in fields)]


def _is_docstring(node: Any) -> bool:
    text = node.value if isinstance(node, ast.Expr) else None
    return isinstance(text, ast.Constant) and isinstance(text.value, str)


def stale(table: pd.DataFrame) -> bool:
    """Whether a stored measurement was made with other code than the current, or with unknown code."""
    return table.attrs["record"].get("wrapper") != wrapper()


def find(part: str, device: str = "cpu") -> pd.DataFrame | None:
    """The stored measurement of a part, or None; its attrs hold the record of its machine."""
    place = path(part, device)
    if not place.exists():
        return None
    record = _read(place)
    table = pd.DataFrame(record.pop("rows"))
    table.attrs["record"] = record
    return table


def _read(place: Path) -> dict[str, Any]:
    """The content of a measurement's file: rows and their record."""
    try:
        record = json.loads(place.read_text())
        rows = record["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{place} is damaged; delete it and run `make bench`") from error
    return {**record, "rows": list(rows)}


def main() -> None:
    """Measure the given parts, and print and store the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["network", "samples"])
    parser.add_argument(
        "--seconds", type=float, help="time for each case; layers on a GPU take the paper's 5,000 runs"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    for part in arguments.parts:
        seconds = arguments.seconds
        if seconds is None:
            seconds = math.inf if (part, arguments.device) == ("layers", "cuda") else 1.0
        clock = time.monotonic()
        table = measure(part, seconds, arguments.device)
        took = time.monotonic() - clock
        print(table.round(3).to_string(index=False))
        print(f"stored in {write(part, table, arguments.device, took=took)}\n")


if __name__ == "__main__":
    main()
