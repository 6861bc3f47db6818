"""The live page: the network in the browser agrees with torch, and the page contacts no other host."""

from __future__ import annotations

import live_assets
import pytest
import torch
from live_page import COMPUTED, PIXELS, awaited, control_of, opened, turned, until
from PIL import Image

from study.images import datasets
from study.images.degradations import gaussian_blur
from study.images.resampling import low_resolution

pytestmark = pytest.mark.browser

SOFTWARE_GPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan")

RUN = """async ([data, height, width, omega]) =>
    [...(await document.getElementById("live").engine.run({ data, height, width }, omega)).data]"""
PICTURES = """async ([call, data, height, width, number]) => [...(await import("./live/pictures.js"))
    [call]({ data: Float32Array.from(data), height, width }, number).data]"""
TILED = """async ([data, height, width, omega]) => {
    const { engine } = document.getElementById("live");
    const { tiled } = await import("./live/tiles.js");
    const { cut } = await import("./live/pictures.js");
    const picture = { data: Float32Array.from(data), height, width };
    const whole = await engine.run(picture, omega);
    let [parts, pixels, far] = [0, 0, 0];
    await tiled(picture, engine.model, {
        most: 112,
        run: (piece) => engine.run(piece, omega),
        onTile: () => true,
        onPart: (part, x, y) => {
            const same = cut(whole, y, x, part.height, part.width);
            part.data.forEach((v, i) => (far = Math.max(far, Math.abs(v - same.data[i]))));
            [parts, pixels] = [parts + 1, pixels + part.height * part.width];
        },
    });
    return [parts, pixels, far];
}"""
NAMELESS = """() => [...document.querySelectorAll("#live input, #live button, #live canvas")]
    .filter(e => !(e.ariaLabel || e.labels?.[0]?.innerText || e.innerText)?.trim())
    .map(e => e.outerHTML)"""


