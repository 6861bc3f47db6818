"""Open the live page in tests, and wait for it."""

from pathlib import Path

import pytest
from visits import BUILT

from study.runs import named
from tunable_photo import networks

ROOT = Path(__file__).resolve().parents[2]

COMPUTED = "Computed in your browser"

PIXELS = """() => { const c = document.querySelector("[data-live=after]");
    return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]; }"""


def until(page, said: str) -> None:
    """Wait for a status; the page's policy forbids the browser to evaluate a condition."""
    page.locator("[data-live=status]").filter(has_text=said).wait_for(timeout=120_000)


def awaited(page, action, said: str = COMPUTED) -> list[int]:
    """The picture after an action, once the page reports a new status."""
    page.locator("[data-live=status]").evaluate("status => (status.textContent = '')")
    action()
    until(page, said)
    return page.evaluate(PIXELS)


def turned(page, label: str, value: float) -> list[int]:
    """The picture after a slider is moved."""
    return awaited(page, lambda: page.locator(f"[name='{label}']").fill(str(value)))


def opened(context, address, script: str = "", view: str = "live.html"):
    """The live page as a reader opens it, with its errors and its requests to other hosts recorded.

    script: runs before the page's own. view: the end of the address.
    """
    page = context.new_page()
    page.complaints, page.outside = [], []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda r: None if r.url.startswith((address, "data:", "blob:")) else page.outside.append(r.url),
    )
    page.add_init_script(script)
    page.goto(f"{address}/{view}")
    page.wait_for_selector("#live[data-ready]")
    return page


def control_of(entry):
    """The network of an entry of the manifest: released, or from the store of the book."""
    if entry["run"] in networks.released():
        return networks.network(entry["run"])
    stores = [folder for folder in (BUILT.parent / "runs", ROOT / "data") if folder.is_dir()]
    store = next((it for it in stores if (it / "runs" / entry["run"]).exists()), None)
    assert store, f"the book was built from another store: {entry['run']} is in none of {stores}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNABLE_RUNS", str(store))
        return named.load(entry["run"]).control
