"""The live page: the inside of a network, its drawings, and large photographs."""

from __future__ import annotations

import itertools
import re

import pytest
import torch
from live_page import COMPUTED, awaited, control_of, opened, until
from PIL import Image

from study.images import datasets

pytestmark = pytest.mark.browser

ISOLATED = {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}
REGISTER = """() => navigator.serviceWorker.register("isolate.js")
    .then(() => navigator.serviceWorker.ready).then(() => null)"""
COMPARED = """async ([data, height, width, omega, form, file]) => {
    const { ResNet } = await import("./live/resnet.js");
    const { tensors } = await import("./live/tensors.js");
    const network = new ResNet(form, tensors(await (await fetch(`live/${file}`)).arrayBuffer()));
    const picture = { data: Float32Array.from(data), height, width };
    const outputs = [];
    for (let i = 0; i < 3; i++) outputs.push([...(await network.run(picture, omega)).data]);
    network.release();
    return [crossOriginIsolated, outputs]; }"""


@pytest.fixture
def page(context, address):
    page = opened(context, address)
    until(page, "Computed beforehand")
    yield page
    assert not page.complaints
    page.close()


def heights(page, kernel: int) -> torch.Tensor:
    """Where the line of a kernel's weights is drawn, layer by layer, in pixels from above."""
    line = page.locator(f"[data-live=alphas] polyline.live-alpha-{kernel}").get_attribute("points")
    return torch.tensor([float(point.partition(",")[2]) for point in line.split()])


def fills(page) -> list[list[str | None]]:
    """The colours and strengths of the cells of the three kernels that are drawn."""
    cells = page.locator("[data-live=kernel] rect").all()
    return [[cell.get_attribute("class"), cell.get_attribute("fill-opacity")] for cell in cells]


def test_the_weights_of_every_layer_are_those_of_phi(page, manifest):
    entry = manifest["models"][0]
    phi = control_of(entry).network.phi
    for dial in (0.0, 0.3, 1.0):
        page.locator("[name=Denoising]").fill(str(dial))
        page.locator("[data-live=omega]").filter(has_text=f"({dial:.2f}, ").wait_for(timeout=5000)
        alpha = phi(torch.tensor([dial, 1 - dial])).detach()
        drawn = torch.stack([heights(page, k) for k in range(alpha.shape[1])], 1)
        assert len(drawn) == len(alpha)
        names = page.locator("[data-live=alphas] text").filter(has_text=re.compile("^α.$")).all()
        lines = sorted(float(name.get_attribute("y")) for name in names)
        assert len(lines) == alpha.shape[1]
        assert all(below - above > 12 for above, below in itertools.pairwise(lines))
        slope, start = torch.linalg.lstsq(
            torch.stack([alpha.flatten(), torch.ones(alpha.numel())], 1), drawn.flatten()[:, None]
        ).solution.flatten()
        assert slope < 0  # a larger weight is drawn higher
        assert (slope * alpha + start - drawn).abs().max() < 0.1


def test_a_kernel_moves_from_one_end_to_the_other(page):
    dot = page.locator("[data-live=kernel] circle")
    places = []
    for dial in ("0", "1"):
        page.locator("[name=Denoising]").fill(dial)
        page.locator("[data-live=omega]").filter(has_text=f"({dial}.00, ").wait_for(timeout=5000)
        cells = fills(page)
        left, now, right = cells[:9], cells[9:18], cells[18:]
        assert now == (left if dial == "0" else right)
        assert left != right
        places.append(float(dot.get_attribute("cx")))
    assert places[0] < places[1]


def test_the_network_adds_points_to_the_curve_as_the_dial_turns(page):
    page.locator("[name='Noise added']").fill("40")  # without a precomputed filmstrip
    page.locator("[data-live=curve]").wait_for(state="hidden")
    awaited(page, lambda: page.click("[data-live=run]"))
    for dial in ("0.2", "0.9"):
        awaited(page, lambda dial=dial: page.locator("[name=Denoising]").fill(dial))
    points = page.locator("[data-live=curve] .live-own").get_attribute("points").split()
    assert len(points) == 3
    across = [float(point.partition(",")[0]) for point in points]
    assert across == sorted(across)
    awaited(page, lambda: page.locator("[name='Noise added']").fill("30"))
    assert len(page.locator("[data-live=curve] .live-own").get_attribute("points").split()) == 1


