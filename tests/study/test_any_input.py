"""Any input gives a finite result of the documented shape, or one sentence (property-based)."""

from __future__ import annotations

import math
import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from study.controls import Blend, CFSNetConfig, DNIConfig, DyNetConfig, FiLMConfig, TunableConfig
from study.images.degradations import blur_then_noise, gaussian_noise
from study.measuring import metrics
from study.tasks.joint import Joint
from study.training import Training
from tunable_core import MultiLoss, NoisePreservation, OmegaSampling, Tunable, reconstruction
from tunable_core.live import Live
from tunable_core.omega import as_omega
from tunable_photo.resnet import ResNetConfig
from tunable_photo.tiling import tiled

EXPECTED = (ValueError, TypeError)
"""What bad input may raise; anything else is an internal error and fails the test."""
DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.uint8,
    torch.int64,
    torch.bool,
    torch.complex64,
)
settings.register_profile(
    "any input",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
any_input = settings.get_profile("any input")


@st.composite
def tensors(draw, image: bool = False):
    """Tensors of any shape, type, layout and content; images are [B, 3, H, W] more often than not."""
    right = st.tuples(
        st.integers(0, 3),
        st.just(3),
        st.sampled_from([1, 2, 3, 7, 8, 24]),
        st.sampled_from([1, 5, 8, 31]),
    )
    wrong = st.lists(st.integers(0, 5), max_size=5)
    shape = draw(st.one_of(right, right, right, wrong) if image else wrong)
    dtype = draw(st.sampled_from([torch.float32] * 6 + list(DTYPES)))
    content = draw(
        st.sampled_from(["photo"] * 5 + ["zeros", "bytes", "NaN", "infinity", "huge", "negative"])
    )
    value = torch.rand(tuple(shape), generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    if content == "zeros":
        value = torch.zeros_like(value)
    elif content == "bytes":
        value = (255 * value).round()
    elif content == "huge":
        value = value * 3e38
    elif content == "negative":
        value = -value
    elif value.numel() and content in ("NaN", "infinity"):
        value.view(-1)[-1] = math.nan if content == "NaN" else math.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NaN to an integer
        value = value.to(dtype)
    layout = draw(st.sampled_from(["contiguous", "channels_last", "transposed", "strided"]))
    if value.ndim == 4:
        if layout == "channels_last":
            value = value.contiguous(memory_format=torch.channels_last)
        elif layout == "transposed":
            value = value.transpose(2, 3)
        elif layout == "strided":
            value = value.repeat_interleave(2, 3)[..., ::2]
    return value


numbers = st.one_of(
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(),
    st.integers(-3, 3),
    st.none(),
    st.text(max_size=2),
)
omegas = st.one_of(
    st.lists(st.floats(0, 1), min_size=2, max_size=2),
    st.lists(numbers, max_size=4),
    st.lists(st.lists(numbers, max_size=3), max_size=3),
    tensors(),
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)),
    st.none(),
    st.text(max_size=3),
)
CONTROLS = {
    "tunable": TunableConfig().build(ResNetConfig(1, 4).build(), p=2),
    "dni": DNIConfig().build(ResNetConfig(1, 4).build(), p=2),
    "dynet": DyNetConfig().build(ResNetConfig(2, 4).build(), p=2),
    "cfsnet": CFSNetConfig().build(ResNetConfig(2, 4).build(), p=2),
    "film": FiLMConfig(8).build(ResNetConfig(1, 4).build(), p=2),
    "blend": Blend(ResNetConfig(1, 4).build()),
}
for control in CONTROLS.values():
    control.eval().requires_grad_(False)


def answer(call, *arguments, **options):
    """The result, or None where the input was refused in one sentence."""
    try:
        return call(*arguments, **options)
    except EXPECTED as error:
        said = str(error)
    assert said, "an error without a sentence"
    assert "\n" not in said, said
    return None


@pytest.mark.parametrize("name", CONTROLS)
@any_input
@given(x=tensors(image=True), omega=omegas)
def test_a_control_answers_with_an_image_or_a_sentence(name, x, omega):
    output = answer(CONTROLS[name], x, omega)
    if output is not None:
        assert output.shape == x.shape
        assert output.isfinite().all()


