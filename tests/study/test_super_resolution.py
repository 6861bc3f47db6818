"""Super-resolution from its pairs to its tables: task, network, controls, protocol, runs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from skimage.color import rgb2ycbcr

from study import configs, runs
from study.configs import super_resolution
from study.controls import (
    CFSNetConfig,
    DNIConfig,
    DyNetConfig,
    Fixed,
    FixedConfig,
    PixelBlend,
    TunableConfig,
)
from study.images import datasets
from study.images.artifacts import grey_pattern, grid_peak, luma
from study.images.resampling import low_resolution
from study.measuring import metrics
from study.measuring.image_sweep import FIVE
from study.measuring.protocols import SuperResolutionSweep
from study.measuring.sweep import measure, sweep
from study.networks.third_party import Published, SwinIRConfig
from study.tasks import SuperResolution
from tunable_core.omega import OmegaSampling
from tunable_photo.resampling import upscale
from tunable_photo.resnet import ResNetConfig

pytestmark = pytest.mark.filterwarnings("ignore:torch.meshgrid")
NETWORK = ResNetConfig(2, 4, scale=4)
CONTROLS = {
    "tunable": TunableConfig(),
    "dni": DNIConfig(),
    "dni-scratch": DNIConfig(fine_tune=None, scratch=0.5),
    "dynet": DyNetConfig(0.5),
    "cfsnet": CFSNetConfig(0.5),
    "fixed": FixedConfig(),
}


def built(name, seed=0):
    torch.manual_seed(seed)
    return CONTROLS[name].build(NETWORK.build(), 2).eval()


# Pairs


def test_a_patch_is_degraded_as_it_is_within_its_whole_image():
    image = torch.rand(1, 3, 64, 80)
    clean, small, levels = SuperResolution().pair(image[..., 16:56, 12:60], torch.Generator())
    assert levels is None
    assert torch.equal(clean, image[..., 24:48, 20:52])
    whole = low_resolution(image[..., :, 4:])  # the same grid: 20 - 4 is a multiple of 4
    torch.testing.assert_close(small, whole[..., 6:12, 4:12], rtol=0, atol=1e-6)


def test_a_network_of_another_scale_than_the_task_s_is_refused():
    clean = torch.rand(1, 3, 16, 16)
    with pytest.raises(ValueError, match=r"gives \[1, 3, 8, 8\] .*its scale does not match"):
        SuperResolution(vgg=0).loss(clean[..., :8, :8], clean, clean, torch.tensor([1.0, 0.0]))


# Networks


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("enlargement", ["shuffle", "balanced", "mean", "nearest"])
def test_the_resnet_enlarges_by_its_scale(scale, skip, enlargement):
    network = ResNetConfig(1, 4, image_skip=skip, scale=scale, enlargement=enlargement).build()
    assert network(torch.rand(2, 3, 9, 7)).shape == (2, 3, 9 * scale, 7 * scale)


def test_the_image_skip_adds_the_enlarged_image():
    network = ResNetConfig(1, 4, image_skip=True, scale=4).build()
    torch.nn.init.zeros_(network.tail.weight)
    flat = torch.full((1, 3, 8, 8), 0.3)
    torch.testing.assert_close(network(flat), torch.full((1, 3, 32, 32), 0.3))


@pytest.mark.parametrize("scale", [0, 3, -2])
def test_the_resnet_refuses_a_scale_that_is_no_power_of_2(scale):
    with pytest.raises(ValueError, match=f"scale must be 1 or a power of 2.*got {scale}"):
        ResNetConfig(1, 4, scale=scale).build()


def test_the_resnet_refuses_an_enlargement_that_there_is_not():
    with pytest.raises(ValueError, match=r"enlargement must be one of shuffle, .*; got 'icnr'"):
        ResNetConfig(1, 4, scale=2, enlargement="icnr").build()


@pytest.mark.parametrize("enlargement", ["balanced", "mean", "nearest"])
def test_no_kernels_of_a_tunable_network_can_draw_a_grid_on_grey(enlargement):
    network = ResNetConfig(1, 8, scale=4, enlargement=enlargement).build()
    torch.nn.init.normal_(network.tail.weight)
    tunable = TunableConfig().build(network, 2).eval()
    for omega in ((1.0, 0.0), (0.3, 0.7)):
        assert grey_pattern(lambda x, omega=omega: tunable(x, omega)) < 0.001


@pytest.mark.parametrize("upsampler", ["nearest+conv", "balanced"])
def test_two_forms_of_swinir_draw_no_grid_on_grey(upsampler):
    network = SwinIRConfig(12, (2,), 2, 4, scale=4, upsampler=upsampler).build().eval()
    assert network(torch.rand(1, 3, 8, 12)).shape == (1, 3, 32, 48)
    shuffling = SwinIRConfig(12, (2,), 2, 4, scale=4, upsampler="pixelshuffledirect").build().eval()
    assert grey_pattern(network, side=64) < 0.01
    assert grey_pattern(shuffling, side=64) > 0.1


@pytest.mark.parametrize(
    ("scale", "upsampler"),
    [(2, "nearest+conv"), (5, "pixelshuffle"), (4, ""), (4, "bilinear"), (1, "shuffle")],
)
def test_swinir_refuses_a_scale_or_upsampler_that_there_is_not(scale, upsampler):
    with pytest.raises(ValueError, match=re.escape(f"got {scale} with '{upsampler}'")):
        SwinIRConfig(scale=scale, upsampler=upsampler)


# Controls


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_enlarges_and_answers_many_dials_as_one_by_one(name, close):
    control, x = built(name), torch.rand(1, 3, 8, 9)
    omegas = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    with torch.no_grad():
        together = control.outputs(x, omegas)
        for omega, output in zip(omegas, together, strict=True):
            assert output.shape == (1, 3, 32, 36)
            close(output, control(x, omega))


@pytest.mark.parametrize("name", ["dni-scratch", "dynet", "cfsnet"])
def test_the_second_training_may_be_shorter_than_the_first(name):
    assert [stage.share for stage in built(name).stages()] == [1.0, 0.5]


def test_a_pixel_blend_has_the_control_s_own_ends_and_their_mean_in_between(close):
    control, x = built("dni-scratch"), torch.rand(2, 3, 8, 8)
    blend = PixelBlend(control)
    with torch.no_grad():
        first, last = control(x, (1.0, 0.0)), control(x, (0.0, 1.0))
        assert not torch.equal(first, last)
        close(blend(x, (1.0, 0.0)), first)
        close(blend(x, (0.0, 1.0)), last)
        close(blend(x, (0.25, 0.75)), 0.25 * first + 0.75 * last)
        close(blend(x, (0.5, 0.5)), blend(x, (1.0, 1.0)))  # shares
    with pytest.raises(ValueError, match="positive sum; got omega = 0"):
        blend(x, (0.0, 0.0))


def test_a_fixed_network_takes_no_notice_of_its_dials():
    control, x = built("fixed"), torch.rand(1, 3, 8, 8)
    assert isinstance(control, Fixed)
    with torch.no_grad():
        outputs = control.outputs(x, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        assert all(torch.equal(output, control.network(x)) for output in outputs)


# What is measured


def test_luma_is_that_of_the_standard(close):
    image = torch.rand(2, 3, 5, 6, dtype=torch.float64)
    expected = torch.from_numpy(rgb2ycbcr(image.numpy(), channel_axis=1))[:, :1] / 255
    torch.testing.assert_close(luma(image), expected.expand(-1, 3, -1, -1))


@pytest.fixture
def odd(monkeypatch):
    """A set of one image of 39 x 50 pixels, which 4 does not divide."""
    image = torch.randint(256, (3, 39, 50), dtype=torch.uint8)

    class Set(dict):
        ids = ("odd",)

    monkeypatch.setattr(datasets, "load", lambda name: Set(odd=image))
    return image.float() / 255


def test_sides_that_4_does_not_divide_are_cut(odd):
    (case,) = SuperResolutionSweep("odd").cases()
    assert torch.equal(case.clean, odd[:, :36, :48])
    assert torch.equal(case.degraded, low_resolution(odd[None, :, :36, :48])[0])


def test_the_sweep_leaves_out_a_border_of_the_scale_and_rounds_for_luma(odd, close):
    what = SuperResolutionSweep("odd", perceptual=False, luma=True)
    (case,) = what.cases()
    output = upscale(case.degraded[None]) + 0.001
    row = what.row(case, (1.0, 0.0), output)
    inner = (..., slice(4, -4), slice(4, -4))
    clean = case.clean[None]
    close(row["psnr"], metrics.psnr(output[inner], clean[inner]))
    rounded = (output.clamp(0, 1) * 255).round() / 255
    y, y_clean = luma(rounded)[inner], luma(clean)[inner]
    close(row["psnr_y"], metrics.psnr(y, y_clean))
    close(row["ssim_y"], metrics.ssim(y, y_clean))
    assert set(row) == {"psnr", "psnr_y", "ssim_y"}


@pytest.mark.usefixtures("store")
def test_a_sweep_of_super_resolution_is_kept_and_needs_no_weights():
    what = SuperResolutionSweep("samples-test", crop=32, every=3, omegas=((1.0, 0.0),))
    with pytest.warns(UserWarning, match="LPIPS and NIQE"):
        frame = sweep(built("fixed"), what, progress=False)
    assert list(frame) == ["image", "omega_1", "omega_2", "psnr"]


# Published networks


@pytest.fixture
def published(tmp_path):
    """The file of a small SwinIR x4 in the format of its authors' code, and the network."""
    network = SwinIRConfig(12, (2,), 2, 8, scale=4, upsampler="pixelshuffledirect").build().eval()
    path = tmp_path / "swinir.safetensors"
    safetensors.torch.save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    return path, network


