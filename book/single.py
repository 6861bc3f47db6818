"""The whole book on one page, and that page as a PDF: for paper, for a plane, for an archive."""

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


def build(output: Path) -> None:
    """OUTPUT/singlehtml and, where a Chromium is installed, OUTPUT/book.pdf. Raises Fault.

    From OUTPUT/source, which the book has been built from.
    """
    if not (output / "source").is_dir():
        raise Fault(f"there is no built book in {output}: run without --only first")
    assemble.html(output / "source", output, "singlehtml")
    print(f"One page: {output / 'singlehtml/intro.html'}")
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        print("No PDF: that takes Chromium, which is not installed. Any browser prints the page.")
        return
    pdf(chromium, output / "singlehtml", output / "book.pdf")
    print(f"PDF: {output / 'book.pdf'}")


def pdf(chromium: str, folder: Path, target: Path) -> None:
    """Print FOLDER/intro.html, once its formulas are drawn; target appears whole. Raises Fault."""
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
        """Nothing."""
