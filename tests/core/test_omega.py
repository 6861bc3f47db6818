"""The dials: random samplers, paths and grids. (Checks of omega: test_tunable.py.)"""

import math

import pytest
import torch

from tunable_core import OmegaSampling
from tunable_core.omega import as_omega, path

UNIFORM, SIMPLEX = OmegaSampling(groups=20_000), OmegaSampling("simplex", groups=20_000)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def is_corner(omega):
    """Which rows are unit vectors."""
    return ((omega == 0) | (omega == 1)).all(1) & (omega.sum(1) == 1)


@pytest.mark.parametrize("given", [[0, 1], (0.0, 1.0), torch.tensor([0, 1])])
def test_dials_of_any_spelling_become_floating_point(given):
    assert torch.equal(as_omega(given, 2), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("kind", ["uniform", "simplex"])
@pytest.mark.parametrize(("groups", "p"), [(1, 1), (1, 2), (4, 3)])
def test_draws_have_a_row_per_group_within_range(kind, groups, p):
    omega = OmegaSampling(kind, (0.5 / p,) * p, groups).draw(p, generator())
    assert omega.shape == (groups, p)
    assert omega.dtype == torch.float32
    assert as_omega(omega, p) is omega


@pytest.mark.parametrize("kind", ["uniform", "simplex"])
def test_the_same_generator_state_draws_the_same(kind):
    sampling = OmegaSampling(kind, corners=(0.1, 0.1, 0.1), groups=8)
    first, second, other = (sampling.draw(3, generator(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_uniform_dials_are_uniform_and_independent():
    omega = UNIFORM.draw(3, generator())
    moments = torch.cov(omega.T)
    torch.testing.assert_close(omega.mean(0), torch.full((3,), 1 / 2), atol=0.01, rtol=0)
    torch.testing.assert_close(moments, torch.eye(3) / 12, atol=0.003, rtol=0)


@pytest.mark.parametrize("p", [2, 3, 5])
def test_simplex_dials_sum_to_1_and_are_uniform_on_it(p):
    omega = SIMPLEX.draw(p, generator())
    torch.testing.assert_close(omega.sum(1), torch.ones(len(omega)))
    torch.testing.assert_close(omega.mean(0), torch.full((p,), 1 / p), atol=0.01, rtol=0)
    variance = (p - 1) / (p**2 * (p + 1))  # of the flat Dirichlet distribution
    torch.testing.assert_close(omega.var(0), torch.full((p,), variance), rtol=0.05, atol=0)


@pytest.mark.parametrize("kind", ["uniform", "simplex"])
@pytest.mark.parametrize("shares", [(0.3, 0.1), (0.0, 0.2), (0.2, 0.0, 0.5), (0.25, 0.75)])
def test_every_corner_has_the_share_that_was_asked(kind, shares):
    draws = 20_000
    omega = OmegaSampling(kind, corners=shares, groups=draws).draw(len(shares), generator())
    for corner, share in zip(torch.eye(len(shares)), shares, strict=True):
        drawn = (omega == corner).all(1).double().mean().item()
        assert drawn == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / draws))


@pytest.mark.parametrize("kind", ["uniform", "simplex"])
def test_without_shares_no_corner_is_drawn(kind):
    assert not is_corner(OmegaSampling(kind, groups=20_000).draw(2, generator())).any()


def test_draws_besides_corners_keep_their_law():
    sampling = OmegaSampling("simplex", corners=(0.1, 0.0, 0.4), groups=20_000)
    omega = sampling.draw(3, generator())
    inside = omega[~is_corner(omega)]
    torch.testing.assert_close(inside.mean(0), torch.full((3,), 1 / 3), atol=0.01, rtol=0)


def test_a_share_is_asked_for_every_dial():
    with pytest.raises(ValueError, match="one share per dial; got 2 for p = 3"):
        OmegaSampling(corners=(0.1, 0.2)).draw(3, generator())


@pytest.mark.parametrize("corners", [(-0.1, 0.5), (0.6, 0.6), (float("nan"), 0.1)])
def test_shares_that_are_none_are_refused(corners):
    with pytest.raises(ValueError, match="corners must be shares with a sum of at most 1"):
        OmegaSampling(corners=corners)


def test_shares_whose_sum_exceeds_1_by_rounding_are_taken():
    shares = (0.2, 0.4, 0.3, 0.1)
    assert sum(shares) > 1
    draws = OmegaSampling(corners=shares, groups=64).draw(4, generator())
    assert (draws.sum(1) == 1).all()


def test_all_faults_of_a_sampling_are_reported_at_once():
    refusal = r"kind must be .*; corners must be .*; groups must be .*; got .*'gauss', corners=\(1\.5,"
    with pytest.raises(ValueError, match=refusal):
        OmegaSampling("gauss", corners=(1.5,), groups=0)


def annealed(groups, progress, power=1.0):
    sampling = OmegaSampling("annealed", groups=groups, power=power)
    return sampling.draw(2, generator(), progress)


@pytest.mark.parametrize("groups", [2, 5])
def test_annealed_dials_start_in_the_middle(groups):
    torch.testing.assert_close(annealed(groups, 0.0), torch.full((groups, 2), 0.5))


def test_annealed_dials_end_spread_evenly_over_the_simplex():
    omega = annealed(5, 1.0)
    expected = path([0.99, 0.01], [0.01, 0.99], 5)
    torch.testing.assert_close(omega, expected)


def test_annealed_dials_move_outwards_and_with_a_power_farther():
    ends = [annealed(3, progress).max() for progress in (0.0, 0.3, 0.6, 1.0)]
    assert ends == sorted(ends)
    assert annealed(3, 1.0, power=2.0).max() > ends[-1]
    assert (annealed(3, 0.7).sum(1) - 1).abs().max() < 1e-6


def test_annealed_dials_take_nothing_from_the_generator():
    source = generator()
    OmegaSampling("annealed", groups=4).draw(2, source, 0.5)
    assert torch.equal(source.get_state(), generator().get_state())


@pytest.mark.parametrize("p", [1, 3])
def test_annealed_dials_are_two(p):
    with pytest.raises(ValueError, match=f"annealed omegas are for 2 dials; got p = {p}"):
        OmegaSampling("annealed", groups=3).draw(p, generator())


@pytest.mark.parametrize("options", [{"corners": (0.1, 0.1), "groups": 4}, {"groups": 1}])
def test_annealed_dials_have_groups_and_no_corners(options):
    with pytest.raises(ValueError, match="kind 'annealed' has no corners, and at least 2 groups"):
        OmegaSampling("annealed", **options)


@pytest.mark.parametrize("kind", ["uniform", "simplex"])
def test_the_progress_of_training_changes_no_random_draw(kind):
    sampling = OmegaSampling(kind, groups=3)
    assert torch.equal(sampling.draw(2, generator(), 0.7), sampling.draw(2, generator()))


def test_a_path_runs_evenly_from_start_to_stop():
    expected = torch.tensor([[0.0, 1.0], [0.25, 0.75], [0.5, 0.5], [0.75, 0.25], [1.0, 0.0]])
    assert torch.equal(path([0, 1], [1, 0], 5), expected)


def test_a_path_there_is_the_path_back_reversed():
    there, back = path([0.1, 0.9, 0.3], [0.7, 0.2, 0.3], 7), path([0.7, 0.2, 0.3], [0.1, 0.9, 0.3], 7)
    torch.testing.assert_close(there, back.flip(0))


def test_a_long_path_stays_within_the_range():
    assert as_omega(path([0, 1], [1, 0], 101), 2).shape == (101, 2)
