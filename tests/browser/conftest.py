"""The built book in a browser."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator

import pytest
from visits import BUILT, PAGES, Visit, visit

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
    browser = launch("--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    yield browser.new_context(viewport={"width": 1280, "height": 900})
    browser.close()


@pytest.fixture(scope="session", params=PAGES or ["book"])
def seen(request, context, address) -> Visit:
    """A page, visited once for all of its tests."""
    return visit(context, address, request.param)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The tests of a page run in one process, and so do the other tests of a file."""
    from xdist.scheduler import LoadScopeScheduling

    class ByPage(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            page = nodeid.partition("[")[2].removesuffix("]")
            return page if page in PAGES else nodeid.partition("::")[0]

    return ByPage(config, log)
