"""The interface of all control methods, and the properties of each."""

import copy
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
from torch import nn

from study import controls
from study.configs import METHODS as METHODS_OF_THE_STUDY
from study.controls import (
    DNI,
    Apart,
    Blend,
    CFSNet,
    CFSNetConfig,
    Control,
    CResMD,
    CResMDConfig,
    DNIConfig,
    DyNet,
    DyNetConfig,
    FiLM,
    FiLMConfig,
    LowRank,
    LowRankConfig,
    Stage,
    Transport,
    TunableConfig,
    TunableControl,
    complexity,
    transport,
)
from study.controls.base import check_stages
from study.controls.tunable import part
from study.disk.tensors import load_tensors, save_tensors
from study.measuring import metrics
from study.measuring.distributions import patch_distance
from study.runs import RunConfig
from study.tasks import Denoising, Pair
from study.training import Training, loop, train
from tunable_core import Tunable
from tunable_core.objectives import noise_target
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNet, ResNetConfig

OMEGAS = [[0.2, 0.9], [1.0, 0.0], [0.2, 0.9]]


class InTurns(TunableControl):
    """A tunable network whose layers train first and whose phi trains after them."""

    def stages(self):
        parts = "module", "phi"
        return [Stage(part, (f"network.{part}.",)) for part in parts]


CONFIGS = {
    name.removesuffix("Config").lower(): config
    for name, config in vars(controls).items()
    if name.endswith("Config") and config is not controls.FixedConfig  # its dials do nothing
}
"""The config of every control method of the library, which its folder lists."""
BACKBONE = ResNetConfig(2, 4)


def smallest(config):
    """Build the control of a config around a small network."""
    return config.build(BACKBONE.build(), p=2)


def fitted():
    """A transport that is fitted to images, so that its dial has an effect."""
    control = smallest(controls.TransportConfig(4))
    control.fit([(torch.rand(2, 3, 12, 12), 0.5 * torch.rand(2, 3, 12, 12))])
    return control


METHODS = {
    **{name: partial(smallest, config()) for name, config in CONFIGS.items()},
    "transport": fitted,
    "tunable, se": partial(smallest, TunableConfig("se", 3)),
    "in turns": lambda: InTurns(BACKBONE.build(), p=2),
    "dni, scratch": partial(smallest, DNIConfig(None)),
    "dni, mixed": partial(smallest, DNIConfig(own=0.85)),
    "low rank, 16": partial(smallest, LowRankConfig(16)),
    "low rank, twice": partial(smallest, LowRankConfig(4, second=Apart(0.5, (0.5, 0.3)))),
    "dni, mixed later": partial(smallest, DNIConfig(own=0.85, mixed=0.5)),
    "film, 8 hidden": partial(smallest, FiLMConfig(8)),
    "cresmd, own": partial(smallest, CResMDConfig("own")),
}
"""A function that builds each method, to be held to the contract."""


def has_plain(control):
    """Whether the method says that at(omega) gives a plain network."""
    return type(control).at is not Control.at


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


@pytest.fixture
def control(method):
    return perturbed(method())


@pytest.fixture
def x():
    return torch.rand(3, 3, 8, 8)


class Telling(Denoising):
    """Denoising that says, of two dials, how strongly each sample was degraded."""

    def pair(self, patches, generator):
        clean, degraded, _ = super().pair(patches, generator)
        return Pair(clean, degraded, torch.rand(len(patches), 2, generator=generator))


def perturbed(control):
    """The control as if trained: no two networks alike, no weight at its initial value."""
    with torch.no_grad():
        for parameter in control.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return control


# The contract


def test_an_image_of_another_type_or_device_is_refused(control, x):
    with pytest.raises(ValueError, match=r"the image is torch\.float64 and the network torch\.float32"):
        control(x.double(), [0.5, 0.5])
    with pytest.raises(ValueError, match=r"the image is on meta and the network on cpu"):
        control.train()(x.to("meta"), [0.5, 0.5])


def test_an_output_has_the_shape_of_its_input(control, x):
    for omega in ([0.3, 0.8], OMEGAS):
        output = control(x, omega)
        assert output.shape == x.shape
        assert output.dtype == x.dtype


