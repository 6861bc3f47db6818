"""Style transfer: style images, the objective, the network, the task."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from study import networks
from study.controls import FiLM, TunableConfig
from study.images import datasets
from study.images.datasets import MissingData
from study.measuring import reruns
from study.networks import StyleNetConfig
from study.tasks import StyleTransfer, perceptual, style
from study.tasks.style import Style, StyleLoss, chrominance, gram, total_variation
from tunable_photo.photos import PhotoError


def saved(path, height=80, width=70, mode="RGB"):
    channels = len(mode)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    Image.fromarray(pixels.squeeze(), mode).save(path)
    return path


@pytest.fixture
def own(tmp_path):
    """Two styles from a user's files."""
    return tuple(style.style(saved(tmp_path / f"{n}.png", 80 + i)) for i, n in enumerate("ab"))


@pytest.fixture
def images():
    """An output and the content image, [2, 3, 24, 20] in [0, 1]."""
    return torch.rand(2, 3, 24, 20), torch.rand(2, 3, 24, 20)


@pytest.fixture
def vgg(monkeypatch):
    """VGG-19 with random weights, and the list of the sizes of its inputs."""
    looked = []
    kernels = {
        f"{i}.{part}": torch.randn(2, 3, 3, 3) if part == "weight" else torch.zeros(2)
        for i, step in enumerate(perceptual.STEPS)
        if step.startswith("conv")
        for part in ("weight", "bias")
    }
    perceptual._kernels.cache_clear()
    monkeypatch.setattr(perceptual.weights, "load", lambda name: kernels)
    call = perceptual.VGG19.__call__

    def counted(self, x):
        looked.append(len(x))
        return call(self, x)

    monkeypatch.setattr(perceptual.VGG19, "__call__", counted)
    yield looked
    perceptual._kernels.cache_clear()


# Style images


def test_a_registered_style_is_known_without_its_file(store):
    known = datasets.describe("style")
    made = style.style("kandinsky")
    assert made.sha256 == known.files[known.ids.index("kandinsky")].sha256
    with pytest.raises(MissingData):
        made.image()


def test_an_embedded_photograph_serves_as_a_style(store):
    image = style.style("flower", size=128).image()
    assert image.shape == (3, 85, 128)
    assert image.min() >= 0
    assert image.max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_file_serves_as_a_style_and_its_config_holds_no_path(tmp_path, suffix):
    made = style.style(saved(tmp_path / f"my own, first{suffix}"), gram=3.0)
    assert made.name == "my-own-first"
    assert made.gram == 3.0
    assert str(tmp_path) not in repr(made)
    assert made.image().shape == (3, 384, 336)


def test_the_same_picture_is_the_same_style_wherever_it_lies(tmp_path):
    first = saved(tmp_path / "wave.png")
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "wave.png"
    copy.write_bytes(first.read_bytes())
    assert style.style(first) == style.style(copy)


def test_a_file_that_was_changed_since_is_not_taken_for_the_style(tmp_path):
    made = style.style(saved(tmp_path / "wave.png"))
    saved(tmp_path / "wave.png", height=90)
    with pytest.raises(MissingData, match=r"style 'wave' is not available \(open its file"):
        made.image()


@pytest.mark.parametrize(
    ("height", "mode", "fault"),
    [
        (63, "RGB", "is 70 x 63 pixels, less than 64 x 64"),
        (80, "L", "is grey, and a style needs colours"),
        (80, "RGBA", r"has alpha \(flatten it"),
        (63, "LA", "is 70 x 63 .* and is grey, .*, and has alpha"),
    ],
)
def test_an_unfit_style_image_is_refused_by_what_is_wrong(tmp_path, height, mode, fault):
    path = saved(tmp_path / "wave.png", height, mode=mode)
    with pytest.raises(ValueError, match=f"the style image .*wave.png {fault}"):
        style.style(path)


