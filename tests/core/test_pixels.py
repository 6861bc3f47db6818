"""A dial per pixel: a map [B, p, H, W] in place of omega [p]."""

import copy
import threading

import pytest
import torch
from torch import nn

from tunable_core import Tunable
from tunable_core.pixels import blend_levels, resized

NETWORKS = {
    "plain": nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1)),
    "one layer": nn.Conv2d(3, 5, 1),
    "without bias": nn.Conv2d(3, 6, 3, padding=1, bias=False),
    "grouped": nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=4)),
    "depth-wise": nn.Conv2d(3, 6, 3, padding=1, groups=3),
    "dilated": nn.Conv2d(3, 6, 3, padding=2, dilation=2, padding_mode="reflect"),
    "strided": nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1, groups=2),
    ),
    "shuffled": nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(3, 3, 1)),
    "unpadded": nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 3, 3)),
    "normalised": nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)).eval(),
}


def tunable(network, p=2, **options):
    """A tunable network as if trained: no weight of its phi, and no bias, at its initial value."""
    model = Tunable(copy.deepcopy(network), p, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def constant(omega, x):
    """The map that is omega [p] at every pixel of x."""
    return torch.as_tensor(omega)[None, :, None, None].expand(1, -1, *x.shape[2:])


@pytest.mark.filterwarnings("ignore:BatchNorm")
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("options", [{}, {"kernels": 3}, {"phi": "se"}, {"phi": "identity"}])
def test_a_constant_map_is_one_omega(name, options):
    model = tunable(NETWORKS[name], **options)
    x, omega = torch.rand(2, 3, 10, 12), [0.2, 0.9]
    expected = model.at(omega)(x)
    torch.testing.assert_close(model(x, constant(omega, x)), expected, rtol=1e-6, atol=1e-6)


def test_biases_or_kernels_alone_may_be_tuned():
    x, omega = torch.rand(1, 3, 8, 8), [0.2, 0.9]
    model = tunable(NETWORKS["plain"], tuned="*.weight")
    torch.testing.assert_close(model(x, constant(omega, x)), model.at(omega)(x), rtol=1e-6, atol=1e-6)
    model = tunable(NETWORKS["plain"], tuned="*.bias")
    with pytest.raises(ValueError, match=r"'0', a Conv2d, has tuned bias"):
        model(x, constant(omega, x))


def test_a_layer_that_shares_its_kernel_takes_the_map_too():
    layers = [nn.Conv2d(3, 3, 3, padding=1, bias=bias) for bias in (False, False, True)]
    for layer in layers:
        layer.weight = layers[0].weight
    model, x = tunable(nn.Sequential(*layers[:2])), torch.rand(1, 3, 8, 8)
    expected = model.at([0.3, 0.6])(x)
    torch.testing.assert_close(model(x, constant([0.3, 0.6], x)), expected, rtol=1e-6, atol=1e-6)
    with pytest.raises(ValueError, match="'2', a Conv2d, has tuned weight and bias"):
        tunable(nn.Sequential(*layers))(x, constant([0.3, 0.6], x))  # two rows of alpha in one layer


def test_inside_each_region_the_output_is_that_of_its_omega():
    model, x = tunable(NETWORKS["plain"]), torch.rand(1, 3, 9, 40)
    omega = torch.tensor([0.9, 0.1])[None, :, None, None].repeat(1, 1, 9, 40)
    omega[..., 20:] = torch.tensor([0.2, 0.7])[:, None, None]
    output = model(x, omega)
    left, right = model(x, [0.9, 0.1]), model(x, [0.2, 0.7])
    torch.testing.assert_close(output[..., :18], left[..., :18], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(output[..., 22:], right[..., 22:], rtol=1e-6, atol=1e-6)
    assert (output[..., 19:21] - left[..., 19:21]).abs().max() > 1e-3


def test_one_map_per_sample():
    model, x = tunable(NETWORKS["strided"]), torch.rand(3, 3, 8, 8)
    omega = torch.rand(3, 2)
    maps = omega[:, :, None, None].expand(-1, -1, 8, 8)
    torch.testing.assert_close(model(x, maps), model(x, omega), rtol=1e-6, atol=1e-6)


def test_the_output_is_continuous_in_the_map():
    model, x = tunable(NETWORKS["strided"]), torch.rand(1, 3, 16, 16)
    omega, other = torch.rand(2, 1, 2, 16, 16)
    one, near = model(x, omega), model(x, omega + 1e-3 * (other - omega))
    assert 0 < (near - one).abs().max() < 1e-2


def test_gradients_reach_the_map_and_the_kernels():
    network = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, stride=2), nn.ConvTranspose2d(2, 2, 2, 2))
    model, x = tunable(network).double(), torch.rand(1, 2, 4, 4, dtype=torch.double)
    omega = (0.25 + 0.5 * torch.rand(1, 2, 4, 4, dtype=torch.double)).requires_grad_()
    assert torch.autograd.gradcheck(lambda o: model(x, o), omega)
    model(x, omega).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_map_can_be_optimised():
    """The network that doubles at (1, 0) and clears at (0, 1) learns where to do which."""
    model = Tunable(nn.Conv2d(1, 1, 1, bias=False), 2, phi="identity")
    with torch.no_grad():
        model.module.weight.copy_(torch.tensor([2.0, 0.0]).view(2, 1, 1, 1, 1))
    x = torch.ones(1, 1, 4, 4)
    wanted = torch.tensor([2.0, 2.0, 0.0, 0.0]).expand(1, 1, 4, 4)
    omega = torch.full((1, 2, 4, 4), 0.5, requires_grad=True)
    optimizer = torch.optim.SGD([omega], lr=2.0)
    for _ in range(20):
        optimizer.zero_grad()
        (model(x, omega) - wanted).square().mean().backward()
        optimizer.step()
        omega.data.clamp_(0, 1)
    assert omega[0, 0].detach().round().tolist() == [[1.0, 1.0, 0.0, 0.0]] * 4