def test_the_dials_turn_the_output(control, x):
    assert not torch.allclose(control(x, [1.0, 0.0]), control(x, [0.0, 1.0]))


def test_an_omega_per_sample_equals_a_loop_over_the_samples(control, x, close):
    together = control(x, OMEGAS)
    for i, omega in enumerate(OMEGAS):
        close(together[i : i + 1], control(x[i : i + 1], omega))


def test_no_image_is_an_empty_batch(control, x):
    assert control(x[:0], torch.rand(0, 2)).shape == (0, 3, 8, 8)


def test_outputs_for_many_omegas_equal_a_loop_over_the_omegas(control, x, close):
    together = control.outputs(x, torch.tensor(OMEGAS))
    for output, omega in zip(together, OMEGAS, strict=True):
        close(output, control(x, omega))


def test_threads_at_other_dials_get_their_own_outputs(control, x, close):
    with torch.no_grad():
        expected = [control(x, omega) for omega in OMEGAS[:2]]
    work = torch.no_grad()(lambda turn: control(x, OMEGAS[turn % 2]))
    with ThreadPoolExecutor(4) as threads:
        for turn, output in enumerate(threads.map(work, range(40))):
            close(output, expected[turn % 2])


def test_at_equals_forward(control, x, close):
    for omega in ([0.0, 1.0], [0.3, 0.8]):
        if has_plain(control):
            close(control.at(omega)(x), control(x, omega))
        else:
            assert torch.equal(control.at(omega)(x), control(x, omega))


def test_at_is_the_ordinary_network_again(control):
    if has_plain(control):
        plain, network = control.at([0.3, 0.8]), BACKBONE.build()
        assert [type(m) for m in plain.modules()] == [type(m) for m in network.modules()]
        shapes = [[(n, p.shape) for n, p in m.named_parameters()] for m in (plain, network)]
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("omega", "message"),
    [
        ([0.5], r"must be \[2\] or \[B, 2\]"),
        ([0.5, 1.3], "got 1.3 in position 2"),
        ([0.5, float("nan")], "finite numbers"),
        ([[0.5, 0.5]] * 2, "one row per sample; got 2 for 3"),
    ],
)
def test_a_bad_omega_is_refused(control, x, omega, message):
    with pytest.raises(ValueError, match=message):
        control(x, omega)


@pytest.mark.parametrize("omegas", [[[0.5]], [[0.5, 1.3]], [[0.5, float("nan")]]])
def test_bad_omegas_are_refused_also_many_at_a_time(control, x, omegas):
    with pytest.raises(ValueError, match="omega must"):
        control.outputs(x, torch.tensor(omegas))


BAD_IMAGES = {
    "one image": (torch.rand(3, 8, 8), r"must be .*\[B, 3, H, W\]; got torch\.float32 \[3, 8, 8\]"),
    "grey": (torch.rand(2, 1, 8, 8), r"got torch\.float32 \[2, 1, 8, 8\]"),
    "bytes": (torch.ones(2, 3, 8, 8, dtype=torch.uint8), r"got torch\.uint8 .*x\.float\(\) / 255"),
    "0 to 255": (torch.full((2, 3, 8, 8), 255.0), r"must be in \[0, 1\], plus noise; .* reaches 255"),
    "NaN": (torch.full((2, 3, 8, 8), float("nan")), "this one reaches nan"),
}


@pytest.mark.parametrize("bad", BAD_IMAGES)
def test_a_bad_image_is_refused(control, bad):
    x, message = BAD_IMAGES[bad]
    with pytest.raises(ValueError, match=message):
        control.eval()(x, [0.5, 0.5])
    with pytest.raises(ValueError, match=message):
        control.eval().outputs(x, torch.tensor(OMEGAS))


def test_an_image_with_noise_beyond_the_range_is_taken(control, x):
    assert control.eval()(x + 0.5 * torch.randn_like(x), [0.5, 0.5]).isfinite().all()


@pytest.mark.parametrize("omega", [[0.5], [0.5, 1.3], [[0.5, 0.5], [0.2, 0.8]]])
def test_at_refuses_what_is_not_one_omega(control, omega):
    with pytest.raises(ValueError, match="omega"):
        control.at(omega)