@any_input
@given(x=tensors(image=True), omega=st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_nothing_but_the_image_decides_at_good_dials(x, omega):
    """A well-formed batch is never refused."""
    good = x.ndim == 4 and x.shape[1] == 3 and x.dtype == torch.float32
    output = answer(CONTROLS["tunable"], x, omega)
    if good and x.isfinite().all() and (not x.numel() or x.abs().max() <= 1):
        assert output is not None


@any_input
@given(omega=omegas, p=st.integers(1, 4))
def test_omega_is_a_finite_tensor_of_p_dials_or_a_sentence(omega, p):
    checked = answer(as_omega, omega, p)
    if checked is not None:
        assert checked.is_floating_point()
        assert checked.shape[-1] == p
        assert ((checked >= 0) & (checked <= 1)).all()


@any_input
@given(omega=omegas)
def test_live_and_at_take_what_as_omega_takes(omega):
    model = Tunable(nn.Conv2d(3, 2, 3), p=2)
    one = answer(as_omega, omega, 2)
    plain = answer(model.at, omega)
    live = answer(Live(model.eval()).tune, omega)
    assert (plain is not None) == (one is not None and one.ndim == 1)
    assert (live is not None) == (plain is not None)


@any_input
@given(x=tensors(image=True), y=tensors(image=True), alike=st.booleans(), crop=st.integers(-1, 20))
def test_a_metric_is_one_number_per_image_or_a_sentence(x, y, alike, crop):
    if alike and x.numel() and not x.is_complex():
        y = (x.float() * 0.9).to(x.dtype)
    calls = {
        metrics.psnr: ((x, y), {"crop": crop}),
        metrics.ssim: ((x, y), {"crop": crop}),
        metrics.kept_fraction: ((x, y, y), {}),
        metrics.detail_gain: ((x, y), {}),
    }
    for metric, (images, options) in calls.items():
        values = answer(metric, *images, **options)
        if values is not None:
            assert values.shape == (len(x),)
            assert not values.isnan().any()


@any_input
@given(x=tensors(image=True), sigma=numbers, rho=numbers)
def test_a_degradation_is_of_the_images_shape_or_a_sentence(x, sigma, rho):
    for call in (
        lambda: gaussian_noise(x, sigma, torch.Generator().manual_seed(0)),
        lambda: blur_then_noise(x, rho, sigma, torch.Generator().manual_seed(0)),
    ):
        z = answer(call)
        if z is not None:
            assert z.shape == x.shape
            assert z.isfinite().all()


@any_input
@given(x=tensors(image=True), omega=omegas)
def test_a_loss_is_a_finite_number_or_a_sentence(x, omega):
    joint = Joint()
    for losses in (
        {"fidelity": reconstruction, "noise": NoisePreservation("eq9")},
        {"noise": joint.noise, "blur": joint.blur},
    ):
        dials = answer(as_omega, omega, 2)
        if dials is None or x.ndim != 4 or not x.is_floating_point() or not x.numel():
            return
        if dials.ndim == 2 and len(dials) != len(x):
            return
        found = answer(MultiLoss(losses), x, x, x, dials)
        if found is not None and x.isfinite().all() and x.abs().max() <= 1:
            assert found[0].isfinite()


@any_input
@given(x=tensors(image=True), tile=st.integers(-2, 40), overlap=st.one_of(st.none(), st.integers(-2, 9)))
def test_tiles_make_the_whole_image_or_a_sentence(x, tile, overlap):
    output = answer(
        tiled, lambda piece: piece, x, tile, 0 if overlap is None else overlap, progress=False
    )
    if output is not None:
        assert torch.equal(output.nan_to_num(), x.nan_to_num())


@any_input
@given(
    kind=st.sampled_from(["uniform", "simplex", "annealed", "triangle"]),
    corners=st.lists(st.floats(), max_size=3).map(tuple),
    groups=st.integers(-1, 4),
    p=st.integers(1, 3),
)
def test_sampled_omegas_are_dials_or_a_sentence(kind, corners, groups, p):
    sampling = answer(OmegaSampling, kind, corners, groups)
    drawn = sampling and answer(sampling.draw, p, torch.Generator().manual_seed(0))
    if drawn is not None:
        assert drawn.shape == (groups, p)
        assert ((drawn >= 0) & (drawn <= 1)).all()


@any_input
@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "steps": st.integers(-1, 5),
            "batch": st.integers(-1, 5),
            "patch": st.integers(-1, 20),
            "lr": st.floats(),
            "clip": st.floats(),
            "ema": st.floats(),
            "weight_decay": st.floats(),
            "warmup": st.integers(-2, 5),
            "precision": st.text(max_size=4),
        },
    )
)
def test_settings_of_a_training_are_good_or_refused(fields):
    made = answer(Training, **fields)
    if made is not None:
        assert made.steps >= 1
        assert 0 < made.lr < math.inf
        assert 0 <= made.ema < 1
        assert made.weight_decay >= 0
