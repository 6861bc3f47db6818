"""Files that are whole or absent: atomic writes, and tensors that carry their own checksum."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class DamagedFile(ValueError):
    """A file exists but is not what was written."""


def folder(variable: str, default: Path) -> Path:
    """The folder that an environment variable names, or the default: `~` expanded, absolute."""
    return Path(os.environ.get(variable) or default).expanduser().resolve()


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write beside path, flush to disk, rename: readers see the old file or the new one, whole.

    An interrupted or failed write leaves the old file as it was.
    """
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside path to write to, that takes the place of path when the block ends without error.

    A new file has the permissions that the umask leaves, a replaced one those it had; where path is a
    link, the file it points to is replaced. What a killed process leaves there, .NAME.part, is
    overwritten by the next one that writes the file; two that write it at once take turns (on Windows
    they must not).
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with _alone(part) as file:
        try:
            yield part
            os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, part)
            _release(file)
            os.replace(part, path)
        except BaseException:
            _release(file)
            part.unlink(missing_ok=True)
            raise


def _alone(part: Path) -> BinaryIO:
    """The file there, open, and locked against other processes until it is closed."""
    while True:
        file = part.open("ab")
        with contextlib.suppress(AttributeError, OSError):  # no locks there: for one process at a time
            fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), part.stat()):
                return file
        file.close()  # who held it has put it in place meanwhile


def _release(file: BinaryIO) -> None:
    """Close a file that Windows would neither rename nor delete while it is open."""
    if fcntl is None:
        file.close()


def digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> str:
    """sha256 over names, types, shapes and bytes of the tensors, and over the metadata."""
    total = hashlib.sha256("".join(f"{k} {v!r} " for k, v in sorted((metadata or {}).items())).encode())
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        total.update(f"{name} {value.dtype} {list(value.shape)} ".encode())
        total.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def save_tensors(path: Path, tensors: Mapping[str, Tensor], **metadata: str) -> str:
    """Write a safetensors file atomically, its digest in its header; return the digest."""
    import safetensors.torch

    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    tensors = {name: value.clone() for name, value in plain.items()}  # shared memory is refused
    sha256 = digest(tensors, metadata)
    write_atomically(path, safetensors.torch.save(tensors, {**metadata, "sha256": sha256}))
    return sha256


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file by save_tensors.

    Raises DamagedFile, naming the file, when it is truncated or any byte of it has changed.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise DamagedFile(f"{path} is not a whole safetensors file ({error}); delete it") from error
    if metadata.pop("sha256", None) != digest(tensors, metadata):
        raise DamagedFile(f"{path} does not match its own sha256; delete it")
    return tensors, metadata