def test_extrapolate_lifts_the_range(control, x):
    assert control(x, [0.5, 1.3], extrapolate=True).isfinite().all()


def test_outputs_beyond_the_range_equal_a_loop_over_the_omegas(control, x, close):
    beyond = [[0.25, 0.75], [-0.25, 1.25]]
    together = control.outputs(x, torch.tensor(beyond), extrapolate=True)
    for output, omega in zip(together, beyond, strict=True):
        close(output, control(x, omega, extrapolate=True))


def test_stages_train_every_parameter_once(control):
    check_stages(control)


def test_a_stage_changes_its_own_parameters_alone(control, images, monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    states = []

    def remember(history):
        weights = {n: p.detach().clone() for n, p in control.named_parameters()}
        states.append((history["stage"].iloc[-1], weights))

    settings = Training(steps=3, batch=2, patch=8, omega=OmegaSampling(groups=2))
    train(control, Telling(), images, settings, progress=False, on_log=remember)
    stages = control.stages()
    assert {stage for stage, _ in states} == set(range(len(stages)))
    for (before, old), (stage, new) in itertools.pairwise(states):
        if before == stage:
            changed = {name for name in new if not torch.equal(new[name], old[name])}
            assert changed == {name for name in new if name.startswith(stages[stage].parameters)}


def test_weights_come_back_from_disk(method, control, x, tmp_path):
    other = perturbed(method())
    assert not torch.equal(other(x, OMEGAS), control(x, OMEGAS))
    save_tensors(tmp_path / "weights", control.state_dict())
    other.load_state_dict(load_tensors(tmp_path / "weights")[0])
    assert torch.equal(other(x, OMEGAS), control(x, OMEGAS))


def test_a_copy_is_equal_and_independent(control, x):
    other, before = copy.deepcopy(control), control(x, OMEGAS)
    assert torch.equal(other(x, OMEGAS), before)
    perturbed(other)
    assert torch.equal(control(x, OMEGAS), before)


# Each method


def test_the_tunable_config_chooses_phi_and_kernels():
    control = TunableConfig(phi="se", kernels=5).build(ResNetConfig(1, 4).build(), p=2)
    assert control.network.phi(torch.tensor([0.5, 0.5])).shape == (4, 5)


def test_dni_at_a_corner_is_that_corners_network(x, close):
    control = perturbed(DNI(ResNetConfig(1, 4).build(), p=3))
    for i, corner in enumerate(torch.eye(3)):
        close(control(x, corner), control.networks[i](x))


def test_dni_halfway_has_the_averaged_weights(x, close):
    control = perturbed(DNI(ResNetConfig(1, 4).build(), p=2))
    average = copy.deepcopy(control.networks[0])
    first, second = (dict(network.named_parameters()) for network in control.networks)
    for name, parameter in average.named_parameters():
        parameter.data = (first[name] + second[name]) / 2
    close(control(x, [0.5, 0.5]), average(x))


def test_dni_starts_fine_tuning_from_the_first_network():
    control = perturbed(DNI(nn.Linear(3, 3), p=3))
    for stage in control.stages()[1:]:
        stage.start()
    first, *others = (network.state_dict() for network in control.networks)
    assert all(torch.equal(other[name], first[name]) for other in others for name in first)


def test_dni_from_scratch_starts_from_networks_of_its_own(x, close):
    control = DNIConfig(fine_tune=None).build(ResNet(1, 4), p=3)
    stages = control.stages()
    for stage in stages:
        stage.start()
    assert [stage.share for stage in stages] == [1, 1, 1]
    first, *others = (network.head.weight for network in control.networks)
    for other in others:
        assert not torch.equal(other, first)
        close(other.flatten().sort().values, first.flatten().sort().values)  # drawn by the same law


def test_dni_with_a_mixed_basis_may_begin_with_fidelity():
    stages = DNIConfig(fine_tune=0.1, own=0.85, mixed=0.2).build(nn.Linear(3, 3), p=2).stages()
    assert [stage.steps(1000) for stage in stages] == [1000, 200, 100]
    assert [stage.continues for stage in stages] == [False, True, False]
    assert stages[0].omega == (1.0, 0.0)
    assert stages[1].omega == pytest.approx((0.85, 0.15))
    assert stages[2].omega == pytest.approx((0.15, 0.85))


def test_dni_trains_each_network_at_its_own_corner():
    stages = DNIConfig(fine_tune=0.25).build(nn.Linear(3, 3), p=3).stages()
    assert [stage.omega for stage in stages] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert [stage.share for stage in stages] == [1, 0.25, 0.25]


def test_a_mixed_basis_is_trained_at_its_mixtures():
    stages = DNIConfig(own=0.7).build(nn.Linear(3, 3), p=3).stages()
    expected = [(0.7, 0.15, 0.15), (0.15, 0.7, 0.15), (0.15, 0.15, 0.7)]
    for stage, mixture in zip(stages, expected, strict=True):
        assert stage.omega == pytest.approx(mixture)


def test_a_mixed_basis_is_each_network_where_that_was_trained(x):
    control = perturbed(DNI(ResNetConfig(1, 4).build(), p=2, own=0.85))
    for network, stage in zip(control.networks, control.stages(), strict=True):
        assert torch.equal(control(x, stage.omega), network(x))


def test_a_mixed_basis_is_extrapolated_to_the_corners(x, close):
    control = perturbed(DNI(ResNetConfig(1, 4).build(), p=2, own=0.75))
    first, second = (dict(network.named_parameters()) for network in control.networks)
    corner = copy.deepcopy(control.networks[0])
    for name, parameter in corner.named_parameters():
        parameter.data = 1.5 * first[name] - 0.5 * second[name]  # 0.25 / 0.5 beyond the first
    close(control(x, [1.0, 0.0]), corner(x))


def test_a_mixed_basis_needs_networks_that_differ():
    with pytest.raises(ValueError, match=r"own must be more than 1 / p = 0.5, .* got 0.5"):
        DNIConfig(own=0.5).build(nn.Linear(3, 3), p=2)


@pytest.fixture(params=[DyNet, CFSNet])
def branched(request):
    """A control made of a main and a tuning branch, as if trained."""
    return perturbed(request.param(ResNet(6, 4)))


def test_a_branched_control_at_alpha_0_is_the_main_network(branched, x):
    assert len(branched.main.body) == 3
    assert torch.equal(branched(x, [1.0, 0.0]), branched.main(x))
    assert not torch.allclose(branched(x, [0.0, 1.0]), branched.main(x))


def test_a_branched_control_comes_near_the_main_network_as_alpha_falls(branched, x):
    gaps = [(branched(x, [0.0, a]) - branched.main(x)).abs().max().item() for a in (0.1, 0.01, 1e-3)]
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2] > 0


