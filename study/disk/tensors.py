"""Tensors in safetensors files that contain their own checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tunable_core.files import DamagedFile, write_atomically


def digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> str:
    """sha256 over names, dtypes, shapes and bytes of the tensors, and over the metadata."""
    total = hashlib.sha256("".join(f"{k} {v!r} " for k, v in sorted((metadata or {}).items())).encode())
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        total.update(f"{name} {value.dtype} {list(value.shape)} ".encode())
        total.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def save_tensors(path: Path, tensors: Mapping[str, Tensor], **metadata: str) -> str:
    """Write a safetensors file atomically, with its digest in the header; returns the digest."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    tensors = {name: value.clone() for name, value in plain.items()}  # safetensors refuses shared memory
    sha256 = digest(tensors, metadata)
    write_atomically(path, safetensors.torch.save(tensors, {**metadata, "sha256": sha256}))
    return sha256


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Load the tensors and metadata of a file written by save_tensors.

    Raises DamagedFile, naming the file, if it is truncated or any byte has changed.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise DamagedFile(f"{path} is damaged or not a safetensors file ({error}); delete it") from error
    if metadata.pop("sha256", None) != digest(tensors, metadata):
        raise DamagedFile(f"{path} does not match its own sha256; delete it")
    return tensors, metadata