def test_a_missing_file_or_one_that_is_not_an_image_is_refused(tmp_path):
    (tmp_path / "notes.png").write_text("not an image")
    with pytest.raises(PhotoError, match=r"notes.png is not a PNG, JPEG, TIFF, WebP or BMP image"):
        style.style(tmp_path / "notes.png")
    with pytest.raises(PhotoError, match=r"none.png does not exist"):
        style.style(tmp_path / "none.png")
    with pytest.raises(ValueError, match=r"no style is called 'mosaik'.* mosaic;"):
        style.style("mosaik")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"gram": -1.0}, "gram must be finite and not negative; got -1"),
        ({"tv": float("nan")}, "tv must be finite"),
        ({"size": 32}, "size must be at least 64 pixels; got 32"),
        ({"name": "a,b"}, "a name has letters"),
    ],
)
def test_settings_that_make_no_objective_are_refused(settings, fault):
    with pytest.raises(ValueError, match=fault):
        Style(**{"name": "mosaic", "sha256": "", **settings})


# The objective


def test_the_gram_matrix_is_the_mean_of_products_of_channels(close):
    features = torch.rand(2, 3, 4, 5)
    expected = torch.einsum("bihw,bjhw->bij", features, features) / 60
    close(gram(features), expected)


def test_total_variation_is_the_mean_step_between_neighbours(close):
    ramp = torch.arange(5.0).expand(1, 3, 4, 5)
    close(total_variation(ramp), torch.tensor([1.0]))
    close(total_variation(ramp + 10 * torch.arange(4.0)[:, None]), torch.tensor([11.0]))


def test_chrominance_is_that_of_yuv_and_grey_has_none(close):
    grey = torch.rand(2, 1, 4, 4).expand(-1, 3, -1, -1)
    close(chrominance(grey), torch.zeros(2, 2, 4, 4))
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    close(chrominance(red).flatten(), torch.tensor([-0.147108, 0.614777]))


def test_the_parts_are_what_the_equation_says(own, images, close):
    output, clean = images
    loss = StyleLoss(own, "pixels")
    found = loss.parts(output, clean)
    for i, each in enumerate(own):
        target = gram(each.image()[None])[0]
        for b in range(2):
            away = torch.linalg.norm(gram(output)[b] - target) / torch.linalg.norm(target)
            close(found["gram"][b, i], away**2)
        power = each.image().square().mean()
        close(found["vgg"][:, i], (output - clean).square().mean((1, 2, 3)) / power)
    close(found["tv"][:, 0], total_variation(output))
    close(found["uv"][:, 0], (chrominance(output) - chrominance(clean)).square().mean((1, 2, 3)))


def test_each_dial_weighs_the_whole_objective_of_its_own_style(own, images, close):
    output, clean = images
    first, second = (
        dataclasses.replace(own[i], gram=1.0 + i, vgg=0.3, tv=0.2 * i, uv=2.0 - i) for i in (0, 1)
    )
    loss = StyleLoss([first, second], "pixels")
    parts = loss.parts(output, clean)
    one, two = (
        each.gram * parts["gram"][:, i]
        + each.vgg * parts["vgg"][:, i]
        + (each.tv * parts["tv"] + each.uv * parts["uv"])[:, 0]
        for i, each in enumerate((first, second))
    )
    total, means = loss(output, clean, clean, torch.tensor([0.25, 0.75]))
    close(total, (0.25 * one + 0.75 * two).mean())
    assert list(means) == ["style a", "style b"]
    close(torch.stack(list(means.values())), torch.stack([one.mean(), two.mean()]))


def test_the_style_image_itself_has_no_style_loss_and_the_content_no_other(own, close):
    loss = StyleLoss(own, "pixels")
    image = own[0].image()[None]
    found = loss.parts(image, image)
    close(found["gram"][:, 0], torch.zeros(1))
    assert found["gram"][0, 1] > 0
    close(found["vgg"], torch.zeros(1, 2))
    close(found["uv"], torch.zeros(1, 1))


def test_the_parts_do_not_depend_on_the_scale_of_the_network_that_looks(own, images, vgg, close):
    def parts():
        perceptual._kernels.cache_clear()
        return StyleLoss(own, "relu1_1").parts(*images)

    before = parts()
    for tensor in perceptual.weights.load("vgg19").values():
        tensor *= 10
    after = parts()
    for name in before:
        close(after[name], before[name])