def test_a_branched_control_takes_no_notice_of_the_first_dial(branched, x):
    assert torch.equal(branched(x, [0.3, 0.7]), branched(x, [0.9, 0.7]))


def test_a_branched_control_leaves_the_network_it_was_given_alone():
    network = ResNet(2, 4)
    perturbed(CFSNet(network))
    assert len(network.body) == 2
    assert network.body[1].conv1.bias.abs().max() == 0


def test_dynet_adds_the_tuning_blocks_before_the_main_blocks(x, close):
    control = perturbed(DyNet(ResNet(4, 4, image_skip=True, head_relu=False)))
    main, alpha = control.main, 0.3
    features = start = main.head(x)
    for block, psi in zip(main.body, control.tuning, strict=True):
        features = block(features + alpha * psi(features))
    close(control(x, [0.7, alpha]), x + main.tail(start + features))


def test_cfsnet_couples_the_branches_channel_by_channel(x, close):
    control = perturbed(CFSNet(ResNet(4, 4, image_skip=True, head_relu=False)))
    main, alpha = control.main, 0.3
    couplings = control.couplings(torch.tensor(alpha))
    features = start = main.head(x)
    for block, tuning, a in zip(main.body, control.tuning["blocks"], couplings, strict=True):
        features = block(features) * (1 - a) + tuning(features) * a
    close(control(x, [0.7, alpha]), x + main.tail(start + features))