def test_tiles_agree_with_the_whole():
    model = tunable(nn.Sequential(NETWORKS["strided"], nn.Conv2d(6, 3, 3, padding=1)))
    x, omega = torch.rand(1, 3, 30, 43), torch.rand(1, 2, 30, 43)
    pad = nn.ReplicationPad2d((0, 1, 0, 0))  # the network's own sides are even
    whole = model(pad(x), pad(omega))
    tile = model(x[..., 8:40].contiguous(), omega[..., 8:40])
    torch.testing.assert_close(tile[..., 8:-8], whole[..., 16:32], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (4, 2, [0.5, 2.5]),
        (5, 3, [0.5, 2.5, 4.0]),  # a stride that does not divide the side
        (3, 6, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]),  # an enlargement
        (3, 5, [0.0, 0.0, 1.0, 1.0, 2.0]),
        (8, 6, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),  # two convolutions without padding
        (5, 7, [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0]),  # a network that pads at its end
        (4, 1, [1.5]),
    ],
)
def test_a_map_takes_the_resolution_of_features_by_area(old, new, expected):
    ramp = torch.arange(old).float().expand(1, 1, 2, old)
    found = resized(ramp, 2, new)
    assert found[0, 0].tolist() == [pytest.approx(expected)] * 2
    assert torch.equal(resized(ramp.mT, new, 2), found.mT)