def test_vgg_19_looks_once_at_each_image_whatever_the_number_of_styles(own, images, vgg):
    loss = StyleLoss(own, "relu1_1")
    loss(*images, images[1], torch.tensor([0.5, 0.5]))
    assert vgg == [1, 1, 2, 2]  # the styles, once for all; output and content
    loss(*images, images[1], torch.tensor([0.5, 0.5]))
    assert vgg == [1, 1, 2, 2, 2, 2]


def test_every_objective_lowers_itself_along_its_gradient(own, images, vgg):
    output, clean = images
    loss = StyleLoss(own, "relu1_1")
    for i, objective in enumerate(loss.objectives.values()):
        moved = output.clone().requires_grad_()
        before = objective(moved, clean, clean, torch.eye(2)[i]).sum()
        (slope,) = torch.autograd.grad(before, moved)
        after = objective(output - 1e-3 * slope / slope.norm(), clean, clean, torch.eye(2)[i]).sum()
        assert after < before


def test_without_the_weights_of_vgg_19_one_sentence_says_so(own, images, store):
    perceptual._kernels.cache_clear()
    with pytest.raises(MissingData, match="vgg19"):
        StyleLoss(own).parts(*images)


# The network


def network(channels=4, blocks=1):
    return StyleNetConfig(channels, blocks).build().eval()