def test_cfsnets_couplings_are_linear_in_alpha(close):
    control = perturbed(CFSNet(ResNet(2, 4)))
    unit, third = (control.couplings(torch.tensor(a)) for a in (1.0, 1 / 3))
    for whole, share in zip(unit, third, strict=True):
        assert whole.shape == (4, 1, 1)
        close(share, whole / 3)
        assert whole.std() > 0


@pytest.mark.parametrize("config", [DyNetConfig(), CFSNetConfig()])
def test_a_branched_control_refuses_what_it_cannot_divide(config):
    with pytest.raises(ValueError, match="even number of blocks; got 3 blocks"):
        config.build(ResNet(3, 4), p=2)
    with pytest.raises(ValueError, match="even number of blocks; got Linear"):
        config.build(nn.Linear(3, 3), p=2)
    with pytest.raises(ValueError, match="one tuning branch and so needs p = 2 objectives; got 3"):
        config.build(ResNet(2, 4), p=3)


def test_film_starts_as_the_same_network_at_every_omega(x):
    network = ResNet(1, 4)
    control = FiLM(network, p=2)
    for omega in ([0.0, 1.0], [0.3, 0.8]):
        assert torch.equal(control(x, omega), network(x))


def test_film_scales_and_shifts_the_output_of_a_layer(close):
    layer, x = nn.Conv2d(3, 3, 3, padding=1), torch.rand(2, 3, 5, 5)
    control = perturbed(FiLM(layer, p=2))
    scale, shift = control.conditioner(torch.tensor([0.3, 0.8])).chunk(2)
    scale, shift = scale[:, None, None], shift[:, None, None]
    close(control(x, [0.3, 0.8]), (1 + scale) * control.network(x) + shift)


def test_film_over_a_single_layer_scales_it(close):
    control, x = perturbed(FiLM(nn.Conv2d(3, 4, 3), p=2)), torch.rand(2, 3, 8, 8)
    for omega in ([1.0, 0.0], [0.2, 0.7]):
        close(control(x, omega), control.at(omega)(x))
    assert not torch.allclose(control(x, [1.0, 0.0]), control(x, [0.0, 1.0]))


def test_film_refuses_a_network_without_layers_to_scale():
    with pytest.raises(ValueError, match="ReLU has no convolution or linear layer with a bias"):
        FiLM(nn.ReLU(), p=2)


def test_a_second_stage_of_adapters_has_its_own_length_and_omegas():
    first, second = LowRankConfig(2, second=Apart(0.05, (0.5, 0.3))).build(ResNet(1, 4), 2).stages()
    assert (first.sampling, first.share) == (None, 1.0)
    assert (second.parameters, second.steps(20_000)) == (first.parameters, 1000)
    assert second.sampling == OmegaSampling("simplex", (0.5, 0.3))
    assert second.continues


def test_low_rank_adapters_start_as_the_same_network_at_every_omega(x):
    network = ResNet(1, 4)
    control = LowRank(network, p=2)
    for omega in ([0.0, 1.0], [0.3, 0.8]):
        assert torch.equal(control(x, omega), network(x))


def test_a_dial_changes_a_kernel_by_a_matrix_of_the_rank_asked():
    control = perturbed(LowRank(ResNet(2, 8), p=3, rank=2))
    start = control.mix(torch.zeros(3))
    for omega, rank in (([1.0, 0.0, 0.0], 2), ([0.3, 0.8, 0.0], 4), ([0.3, 0.8, 0.5], 6)):
        mixed = control.mix(torch.tensor(omega))
        change = (mixed["body.0.conv1.weight"] - start["body.0.conv1.weight"]).flatten(1)
        assert torch.linalg.matrix_rank(change, rtol=1e-4) == rank


def test_a_dial_adds_its_own_adapter_in_proportion(close):
    control = perturbed(LowRank(nn.Conv2d(3, 5, 3), p=2, rank=2))
    up, down = control.adapters[0][0], control.adapters[1][0]
    expected = control.network.weight + (0.7 * up[1] @ down[1] / 2).view(5, 3, 3, 3)
    close(control.mix(torch.tensor([0.0, 0.7]))["weight"], expected)