def test_any_network_that_spandrel_loads_is_measured_by_one_line(published, close):
    path, network = published
    what = SuperResolutionSweep("samples-test", crop=64, omegas=((1.0, 0.0),), perceptual=False)
    found = measure(Fixed(Published(path)), what, progress=False)
    expected = measure(Fixed(network), what, progress=False)
    assert found["psnr"].tolist() == pytest.approx(expected["psnr"].tolist(), abs=1e-3)


def test_a_published_network_of_another_scale_is_refused(published):
    with pytest.raises(ValueError, match=r"swinir.safetensors holds a SwinIR of scale 4, not 2"):
        Published(published[0], scale=2)


def test_a_file_that_is_no_network_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="holds no network that spandrel supports"):
        Published(path)


# The runs


@pytest.mark.parametrize("name", super_resolution.SIZES)
def test_the_runs_of_table_4_may_stand_in_one_table(name):
    budget = configs.profile(name)
    wanted = [super_resolution.resnet(method, budget) for method in super_resolution.METHODS]
    assert len({config.network for config in wanted}) == 1
    assert len({config.task for config in wanted}) == 1
    assert len({replace(c.training, fidelity_first=0) for c in wanted}) == 1


@pytest.mark.parametrize("name", super_resolution.SIZES)
def test_the_fixed_baseline_meets_no_adversary_and_needs_no_vgg(name):
    budget = configs.profile(name)
    tunable, fixed = (super_resolution.swinir(method, budget) for method in ("tunable", "fixed"))
    assert fixed.task == replace(tunable.task, vgg=0.0, features=())
    assert fixed.training == replace(tunable.training, fidelity_first=0)
    assert fixed.network == tunable.network