@pytest.mark.parametrize("size", [(8, 8), (17, 22), (33, 9)])
def test_the_style_network_gives_an_image_of_the_same_size(size):
    assert network()(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_a_size_that_4_does_not_divide_is_reflected_and_cut_again(close):
    net, x = network(), torch.rand(1, 3, 18, 16)
    whole = torch.cat([x, x[:, :, -3:-1].flip(2)], 2)
    close(net(x), net(whole)[:, :, :18])


@pytest.mark.parametrize("margin", [1, 4])
def test_borders_are_those_of_torch_and_so_is_their_gradient(margin, close):
    x = torch.rand(2, 3, 9, 8, dtype=torch.double, requires_grad=True)
    ours = networks.style.reflected(x, margin)
    torchs = torch.nn.functional.pad(x, [margin] * 4, mode="reflect")
    assert torch.equal(ours, torchs)
    weights = torch.rand_like(ours)
    close(*(torch.autograd.grad((padded * weights).sum(), x)[0] for padded in (ours, torchs)))


def test_a_training_step_adds_nothing_in_an_order_that_varies_but_convolutions(own, vgg, config):
    transfer = StyleTransfer(own, "relu1_1")
    narrow = dataclasses.replace(config, task=transfer, network=StyleNetConfig(4, 1))
    assert reruns.unordered(narrow) == ["convolution"]


def test_a_smaller_image_is_refused():
    with pytest.raises(ValueError, match=r"images of 8 x 8 pixels or more; got \[1, 3, 7, 30\]"):
        network()(torch.rand(1, 3, 7, 30))


def test_the_paper_s_network_has_the_size_of_the_authors():
    net = StyleNetConfig().build()
    weights = [p for p in net.parameters() if p.ndim == 4]
    biases = sum(len(weight) for weight in weights)
    assert sum(weight.numel() for weight in weights) + biases == 8_772_163
    assert [len(part) for part in (net.down, net.body, net.up)] == [2, 6, 2]


def test_every_convolution_but_the_last_is_normalised_and_the_norms_are_not_tuned():
    control = TunableConfig().build(network(), 3)
    shared = [n for n, p in control.network.module.named_parameters() if n not in control.network.tuned]
    norms = [n for n, m in network().named_modules() if isinstance(m, torch.nn.InstanceNorm2d)]
    kernels = [n for n in control.network.tuned if n.endswith("weight")]
    assert len(norms) == len(kernels) - 1
    assert sorted(shared) == sorted(f"{n}.{part}" for n in norms for part in ("weight", "bias"))


def test_film_conditions_the_norms_for_any_scale_before_them_is_undone():
    control = FiLM(network(), p=3)
    norms = [n for n, m in network().named_modules() if isinstance(m, torch.nn.InstanceNorm2d)]
    assert list(control.widths) == [*norms, "tail"]
    torch.nn.init.normal_(control.conditioner[-1].weight)
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert not torch.allclose(control(x, [1.0, 0.0, 0.0]), control(x, [0.0, 1.0, 0.0]), atol=1e-3)


def painting(net, last):
    """The network with these three values as the output of its last layer, at every pixel."""
    torch.nn.init.zeros_(net.tail.weight)
    net.tail.bias.data = torch.tensor(last)
    return net


def around(bound=0.1):
    return StyleNetConfig(4, 1, around="colours", bound=bound).build()


def luma(x):
    return (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1)


def test_an_even_image_goes_around_a_network_that_paints_nothing(close):
    x = torch.rand(1, 3, 1, 1).expand(-1, -1, 17, 22)
    close(painting(around(), [0.0, 0.0, 0.0])(x), x)


def test_colours_go_around_a_network_that_paints_nothing_and_fine_structure_does_not(close):
    x = torch.rand(1, 3, 17, 22)
    y = painting(around(), [0.0, 0.0, 0.0])(x)
    close(chrominance(y), chrominance(x))
    assert luma(y).std() < 0.3 * luma(x).std()


def test_the_network_adds_to_the_grey_levels_that_go_around_it(close):
    x = torch.rand(1, 3, 17, 22)
    dark, light = (painting(around(), [v, 0.0, 0.0])(x) for v in (0.0, 0.8))
    close(luma(light) - luma(dark), torch.full((1, 17, 22), 0.2))


def test_no_weights_take_colours_that_go_around_further_than_the_bound():
    net = around(bound=0.03)
    torch.nn.init.normal_(net.tail.weight, std=100)
    x = torch.rand(1, 3, 16, 16)
    change = (chrominance(net(x)) - chrominance(x)).abs()
    assert change.max() <= 0.03 + 1e-4
    assert change.max() > 0.02


def test_smoothing_removes_a_period_of_two_pixels_and_keeps_an_even_image(close):
    smoothed = networks.style.smoothed
    even = torch.full((1, 2, 9, 8), 0.3)
    close(smoothed(even), even)
    checkerboard = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(1, 1, 4, 4)
    assert smoothed(checkerboard)[..., 1:-1, 1:-1].abs().max() < 1e-6
    assert smoothed(checkerboard).shape == checkerboard.shape


def test_a_network_that_smooths_has_the_weights_of_one_that_does_not():
    plain, smooth = (StyleNetConfig(4, 1, smooth=s).build() for s in (False, True))
    smooth.load_state_dict(plain.state_dict())
    x = torch.rand(1, 3, 16, 16)
    assert smooth(x).shape == x.shape
    assert not torch.allclose(smooth(x), plain(x), atol=1e-3)


def test_what_cannot_go_around_a_style_network_is_refused():
    with pytest.raises(ValueError, match=r"around must be .* got 'colors'; bound must lie in .* got 0"):
        StyleNetConfig(around="colors", bound=0)


def test_the_image_is_normalised_at_the_input_and_put_back_at_the_output(close):
    net = network()
    torch.nn.init.zeros_(net.tail.weight)
    torch.nn.init.zeros_(net.tail.bias)
    middle = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    close(net(torch.rand(1, 3, 16, 16)), middle.expand(1, 3, 16, 16))


# The task


def test_the_task_has_a_dial_for_each_style_and_keeps_the_content(own):
    task = StyleTransfer(own, "pixels")
    patches = torch.rand(2, 3, 16, 16)
    assert task.loss.p == 2
    assert task.pair(patches, torch.Generator())[:2] == (patches, patches)
    assert task.teachers == ()
    assert StyleTransfer(own).teachers == ("vgg19",)


def test_styles_that_share_a_name_or_are_none_are_refused(own):
    for styles in ((), (own[0], own[0])):
        with pytest.raises(ValueError, match="needs styles with different names"):
            StyleTransfer(styles)
    with pytest.raises(ValueError, match="VGG-19 has no layer"):
        StyleTransfer(own, "relu9_9")


def test_more_or_fewer_dials_than_styles_are_refused(own, images):
    loss = StyleTransfer(own, "pixels").loss
    for dials in ([1.0], [0.2, 0.3, 0.5]):
        with pytest.raises(ValueError, match=rf"omega must be \[2\].*got shape \[{len(dials)}\]"):
            loss(*images, images[1], torch.tensor(dials))
    control = TunableConfig().build(network(), 2)
    with pytest.raises(ValueError, match=r"omega must be \[2\]"):
        control(images[0], [0.2, 0.3, 0.5])