def test_low_rank_adapters_store_what_their_rank_says():
    layer = nn.Conv2d(8, 16, 3)
    for rank, stored in ((1, 1), (4, 4), (16, 16), (99, 16)):
        control = LowRank(layer, p=2, rank=rank)
        assert sum(p.numel() for p in control.adapters.parameters()) == 2 * stored * (16 + 72)


def test_low_rank_adapters_refuse_a_network_without_layers_to_adapt():
    with pytest.raises(ValueError, match="ReLU has no convolution or linear layer"):
        LowRank(nn.ReLU(), p=2)


def gathered(images, side):
    """Mean and covariance of every second luma patch."""
    moments = transport._Moments(side)
    moments.add(images)
    return moments.result()


def test_the_matrix_of_transport_carries_one_covariance_to_the_other(close):
    one, other = (a @ a.T for a in torch.randn(2, 5, 5).double())
    matrix = transport.transport_matrix(one, other)
    close(matrix @ one @ matrix, other)
    close(matrix, matrix.T)


def test_transport_is_the_mean_of_what_each_patch_becomes(close):
    control, side = Transport(nn.Identity(), side=3), 3
    degraded, clean = torch.rand(4, 3, 40, 40), 0.3 + 0.5 * torch.rand(4, 3, 40, 40)
    control.fit([(degraded, clean)])
    grey = degraded[:1, :1].expand(-1, 3, -1, -1)
    found = control(grey, [0.0, 1.0])[:, :1]
    (mean_d, spread_d), (mean_c, spread_c) = (gathered(images, side) for images in (degraded, clean))
    matrix = transport.transport_matrix(spread_d, spread_c)
    patches = nn.functional.unfold(grey[:, :1].double(), side)[0]
    moved = mean_c[:, None] + matrix @ (patches - mean_d[:, None])
    size = grey.shape[-2:]
    added = nn.functional.fold(moved[None], size, side)
    expected = added / nn.functional.fold(torch.ones_like(moved)[None], size, side)
    inside = (..., slice(side, -side), slice(side, -side))
    close(found[inside], expected[inside].float())


def test_transport_of_images_that_are_right_already_changes_nothing(close):
    control, images = Transport(nn.Identity(), side=3), torch.rand(2, 3, 20, 20)
    control.fit([(images, images)])
    close(control(images, [0.0, 1.0]), images)


def test_transport_brings_the_patches_of_blurred_images_nearer_to_sharp_ones():
    sharp = torch.rand(2, 3, 64, 64).round()
    blurred = nn.functional.avg_pool2d(nn.functional.pad(sharp, (1,) * 4, mode="reflect"), 3, 1)
    control = Transport(nn.Identity(), side=4)
    control.fit([(blurred, sharp)])
    distances = [patch_distance(y, sharp).mean() for y in (blurred, control(blurred, [0.0, 1.0]))]
    assert distances[1] < 0.6 * distances[0]


def test_transport_keeps_colours(close):
    control = fitted()
    x = torch.rand(1, 3, 12, 12)
    change = control(x, [0.0, 1.0]) - control(x, [1.0, 0.0])
    close(change[:, 0], change[:, 1])
    close(change[:, 0], change[:, 2])


def test_transport_without_images_is_refused():
    with pytest.raises(ValueError, match="pairs of degraded and clean images; got none"):
        Transport(nn.Identity()).fit([])


def test_parting_changes_nothing_where_the_dials_add_up_to_1(x, close):
    model = perturbed(Tunable(ResNet(1, 4), p=3)).double()
    x, inside, outside = x.double(), torch.tensor([0.25, 0.5, 0.25]), torch.full((3,), 0.875)
    before = model(x, inside), model(x, outside)
    part(model)
    close(model(x, inside), before[0])
    assert not torch.allclose(model(x, outside), before[1])


