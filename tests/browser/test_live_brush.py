"""The brush of the live page: another dial where a reader paints, with the same result as torch."""

from __future__ import annotations

import pytest
import torch
from live_page import COMPUTED, PIXELS, awaited, control_of, opened, until

pytestmark = pytest.mark.browser

MAPPED = """async ([data, side, outside, inside]) => {
    const { engine, brush } = document.getElementById("live");
    const map = brush.map(outside, inside, side);
    const picture = { data, height: side, width: side };
    return [[...map], [...(await engine.run(picture, map, true)).data]]; }"""


@pytest.fixture(scope="module")
def page(context, address, manifest):
    """The live page with the brush selected."""
    if "map" not in manifest["models"][0]:
        pytest.skip("this book has no network for the brush")
    page = opened(context, address)
    until(page, "Computed beforehand")
    awaited(page, lambda: page.check("[data-live=brush-on]"))
    yield page
    page.close()


@pytest.fixture(autouse=True)
def unpainted(page):
    page.evaluate("document.getElementById('live').brush.reset()")


def painted(page, *places: tuple[float, float]) -> list[int]:
    """The picture after a stroke through places, in shares of its sides."""
    box = page.locator("[data-live=stage]").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]

    def stroke():
        page.mouse.move(*at[0])
        page.mouse.down()
        for place in at[1:]:
            page.mouse.move(*place, steps=3)
        page.mouse.up()

    awaited(page, stroke)
    page.wait_for_timeout(300)
    awaited(page, lambda: page.locator("[name=Denoising]").dispatch_event("input"))
    return page.evaluate(PIXELS)


def rows(pixels: list[int]) -> torch.Tensor:
    """The pixels of a square picture, [side, side, 4]."""
    side = round((len(pixels) // 4) ** 0.5)
    return torch.tensor(pixels).view(side, side, 4)


def test_paint_changes_the_picture_where_it_is_and_undo_takes_it_back(page):
    page.locator("[name=Denoising]").fill("1")
    awaited(page, lambda: page.locator("[data-live=brush-dial]").fill("0"))
    before = rows(page.evaluate(PIXELS))
    after = rows(painted(page, (0.25, 0.25), (0.3, 0.3)))
    apart = (after - before).abs().float().mean(2)
    assert apart[20:40, 20:40].mean() > 1  # the networks of the smoke budget change little
    assert apart[80:, 80:].max() <= 1
    awaited(page, lambda: page.click("[data-live=undo]"))
    assert page.locator("[data-live=undo]").is_disabled()
    assert (rows(page.evaluate(PIXELS)) - before).abs().max() <= 1


def test_the_painted_network_answers_as_torch_does(page, manifest):
    painted(page, (0.4, 0.4), (0.6, 0.6))
    side = 48
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    ends = [1.0, 0.0], [0.2, 0.8]
    found, output = page.evaluate(MAPPED, [x.flatten().tolist(), side, *ends])
    omega = torch.tensor(found).view(1, 2, side, side)
    assert omega[0, 0].min().item() == pytest.approx(0.2)
    assert omega[0, 0].max() == 1
    network = control_of(manifest["models"][0]).network
    with torch.inference_mode():
        wanted = network(x, omega)
    assert (torch.tensor(output).view_as(wanted) - wanted).abs().max() < 1e-3


def test_the_wheel_and_keys_change_the_size(page):
    size = page.locator("[data-live=brush-size]")
    before = int(size.input_value())
    page.locator("[data-live=stage]").hover()
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(100)
    assert int(size.input_value()) == before + 2
    page.locator("[data-live=stage]").focus()
    page.keyboard.press("[")
    assert int(size.input_value()) == before


def test_one_can_paint_by_keyboard_alone(page):
    before = page.evaluate(PIXELS)
    page.locator("[data-live=brush-dial]").fill("0")
    page.locator("[data-live=stage]").focus()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert awaited(page, lambda: page.keyboard.press("Space")) != before
    assert page.locator("[data-live=undo]").is_enabled()
    awaited(page, lambda: page.keyboard.press("Control+z"))
    assert page.locator("[data-live=undo]").is_disabled()


def test_another_network_puts_the_brush_away(page, manifest):
    awaited(page, lambda: page.check(f"[name=live-model][value='{manifest['models'][1]['title']}']"))
    assert page.locator("[data-live=brush]").is_hidden()
    awaited(page, lambda: page.check(f"[name=live-model][value='{manifest['models'][0]['title']}']"))
    until(page, COMPUTED)
    assert not page.locator("[data-live=brush-on]").is_checked()
    assert not page.complaints
