"""Keys of runs: a hash over everything that determines the weights of a training."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any

from study.images import datasets

if TYPE_CHECKING:
    from study.runs import RunConfig

BEFORE = "before"
"""Entry in the metadata of a field that was added to a config: the value that earlier runs had.

The field is left out of the key while it has that value, so that earlier runs are still found.
"""


def keys(config: RunConfig) -> list[str]:
    """The keys that a run of this config can have, ten hex digits each; a new run gets the first.

    A task that uses a published network has one key for each registered file of it. The file in use
    comes first or, if there is none, the file that would be downloaded.
    """
    names = config.task.teachers
    choices = itertools.product(*(datasets.digests(name) for name in names))
    return [key(config, dict(zip(names, digests, strict=True))) for digests in choices]


def key(config: RunConfig, teachers: dict[str, str]) -> str:
    """The key of a run that was trained with these teachers, sha256 by name."""
    content = {
        **plain(dataclasses.replace(config, name=""), key=True),
        "meaning": config.task.meaning,
        "images": datasets.checksum(config.data),
        "teachers": teachers,
    }
    if not getattr(config.control, "draws_omegas", True):
        content["training"].pop("omega", None)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def plain(value: Any, *, key: bool = False) -> Any:
    """A config as plain data; each part includes the name of its class.

    key: leave out later fields that still have their "before" value, and write equal numbers in the same
    way (5, 5.0 and numpy's 5 are equal; so are True and 1).
    """
    if isinstance(value, tuple | list):
        return [plain(item, key=key) for item in value]
    if dataclasses.is_dataclass(value):
        fields = {f: getattr(value, f.name) for f in dataclasses.fields(value)}
        known = {
            field.name: plain(content, key=key)
            for field, content in fields.items()
            if not (key and BEFORE in field.metadata and content == field.metadata[BEFORE])
        }
        return {"type": type(value).__name__, **known}
    if key and hasattr(value, "__float__"):
        return int(value) if value == value // 1 else float(value)
    return value
