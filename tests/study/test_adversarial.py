"""L_gan and its discriminator."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from study.controls import DNIConfig, TunableConfig
from study.images.artifacts import colours
from study.networks import DiscriminatorConfig
from study.networks.discriminator import Discriminator
from study.tasks import SuperResolution, adversarial, perceptual
from study.tasks.adversarial import WATCHED, Adversarial, health, relativistic
from study.training import Training, loop, train
from study.training.adversary import AdversarialLoss
from tunable_core.objectives import l1, reconstruction
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNetConfig

TINY = DiscriminatorConfig(channels=2, scales=2)
VIVID = torch.tensor([0.0, 1.0])
WEIGHT = VIVID[1]


def started(vgg=0.0, seed=0, bf16=False, **options):
    objective = Adversarial(vgg=vgg, discriminator=TINY, **options)
    objective.start(seed, torch.device("cpu"), bf16=bf16)
    return objective


@pytest.fixture
def pair():
    """An output and a clean batch, [4, 3, 16, 16] in [0, 1]."""
    return torch.rand(4, 3, 16, 16), torch.rand(4, 3, 16, 16)


# The discriminator


def test_the_paper_s_discriminator_has_its_size():
    assert sum(p.numel() for p in DiscriminatorConfig().build().parameters()) == 7_175_753


@pytest.mark.parametrize("size", [(16, 16), (21, 40), (64, 17)])
def test_the_discriminator_takes_any_size_and_gives_one_logit_an_image(size):
    assert Discriminator(2, 4)(torch.rand(3, 3, *size)).shape == (3,)


@pytest.mark.parametrize("shape", [(1, 3, 15, 16), (1, 1, 16, 16), (3, 16, 16)])
def test_the_discriminator_refuses_what_it_cannot_judge(shape):
    with pytest.raises(ValueError, match="at least 16 x 16 pixels; got"):
        Discriminator(2, 4)(torch.zeros(shape))


# The objective


def test_the_relativistic_loss_is_the_cross_entropy_against_the_other_side_s_average():
    a, b = torch.randn(5), torch.randn(5)
    one, zero = torch.ones(5), torch.zeros(5)
    bce = F.binary_cross_entropy_with_logits
    expected = (bce(a - b.mean(), one) + bce(b - a.mean(), zero)) / 2
    torch.testing.assert_close(relativistic(a, b).mean(), expected)
    assert relativistic(zero, zero).tolist() == pytest.approx([math.log(2)] * 5)


def test_the_objective_is_the_weighted_sum_of_its_parts(pair, monkeypatch):
    monkeypatch.setattr(adversarial.perceptual, "unit", lambda: 4.0)
    objective = started(vgg=2.0, pixel=0.1, adversarial=0.5)
    objective.vgg = lambda x: {"conv5_4": x.mean(1, keepdim=True)}
    output, clean = pair
    found = objective(output, clean, output, VIVID)
    seen = l1(output.mean(1), clean.mean(1)) / 4
    judged = relativistic(objective.discriminator(output), objective.discriminator(clean))
    torch.testing.assert_close(found, 0.1 * l1(output, clean) + 2 * seen + 0.5 * judged)
    assert found.shape == (4,)


def test_the_distance_of_the_colours_is_added_and_a_change_of_grey_is_none(pair):
    output, clean = pair
    plain, coloured = started(), started(chroma=2.0)
    more = coloured(output, clean, output, VIVID) - plain(output, clean, output, VIVID)
    torch.testing.assert_close(more, 2 * l1(colours(output), colours(clean)))
    darker = clean - 0.1
    torch.testing.assert_close(
        coloured(darker, clean, clean, VIVID), plain(darker, clean, clean, VIVID), atol=1e-6, rtol=0
    )


def test_the_target_s_features_are_computed_once_and_without_gradient(pair, monkeypatch):
    monkeypatch.setattr(adversarial.perceptual, "unit", lambda: 1.0)
    objective, seen = started(vgg=1.0), []
    objective.vgg = lambda x: (seen.append(x.requires_grad), {"conv5_4": x})[1]
    output, clean = pair
    objective(output.requires_grad_(), clean, output, VIVID)
    objective.learn(output, clean, WEIGHT)
    assert seen == [False, True]


def test_several_layers_are_compared_each_in_its_own_unit(pair):
    layers = (("conv1_2", 0.1), ("conv5_4", 1.0))
    objective = started(vgg=1.0, pixel=0.0, adversarial=0.0, features=layers)
    objective.vgg = lambda x: {"conv1_2": 7 * x, "conv5_4": x - 0.5}
    output, clean = pair
    expected = 0.1 * l1(output, clean) / clean.mean((1, 2, 3))
    expected += l1(output, clean) / (clean - 0.5).abs().mean((1, 2, 3))
    torch.testing.assert_close(objective(output, clean, output, VIVID), expected)


def test_the_gradient_of_the_objective_is_for_the_network_alone(pair):
    objective, (output, clean) = started(), pair
    objective(output.requires_grad_(), clean, output, VIVID).mean().backward()
    assert output.grad.abs().sum() > 0
    assert all(p.grad is None for p in objective.discriminator.parameters())


def test_the_discriminator_learns_to_distinguish_the_two(pair):
    objective, (output, clean) = started(lr=1e-2), pair
    losses = []
    for _ in range(40):
        objective(output, clean, output, VIVID)
        losses.append(objective.learn(output, clean, WEIGHT)["discriminator"].item())
    assert losses[0] == pytest.approx(math.log(2), abs=0.2)
    assert losses[-1] < 0.2 < losses[0]


def test_the_discriminator_comes_to_rest_with_the_network(pair):
    objective, (output, clean) = started(lr=1e-2), pair
    before = objective.discriminator.judge[0].weight.clone()
    objective(output, clean, output, VIVID)
    objective.learn(output, clean, WEIGHT, pace=0.0)
    assert torch.equal(objective.discriminator.judge[0].weight, before)
    objective.learn(output, clean, WEIGHT, pace=0.5)
    assert (objective.discriminator.judge[0].weight - before).abs().max() <= 0.5 * 1e-2 * 1.01


def test_learning_leaves_the_network_alone(pair):
    objective, (output, clean) = started(), pair
    output.requires_grad_()
    objective(output, clean, output, VIVID)
    objective.learn(output, clean, WEIGHT)
    assert output.grad is None


@pytest.mark.parametrize("weighted", [False, True])
def test_samples_weigh_by_omega_2_where_that_is_asked(pair, weighted):
    objective, (output, clean) = started(weighted=weighted), pair
    objective(output, clean, output, VIVID)
    half, whole = (started(weighted=weighted) for _ in range(2))
    losses = []
    for one, dial in ((half, 0.5), (whole, 1.0)):
        omega = torch.tensor([1 - dial, dial])
        one(output, clean, output, omega)
        losses.append(one.learn(output, clean, omega[1])["discriminator"].item())
    assert losses[0] == pytest.approx(losses[1] * (0.5 if weighted else 1.0))


def test_without_omega_2_nothing_is_computed_and_nothing_learnt(pair):
    objective, (output, clean) = started(), pair
    before = {k: v.clone() for k, v in objective.state().items()}
    loss = AdversarialLoss({"reconstruction": reconstruction, "gan": objective}, "gan")
    assert loss.adversary is objective
    total, parts = loss(output, clean, output, torch.tensor([1.0, 0.0]))
    watched = loss.learn(output, clean, torch.tensor([1.0, 0.0]), 1.0)
    assert total == parts["reconstruction"] == l1(output, clean).mean()
    assert parts["gan"].isnan()
    assert tuple(watched) == WATCHED
    assert all(value.isnan() for value in watched.values())
    assert all(torch.equal(v, before[k]) for k, v in objective.state().items())


def test_what_is_watched_has_the_same_names_with_and_without_the_objective(pair):
    objective, (output, clean) = started(), pair
    objective(output, clean, output, VIVID)
    assert tuple(objective.learn(output, clean, WEIGHT)) == WATCHED


def test_a_discriminator_comes_from_its_seed_alone():
    one, other = started(seed=3), started(seed=3)
    torch.rand(1)
    assert all(torch.equal(v, other.state()[k]) for k, v in one.state().items())
    assert not all(torch.equal(v, started(seed=4).state()[k]) for k, v in one.state().items())


def test_a_discriminator_is_not_drawn_from_the_numbers_of_the_network():
    torch.manual_seed(3)
    network_s = TINY.build().state_dict()
    own = started(seed=3).discriminator.state_dict()
    drawn = [name for name, value in own.items() if value.ndim == 4]
    assert not any(torch.equal(own[name], network_s[name]) for name in drawn)


def test_the_discriminator_follows_the_dial_of_its_own_objective(pair):
    objective, (output, clean) = started(), pair
    loss = AdversarialLoss({"gan": objective, "reconstruction": reconstruction}, "gan")
    assert loss(output, clean, output, [0.0, 1.0])[1]["gan"].isnan()
    assert loss.learn(output, clean, torch.tensor([0.0, 1.0]), 1.0)["discriminator"].isnan()
    assert loss(output, clean, output, [1.0, 0.0])[1]["gan"].isfinite()
    assert loss.learn(output, clean, torch.tensor([1.0, 0.0]), 1.0)["discriminator"].isfinite()


def test_an_adversary_is_given_its_own_weight():
    class Learner:
        def __call__(self, output, clean, degraded, omega):
            return l1(output, clean)

        def learn(self, output, clean, weight, pace):
            return {"weight": weight, "pace": pace}

    class OneMinus(AdversarialLoss):
        def weights(self, omega):
            return 1 - omega

    loss, image = (
        OneMinus({"learner": Learner(), "rec": reconstruction}, "learner"),
        torch.rand(1, 3, 4, 4),
    )
    learnt = loss.learn(image, image, torch.tensor([0.25, 1.0]), 0.5)
    assert learnt == {"weight": torch.tensor(0.75), "pace": 0.5}


def test_an_adversary_that_is_no_objective_is_refused():
    with pytest.raises(ValueError, match=r"must be one of the objectives \['rec'\]; got 'gan'"):
        AdversarialLoss({"rec": reconstruction}, "gan")


def test_missing_weights_are_reported_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path))
    perceptual._kernels.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"'vgg19'.*`make data DATASETS=vgg19`"):
        started(vgg=1.0)
    started(vgg=0.0)


# In training

SETTINGS = Training(steps=6, batch=2, patch=24, omega=OmegaSampling("simplex", corners=(0.4, 0.2)))
TASK = SuperResolution(scale=2, vgg=0.0, discriminator=TINY)


def fresh(method, seed=0):
    torch.manual_seed(seed)
    return method.build(ResNetConfig(1, 4, scale=2).build(), 2)


@pytest.fixture
def pictures():
    return [torch.randint(256, (3, 32, 40), dtype=torch.uint8) for _ in range(3)]


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """The path of a checkpoint, which is written after every second step."""
    monkeypatch.setattr(loop, "LOG_EVERY", 2)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    return tmp_path / "checkpoint.safetensors"


def run(control, pictures, task=TASK, settings=SETTINGS, **options):
    return train(control, task, pictures, settings, progress=False, **options)


@pytest.mark.parametrize("precision", ["bf16", "float32"])
@pytest.mark.parametrize(
    ("method", "kill"), [(TunableConfig(), (0, 4)), (DNIConfig(1.0), (0, 4)), (DNIConfig(1.0), (1, 4))]
)
@pytest.mark.slow
def test_a_killed_adversarial_training_resumes_to_the_same_bits(
    pictures, checkpoint, precision, method, kill
):
    settings = replace(SETTINGS, precision=precision)
    undisturbed = fresh(method)
    history = run(undisturbed, pictures, settings=settings)

    def stop(rows):
        if tuple(rows[["stage", "step"]].iloc[-1]) == kill:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(fresh(method), pictures, settings=settings, checkpoint=checkpoint, on_log=stop)
    resumed = fresh(method, seed=1)
    again = run(resumed, pictures, settings=settings, checkpoint=checkpoint)
    for name, value in undisturbed.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])
    pd.testing.assert_frame_equal(again, history, check_exact=True)


def test_the_resumed_discriminator_decides_the_result(pictures, checkpoint, monkeypatch):
    """Without the state the same kill gives other weights, so the test above is sensitive."""
    monkeypatch.setattr(Adversarial, "load", lambda self, tensors: None)
    undisturbed = fresh(TunableConfig())
    task = replace(TASK, adversarial=1.0, discriminator_lr=0.1)
    run(undisturbed, pictures, task)

    def stop(rows):
        if rows["step"].iloc[-1] == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(fresh(TunableConfig()), pictures, task, checkpoint=checkpoint, on_log=stop)
    resumed = fresh(TunableConfig())
    run(resumed, pictures, task, checkpoint=checkpoint)
    pairs = zip(undisturbed.parameters(), resumed.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


def test_the_history_holds_both_sides_and_nothing_where_there_was_no_adversary(pictures, monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    history = run(fresh(DNIConfig(1.0)), pictures)
    first, second = (history[history["stage"] == stage] for stage in (0, 1))
    assert first[["gan", *WATCHED]].isna().all(axis=None)
    assert second[["gan", *WATCHED]].notna().all(axis=None)


def test_a_row_is_the_mean_over_the_steps_that_computed_it(pictures, monkeypatch):
    rows = {}
    for every in (1, 6):
        monkeypatch.setattr(loop, "LOG_EVERY", every)
        rows[every] = run(fresh(TunableConfig()), pictures)["discriminator"]
    assert 0 < rows[1].isna().sum() < 6
    assert rows[6].item() == pytest.approx(rows[1].mean())


def test_the_first_steps_are_for_fidelity_alone_where_that_is_asked(pictures, monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    settings = replace(SETTINGS, omega=OmegaSampling("simplex"), fidelity_first=4)
    history = run(fresh(TunableConfig()), pictures, settings=settings)
    assert history["gan"].isna().tolist() == [True] * 4 + [False] * 2


# Its health


def history(**columns):
    rows = len(next(iter(columns.values())))
    well = {"discriminator": [0.6] * rows, "detail": [1.0] * rows}
    steps = [100 * (i + 1) for i in range(rows)]
    return pd.DataFrame({"stage": [0] * rows, "step": steps, **well, **columns})


def test_a_healthy_training_gives_no_warning():
    assert health(history(discriminator=[0.6, 0.01, 0.01, 0.01, 0.01, 0.6])) == []
    assert health(history(discriminator=[math.nan] * 8)) == []
    assert health(pd.DataFrame({"stage": [0], "step": [1], "loss": [0.1]})) == []


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("discriminator", 0.01, "the discriminator wins"),
        ("detail", 0.1, "turn flat"),
        ("detail", 3.0, "turn to noise"),
        ("grid", 40.0, "draws a grid"),
    ],
)
def test_a_winning_discriminator_a_collapse_or_a_grid_is_reported_with_its_step(column, value, problem):
    good = {"discriminator": 0.6, "detail": 1.0, "grid": 2.0}[column]
    (sentence,) = health(history(**{column: [good, *[value] * 5, good]}))
    assert problem in sentence
    assert "stage 0, step 600" in sentence
