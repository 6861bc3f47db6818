"""Two settings in one photograph: the three ways, and their errors at the edge."""

import pytest
import torch
from torch import nn

from study.measuring import edges
from tunable_core import Tunable

INSIDE, OUTSIDE = [1.0, 0.0], [0.0, 1.0]


@pytest.fixture
def network():
    """Keeps the image at (1, 0), and blurs it away at (0, 1)."""
    model = Tunable(nn.Conv2d(3, 3, 5, padding=2, bias=False, groups=3), 2, phi="identity")
    with torch.no_grad():
        model.module.weight.zero_()
        model.module.weight[0, :, 0, 2, 2] = 1
        model.module.weight[1] = 1 / 25
    return model


def test_an_ellipse_fills_its_box():
    mask = edges.ellipse(20, 30, (5, 10, 15, 30))
    rows, columns = mask.nonzero().T
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (5, 15, 10, 30)
    assert mask.sum().item() == pytest.approx(torch.pi * 5 * 10, rel=0.05)


def test_distances_have_the_sign_of_the_side():
    mask = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0]])
    assert edges.signed_distance(mask).tolist() == [[-2.5, -1.5, -0.5, 0.5, 1.5]]


def test_a_feather_keeps_the_middle_of_the_edge():
    mask = torch.zeros(40, 40)
    mask[:, 20:] = 1
    soft = edges.feathered(mask, 3)
    assert soft[20, 19:21].mean().item() == pytest.approx(0.5)
    assert soft[20, :8].max() < 1e-3
    assert torch.equal(edges.feathered(mask, 0), mask)


def test_the_three_ways_agree_far_from_the_edge_and_differ_at_it(network):
    image, mask = torch.rand(3, 32, 32), edges.ellipse(32, 32, (0, 0, 32, 16))
    found = edges.ways(network, image, mask, INSIDE, OUTSIDE)
    far = edges.signed_distance(mask).abs() > 3
    for output in found.values():
        torch.testing.assert_close(output[:, far], found[edges.OUTPUTS][:, far])
    torch.testing.assert_close(found[edges.KERNELS], found[edges.OUTPUTS])  # one linear layer
    assert (found[edges.INPUTS] - found[edges.OUTPUTS]).abs().max() > 0.05


def test_a_profile_distinguishes_the_sides(network):
    """Inside the image is kept, so nothing is wrong; outside its detail is lost."""
    images = {"one": torch.rand(3, 48, 48), "other": torch.rand(3, 48, 48)}
    mask = edges.ellipse(48, 48, (8, 8, 40, 40))
    table = edges.profile(network, images, mask, INSIDE, OUTSIDE, sigma=10, reach=8)
    assert list(table) == [edges.KERNELS, edges.OUTPUTS, edges.INPUTS]
    assert table.index.tolist() == [step + 0.5 for step in range(-8, 8)]
    assert table.loc[0.5:, edges.KERNELS].max() < 0.01
    assert table.loc[:-0.5, edges.KERNELS].min() > 40


def test_a_mask_is_recovered_from_what_it_made(network):
    image, mask = torch.rand(3, 24, 24), edges.ellipse(24, 24, (4, 4, 20, 20))
    target = network(image[None], edges.as_map(mask, INSIDE, OUTSIDE))[0].detach()
    found = edges.fitted(network, image, target, INSIDE, OUTSIDE)
    assert ((found > 0.5) == (mask > 0.5)).float().mean() > 0.95