@pytest.mark.parametrize(("motion", "name"), [("reduce", "none"), ("no-preference", "live-draw")])
def test_the_curve_draws_itself_unless_the_reader_wants_less_motion(context, address, motion, name):
    made = context.browser.new_context(reduced_motion=motion)
    page = opened(made, address)
    until(page, "Computed beforehand")
    line = page.locator("[data-live=curve] .live-line")
    assert line.evaluate("e => getComputedStyle(e).animationName") == name
    made.close()


def test_a_large_photograph_is_made_tile_by_tile_and_can_be_stopped(page, manifest, tmp_path):
    photo = next(model for model in manifest["models"] if model["name"] == "photo")
    pixels = datasets.load("samples-test")["coffee"][:, :280, :400].permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(tmp_path / "own.png")
    page.check(f"[name=live-model][value='{photo['title']}']")
    page.set_input_files("[data-live=file]", tmp_path / "own.png")
    until(page, "This needs the network itself")
    awaited(page, lambda: page.click("[data-live=run]"), "with its own noise")
    assert page.locator("[name='Noise added']").input_value() == "0"
    page.click("[data-live=whole]")
    assert page.locator("[data-live=download]").is_disabled()  # a part of it is not the result
    page.click("[data-live=stop]")
    until(page, COMPUTED)
    assert page.locator("[data-live=stop]").is_hidden()
    assert page.locator("[data-live=after]").get_attribute("width") == "128"
    awaited(page, lambda: page.click("[data-live=whole]"), "Done: 400 × 280 pixels")
    assert page.locator("[data-live=after]").get_attribute("width") == "400"


def test_twelve_megapixels_are_the_most(page):
    sides = page.evaluate(
        """async () => { const { whole } = await import("./live/pictures.js");
        const source = new OffscreenCanvas(600, 400);
        source.getContext("2d");
        const sides = ({ width, height }) => [width, height];
        return [1e9, 60000].map((most) => sides(whole(source, most, 2))); }"""
    )
    assert sides == [[600, 400], [300, 200]]


def test_the_network_runs_where_the_browser_multiplies_and_adds_in_two_steps(context, address, manifest):
    entry = manifest["models"][0]
    page = opened(context, address)
    x = torch.rand(1, 3, 21, 30, generator=torch.Generator().manual_seed(0))
    given = [x.flatten().tolist(), 21, 30, [0.3, 0.6], entry["form"], entry["weights"]["file"]]
    page.evaluate("() => { WebAssembly.validate = () => false; }")
    _, outputs = page.evaluate(COMPARED, given)
    assert page.evaluate("import('./live/convolve.js').then((it) => it.PIXELS)") == 4
    with torch.inference_mode():
        wanted = control_of(entry)(x, [0.3, 0.6])
    assert (torch.tensor(outputs[0]).view_as(wanted) - wanted).abs().max() < 1e-3
    page.close()


def test_several_threads_compute_what_one_does(context, address, manifest):
    """Where the host isolates the page from other origins."""
    entry = manifest["models"][0]
    x = torch.rand(1, 3, 41, 30, generator=torch.Generator().manual_seed(0))
    given = [x.flatten().tolist(), 41, 30, [0.3, 0.6], entry["form"], entry["weights"]["file"]]
    with torch.inference_mode():
        wanted = control_of(entry)(x, [0.3, 0.6])

    def isolated(route):
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, **ISOLATED})

    made = context.browser.new_context()
    made.route("**/*", isolated)
    page = opened(made, address)
    threads, outputs = page.evaluate(COMPARED, given)
    assert threads
    for output in outputs:
        assert (torch.tensor(output).view_as(wanted) - wanted).abs().max() < 1e-3
    made.close()


def test_a_service_worker_isolates_the_page_where_the_host_does_not(context, address):
    made = context.browser.new_context()
    page = opened(made, address)
    assert not page.evaluate("crossOriginIsolated")
    page.evaluate(REGISTER)
    page.reload()
    page.wait_for_selector("#live[data-ready]")
    assert page.evaluate("crossOriginIsolated")
    made.close()