def test_threads_with_different_maps_do_not_meet():
    model, x = tunable(NETWORKS["plain"]), torch.rand(1, 3, 16, 16)
    maps = [torch.rand(1, 2, 16, 16) for _ in range(4)]
    expected, wrong = [model(x, omega) for omega in maps], []

    def work(i):
        for _ in range(20):
            if not torch.equal(model(x, maps[i]), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    torch.testing.assert_close(model(x, [0.5, 0.5]), model.at([0.5, 0.5])(x))


def test_a_map_works_under_autocast():
    model, x = tunable(NETWORKS["plain"]), torch.rand(1, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(x, constant([0.3, 0.6], x))
        expected = model(x, [0.3, 0.6])
    assert output.dtype == torch.bfloat16
    torch.testing.assert_close(output, expected, rtol=0.05, atol=0.05)


class Standardised(nn.Conv2d):
    """Not linear in its weight."""

    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(x, weight / weight.std(), bias)


@pytest.mark.parametrize(
    ("layer", "shape", "reason"),
    [
        (nn.Conv1d(3, 3, 1), (1, 3, 8, 8), r"'0', a Conv1d"),
        (nn.Linear(8, 8), (1, 3, 8, 8), r"'0', a Linear"),
        (Standardised(3, 3, 1), (1, 3, 8, 8), r"'0', a Standardised"),
        (nn.PReLU(), (1, 3, 8, 8), r"'0', a PReLU"),
    ],
)
def test_other_tuned_layers_are_refused_by_name(layer, shape, reason):
    model, x = tunable(nn.Sequential(layer)), torch.rand(shape)
    with pytest.raises(ValueError, match=reason + r".*blend_levels\(model, x, omega, levels=5\)"):
        model(x, constant([0.5, 0.5], x))


@pytest.mark.parametrize(
    ("omega", "reason"),
    [
        (torch.zeros(1, 3, 8, 8), r"\[B, 2, H, W\] .* got \[1, 3, 8, 8\]"),
        (torch.zeros(1, 2, 4, 8), r"got \[1, 2, 4, 8\] for \[2, 3, 8, 8\]"),
        (torch.zeros(3, 2, 8, 8), r"got \[3, 2, 8, 8\] for \[2, 3, 8, 8\]"),
        (torch.full((1, 2, 8, 8), 1.5), "at every pixel; got 1.5 to 1.5"),
        (torch.full((1, 2, 8, 8), torch.nan), "at every pixel; got nan"),
        (torch.zeros(1, 2, 8, 8).int(), "floating-point"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(omega, reason):
    with pytest.raises((ValueError, TypeError), match=reason):
        tunable(NETWORKS["plain"])(torch.rand(2, 3, 8, 8), omega)


def test_extrapolation_is_asked_for():
    model, x = tunable(NETWORKS["plain"]), torch.rand(1, 3, 8, 8)
    expected = model.at([1.5, -0.5], extrapolate=True)(x)
    found = model(x, constant([1.5, -0.5], x), extrapolate=True)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_blended_levels_are_exact_on_their_grid_and_between_blend_outputs():
    model, x = tunable(nn.Sequential(nn.Linear(8, 8))), torch.rand(2, 3, 8, 8)
    found = blend_levels(model, x, constant([0.25, 0.75], x))
    torch.testing.assert_close(found, model(x, [0.25, 0.75]), rtol=1e-6, atol=1e-6)
    ends = [model(x, [value, 0.0]) for value in (0.25, 0.5)]
    found = blend_levels(model, x, constant([0.3125, 0.0], x))
    torch.testing.assert_close(found, 0.75 * ends[0] + 0.25 * ends[1], rtol=1e-6, atol=1e-6)


def counted(omega):
    """The omegas that blend_levels runs, and the weights it gives them: 1 in all."""
    calls, x = [], torch.rand(1, 3, *omega.shape[2:])

    def model(x, omega):
        calls.append(omega.tolist())
        return torch.ones_like(x)

    torch.testing.assert_close(blend_levels(model, x, omega), torch.ones_like(x))
    return sorted(calls)


def test_blended_levels_run_only_the_omegas_that_are_needed():
    x = torch.rand(1, 3, 8, 8)
    omega = constant([0.25, 0.75], x).clone()
    omega[..., 4:] = torch.tensor([0.9, 0.0])[:, None, None]
    assert counted(omega) == [[0.25, 0.75], [0.75, 0.0], [1.0, 0.0]]
    along = torch.rand(1, 1, 8, 8)
    along = torch.cat([along, 1 - along], 1)
    assert len(counted(along)) == 5
    with pytest.raises(ValueError, match="at least 2"):
        blend_levels(torch.add, x, omega, levels=1)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_blended_levels_interpolate_linearly(p):
    """A function linear in omega is reproduced exactly; no omega is outside [0, 1]."""
    x, omega, slope = torch.rand(1, 3, 8, 8), torch.rand(1, p, 8, 8), torch.rand(p)

    def model(x, omega):
        assert ((omega >= 0) & (omega <= 1)).all()
        return x + omega @ slope

    expected = x + (omega * slope[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(blend_levels(model, x, omega), expected)


def test_blended_levels_of_a_network_that_enlarges():
    model = tunable(NETWORKS["shuffled"])
    x = torch.rand(1, 3, 6, 5)
    found = blend_levels(model, x, constant([1.0, 0.5], x))
    torch.testing.assert_close(found, model(x, [1.0, 0.5]), rtol=1e-6, atol=1e-6)
