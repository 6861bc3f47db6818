"""The whole book on one page, and that page as a PDF, for printing, offline reading and archives."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import assemble
from parameters import Fault

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NAME = "book.pdf"
"""The file beside the pages."""


def printer() -> str | None:
    """The Chromium that prints the PDF; None where there is none."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def build(output: Path) -> None:
    """Write OUTPUT/singlehtml and, if Chromium is installed, OUTPUT/html/book.pdf. Raises Fault.

    The source is OUTPUT/source, from which the book was built.
    """
    if not (output / "source").is_dir():
        raise Fault(f"there is no built book in {output}: run without --only first")
    assemble.html(output / "source", output, "singlehtml")
    print(f"One page: {output / 'singlehtml/intro.html'}")
    chromium = printer()
    if chromium is None:
        print("No PDF: this needs Chromium, which is not installed. Any browser can print the page.")
        return
    pdf(chromium, output / "singlehtml", output / "html" / NAME)
    print(f"PDF: {output / 'html' / NAME}")


def pdf(chromium: str, folder: Path, target: Path) -> None:
    """Print FOLDER/intro.html once its formulas are drawn, to target, atomically. Raises Fault."""
    handler = functools.partial(_Quiet, directory=str(folder))
    part = target.with_suffix(".pdf.part")
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        tempfile.TemporaryDirectory() as profile,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000"]
        options += [f"--user-data-dir={profile}", "--no-pdf-header-footer", f"--print-to-pdf={part}"]
        address = f"http://127.0.0.1:{server.server_address[1]}/intro.html"
        try:
            ended = subprocess.run(
                [chromium, *options, address], capture_output=True, text=True, check=False, timeout=600
            )
        except subprocess.TimeoutExpired:
            raise Fault("Chromium did not print the page within ten minutes") from None
        finally:
            server.shutdown()
    if ended.returncode or not part.exists():
        raise Fault(f"Chromium did not print the page: {ended.stderr.strip()[-300:]}")
    part.replace(target)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        """Log nothing."""