def test_once_parted_a_step_at_one_corner_leaves_the_others_alone(x):
    model = perturbed(Tunable(ResNet(1, 4), p=2))
    part(model)
    before = model.mix(torch.tensor([0.0, 1.0]))
    model(x, [1.0, 0.0]).square().sum().backward()
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.sub_(parameter.grad)
    after = model.mix(torch.tensor([0.0, 1.0]))
    assert all(torch.equal(after[name], before[name]) for name in model.tuned)


@pytest.mark.parametrize("options", [{"phi": "se"}, {"kernels": 3}])
def test_what_cannot_be_parted_is_refused(options):
    with pytest.raises(ValueError, match=r"part\(\) needs phi='affine' and one kernel per dial; got"):
        part(Tunable(ResNet(1, 4), p=2, **options))


@pytest.mark.parametrize("start", ["shared", "apart", "equal"])
def test_the_aggregation_starts_at_unit_gain_in_the_middle_of_the_dials(start, close):
    control = TunableConfig(start=start, kernels=3).build(ResNet(1, 4), p=3)
    alpha = control.network.phi(torch.full((3,), 0.5))
    close(alpha.sum(1) if start == "equal" else alpha.square().sum(1), torch.ones(4))
    kernels = control.network.module.head.weight
    assert torch.equal(kernels[0], kernels[1]) == (start == "equal")


def test_a_start_of_another_phi_is_refused():
    with pytest.raises(ValueError, match="any start but 'shared' is for phi='affine'"):
        TunableConfig(phi="se", start="equal")


def test_blending_multiplies_the_denoisers_error_by_what_is_not_put_back(x, close):
    clean, degraded = x, x + 0.1 * torch.randn_like(x)
    control = perturbed(Blend(ResNet(1, 4), nu=0.7))
    denoised = control.denoiser(degraded)
    for omega_2 in (0.0, 0.25, 1.0):
        target = noise_target(clean, degraded, omega_2, nu=0.7)
        error = control(degraded, [0.5, omega_2]) - target
        close(error, (1 - 0.7 * omega_2) * (denoised - clean))


def test_blending_adds_as_many_decibels_as_that_factor(x, close):
    clean, degraded = x, x + 0.1 * torch.randn_like(x)
    control = perturbed(Blend(ResNet(1, 4)))
    fidelity = metrics.psnr(control.denoiser(degraded), clean, clip=False)
    target = noise_target(clean, degraded, 1.0)
    preservation = metrics.psnr(control(degraded, [0.0, 1.0]), target, clip=False)
    close(preservation, fidelity + 20)


def test_blending_runs_the_denoiser_once_for_all_omegas(x):
    calls = []
    control = Blend(ResNet(1, 4))
    control.denoiser.register_forward_hook(lambda *_: calls.append(1))
    control.outputs(x, torch.tensor(OMEGAS))
    assert len(calls) == 1


def test_cresmd_weights_its_blocks_by_the_condition(x, close):
    control = perturbed(CResMD(ResNet(2, 4), p=2))
    omega = torch.tensor([0.3, 0.8])
    features = start = control.head(x)
    for block, weight in zip(control.body, control.weights, strict=True):
        features = features + weight(omega)[:, None, None] * block(features)
    expected = x + control.gain(omega)[:, None, None] * control.tail(features + start)
    close(control(x, omega), expected)


def test_cresmd_in_its_own_form_takes_images_of_odd_size():
    control = perturbed(CResMD(ResNet(1, 4), p=2, form="own"))
    assert control(torch.rand(2, 3, 9, 11), [0.3, 0.8]).shape == (2, 3, 9, 11)


def test_cresmd_in_its_own_form_has_the_published_size():
    control = CResMDConfig("own").build(ResNetConfig(32, 64).build(), p=2)
    assert sum(p.numel() for p in control.parameters()) == 2_557_708


def test_cresmd_is_given_the_degradation_and_trained_for_fidelity(images):
    control, seen = CResMD(ResNet(1, 4), p=2), []
    control.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    train(control, Telling(), images, Training(steps=2, batch=3, patch=8), progress=False)
    assert [omega.shape for omega in seen] == [(3, 2)] * 2
    assert not torch.equal(*seen)
    assert control.stages()[0].omega == (1.0, 0.0)


