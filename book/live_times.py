"""Measure in a browser how long the networks of the live page take for a frame, and store it.

    python book/live_times.py [FOLDER]     # of the built book, default book/_build/html

Each network runs on one thread of the CPU: by the page's own code and by ONNX Runtime, in turns. CPU
time is measured, which depends little on other work on the machine; wall time is stored as well. Needs
Chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import json
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from PIL import Image
from single import printer

from study.disk.records import code, machine
from tunable_core.files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "data/bench/live-cpu.json"
"""File of the stored times."""
ROUNDS, FRAMES = 6, 5
"""Rounds, in which every way has a turn, and frames per turn. The first round is discarded, since the
browser still compiles."""
WIDTH, HEIGHT = 4000, 3000
"""Size of the whole photograph that is timed: as many pixels as the page accepts."""
PHOTO = ROOT / "data/photos/kodim23.png"
"""The photograph that is enlarged to this size."""
LIMIT_S = 1_800
"""Seconds after which the measurement is given up."""
LOAD = """async ([model, runtime]) => {
    const { Engine } = await import("./live/engine.js");
    window.measured = {};
    for (const way of model.weights ? ["page", "onnx"] : ["onnx"]) {
        measured[way] = new Engine();
        await measured[way].load(way === "page" ? model : { ...model, weights: null }, "wasm", runtime);
    }
    return Object.keys(measured);
}"""
TURN = """async ([way, model, frames]) => {
    const side = model.side / model.scale;
    const data = Float32Array.from({ length: 3 * side * side }, (_, i) => (i * 37 % 256) / 255);
    const times = [];
    for (let i = 0; i < frames; i++) {
        const omega = model.base.map((_, k) => (k === 0 ? i : frames - i) / frames); // a turn each
        times.push((await measured[way].run({ data, height: side, width: side }, omega)).ms);
    }
    return times;
}"""


def processor_seconds() -> float:
    """CPU time of all child processes."""
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # the process has ended
            times = child.cpu_times()
            total += times.user + times.system
    return total


def frames(page: Any, model: dict[str, Any], runtime: dict[str, Any]) -> dict[str, dict[str, list]]:
    """Milliseconds of frames by way: wall time of each frame, and mean CPU time of each turn."""
    ways = page.evaluate(LOAD, [model, runtime])
    found: dict[str, dict[str, list]] = {way: {"clock": [], "processor": []} for way in ways}
    for round_ in range(ROUNDS):
        for way in ways:
            before = processor_seconds()
            clock = page.evaluate(TURN, [way, model, FRAMES])
            took = processor_seconds() - before
            if round_:
                found[way]["clock"] += clock
                found[way]["processor"].append(1000 * took / FRAMES)
    return found


def row(model: dict[str, Any], found: dict[str, dict[str, list]]) -> dict[str, Any]:
    """A network's times in milliseconds; by ONNX Runtime if the page has no code of its own for it.

    CPU time is the minimum over the turns, since other work can only increase it; wall time is the
    median.
    """
    kinds = {"processor": min, "clock": statistics.median}
    ms = {
        way: {kind: round(kinds[kind](values), 1) for kind, values in times.items()}
        for way, times in found.items()
    }
    own = ms.get("page", ms["onnx"])
    return {
        "network": model["title"],
        "run": model["run"],
        "output": f"{model['side']} x {model['side']}",
        "ms": own["processor"],
        "clock_ms": own["clock"],
        "onnx_ms": ms["onnx"]["processor"],
        "onnx_clock_ms": ms["onnx"]["clock"],
        "ratio": round(ms["onnx"]["processor"] / own["processor"], 3),
    }


def large(page: Any, models: list[dict[str, Any]]) -> dict[str, Any]:
    """Wall time and memory of denoising a whole photograph of WIDTH x HEIGHT pixels in the page."""
    model = next(model for model in models if model["name"] == "photo")
    page.check(f"[name=live-model][value='{model['title']}']")
    with Image.open(PHOTO) as opened, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.png"
        opened.resize((WIDTH, HEIGHT)).save(path, compress_level=1)
        page.set_input_files("[data-live=file]", path)
        page.click("[data-live=run]")
        page.locator("[data-live=whole]:enabled").wait_for(timeout=120_000)
        status = page.locator("[data-live=status]")
        begun, most = time.perf_counter(), 0.0
        page.click("[data-live=whole]")
        done = status.filter(has_text=f"Done: {WIDTH} × {HEIGHT}")
        while not done.count():
            page.wait_for_timeout(500)
            most = max(most, memory_mb())
            if time.perf_counter() - begun > LIMIT_S:
                raise SystemExit(f"no whole photograph after {LIMIT_S} s: {status.inner_text()}")
    seconds = time.perf_counter() - begun
    return {
        "run": model["run"],
        "output": f"{WIDTH} x {HEIGHT}",
        "seconds": round(seconds, 1),
        "memory_mb": round(most),
    }


def memory_mb() -> float:
    """Memory that only the child processes use, in MB."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += child.memory_full_info().uss
    return total / 2**20


def measure(built: Path) -> dict[str, Any]:
    """The times of every network of a built book, and the machine."""
    from playwright.sync_api import sync_playwright

    browser_path = printer()
    if browser_path is None:
        raise SystemExit("live_times.py needs Chromium, and none is installed")
    manifest = json.loads((built / "live/manifest.json").read_text())
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(built))
    load = os.getloadavg()[0]
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/live.html")
        page.wait_for_selector("#live[data-ready]")
        runtime = manifest["runtime"]["wasm"]
        rows = [row(model, frames(page, model, runtime)) for model in manifest["models"]]
        whole = large(page, manifest["models"])
        version = browser.version
        browser.close()
        server.shutdown()
    return {
        "part": "live",
        **machine("cpu"),
        "threads": 1,
        **code(),
        "browser": f"Chromium {version}",
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        "rows": rows,
        "whole": whole,
    }


def main() -> None:
    """Measure, print and store the times."""
    parser = argparse.ArgumentParser(description="measure the frames of the live page")
    parser.add_argument("built", nargs="?", type=Path, default=ROOT / "book/_build/html")
    record = measure(parser.parse_args().built)
    for found in record["rows"]:
        print(f"{found['network']}: {found['ms']} ms, by ONNX Runtime {found['onnx_ms']} ms")
    print("{output}: {seconds} s, {memory_mb} MB".format(**record["whole"]))
    write_atomically(RECORD, json.dumps(record, indent=1) + "\n")
    print(f"stored in {RECORD}")


if __name__ == "__main__":
    main()
