"""Write a trained network for publication: safetensors and a model card."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from study.controls.base import Control
from study.disk.tensors import digest, save_tensors
from study.images import datasets
from study.measuring.sweep import average
from study.runs import PARTS, Run
from tunable_core.files import write_atomically

PACKAGE = "tunable-core"
READER = "from study.disk.tensors import load_tensors"
READING = (
    'tensors, _ = load_tensors("weights.safetensors")',
    "control.load_state_dict(tensors)",
    "control.eval()",
)
"""The lines of the model card that load the weights into a control."""


def save_model(model: Run | Control, folder: str | Path, *, sweeps: Sequence[pd.DataFrame] = ()) -> Path:
    """Write weights.safetensors and README.md, the model card, into a folder; returns the folder.

    model: a run, whose record fills the model card, or a control alone, whose model card states that it
    has no record.
    sweeps: tables of sweep.sweep, measured with the same weights, for the model card.
    The model card is computed from these arguments alone; both files are written atomically.
    Raises ValueError for a sweep that was measured with other weights.
    """
    folder = Path(folder)
    control = model.control if isinstance(model, Run) else model
    weights = digest(control.state_dict())[:16]
    for frame in sweeps:
        if frame.attrs.get("record", {}).get("weights") != weights:
            raise ValueError(
                f"the sweep '{frame.attrs.get('record', {}).get('name')}' was measured with other "
                f"weights than this model's, {weights}: leave it out"
            )
    text = card(model, sweeps)
    if isinstance(model, Run):
        write_atomically(folder / "weights.safetensors", (model.folder / PARTS["weights"]).read_bytes())
    else:
        save_tensors(folder / "weights.safetensors", control.state_dict())
    write_atomically(folder / "README.md", text)
    return folder


def card(model: Run | Control, sweeps: Sequence[pd.DataFrame] = ()) -> str:
    """The model card of a run or of a control, in Markdown; see save_model."""
    licence = importlib.metadata.metadata(PACKAGE).get("License-Expression", "see the package")
    control = model.control if isinstance(model, Run) else model
    head = {"license": licence.lower(), "library_name": PACKAGE, "pipeline_tag": "image-to-image"}
    sections = [
        f"{_first(control)} One network whose behaviour is chosen after training, with "
        f"{control.num_objectives} dials omega, each in [0, 1]."
    ]
    title = type(control).__name__
    if isinstance(model, Run):
        title = model.config.name
        head["datasets"] = model.config.data
        sections += [*_described(model), *map(_measured, sweeps), _loading(model)]
        pixels = datasets.describe(model.config.data).licence
        sections.append(f"## Licence\n\nCode and weights: {licence}. Training images: {pixels}.")
    else:
        count = sum(p.numel() for p in control.parameters())
        sections += [
            f"## Network\n\n`{title}`, {count:,} numbers. No record of its training was given.",
            f"## Loading\n\nBuild the same {title}, then\n\n```python\n"
            + "\n".join([READER, "", *READING])
            + "\n```",
            f"## Licence\n\nCode: {licence}.",
        ]
    front = "\n".join(f"{key}: {value}" for key, value in head.items())
    return "\n\n".join([f"---\n{front}\n---", f"# {title}", *sections]) + "\n"


def _described(run: Run) -> list[str]:
    """Dials, network, data, budget and final losses of a run, from its record."""
    record, config = run.record, run.config
    objectives = config.task.loss.objectives
    dials = {
        f"omega_{i}": f"{name}: {_first(objective)}"
        for i, (name, objective) in enumerate(objectives.items(), start=1)
    }
    data = datasets.describe(config.data)
    training = {k: v for k, v in record["config"]["training"].items() if k != "type"}
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    memory = record["peak_memory_mb"]  # None on Windows, where it is unknown
    budget = {
        **{name: _plain(value) for name, value in training.items()},
        "time": f"{record['seconds']:,.0f} s on {record['device']}, {record['threads']} threads",
        "begun": record["started"],
        **({"peak memory": f"{memory:,} MB"} if memory else {}),
        "versions": versions,
        "commit": _commit(record),
    }
    final = {k: f"{v:.5g}" for k, v in record["final"].items() if k not in ("stage", "lr")}
    return [
        f"## Dials\n\n{_table('dial', 'weights the objective', dials)}",
        f"## Network\n\n`{config.network!r}` in `{config.control!r}`, {record['parameters']:,} numbers.",
        f"## Task and data\n\n`{config.task!r}`: {_first(config.task)}\n\nTrained on "
        f"{len(data)} images, `{data.name}` (checksum `{record['data']['checksum']}`).",
        f"## Budget\n\n{_table('setting', 'value', budget)}",
        f"## Measured\n\nAt the end of training, means over the last steps:\n\n"
        f"{_table('what', 'value', final)}",
    ]


def _commit(record: dict[str, Any]) -> str:
    if record["commit"] is None:  # the run was trained without git
        return "not known"
    return record["commit"] + ("" if record["clean"] else ", with changes")


def _measured(frame: pd.DataFrame) -> str:
    """A sweep's means over its images and levels of degradation."""
    settings = frame.attrs["record"]["settings"]
    values = average(frame).reset_index()
    count = frame["image"].nunique()
    words = {"sigmas": "sigma", "rhos": "rho", "scale": "scale"}
    levels = "".join(f", {word} = {_plain(settings[k])}" for k, word in words.items() if k in settings)
    over = " and ".join(["images", *(c for c in ("sigma", "rho") if c in frame)])
    lines = [" | ".join(values.columns), " | ".join("---" for _ in values.columns)]
    lines += [" | ".join(f"{v:.4g}" for v in row) for row in values.itertuples(index=False)]
    return f"On {count} images of `{settings['images']}`{levels}, means over {over}:\n\n" + "\n".join(
        f"| {line} |" for line in lines
    )


def _loading(run: Run) -> str:
    config = run.config
    kinds = {type(part) for whole in (config.control, config.network) for part in _parts(whole)}
    p = config.task.loss.p
    lines = [
        *sorted([READER, *(f"from {kind.__module__} import {kind.__qualname__}" for kind in kinds)]),
        "",
        f"network = {config.network!r}",
        f"control = {config.control!r}.build(network.build(), {p})",
        *READING,
    ]
    scale = getattr(config.network, "scale", 1)
    sides = f", and gives [B, 3, {scale} H, {scale} W]" if scale > 1 else ""
    turn = f"`control(image, omega)` takes an image [B, 3, H, W] in [0, 1] and {p} dials{sides}."
    return "## Loading\n\n```python\n" + "\n".join(lines) + f"\n```\n\n{turn}"


def _parts(config: Any) -> list[Any]:
    """A config and the configs inside it."""
    if not dataclasses.is_dataclass(config):
        return []
    values = (getattr(config, field.name) for field in dataclasses.fields(config))
    return [config, *(part for value in values for part in _parts(value))]


def _first(thing: Any) -> str:
    """The first paragraph of the docstring."""
    return " ".join((inspect.getdoc(thing) or type(thing).__name__).split("\n\n")[0].split())


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items() if k != "type")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(left: str, right: str, rows: dict[str, str]) -> str:
    return "\n".join(
        [f"| {left} | {right} |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in rows.items())]
    )
