"""The live page: the network in the browser answers as torch does, and the page stays at home."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import live_assets
import pytest
import torch
from PIL import Image

from tunable_core import datasets, named_runs, study
from tunable_core.degradations import gaussian_blur

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ.get("TUNABLE_BOOK") or ROOT / "book/_build/html")
SHOTS = ROOT / "book/_build/screenshots"
PIXELS = """() => { const c = document.querySelector("[data-live=after]");
    return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]; }"""

RUN = """async ([x, height, width, omega]) =>
    [...(await document.getElementById("live").engine.run(x, height, width, omega)).output]"""
BLUR = """async ([x, height, width, rho]) => [...(await import("./live/pictures.js"))
    .blurred({ data: Float32Array.from(x), height, width }, rho).data]"""
NAMELESS = """() => [...document.querySelectorAll("#live input, #live button, #live canvas")]
    .filter(e => !(e.ariaLabel || e.labels?.[0]?.innerText || e.innerText)?.trim())
    .map(e => e.outerHTML)"""


def until(page, said: str) -> None:
    """Wait for a status; the page's policy forbids the browser to evaluate a condition."""
    page.locator("[data-live=status]").filter(has_text=said).wait_for(timeout=120_000)


def test_the_vendored_files_are_those_that_are_named():
    folder = ROOT / "book/vendor"
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in (".mjs", ".wasm")
    }
    for name, expected in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected


@pytest.mark.parametrize("model", live_assets.MODELS, ids=lambda model: model.name)
def test_every_position_of_the_dials_is_an_omega_of_the_network(model):
    p = model.config(study.profile("laptop")).task.loss.p
    assert len(model.base) == p
    for slider in model.of_dials:
        assert len(slider.direction) == p
        end = torch.tensor(model.base) + torch.tensor(slider.direction)
        assert ((end >= 0) & (end <= 1)).all()


def test_a_network_that_is_not_there_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path / "store"))
    assert live_assets.write(tmp_path / "live", ROOT / "book") == []
    manifest = json.loads((tmp_path / "live/manifest.json").read_text())
    assert manifest["models"] == []
    assert {image["file"] for image in manifest["images"]} <= {
        path.name for path in (tmp_path / "live").iterdir()
    }


def test_the_noise_is_normal():
    noise = live_assets.normal(3 * 128 * 128)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert abs((noise[1:] * noise[:-1]).mean()) < 0.02


@pytest.fixture(scope="module")
def manifest():
    path = BUILT / "live/manifest.json"
    if not path.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"there is no built book in {BUILT}")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def page(context, address, manifest):
    """The live page with its first network running in it."""
    page = context.new_page()
    page.complaints, page.outside = [], []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda r: None if r.url.startswith((address, "data:", "blob:")) else page.outside.append(r.url),
    )
    page.goto(f"{address}/live.html")
    page.wait_for_selector("#live[data-ready]")
    page.early = page.evaluate(PIXELS)
    page.files = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    page.click("[data-live=run]")
    until(page, "Computed in your browser")
    yield page
    page.close()


def turned(page, label, value):
    """The picture after a slider is moved."""
    page.locator("[data-live=status]").evaluate("status => (status.textContent = 'moving')")
    page.locator(f"[name='{label}']").fill(str(value))
    until(page, "Computed in your browser")
    return page.evaluate(PIXELS)


@pytest.mark.browser
def test_a_picture_is_there_before_any_network_is_loaded(page):
    assert len(set(page.early)) > 10
    assert not any(name.endswith((".wasm", ".onnx")) for name in page.files)


@pytest.mark.browser
def test_a_slider_changes_the_picture(page):
    low, high = turned(page, "Denoising", 0), turned(page, "Denoising", 1)
    assert low != high
    assert turned(page, "Denoising", 0) == low


@pytest.mark.browser
def test_the_network_in_the_page_answers_as_torch_does(page, manifest, monkeypatch):
    entry = manifest["models"][0]
    stores = [folder for folder in (BUILT.parent / "runs", ROOT / "data") if folder.is_dir()]
    store = next(folder for folder in stores if (folder / "runs" / entry["run"]).exists())
    monkeypatch.setenv("TUNABLE_RUNS", str(store))
    control = named_runs.load(entry["run"]).control
    x = torch.rand(1, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    omega = [0.3, 0.8]
    found = page.evaluate(RUN, [x.flatten().tolist(), 24, 40, omega])
    with torch.inference_mode():
        expected = control(x, omega)
    assert (torch.tensor(found).view_as(x) - expected).abs().max() < 1e-3


@pytest.mark.browser
def test_the_noise_of_the_page_is_that_of_the_filmstrips(page):
    found = page.evaluate("import('./live/pictures.js').then(it => [...it.normal(3000)])")
    torch.testing.assert_close(torch.tensor(found), live_assets.normal(3000), atol=1e-5, rtol=0)


@pytest.mark.browser
def test_the_blur_of_the_page_is_that_of_the_study(page):
    x = torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(0))
    found = page.evaluate(BLUR, [x.flatten().tolist(), 24, 30, 1.7])
    assert (torch.tensor(found).view_as(x) - gaussian_blur(x, 1.7)).abs().max() < 1e-5


@pytest.mark.browser
def test_a_photograph_of_ones_own_is_worked_on_whole_and_saved(page, tmp_path):
    pixels = datasets.load("samples-test")["coffee"][:, :200, :260].permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(tmp_path / "own.png")
    page.set_input_files("[data-live=file]", tmp_path / "own.png")
    until(page, "Computed in your browser")
    page.click("[data-live=whole]")
    until(page, "Done: 260 × 200")
    with page.expect_download() as download:
        page.click("[data-live=download]")
    with Image.open(download.value.path()) as saved:
        assert saved.size == (260, 200)


@pytest.mark.browser
def test_what_is_no_picture_is_refused_in_a_sentence(page, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    page.set_input_files("[data-live=file]", tmp_path / "text.png")
    until(page, "cannot be read as a picture")


@pytest.mark.browser
def test_every_control_has_a_name_for_screen_readers(page):
    nameless = page.evaluate(NAMELESS)
    assert not nameless
    page.screenshot(path=SHOTS / "live-running.png", full_page=True)


@pytest.mark.browser
def test_nothing_is_asked_of_anywhere_else_and_nothing_goes_wrong(page):
    assert not page.outside
    assert not page.complaints


@pytest.mark.browser
def test_the_page_forbids_itself_to_ask_elsewhere(page, address):
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert "connect-src 'self'" in policy
    refused = page.evaluate("() => fetch('https://example.org/').then(() => false, () => true)")
    assert refused
    page.complaints.clear()  # the browser says so
    page.outside.clear()
