"""The live page: its numbers, its addresses for sharing, and files of the reader."""

from __future__ import annotations

import numpy as np
import pytest
from live_page import COMPUTED, PIXELS, awaited, opened, until
from PIL import Image

pytestmark = pytest.mark.browser

VIEW = "live.html#network={}&photograph={}&sliders={}"
SLOW = """() => { const read = window.createImageBitmap.bind(window);
    window.createImageBitmap = async (file) => {
        if (file.name === "slow.png") await new Promise((end) => setTimeout(end, 1000));
        return read(file); }; }"""
DROP = """([kind, name]) => {
    const data = new DataTransfer();
    kind === "file" ? data.items.add(new File(["no picture"], name, { type: "text/plain" }))
        : data.setData("text/plain", name);
    const event = (type) => document.body.dispatchEvent(
        new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    event("dragover");
    const shown = document.getElementById("live").classList.contains("live-over");
    event("drop");
    return [shown, document.getElementById("live").classList.contains("live-over")]; }"""


@pytest.fixture
def page(context, address):
    page = opened(context, address)
    until(page, "Computed beforehand")
    yield page
    page.close()


@pytest.fixture
def file(tmp_path):
    """Write a grey picture of that name and grey level; its path."""

    def write(name: str, level: int):
        Image.fromarray(np.full((150, 150, 3), level, np.uint8)).save(tmp_path / name)
        return tmp_path / name

    return write


def numbers(page) -> str:
    return page.locator("[data-live=numbers]").first.inner_text()


def levels(page) -> set[int]:
    """The grey levels of the picture, alpha left out."""
    pixels = page.evaluate(PIXELS)
    return {value for i, value in enumerate(pixels) if i % 4 < 3}


# Numbers and labels


def test_psnr_and_the_kept_share_stand_under_the_picture(page, manifest):
    strips = manifest["models"][0]["strips"]
    for frame, position in ((0, "0"), (-1, "1")):
        page.locator("[name=Denoising]").fill(position)
        decibels, share = strips["measures"][manifest["images"][0]][frame]
        wanted = f"PSNR {decibels:.2f} dB, kept fraction of the noise f = {share:.2f}"
        page.locator("[data-live=numbers]").filter(has_text=wanted).wait_for(timeout=5000)


