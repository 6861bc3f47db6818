"""Objectives and their mixture against Eqs. 7 and 9 written by hand."""

import pytest
import torch

from tunable_core import MultiLoss, NoisePreservation, reconstruction
from tunable_core.objectives import noise_target

OMEGA = torch.tensor([0.3, 0.8])
OMEGAS = torch.tensor([[0.3, 0.8], [1.0, 0.0], [0.0, 0.5]])


@pytest.fixture
def trio(patches):
    """Output, clean and degraded, [3, 3, 16, 16]."""
    return patches + 0.1 * torch.randn_like(patches), patches, patches + torch.randn_like(patches)


def distance(a, b):
    return (a - b).abs().mean((1, 2, 3))


@pytest.mark.parametrize("lambdas", [None, (2.0, 0.5)])
@pytest.mark.parametrize("omega", [OMEGA, OMEGAS], ids=["shared", "per sample"])
def test_the_multi_loss_is_equation_7(trio, lambdas, omega, close):
    output, clean, degraded = trio
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation()}, lambdas)
    total, parts = loss(*trio, omega)
    rec, noise = distance(output, clean), distance(output, clean + 0.9 * (degraded - clean))
    first, second = lambdas or (1, 1)
    by_hand = omega[..., 0] * first * rec + omega[..., 1] * second * noise
    close(total, by_hand.mean())
    close(parts["rec"], rec.mean())
    close(parts["noise"], noise.mean())


def test_the_dials_follow_the_order_of_the_objectives(trio, close):
    noise = NoisePreservation()
    one = MultiLoss({"rec": reconstruction, "noise": noise})
    other = MultiLoss({"noise": noise, "rec": reconstruction})
    close(one(*trio, OMEGA)[0], other(*trio, OMEGA.flip(0))[0])


def test_one_omega_equals_it_repeated_for_every_sample(trio, close):
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation("eq9")})
    close(loss(*trio, OMEGA)[0], loss(*trio, OMEGA.expand(3, 2))[0])


@pytest.mark.parametrize("omega", [OMEGA, OMEGAS], ids=["shared", "per sample"])
def test_the_fixed_target_keeps_nu_of_the_noise_whatever_the_dials(trio, omega, close):
    output, clean, degraded = trio
    loss = NoisePreservation("fixed", nu=0.7)(output, clean, degraded, omega)
    close(loss, distance(output, clean + 0.7 * (degraded - clean)))


@pytest.mark.parametrize("omega", [OMEGA, OMEGAS], ids=["shared", "per sample"])
def test_the_printed_target_keeps_omega_2_times_nu(trio, omega, close):
    output, clean, degraded = trio
    loss = NoisePreservation("eq9", nu=0.7)(output, clean, degraded, omega)
    share = 0.7 * omega[..., 1].reshape(-1, 1, 1, 1)
    close(loss, distance(output, clean + share * (degraded - clean)))


def test_both_targets_are_one_at_omega_2_equal_to_1(trio, close):
    omega = torch.tensor([0.3, 1.0])
    close(NoisePreservation("eq9")(*trio, omega), NoisePreservation("fixed")(*trio, omega))


def test_the_dial_of_the_printed_target_may_be_another(trio, close):
    last = NoisePreservation("eq9", dial=1)(*trio, OMEGA)
    close(NoisePreservation("eq9", dial=0)(*trio, OMEGA.flip(0)), last)


def test_the_noise_target_goes_from_clean_to_degraded(trio, close):
    _, clean, degraded = trio
    close(noise_target(clean, degraded, 0.0), clean)
    close(noise_target(clean, degraded, 1.0, nu=1.0), degraded)


def test_losses_are_float32_for_a_bfloat16_output(trio):
    output, clean, degraded = trio
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation()})
    total, parts = loss(output.bfloat16(), clean, degraded, OMEGA)
    assert {x.dtype for x in (total, *parts.values())} == {torch.float32}


@pytest.mark.parametrize("noise", ["fixed", "eq9"])
def test_gradients_flow_to_output_and_dials_as_by_hand(trio, noise, close):
    output, clean, degraded = trio
    output, omega = output.clone().requires_grad_(), OMEGAS.clone().requires_grad_()
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation(noise)})
    strength = (omega[:, 1] if noise == "eq9" else torch.ones(3)).view(-1, 1, 1, 1)
    target = clean + 0.9 * strength * (degraded - clean)
    by_hand = omega[:, 0] * distance(output, clean) + omega[:, 1] * distance(output, target)
    expected = torch.autograd.grad(by_hand.mean(), (output, omega))
    got = torch.autograd.grad(loss(output, clean, degraded, omega)[0], (output, omega))
    close(got[0], expected[0])
    close(got[1], expected[1])
    assert all(gradient.any() for gradient in got)


def test_a_perfect_output_has_no_loss_at_its_own_corner(trio, close):
    _, clean, degraded = trio
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation()})
    kept = noise_target(clean, degraded, 1.0)
    close(loss(clean, clean, degraded, torch.tensor([1.0, 0.0]))[0], torch.tensor(0.0))
    close(loss(kept, clean, degraded, torch.tensor([0.0, 1.0]))[0], torch.tensor(0.0))


def test_p_is_the_number_of_objectives():
    assert MultiLoss({"a": reconstruction, "b": reconstruction, "c": reconstruction}).p == 3


@pytest.mark.parametrize("lambdas", [(1.0,), (1.0, 2.0, 3.0), ()])
def test_one_lambda_is_asked_for_each_objective(lambdas):
    with pytest.raises(ValueError, match=f"one lambda per objective: got {len(lambdas)} for"):
        MultiLoss({"rec": reconstruction, "noise": NoisePreservation()}, lambdas)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_a_negative_or_endless_lambda_is_refused(bad):
    with pytest.raises(ValueError, match=rf"finite and not negative; got \(1\.0, {bad}\)"):
        MultiLoss({"rec": reconstruction, "noise": NoisePreservation()}, (1.0, bad))


def test_an_omega_of_another_length_is_refused(trio):
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation()})
    with pytest.raises(ValueError, match=r"omega has 3 dials for the 2 objectives \['rec', 'noise'\]"):
        loss(*trio, torch.tensor([0.1, 0.2, 0.3]))


def test_an_unknown_noise_target_is_refused():
    with pytest.raises(ValueError, match="noise_target must be 'fixed' or 'eq9'; got 'eq7'"):
        NoisePreservation("eq7")


@pytest.mark.parametrize("nu", [-0.1, 1.1, float("nan")])
def test_a_nu_that_is_no_share_is_refused(nu):
    with pytest.raises(ValueError, match=rf"share of the noise in \[0, 1\]; got {nu}"):
        NoisePreservation(nu=nu)
