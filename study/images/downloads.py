"""Download image sets and weights to datasets.root(): verified, atomic, and resumable.

`python -m study.images.downloads kodak bsds500` downloads these sets, `--list` lists all sets.
"""

from __future__ import annotations

import argparse
import hashlib
import stat
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from study.images.datasets import (
    ARCHIVES,
    MAX_BYTES,
    File,
    ImageSet,
    available,
    describe,
    is_sample,
    load,
    names,
    root,
    rows_of,
)
from tunable_core.files import DamagedFile, replacing, write_atomically

MEASURED = ["kodak", "cbsd68", "alexnet", "niqe"]
LAPTOP = ["bsds500", "bsds500-clean", "nam", "vgg19", "style", *MEASURED, "bsd100", "set5", "set14"]
PROFILES = {
    "smoke": [],
    "laptop": LAPTOP,
    "gpu": ["bsds500", *MEASURED],
    "paper": [*LAPTOP, "urban100", "div2k"],
}
"""The sets that `make data` downloads for each budget: all that its runs need for training and tests."""


class DownloadFailed(OSError):
    """A file could not be downloaded completely."""


def download(
    name: str, *, progress: bool = True, downloader: Callable[..., None] | None = None
) -> ImageSet:
    """Download a set to root(): each file is verified before it is put in place; valid files are kept.

    After an interruption the download continues with the first missing file.
    downloader(url, output_file, None) writes one file; by default pooch's, over HTTPS.
    Raises DownloadFailed, or DamagedFile for an archive with unexpected content.
    """
    rows, images = rows_of(name), describe(name)
    if is_sample(name) or all(_whole(file) for file in images.files):
        return load(name)
    from pooch import HTTPDownloader

    bar_per_file = progress and len(rows) == 1

    def bring(row: dict[str, str]) -> None:
        path = root() / row["file"]
        if path.is_file() and _sha256(path) == row["sha256"]:
            return
        https = HTTPDownloader(progressbar=bar_per_file, chunk_size=2**18)
        for tries_left in (2, 1, 0):
            try:
                with replacing(path) as part:
                    (downloader or https)(row["url"], str(part), None)
                    if _sha256(part) != row["sha256"]:
                        raise ValueError("its sha256 is not the registered one")
                return
            except (OSError, ValueError) as error:
                if tries_left:
                    time.sleep(1)
                    continue
                reason = str(error).split("(Caused by ")[-1]  # the cause in urllib3's message
                raise DownloadFailed(
                    f"{row['file']} could not be downloaded from {row['url']}: {reason} (try again: "
                    f"complete files are kept)"
                ) from error

    bar = tqdm(total=len(rows), desc=name, unit="file", disable=not progress or bar_per_file)
    with bar, ThreadPoolExecutor(8) as threads:
        jobs = [threads.submit(bring, row) for row in rows]
        try:
            for job in as_completed(jobs):
                job.result()
                bar.update()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    if name in ARCHIVES:
        wanted = [file.path.name for file in images.files]
        _unpack(root() / rows[0]["file"], rows[0]["sha256"], wanted, progress)
    return load(name)


def _whole(file: File) -> bool:
    return file.path.is_file() and _sha256(file.path) == file.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(archive: Path, sha256: str, images: list[str], progress: bool) -> None:
    """Unpack FOLDER/IMAGE.png of FOLDER.zip for the given images, and write FOLDER.tsv last.

    Paths are built from the given names, never from names in the archive.
    """
    folder, lines = archive.with_suffix(""), [sha256]
    try:
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                _refuse(member)
            for image in tqdm(images, desc=f"unpack {archive.name}", disable=not progress):
                data = content.read(f"{folder.name}/{image}")
                write_atomically(folder / image, data)
                lines.append(f"{image}\t{len(data)}\t{hashlib.sha256(data).hexdigest()}")
    except (KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise DamagedFile(f"{archive} was not unpacked: {error} (delete it, try again)") from error
    write_atomically(archive.with_suffix(".tsv"), "\n".join(lines) + "\n")


def _refuse(member: zipfile.ZipInfo) -> None:
    """Raise ValueError for a member that may be malicious."""
    name = member.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts:
        raise ValueError(f"its member '{name}' points out of its folder")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"its member '{name}' is a link")
    if member.file_size > MAX_BYTES:
        raise ValueError(f"its member '{name}' has {member.file_size} bytes, over {MAX_BYTES}")


def _table() -> str:
    """A table of all sets: name, files, size, whether it is downloaded, licence."""
    lines = [f"{'set':<14}{'files':>7}{'MB':>8}  {'here':<6}licence"]
    for name in names():
        images, size = describe(name), sum(int(row["bytes"]) for row in rows_of(name)) / 1e6
        here = "yes" if available(name) else "no"
        licence = textwrap.shorten(images.licence, 60, placeholder=" ...")
        lines.append(f"{name:<14}{len(images):>7}{size:>8.1f}  {here:<6}{licence}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Download sets, or list them; returns the exit status."""
    parser = argparse.ArgumentParser("python -m study.images.downloads", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}")
    parser.add_argument("--profile", choices=PROFILES, help="download the sets of a budget")
    parser.add_argument("--list", action="store_true", help="list the sets")
    chosen = parser.parse_args(arguments)
    wanted = [*PROFILES.get(chosen.profile, []), *chosen.names]
    if chosen.list:
        print(f"Data sets in {root()}\n{_table()}")
    elif chosen.profile and not wanted:
        print(f"{chosen.profile} needs no data set: it uses the embedded samples")
    elif not wanted:
        parser.error("name the sets to download, or --list them")
    try:
        for name in dict.fromkeys(wanted):
            images = download(name)
            files = "1 file" if len(images) == 1 else f"{len(images)} files"
            print(f"{name}: {files}, verified, in {root()} ({images.licence})")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command continues from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