def test_the_computed_numbers_agree_with_those_of_the_filmstrip(page, manifest):
    page.locator("[name=Denoising]").fill("0.5")
    awaited(page, lambda: page.click("[data-live=run]"))
    strips = manifest["models"][0]["strips"]
    decibels, share = strips["measures"][manifest["images"][0]][len(strips["positions"]) // 2]
    found = [float(word.strip(",")) for word in numbers(page).split() if word[0].isdigit()]
    assert found == pytest.approx([decibels, share], abs=0.011)


def test_a_curve_shows_the_kept_share_along_the_dial(page, manifest):
    strips = manifest["models"][0]["strips"]
    shares = [share for _, share in strips["measures"][manifest["images"][0]]]
    points = page.locator("[data-live=curve] .live-line").get_attribute("points").split()
    heights = [float(point.partition(",")[2]) for point in points]
    drop = [
        (heights[0] - height) / (shares[0] - share)
        for height, share in list(zip(heights, shares, strict=True))[1:]
    ]
    assert drop == pytest.approx([-78.0] * len(drop))
    dot = page.locator("[data-live=curve] .live-now")
    before = float(dot.get_attribute("cx"))
    page.locator("[name=Denoising]").fill("1")
    page.locator("[data-live=numbers]").filter(has_text=f"f = {shares[-1]:.2f}").wait_for(timeout=5000)
    assert float(dot.get_attribute("cy")) == pytest.approx(heights[-1])
    assert float(dot.get_attribute("cx")) > before


def test_input_and_result_are_labelled_unless_the_line_hides_them(page):
    labels = {name: page.locator(f".live-{name}") for name in ("in", "out")}
    assert {name: label.inner_text() for name, label in labels.items()} == {
        "in": "input",
        "out": "output",
    }
    page.locator("[data-live=wipe]").fill("0")
    assert labels["in"].is_hidden()
    page.locator("[data-live=wipe]").fill("1")
    assert labels["out"].is_hidden()


def test_the_page_says_why_the_whole_photograph_cannot_be_made(page, file):
    why = page.locator("[data-live=why]")
    assert "choose one of your own" in why.inner_text()
    page.set_input_files("[data-live=file]", file("own.png", 100))
    why.filter(has_text="run the network here first").wait_for()


# Addresses


def test_a_view_survives_reload_back_and_a_visit_elsewhere(context, address, page, manifest):
    joint = next(model for model in manifest["models"] if model["name"] == "joint")
    page.check(f"[name=live-model][value='{joint['title']}']")
    page.locator("[name=Sharpening]").fill("0.7")
    page.check("[name=live-image][value=coffee]")
    page.wait_for_url("**/live.html#network=joint&photograph=coffee&sliders=*0.7*")
    page.reload()
    page.wait_for_selector("#live[data-ready]")
    assert page.locator("[name=Sharpening]").input_value() == "0.7"
    assert page.locator("[name=live-image][value=coffee]").is_checked()
    page.go_back()
    page.locator("[name=live-image][value=astronaut]:checked").wait_for()
    assert page.locator("[name=Sharpening]").input_value() == "0.7"
    page.go_back()
    page.locator(f"[name=live-model][value='{manifest['models'][0]['title']}']:checked").wait_for()
    other = opened(context, address, view=VIEW.format("joint", "chelsea", "1,0.3,15,1"))
    assert other.locator("[name=Sharpening]").input_value() == "0.3"
    other.close()


def test_an_address_that_does_not_fit_shows_the_first_view(context, address, manifest):
    page = opened(context, address, view=VIEW.format("none", "none", "7,nine"))
    assert page.locator("[name=live-model]:checked").input_value() == manifest["models"][0]["title"]
    start = manifest["models"][0]["sliders"][0]["start"]
    assert float(page.locator("[name=Denoising]").input_value()) == start
    assert not page.complaints
    page.close()


def test_a_link_within_the_page_leaves_the_view(page):
    page.locator("[name=Denoising]").fill("0.25")
    page.evaluate("location.hash = 'what-runs-here'")
    page.wait_for_timeout(100)
    assert page.locator("[name=Denoising]").input_value() == "0.25"


def test_the_address_of_a_view_can_be_copied(context, page):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[name=Denoising]").fill("0.35")
    page.click("[data-live=copy]")
    until(page, "The address of this view is copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "live.html#network=denoise&photograph=astronaut&sliders=0.35,25" in copied


def test_an_address_can_start_the_network(context, address):
    page = opened(context, address, view=VIEW.format("denoise", "coffee", "0.3,40&run=yes"))
    until(page, COMPUTED)
    page.close()


# Files


def test_the_same_file_can_be_chosen_again(page, file):
    path = file("own.png", 100)
    page.set_input_files("[data-live=file]", path)
    until(page, "This needs the network itself")
    assert levels(page) == {100}
    page.check("[name=live-image][value=coffee]")
    until(page, "Computed beforehand")
    page.set_input_files("[data-live=file]", path)
    until(page, "This needs the network itself")
    assert levels(page) == {100}


@pytest.mark.parametrize("later", ["photograph", "file", "refused"])
def test_a_slow_file_does_not_overtake_a_later_choice(page, file, tmp_path, later):
    page.evaluate(SLOW)
    page.set_input_files("[data-live=file]", file("slow.png", 50))
    until(page, "Reading “slow.png”")
    if later == "photograph":
        page.check("[name=live-image][value=coffee]")
    elif later == "file":
        page.set_input_files("[data-live=file]", file("fast.png", 200))
    else:
        (tmp_path / "text.png").write_text("no picture")
        page.set_input_files("[data-live=file]", tmp_path / "text.png")
        until(page, "cannot be read as a picture")
    page.wait_for_timeout(1300)
    assert levels(page) != {50}
    assert page.locator("[name=live-image][value=coffee]").is_checked() == (later == "photograph")
    if later == "refused":
        until(page, "cannot be read as a picture")


def test_a_drag_over_the_page_is_shown_and_what_is_no_picture_is_refused(page):
    assert page.evaluate(DROP, ["file", "notes.txt"]) == [True, False]
    until(page, "“notes.txt” is not a picture")
    assert page.evaluate(DROP, ["text", "a sentence"]) == [False, False]


def test_a_photograph_that_could_not_be_loaded_is_asked_for_again(page):
    page.route("**/coffee-128.webp", lambda route: route.abort())
    page.check("[name=live-image][value=coffee]")
    until(page, "could not be loaded: is this browser offline?")
    page.unroute("**/coffee-128.webp")
    page.check("[name=live-image][value=astronaut]")
    until(page, "Computed beforehand")
    page.check("[name=live-image][value=coffee]")
    until(page, "Computed beforehand")


def test_a_network_that_could_not_be_loaded_is_asked_for_again(page):
    page.route("**/*.safetensors*", lambda route: route.abort())
    page.click("[data-live=run]")
    until(page, "The network could not be loaded: is this browser offline?")
    page.unroute("**/*.safetensors*")
    awaited(page, lambda: page.click("[data-live=run]"))


def test_a_network_that_was_used_is_there_offline(context, page, manifest):
    awaited(page, lambda: page.click("[data-live=run]"))
    first, other = (model["title"] for model in manifest["models"][:2])
    awaited(page, lambda: page.check(f"[name=live-model][value='{other}']"))
    context.set_offline(True)
    try:
        awaited(page, lambda: page.check(f"[name=live-model][value='{first}']"))
        awaited(page, lambda: page.locator("[name=Denoising]").fill("0.1"))
    finally:
        context.set_offline(False)


def test_ones_own_photograph_is_saved_whole_with_the_sliders_in_its_name(page, file):
    page.set_input_files("[data-live=file]", file("own.png", 100))
    until(page, "This needs the network itself")
    awaited(page, lambda: page.click("[data-live=run]"))
    awaited(page, lambda: page.locator("[name=Denoising]").fill("0.8"))
    with page.expect_download() as download:
        page.click("[data-live=download]")
    assert download.value.suggested_filename == "denoise-denoising-0.8-noise-added-0.png"
    with Image.open(download.value.path()) as saved:
        assert saved.size == (150, 150)


# Other methods, and the home page


def test_other_methods_stand_beside_the_network_under_the_same_dial(page, manifest):
    methods = manifest["models"][0]["methods"]
    if not methods:
        pytest.skip("this book has no run of another method")
    page.click("[data-live=methods] summary")
    page.locator("[name=Denoising]").fill("1")
    name = manifest["images"][0]
    for i, method in enumerate(methods):
        figure = page.locator("[data-live=method-pictures] figure").nth(i)
        decibels, _ = method["strips"]["measures"][name][-1]
        figure.locator("p").filter(has_text=f"PSNR {decibels:.2f} dB").wait_for(timeout=5000)
        assert figure.locator("figcaption").inner_text() == method["title"]
    page.locator("[name='Noise added']").fill("50")
    page.locator("[data-live=methods]").wait_for(state="hidden")


def test_a_triangle_turns_the_three_styles(page, manifest):
    if not any(model["name"] == "style" for model in manifest["models"]):
        pytest.skip("this book has no style network")
    page.check("[name=live-model][value='Style transfer']")
    triangle = page.locator("[data-live=triangle]")
    triangle.click(position={"x": 196, "y": 176})
    values = [
        page.locator(f"[name={name}]").input_value() for name in ("Mosaic", "Edtaonisl", "Kandinsky")
    ]
    assert [float(value) for value in values] == [0, 0, 1]
    triangle.click(position={"x": 110, "y": 176})
    assert float(page.locator("[name=Edtaonisl]").input_value()) == pytest.approx(0.5, abs=0.02)


def test_the_home_page_opens_with_a_live_picture(context, address):
    page = opened(context, address, view="intro.html")
    until(page, "Computed beforehand")
    stage = page.locator("[data-live=stage]").bounding_box()
    assert stage["width"] >= 400
    for part in ("numbers", "sliders"):  # the numbers and the dial lie under the picture
        box = page.locator(f"[data-live={part}]").bounding_box()
        assert box["y"] >= stage["y"] + stage["height"]
        assert box["x"] == pytest.approx(stage["x"], abs=2)
    before = page.evaluate(PIXELS)
    page.locator("[name=Denoising]").fill("1")  # which starts the network
    until(page, COMPUTED)
    assert page.evaluate(PIXELS) != before
    assert "PSNR" in numbers(page)
    assert "#" not in page.url
    assert not page.complaints
    page.close()
