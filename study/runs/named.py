"""Runs of the store by their names, for those who have no config at hand."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from study import configs, networks, runs, tasks
from study.networks import third_party
from study.runs import Run, RunConfig, keys, store
from study.tasks import style
from tunable_core import controls, omega, resnet, training
from tunable_core.controls import Control

MODULES: tuple[ModuleType, ...] = (
    runs,
    tasks,
    style,
    controls,
    resnet,
    networks,
    third_party,
    training,
    omega,
)
"""Where the classes of configs are, which a record names."""


class MissingRun(FileNotFoundError):
    """No run of that name is in the store."""


def names() -> list[str]:
    """The folders of all finished runs, NAME-KEY."""
    return sorted(path.parent.name for path in (store() / "runs").glob("*/run.json"))


def load(name: str) -> Run:
    """The run of that name, or of that NAME-KEY where several share a name; nothing is ever trained.

    It may be stored without its weights; `.control` then raises WithoutWeights.

    Raises MissingRun with the names there are, ValueError for a name that several runs have or for a
    record of another version, DamagedFile for a run that is not what was written.
    """
    found = [folder for folder in names() if name in (folder, folder.rpartition("-")[0])]
    if not found:
        raise MissingRun(f"no run is called '{name}' in {store() / 'runs'} ({_others()})")
    if len(found) > 1:
        raise ValueError(f"several runs are called '{name}': name one of {', '.join(found)}")
    folder = store() / "runs" / found[0]
    config = rebuilt(folder)
    if folder.name.rpartition("-")[2] not in keys.keys(config):
        raise ValueError(f"{folder} was written by another version of this package")
    return runs.load(config, folder)


def network(name: str) -> Control:
    """The trained control of the run of that name, for `tunable --run NAME`; raises as load() does."""
    return load(name).control


def released() -> Run:
    """The denoiser that this repository releases: tunable, laptop size, seed 0.

    Raises MissingRun, saying how to get it, where the store has it not; it is never trained here.
    """
    config = configs.denoising("tunable", configs.profile("laptop"))
    folder = runs.find(config, weights=True)
    if folder is None:
        lacking = runs.find(config) is not None
        raise MissingRun(
            f"the released denoiser {config.name}-{config.key} is "
            f"{'without its weights' if lacking else 'not'} in {store() / 'runs'}: check out data/runs "
            f"of the repository{'' if lacking else ', or train it with `make runs`'}, or name another "
            f"run ({_others()})"
        )
    return runs.load(config, folder)


def rebuilt(folder: Path) -> RunConfig:
    """The config that the record of a run describes; raises ValueError where it cannot be made."""
    try:
        return _rebuilt(json.loads((folder / "run.json").read_text())["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder / 'run.json'} describes no run of this version: {error}") from error


def _rebuilt(described: Any) -> Any:
    if isinstance(described, list):
        return tuple(_rebuilt(item) for item in described)
    if not isinstance(described, dict):
        return described
    kind = described["type"]
    known = (getattr(module, kind, None) for module in MODULES)
    made = next((it for it in known if isinstance(it, type) and is_dataclass(it)), None)
    if made is None:
        raise ValueError(f"there is no config called {kind}")
    before = {f.name: f.metadata[keys.BEFORE] for f in fields(made) if keys.BEFORE in f.metadata}
    given = {name: _rebuilt(value) for name, value in described.items() if name != "type"}
    return made(**(before | given))


def _others() -> str:
    return f"there: {', '.join(names())}" if names() else "it is empty"