def test_the_paper_s_sizes_are_its_own():
    size = super_resolution.SIZES["paper"]
    assert (size.resnet.blocks, size.resnet.channels) == (16, 64)
    assert size.training.patch - 16 == 4 * 48
    assert size.task == SuperResolution()
    assert size.training.omega == OmegaSampling()


MAKERS = ("smooth", "printed", "swinir")


@pytest.mark.parametrize("make", [getattr(super_resolution, name) for name in MAKERS])
def test_an_unknown_method_is_refused_with_the_names_there_are(make):
    with pytest.raises(ValueError, match=r"method must be one of tunable, .*; got 'srgan'"):
        make("srgan", configs.profile("smoke"))


@pytest.mark.usefixtures("store")
def test_smoke_works_without_vgg_and_the_other_budgets_require_it():
    assert super_resolution.task(configs.profile("smoke")).vgg == 0
    assert super_resolution.task(configs.profile("laptop")).vgg == 1
    config = super_resolution.resnet("tunable", configs.profile("smoke"))
    assert runs.get(config, progress=False).history["discriminator"].notna().any()


@pytest.mark.parametrize("name", super_resolution.SIZES)
def test_the_smooth_recipe_draws_no_grid_and_has_not_seen_a_test_image(name):
    budget = configs.profile(name)
    made = {m: super_resolution.smooth(m, budget, seed=1) for m in super_resolution.METHODS}
    tunable, *rivals = made.values()
    assert tunable.network.enlargement == "balanced"
    assert tunable.task.chroma > 0
    assert "302003" not in datasets.describe(tunable.data).ids
    for rival in rivals:
        assert tunable.training == replace(rival.training, fidelity_first=rival.training.steps)
        second = sum(stage.steps(1000) for stage in rival.build().stages()[1:])
        assert second in (25, 50) or name == "smoke"
        assert (tunable.network, tunable.task, tunable.data) == (rival.network, rival.task, rival.data)
    assert tunable.training.seed == 1
    for config in made.values():
        replace(config, network=replace(config.network, blocks=2, channels=4)).build()


@pytest.mark.parametrize(("name", "recipe"), [("laptop", "smooth"), ("paper", "printed")])
def test_the_paper_s_budget_has_the_paper_s_recipe(name, recipe):
    budget = configs.profile(name)
    for method in super_resolution.METHODS:
        made = super_resolution.resnet(method, budget)
        assert made == getattr(super_resolution, recipe)(method, budget)


@pytest.fixture(scope="module", params=["smooth", "swinir"])
def released(request):
    """A released tunable network: the ResNet or SwinIR."""
    config = getattr(super_resolution, request.param)("tunable", configs.profile("laptop"))
    if runs.find(config, weights=True) is None:
        pytest.skip("the released network is not in the store")
    return runs.get(config, progress=False).control


@pytest.mark.parametrize("omega", FIVE)
def test_the_released_network_draws_no_pattern_on_grey(released, omega):
    assert grey_pattern(lambda x: released(x, omega)) < 0.1


@pytest.mark.parametrize("omega", FIVE)
def test_the_released_network_draws_no_grid_on_photographs(released, omega):
    images = datasets.load("samples-test")
    squares = torch.stack([images[name][:, 20:276, 100:356] for name in ("astronaut", "chelsea")])
    with torch.no_grad():
        output = released(low_resolution(squares.float() / 255), omega).clamp(0, 1)
    assert grid_peak(output).mean() < 3