def test_a_task_that_does_not_tell_is_refused(images):
    control = CResMD(ResNet(1, 4), p=2)
    with pytest.raises(ValueError, match=r"conditioned on .* Denoising have no levels"):
        train(control, Denoising(), images, Training(steps=2, batch=3, patch=8), progress=False)


# Complexity


def test_complexity_counts_what_a_layer_holds_and_costs():
    control = Blend(nn.Conv2d(3, 3, 5, padding=2))
    counted = complexity(control, [0.5, 0.5], size=8)
    assert counted == {"parameters": 3 * 3 * 25 + 3, "multiply_adds": 3 * 3 * 25}


def test_every_method_costs_as_much_as_the_plain_network_between_the_corners():
    costs = {}
    for name, config in METHODS_OF_THE_STUDY.items():
        control = config.build(ResNetConfig(8, 32).build(), p=2)
        costs[name] = complexity(control, [0.5, 0.5])["multiply_adds"]
    assert max(costs.values()) < 1.001 * min(costs.values())


# Stages


class Staged(Control):
    """Two layers and the stages it is given."""

    num_objectives = 2

    def __init__(self, *stages):
        super().__init__()
        self.first, self.second, self.given = nn.Linear(2, 2), nn.Linear(2, 2), stages

    def stages(self):
        return [Stage(f"stage {i}", prefixes) for i, prefixes in enumerate(self.given)]


def test_a_parameter_that_no_stage_trains_is_refused_by_name():
    fault = r"Staged: second\.weight, second\.bias \(2 in all\) are trained by no stage"
    with pytest.raises(ValueError, match=fault):
        check_stages(Staged(("first.",)))


def test_a_parameter_that_two_stages_train_is_refused_by_name():
    fault = r"Staged: second\.bias \(1 in all\) are trained by two stages"
    with pytest.raises(ValueError, match=fault):
        check_stages(Staged(("first.", "second."), ("second.bias",)))


@pytest.mark.parametrize("options", [{"phi": "se"}, {"kernels": 3}])
def test_an_impossible_second_stage_is_refused_before_the_first(options):
    with pytest.raises(ValueError, match=r"part\(\) needs"):
        TunableConfig(apart=Apart(0.5, (1.0, 0.0)), **options).build(BACKBONE.build(), 2)


def test_a_stage_may_go_on_with_what_another_has_trained_where_it_says_so():
    control = Staged(("first.", "second."))
    first = control.stages()[0]
    control.stages = lambda: [first, replace(first, name="more", continues=True)]
    check_stages(control)
    control.stages = lambda: [replace(first, continues=True)]
    with pytest.raises(ValueError, match="are trained by no stage"):
        check_stages(control)


def test_training_refuses_faulty_stages_before_the_first_step(images):
    control = Staged(("first.",))
    with pytest.raises(ValueError, match="are trained by no stage"):
        train(control, Denoising(), images, Training(), progress=False)


@dataclass(frozen=True)
class Faulty:
    """A config of a control whose second layer is trained by no stage."""

    def build(self, network, p):
        return Staged(("first.",))


def test_a_run_refuses_faulty_stages_at_construction():
    config = RunConfig("faulty", Denoising(), Faulty(), ResNetConfig(1, 4), Training())
    with pytest.raises(ValueError, match="are trained by no stage"):
        config.build()


def test_a_stage_draws_its_omegas_as_the_settings_say():
    sampling, generators = OmegaSampling(groups=4), [torch.Generator().manual_seed(3) for _ in "ab"]
    drawn = Stage("free", ("",)).omegas(sampling, 3, generators[0])
    assert torch.equal(drawn, sampling.draw(3, generators[1]))


def test_a_stage_may_fix_its_omega():
    stage = replace(Stage("fixed", ("",)), omega=(0.0, 1.0))
    drawn = stage.omegas(OmegaSampling(groups=4), 2, torch.Generator())
    assert torch.equal(drawn, torch.tensor([[0.0, 1.0]]))


def test_the_tunable_control_is_the_tunable_network(x):
    control = perturbed(TunableControl(ResNet(1, 4), p=2))
    assert torch.equal(control(x, OMEGAS), control.network(x, OMEGAS))