def image(height: int, width: int) -> torch.Tensor:
    """An image [1, 3, height, width] in [0, 1] of random numbers."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def page(context, address, manifest):
    """The live page with its first network running in it."""
    page = opened(context, address)
    until(page, "Computed beforehand")
    page.early = page.evaluate(PIXELS)
    page.files = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    page.click("[data-live=run]")
    until(page, COMPUTED)
    yield page
    page.close()


def expected(entry, x, omega):
    """The output of torch for x, with the run of an entry of the manifest."""
    control = control_of(entry)
    with torch.inference_mode():
        return control(x, omega)


def compare(page, entry) -> None:
    """The network in the page against torch, at an omega that no filmstrip has."""
    square = entry["side"] // entry["scale"]
    height, width = (25, 42) if entry["reach"] else (square, square)
    x, omega = image(height, width), torch.linspace(0.3, 0.8, len(entry["base"])).tolist()
    found = page.evaluate(RUN, [x.flatten().tolist(), height, width, omega])
    wanted = expected(entry, x, omega)
    assert (torch.tensor(found).view_as(wanted) - wanted).abs().max() < 1e-3


def test_a_picture_is_there_before_any_network_is_loaded(page):
    assert len(set(page.early)) > 10
    assert not any(name.endswith((".packed", ".onnx", ".safetensors")) for name in page.files)


def test_a_denoiser_needs_no_other_program(page):
    files = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    assert not any("/runtime/" in name for name in files)


def test_a_slider_changes_the_picture(page):
    low, high = turned(page, "Denoising", 0), turned(page, "Denoising", 1)
    assert low != high
    assert turned(page, "Denoising", 0) == low


def test_a_key_moves_a_slider(page):
    before = turned(page, "Denoising", 0.5)
    page.locator("[data-live=wipe]").focus()
    page.keyboard.press("Tab")
    slider = page.locator("[name=Denoising]:focus")
    assert slider.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    assert awaited(page, lambda: page.keyboard.press("End")) != before
    assert slider.get_attribute("aria-valuetext") == "1.00"


def test_the_network_runs_away_from_the_page(page):
    assert [worker.url.rpartition("/")[2] for worker in page.workers] == ["worker.js"]


def test_every_network_in_the_page_answers_as_torch_does(page, manifest):
    for entry in reversed(manifest["models"]):  # the first is there again at the end
        radio = page.locator(f"[name=live-model][value='{entry['title']}']")
        if not radio.is_checked():
            awaited(page, radio.check)
        compare(page, entry)


def test_tiles_give_what_the_whole_gives(page, manifest):
    height, width = 200, 230
    x = image(height, width).flatten().tolist()
    parts, pixels, far = page.evaluate(TILED, [x, height, width, [0.4, 0.6]])
    assert parts > 1
    assert pixels == height * width
    assert far < 1e-4


def test_the_noise_of_the_page_is_that_of_the_filmstrips(page):
    found = page.evaluate("import('./live/pictures.js').then(it => [...it.normal(3000)])")
    torch.testing.assert_close(torch.tensor(found), live_assets.normal(3000), atol=1e-5, rtol=0)


def test_the_blur_of_the_page_is_that_of_the_study(page):
    x = image(24, 30)
    found = page.evaluate(PICTURES, ["blurred", x.flatten().tolist(), 24, 30, 1.7])
    assert (torch.tensor(found).view_as(x) - gaussian_blur(x, 1.7)).abs().max() < 1e-5


def test_the_page_makes_a_photograph_smaller_as_the_study_does(page):
    x = image(24, 32)
    found = page.evaluate(PICTURES, ["reduced", x.flatten().tolist(), 24, 32, 4])
    wanted = low_resolution(x, 4)
    difference = (torch.tensor(found).view_as(wanted) - wanted).abs()
    assert difference.max() < 1.01 / 255  # rounded to 8 bits, the other way perhaps
    assert (difference > 1e-5).float().mean() < 0.01


def test_a_photograph_of_ones_own_is_worked_on_whole_and_saved(page, tmp_path):
    pixels = datasets.load("samples-test")["coffee"][:, :200, :260].permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(tmp_path / "own.png")
    awaited(page, lambda: page.set_input_files("[data-live=file]", tmp_path / "own.png"))
    awaited(page, lambda: page.click("[data-live=whole]"), "Done: 260 × 200")
    with page.expect_download() as download:
        page.click("[data-live=download]")
    with Image.open(download.value.path()) as saved:
        assert saved.size == (260, 200)


def test_a_file_that_is_not_a_picture_is_refused_in_a_sentence(page, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    page.set_input_files("[data-live=file]", tmp_path / "text.png")
    until(page, "cannot be read as a picture")


def test_every_control_has_a_name_for_screen_readers(page):
    assert not page.evaluate(NAMELESS)


def test_nothing_is_asked_of_anywhere_else_and_nothing_goes_wrong(page):
    assert not page.outside
    assert not page.complaints


def test_the_page_forbids_itself_to_ask_elsewhere(page):
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert "connect-src 'self'" in policy
    assert page.evaluate("() => fetch('https://example.org/').then(() => false, () => true)")
    page.complaints.clear()  # the browser says so
    page.outside.clear()


def test_filmstrips_serve_where_webassembly_is_missing(context, address):
    page = opened(context, address, "delete window.WebAssembly")
    until(page, "Computed beforehand")
    slider = page.locator("[name=Denoising]")
    frames = []
    for position in ("0", "1"):
        slider.fill(position)
        page.wait_for_timeout(300)
        frames.append(page.evaluate(PIXELS))
    assert frames[0] != frames[1]
    assert page.locator("[data-live=run]").is_hidden()
    page.locator("[name='Noise added']").fill("50")
    until(page, "this browser cannot run it")
    assert not page.complaints
    page.close()


def test_the_graphics_processor_answers_as_torch_does(launch, address, manifest):
    entry = manifest["models"][0]
    if entry["bytes"] > 300_000:
        pytest.skip("a network of this size takes a minute a frame where the processor plays the GPU")
    browser = launch(*SOFTWARE_GPU)
    page = opened(browser.new_context(), address)
    choice = page.locator("[name=live-device][value='graphics processor']")
    if not choice.count():
        browser.close()
        pytest.skip("this Chromium offers no WebGPU without a graphics processor")
    choice.check()
    page.click("[data-live=run]")
    until(page, f"{COMPUTED}, on the graphics processor")
    compare(page, entry)
    assert not page.outside
    assert not page.complaints
    browser.close()
