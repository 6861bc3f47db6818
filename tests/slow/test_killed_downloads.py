"""If a download is killed at any moment, the next one completes it, and no other file is left.

TUNABLE_FAULTS says how often it is killed (`make nightly`); twice otherwise.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

REPEATS = int(os.environ.get("TUNABLE_FAULTS", "2"))
NAMES = [f"{number:04d}.png" for number in range(1, 41)]
DOWNLOAD = """
import sys
from pathlib import Path
from study.images import datasets
datasets.REGISTRY = Path(sys.argv[1])
datasets.ARCHIVES = {"packed": range(1, 41)}
from study.images import downloads
sys.exit(downloads.main(["loose", "packed"]))
"""


def picture(number: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (60, 60, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as content:
        for number, name in enumerate(NAMES):
            content.writestr(f"all/{name}", picture(number))
    return file.getvalue()


SERVED = {f"loose/{number}.png": picture(100 + number) for number in range(4)}
SERVED["packed/all.zip"] = archive()


class Slow(BaseHTTPRequestHandler):
    """Sends a file in small pieces, and counts the pieces."""

    def do_GET(self) -> None:
        content = SERVED[self.path[1:]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            for start in range(0, len(content), 20_000):
                self.wfile.write(content[start : start + 20_000])
                self.server.sent += 1
                time.sleep(0.02)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was killed

    def log_message(self, *words) -> None:
        pass


@pytest.fixture
def server(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        server.sent = 0
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        lines = ["sets\tfile\tbytes\tsha256\turl\tlicence"]
        for file, content in SERVED.items():
            url = f"http://127.0.0.1:{server.server_address[1]}/{file}"
            digest = hashlib.sha256(content).hexdigest()
            lines.append(f"{file.split('/')[0]}\t{file}\t{len(content)}\t{digest}\t{url}\tfree")
        (tmp_path / "registry.tsv").write_text("\n".join(lines) + "\n")
        yield server
        server.shutdown()
        thread.join()


def begin(folder: Path, data: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", DOWNLOAD, str(folder / "registry.tsv")]
    settings = os.environ | {"TUNABLE_DATA": str(data), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_download_killed_again_and_again_leaves_what_an_undisturbed_one_does(
    tmp_path, server, record_property
):
    with begin(tmp_path, tmp_path / "undisturbed") as process:
        said = process.communicate(timeout=120)[0]
    wanted = content(tmp_path / "undisturbed")
    assert process.returncode == 0, said
    assert wanted.keys() == {*SERVED, "packed/all.tsv", *(f"packed/all/{name}" for name in NAMES)}

    chance, data, killed, halves = random.Random(3), tmp_path / "data", 0, 0
    for _ in range(REPEATS):
        before, process = server.sent, begin(tmp_path, data)
        while server.sent == before and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.6))
        process.kill()
        process.communicate(timeout=120)
        killed += process.returncode != 0
        halves += any(data.rglob(".*.part"))
        if process.returncode == 0:
            assert content(data) == wanted
            shutil.rmtree(data)
    record_property("kills", killed)
    record_property("of them in the middle of a file", halves)
    assert killed
    assert halves, "no kill came in the middle of a file"
    with begin(tmp_path, data) as process:
        said = process.communicate(timeout=120)[0]
    assert process.returncode == 0, said
    assert content(data) == wanted
