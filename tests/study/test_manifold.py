"""Paths of tuned kernels: straight where phi is affine, bent where it is not."""

import numpy as np
import pytest
import torch

from study.controls import TunableControl
from study.measuring import manifold
from tunable_core.omega import path
from tunable_photo.resnet import ResNetConfig

BLOCKS = [[f"body.{i}.{conv}.weight" for conv in ("conv1", "conv2")] for i in range(2)]


def paths(phi):
    torch.manual_seed(0)
    control = TunableControl(ResNetConfig(blocks=2, channels=4).build(), 2, phi=phi)
    return manifold.tuned_kernels(control, path((0, 1), (1, 0), 7), BLOCKS)


def test_kernels_are_those_of_the_plain_network():
    torch.manual_seed(0)
    control = TunableControl(ResNetConfig(blocks=2, channels=4).build(), 2)
    kernels = manifold.tuned_kernels(control, torch.tensor([[0.3, 0.7]]), BLOCKS)
    plain = control.at([0.3, 0.7])
    expected = torch.cat([plain.body[1].conv1.weight.flatten(), plain.body[1].conv2.weight.flatten()])
    assert np.array_equal(kernels[1, 0], expected.detach().numpy())


def test_affine_phi_moves_kernels_on_segments():
    straight = manifold.straightness(paths("affine"))
    assert straight.explained.to_numpy() == pytest.approx(1, abs=1e-9)
    assert straight.detour.to_numpy() == pytest.approx(1, abs=1e-5)


def test_squeeze_and_excitation_bends_the_path_of_three_kernels():
    torch.manual_seed(0)
    network = ResNetConfig(blocks=2, channels=4).build()
    control = TunableControl(network, 2, phi="se", kernels=3)
    kernels = manifold.tuned_kernels(control, path((0, 1), (1, 0), 7), BLOCKS)
    assert manifold.straightness(kernels).detour.max() > 1.0001


def test_straightness_of_a_right_angle():
    corner = np.array([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])
    row = manifold.straightness(corner).iloc[0]
    assert row.detour == pytest.approx(2**0.5)
    assert row.explained == pytest.approx(0.75)
    assert row.length == pytest.approx(2**0.5)


def test_directions_of_perpendicular_and_opposite_paths():
    ways = np.array([[[0, 0], [1, 0]], [[0, 0], [0, 2]], [[3, 0], [0, 0]]], dtype=float)
    assert manifold.directions(ways) == pytest.approx(np.array([[1, 0, -1], [0, 1, 0], [-1, 0, 1]]))


def test_the_embedding_has_a_point_per_kernel_and_is_repeatable():
    kernels = paths("affine")
    points = manifold.embed(kernels, perplexity=3)
    assert points.shape == (2, 7, 2)
    assert np.array_equal(points, manifold.embed(kernels, perplexity=3))


def test_the_first_component_finds_the_pattern_and_keeps_its_sign():
    random = np.random.default_rng(0)
    pattern = random.normal(size=(3, 3, 3))
    kernels = random.normal(size=(4, 20, 1, 1, 1)) * pattern
    components = manifold.first_component(kernels)
    assert components.shape == (4, 3, 3, 3)
    flat = components.reshape(4, -1)
    cosines = flat @ pattern.ravel() / np.linalg.norm(flat, axis=1) / np.linalg.norm(pattern)
    assert np.abs(cosines) == pytest.approx(1)
    assert np.sign(cosines).tolist() == [np.sign(cosines[0])] * 4


def test_separated_groups_have_a_silhouette_near_one_and_mixed_ones_near_zero():
    random = np.random.default_rng(0)
    noise = random.normal(0, 1, (4, 8, 20))
    apart = noise + 100 * np.arange(4)[:, None, None]
    assert manifold.separation(apart) > 0.7
    assert manifold.separation(noise) < 0.2
