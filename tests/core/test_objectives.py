"""Objectives and their mixture against Eqs. 7 and 9 written by hand."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tunable_core import MultiLoss, NoisePreservation, reconstruction
from tunable_core.objectives import l1, noise_target

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


def test_the_printed_target_follows_its_own_dial_wherever_it_stands(trio, close):
    """S9: as the first of three objectives it read dial 2."""
    noise = NoisePreservation("eq9")
    omega = torch.tensor([0.3, 0.8, 0.5])
    names = ("noise", "rec", "other")
    _, parts = MultiLoss(dict(zip(names, (noise, reconstruction, reconstruction), strict=True)))(
        *trio, omega
    )
    close(parts["noise"], noise(*trio, torch.tensor([0.0, 0.3])).mean())
    _, parts = MultiLoss({"rec": reconstruction, "other": reconstruction, "noise": noise})(*trio, omega)
    close(parts["noise"], noise(*trio, torch.tensor([0.0, 0.5])).mean())


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


@pytest.mark.parametrize(
    ("omega", "refusal"),
    [
        ([0.1, 0.2, 0.3], r"omega must be \[2\] or \[B, 2\].*got shape \[3\]"),
        ([0.3, 1.3], r"got 1\.3 in position 2"),
        ([[0.3, 0.8]], r"one row per sample; got 1 for 3"),
        ([0.3, float("nan")], "finite"),
    ],
)
def test_an_omega_that_the_model_would_refuse_is_refused(trio, omega, refusal):
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation()})
    for dials in (omega, torch.tensor(omega)):
        with pytest.raises(ValueError, match=refusal):
            loss(*trio, dials)


@pytest.mark.parametrize("omega", [OMEGA, OMEGAS], ids=["shared", "per sample"])
def test_dials_may_be_lists_as_the_model_takes_them(trio, omega, close):
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation("eq9")})
    close(loss(*trio, omega.tolist())[0], loss(*trio, omega)[0])


def test_dials_beyond_the_range_are_taken_when_asked(trio, close):
    loss = MultiLoss({"rec": reconstruction, "noise": NoisePreservation()})
    total, parts = loss(*trio, [1.5, -0.5], extrapolate=True)
    close(total, 1.5 * parts["rec"] - 0.5 * parts["noise"])


# Plain losses


class Squares(nn.Module):
    def forward(self, output, target, scale=1.0):
        return scale * (output - target).square().mean((1, 2, 3))


PLAIN = {
    "a module": nn.L1Loss(),
    "a function": F.l1_loss,
    "a function of torch with an option": partial(F.l1_loss, reduction="mean"),
    "a value per sample": lambda output, clean: (output - clean).abs().mean((1, 2, 3)),
    "a value per entry": nn.L1Loss(reduction="none"),
    "a value per sample of shape [B, 1, 1, 1]": lambda a, b: (a - b).abs().mean((1, 2, 3), True),
}


@pytest.mark.parametrize("objective", PLAIN.values(), ids=PLAIN)
def test_a_plain_loss_is_an_objective(trio, objective, close):
    loss = MultiLoss({"plain": objective, "noise": NoisePreservation()})
    expected = MultiLoss({"plain": reconstruction, "noise": NoisePreservation()})
    close(loss(*trio, OMEGA)[0], expected(*trio, OMEGA)[0])
    close(loss(*trio, OMEGA)[1]["plain"], expected(*trio, OMEGA)[1]["plain"])


@pytest.mark.parametrize("name", [name for name in PLAIN if "value per" in name])
def test_a_plain_loss_of_a_value_per_sample_is_weighed_sample_by_sample(trio, name, close):
    loss = MultiLoss({"plain": PLAIN[name], "noise": NoisePreservation()})
    expected = MultiLoss({"plain": reconstruction, "noise": NoisePreservation()})
    close(loss(*trio, OMEGAS)[0], expected(*trio, OMEGAS)[0])


def test_a_scalar_cannot_be_weighed_sample_by_sample(trio, close):
    loss = MultiLoss({"plain": nn.L1Loss(), "noise": NoisePreservation()})
    with pytest.raises(ValueError, match=r"objective 'plain' gives one value .* reduction='none'"):
        loss(*trio, OMEGAS)
    alike = torch.tensor([[0.5, 0.1], [0.5, 0.9], [0.5, 0.4]])
    expected = MultiLoss({"plain": reconstruction, "noise": NoisePreservation()})
    close(loss(*trio, alike)[0], expected(*trio, alike)[0])


def test_a_module_with_options_beyond_its_two_images_is_a_plain_loss(trio, close):
    _, parts = MultiLoss({"squares": Squares()})(*trio, [1.0])
    close(parts["squares"], (trio[0] - trio[1]).square().mean())


def test_a_plain_loss_of_a_bfloat16_output_is_float32(trio):
    output, clean, degraded = trio
    total, parts = MultiLoss({"plain": nn.MSELoss()})(output.bfloat16(), clean, degraded, [1.0])
    assert total.dtype == parts["plain"].dtype == torch.float32


def test_gradients_flow_through_a_plain_scalar(trio, close):
    output, clean, degraded = trio
    output = output.clone().requires_grad_()
    MultiLoss({"plain": F.mse_loss})(output, clean, degraded, [0.5])[0].backward()
    close(output.grad, (output - clean).detach() / output.numel())


def test_an_objective_is_given_the_network_s_input_and_the_dials(trio, close):
    seen = []

    def objective(output, clean, degraded, omega):
        seen.extend([output, clean, degraded, omega])
        return l1(output, clean)

    MultiLoss({"own": objective, "rec": reconstruction})(*trio, OMEGA)
    assert all(found is given for found, given in zip(seen, (*trio, OMEGA), strict=True))


def test_an_objective_with_a_dial_is_given_its_own_position(trio):
    seen = []

    def objective(output, clean, degraded, omega, dial):
        seen.append(dial)
        return l1(output, clean)

    MultiLoss({"one": objective, "rec": reconstruction, "two": objective})(*trio, [0.1, 0.2, 0.3])
    assert seen == [0, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda output: output.mean(),
        lambda output, clean, degraded: output.mean(),
        lambda *images: images[0].mean(),
        nn.L1Loss,
        nn.GaussianNLLLoss(),
        torch.dist,
        0.5,
    ],
    ids=["one", "three", "any number", "a class", "three images", "unreadable", "no function"],
)
def test_an_objective_of_neither_form_is_refused_by_name_at_once(wrong):
    refusal = (
        r"objective 'wrong' must be a function of \(output, clean\) or of \(output, clean, degraded"
    )
    with pytest.raises(TypeError, match=refusal):
        MultiLoss({"rec": reconstruction, "wrong": wrong})


@pytest.mark.parametrize(
    ("value", "refusal"),
    [(0.5, "got float"), (torch.zeros(2), r"got \[2\] for 3 samples")],
)
def test_an_objective_that_gives_something_else_is_refused_by_name(trio, value, refusal):
    loss = MultiLoss({"rec": reconstruction, "wrong": lambda output, clean: value})
    with pytest.raises(ValueError, match=f"objective 'wrong' must give a scalar or .*{refusal}"):
        loss(*trio, OMEGA)


# Idle objectives


class Costly:
    costly = True

    def __init__(self):
        self.calls = 0

    def __call__(self, output, clean, degraded, omega):
        self.calls += 1
        return l1(output, clean)


class OneMinus(MultiLoss):
    """Another Eq. 7: the weights fall with the dials."""

    def weights(self, omega):
        return 1 - omega


def test_an_objective_is_idle_where_its_weight_is_0_whatever_the_dial(trio, close):
    costly = Costly()
    loss = OneMinus({"rec": reconstruction, "costly": costly})
    total, parts = loss(*trio, [1.0, 1.0])
    assert costly.calls == 0
    assert parts["costly"].isnan()
    close(total, torch.tensor(0.0))
    total, parts = loss(*trio, [1.0, 0.0])
    assert costly.calls == 1
    close(total, parts["costly"])


def test_an_objective_whose_lambda_is_0_is_idle(trio):
    costly = Costly()
    MultiLoss({"rec": reconstruction, "costly": costly}, (1.0, 0.0))(*trio, [0.5, 0.5])
    assert costly.calls == 0


@pytest.mark.parametrize("nu", [-0.1, 1.1, float("nan")])
def test_all_faults_of_a_noise_objective_are_reported_at_once(nu):
    refusal = rf"noise_target must be 'fixed' or 'eq9'; nu is a share .* \[0, 1\]; got 'eq7' and {nu}"
    with pytest.raises(ValueError, match=refusal):
        NoisePreservation("eq7", nu=nu)
