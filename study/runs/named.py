"""Load runs of the store by name, for callers without a config."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from study import controls, networks, runs, tasks, training
from study.controls import Control
from study.networks import third_party
from study.runs import Run, RunConfig, keys, store
from study.tasks import style
from tunable_core import omega
from tunable_photo import resnet

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
"""Modules with the classes of configs that a record may name."""


class MissingRun(FileNotFoundError):
    """No run of that name is in the store."""


def names() -> list[str]:
    """The folders of all finished runs, in the form NAME-KEY."""
    return sorted(path.parent.name for path in (store() / "runs").glob("*/run.json"))


def load(name: str) -> Run:
    """Load the run of that name, or of that NAME-KEY if several share a name; nothing is trained.

    It may be stored without its weights; `.control` then raises WithoutWeights.

    Raises MissingRun, with all names, for an unknown name, ValueError for a name of several runs or a
    record of another version, DamagedFile for a damaged run.
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


def stored(config: RunConfig) -> Run:
    """Load the run of a config with its weights, without training it.

    Raises MissingRun, which says how to get it, if the store lacks it.
    """
    folder = runs.find(config, weights=True)
    if folder is None:
        lacking = runs.find(config) is not None
        raise MissingRun(
            f"the run {config.name}-{config.key} is "
            f"{'without its weights' if lacking else 'not'} in {store() / 'runs'}: check out data/runs "
            f"of the repository{'' if lacking else ', or train it with `make runs`'}, or name another "
            f"run ({_others()})"
        )
    return runs.load(config, folder)


def rebuilt(folder: Path) -> RunConfig:
    """The config in the record of a run; raises ValueError if this version cannot build it."""
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
