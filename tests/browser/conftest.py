"""The built book in a browser."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
BUILT = Path(os.environ.get("TUNABLE_BOOK") or BOOK / "_build/html")
"""The book that the browser opens."""
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve without a log."""

    def log_message(self, *words) -> None:
        pass


def unavailable(reason: str) -> None:
    """Skip, but fail where a browser is required."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    if not (BUILT / "index.html").exists():
        unavailable(f"there is no built book in {BUILT} (make smoke)")
    handler = functools.partial(Quiet, directory=str(BUILT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def manifest(address):
    """The files of the live page."""
    return json.loads((BUILT / "live/manifest.json").read_text())


@pytest.fixture(scope="session")
def launch():
    """Start a Chromium, with further arguments."""
    if CHROMIUM is None:
        unavailable("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    always = ("--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")
    with sync_playwright() as playwright:
        yield lambda *args: playwright.chromium.launch(executable_path=CHROMIUM, args=[*always, *args])


@pytest.fixture(scope="session")
def context(address, launch):
    browser = launch("--disable-gpu")
    yield browser.new_context(viewport={"width": 1280, "height": 900})
    browser.close()
