"""The training loop: the same bits every time, also through a kill; and it does learn."""

import itertools
import math
from dataclasses import replace

import pandas as pd
import pytest
import torch

from study.controls import Apart, DNIConfig, Stage, TunableConfig, TunableControl
from study.tasks import Denoising, Pair
from study.training import (
    Training,
    TrainingDiverged,
    learning_rate,
    loop,
    state,
    train,
)
from tunable_core.files import DamagedFile
from tunable_core.multi_loss import MultiLoss
from tunable_core.omega import OmegaSampling
from tunable_photo.resnet import ResNetConfig

QUICK = Training(steps=6, batch=2, patch=8)
APART = Apart(share=1.0, corners=(1.0, 0.0))


class Killed(Exception):
    """Simulates a kill at a known step."""


class Listening(TunableControl):
    """Records the calls of the training."""

    def __init__(self):
        super().__init__(ResNetConfig(1, 4).build(), p=2)
        self.omegas, self.inputs, self.types = [], [], []
        self.network.module.head.register_forward_hook(
            lambda layer, inputs, output: self.types.append(output.dtype)
        )

    def forward(self, x, omega):
        self.omegas.append(omega)
        self.inputs.append(x)
        return super().forward(x, omega)


def fresh(method=None, seed=0):
    torch.manual_seed(seed)
    return (method or TunableConfig()).build(ResNetConfig(1, 4).build(), p=2)


def trained(images, settings=QUICK, control=None, **options):
    """The control after its training, and its history."""
    control = control or fresh()
    task = options.pop("task", Denoising())
    return control, train(control, task, images, settings, progress=False, **options)


def weights(control):
    """A copy of the control's weights of now, by name."""
    return {name: value.detach().clone() for name, value in control.named_parameters()}


def same(one, other):
    """Whether two controls have the same weights, bit for bit."""
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0] | states[1])


@pytest.fixture
def log_every_step(monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """The path of a checkpoint, which is written after every second step."""
    monkeypatch.setattr(loop, "LOG_EVERY", 2)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    return tmp_path / "run.part" / "checkpoint.safetensors"


# The same bits


@pytest.mark.parametrize("precision", ["bf16", "float32"])
def test_the_same_settings_give_the_same_bits(images, precision):
    settings = replace(QUICK, precision=precision)
    (one, first), (other, second) = (trained(images, settings) for _ in range(2))
    assert same(one, other)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def batches(images, settings):
    """Every input and omega of a training, step after step."""
    control, _ = trained(images, settings, Listening())
    return torch.stack(control.inputs), torch.stack(control.omegas)


def test_every_step_has_a_batch_and_an_omega_of_its_own(images):
    inputs, omegas = batches(images, QUICK)
    assert len(inputs.flatten(1).unique(dim=0)) == QUICK.steps
    assert len(omegas.unique(dim=0)) == QUICK.steps


def test_another_seed_gives_other_batches_and_omegas(images):
    (inputs, omegas), (others, strangers) = (batches(images, replace(QUICK, seed=s)) for s in (0, 1))
    assert not (inputs == others).all((1, 2, 3, 4)).any()
    assert not (omegas == strangers).all(1).any()


def test_batches_depend_on_seed_and_step_alone(images):
    control = Listening()
    control.stages = lambda: [Stage(f"{part}.", (f"network.{part}.",)) for part in ("module", "phi")]
    trained(images, control=control)
    first, second = torch.stack(control.inputs).split(QUICK.steps)
    assert torch.equal(first, second)


def test_the_global_random_state_decides_nothing(images):
    controls = [fresh(), fresh()]
    for seed, control in enumerate(controls):
        torch.manual_seed(seed)
        trained(images, control=control)
    assert same(*controls)


@pytest.mark.parametrize("precision", ["bf16", "float32"])
@pytest.mark.parametrize(
    ("method", "kill"),
    [
        (TunableConfig(), (0, 4)),
        (TunableConfig(), (0, 6)),
        (TunableConfig("se", kernels=3), (0, 4)),
        (DNIConfig(1.0), (0, 4)),
        (DNIConfig(1.0), (1, 2)),
        (DNIConfig(1.0), (1, 4)),
        (TunableConfig(apart=APART), (0, 6)),
        (TunableConfig(apart=APART), (1, 4)),
    ],
)
def test_a_killed_training_resumes_to_the_same_bits(images, checkpoint, precision, method, kill):
    settings = replace(QUICK, precision=precision, omega=OmegaSampling(corners=(0.15, 0.15)))
    undisturbed, history = trained(images, settings, fresh(method))

    def stop(rows):  # comes before this step's checkpoint: the one before it is taken up
        if tuple(rows[["stage", "step"]].iloc[-1]) == kill:
            raise Killed

    with pytest.raises(Killed):
        trained(images, settings, fresh(method), checkpoint=checkpoint, on_log=stop)
    stranger = fresh(method, seed=1)  # everything must come from the checkpoint
    resumed, again = trained(images, settings, stranger, checkpoint=checkpoint)
    assert same(resumed, undisturbed)
    pd.testing.assert_frame_equal(again, history, check_exact=True)


@pytest.mark.parametrize("method", [TunableConfig(), DNIConfig(1.0)])
def test_a_training_killed_after_its_last_step_only_ends(images, checkpoint, method):
    undisturbed, history = trained(images, control=fresh(method), checkpoint=checkpoint)
    resumed, again = trained(images, control=fresh(method, seed=1), checkpoint=checkpoint)
    assert same(resumed, undisturbed)
    pd.testing.assert_frame_equal(again, history, check_exact=True)


def test_checkpoints_do_not_disturb(images, checkpoint):
    assert same(trained(images, checkpoint=checkpoint)[0], trained(images)[0])
    assert checkpoint.exists()


def test_a_training_resumes_after_the_last_checkpoint_and_not_before(images, checkpoint):
    def stop(rows):
        if rows["step"].iloc[-1] == 4:
            raise Killed

    class Counting(Denoising):
        batches = 0

        def pair(self, *arguments):
            Counting.batches += 1
            return super().pair(*arguments)

    with pytest.raises(Killed):
        trained(images, checkpoint=checkpoint, on_log=stop)
    trained(images, checkpoint=checkpoint, task=Counting())
    assert Counting.batches == 4


def test_a_damaged_checkpoint_is_refused_by_name(images, checkpoint):
    trained(images, checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    with pytest.raises(DamagedFile, match=r"checkpoint\.safetensors .*delete it"):
        trained(images, checkpoint=checkpoint)


# A second stage, apart


def test_the_second_stage_begins_where_the_first_ended(images):
    together, _ = trained(images)
    apart = TunableConfig(apart=replace(APART, share=1e-9))  # one step, at (1, 0)
    apart, history = trained(images, control=fresh(apart))
    assert history["stage"].tolist() == [0, 1]
    corners = torch.eye(2)
    for name in together.network.tuned:
        ours, theirs = (c.network.mix(corners[1])[name] for c in (apart, together))
        torch.testing.assert_close(ours, theirs)
    assert not torch.allclose(
        apart.network.mix(corners[0])["tail.weight"], together.network.mix(corners[0])["tail.weight"]
    )


def test_the_second_stage_draws_its_own_omegas(images):
    control = Listening()
    control.apart = Apart(share=0.5, corners=(0.0, 1.0))
    trained(images, replace(QUICK, fidelity_first=1), control)
    assert all(omega.tolist() == [0, 1] for omega in control.omegas[QUICK.steps :])
    assert len(control.omegas) == 9


def test_a_training_that_moves_to_another_machine_says_so(images, checkpoint, monkeypatch):
    def stop(rows):
        if rows["step"].iloc[-1] == 4:
            raise Killed

    monkeypatch.setattr(state, "device_name", lambda device: "another")
    with pytest.raises(Killed):
        trained(images, checkpoint=checkpoint, on_log=stop)
    monkeypatch.undo()
    monkeypatch.setattr(loop, "LOG_EVERY", 2)
    _, history = trained(images, checkpoint=checkpoint)
    first, second = history.attrs["devices"]
    assert first == "another"
    assert second.startswith("CPU")


# The learning rate


def rates(settings, steps=1000):
    return [learning_rate(step, steps, settings) for step in range(steps)]


def test_the_cosine_rate_warms_up_to_its_peak_and_falls_to_nearly_zero():
    values = rates(Training(lr=2e-3, warmup=50))
    assert values[:50] == pytest.approx([2e-3 * (step + 1) / 50 for step in range(50)])
    assert max(values) == values[49] == values[50] == 2e-3
    assert all(a > b for a, b in itertools.pairwise(values[50:]))
    assert values[525] == pytest.approx(1e-3)
    assert 0 < values[-1] < 1e-5 * 2e-3


def test_the_cosine_rate_without_warm_up_starts_at_its_peak():
    assert rates(Training(lr=2e-3, warmup=0))[0] == 2e-3


@pytest.mark.parametrize("steps", [1, 5, 10, 100])
def test_a_short_training_warms_up_for_a_tenth_of_it_at_most(steps):
    values = rates(Training(lr=1.0, warmup=500), steps)
    assert values.index(1.0) <= steps // 10
    assert all(0 < value <= 1 for value in values)


def test_the_constant_rate_is_constant():
    assert set(rates(Training(lr=1e-4, schedule="constant"))) == {1e-4}


@pytest.mark.usefixtures("log_every_step")
def test_the_history_tells_the_rate(images):
    _, history = trained(images)
    assert history["lr"].tolist() == rates(QUICK, QUICK.steps)


@pytest.mark.usefixtures("log_every_step")
def test_the_optimizer_follows_the_rate(images):
    """The first step of Adam moves each weight by the rate, whatever its gradient."""
    control, before, moves = fresh(), weights(fresh()), []

    def moved(_):
        moves.append(max((p - before[n]).abs().max().item() for n, p in weights(control).items()))

    trained(images, replace(QUICK, steps=20, warmup=2, lr=1e-2), control, on_log=moved)
    assert moves[0] == pytest.approx(1e-2 / 2, rel=1e-3)


# What is learnt, and at which dials


@pytest.mark.parametrize("precision", ["bf16", "float32"])
def test_the_loss_goes_down(images, monkeypatch, precision):
    monkeypatch.setattr(loop, "LOG_EVERY", 20)
    settings = Training(steps=100, batch=4, patch=8, lr=1e-2, precision=precision)
    _, history = trained(images, settings)
    assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]


@pytest.mark.usefixtures("log_every_step")
def test_the_history_has_a_row_per_log_with_the_parts_of_the_loss(images):
    _, history = trained(images, control=fresh(DNIConfig(0.5)))
    assert history["stage"].tolist() == [0] * 6 + [1] * 3
    assert history["step"].tolist() == [1, 2, 3, 4, 5, 6, 1, 2, 3]
    assert (history["gradient_norm"] > 0).all()
    own = history["reconstruction"].where(history["stage"] == 0, history["noise"])
    assert history["loss"].tolist() == pytest.approx(own.tolist())  # each at its own corner


def test_a_row_of_the_history_is_the_mean_since_the_row_before(images, monkeypatch):
    rows = {}
    for every in (1, 4):
        monkeypatch.setattr(loop, "LOG_EVERY", every)
        rows[every] = trained(images)[1]["loss"].tolist()
    by_hand = [sum(rows[1][:4]) / 4, sum(rows[1][4:]) / 2]
    assert rows[4] == pytest.approx(by_hand)


def test_groups_share_an_omega_within_a_step(images):
    settings = replace(QUICK, batch=4, omega=OmegaSampling(groups=2))
    control, _ = trained(images, settings, Listening())
    for omega in control.omegas:
        assert omega.shape == (4, 2)
        assert torch.equal(omega[0], omega[1])
        assert torch.equal(omega[2], omega[3])
        assert not torch.equal(omega[1], omega[2])


@pytest.mark.parametrize("precision", ["bf16", "float32"])
def test_precision_is_that_of_the_network_and_never_of_the_weights(images, precision):
    control, _ = trained(images, replace(QUICK, precision=precision), Listening())
    wanted = {"bf16": torch.bfloat16, "float32": torch.float32}[precision]
    assert set(control.types) == {wanted}
    assert {parameter.dtype for parameter in control.parameters()} == {torch.float32}


@pytest.mark.usefixtures("log_every_step")
@pytest.mark.parametrize("ema", [0, 0.999])
def test_the_weights_kept_are_the_moving_average_or_else_the_last(images, ema):
    control, last = fresh(), {}
    trained(images, replace(QUICK, ema=ema), control, on_log=lambda _: last.update(weights(control)))
    kept = all(torch.equal(p, last[name]) for name, p in control.named_parameters())
    assert kept == (ema == 0)


def test_gradients_are_clipped_to_their_norm(images):
    loose, tight = (
        trained(images, replace(QUICK, clip=clip, ema=0), fresh())[0] for clip in (1e9, 1e-12)
    )
    moved = [
        max((p - q).abs().max() for p, q in zip(c.parameters(), fresh().parameters(), strict=True))
        for c in (loose, tight)
    ]
    assert moved[1] < 0.1 * moved[0]


# When it goes wrong


class Poisoned:
    """Degrades well three times, then to NaN."""

    loss = Denoising().loss

    def __init__(self):
        self.good = iter([True] * 3)

    def pair(self, patches, generator):
        clean, noisy, _ = Denoising().pair(patches, generator)
        return Pair(clean, noisy if next(self.good, False) else noisy * math.nan)


@pytest.mark.usefixtures("log_every_step")
def test_a_loss_that_turns_nan_stops_at_its_step_with_the_last_good_weights(images):
    control, last = fresh(), {}
    refusal = r"became nan at step 3 of stage 'tunable'.*reduce lr"
    with pytest.raises(TrainingDiverged, match=refusal):
        trained(
            images,
            control=control,
            task=Poisoned(),
            on_log=lambda _: last.update(weights(control)),
        )
    for name, parameter in control.named_parameters():
        assert parameter.isfinite().all()
        assert torch.equal(parameter, last[name])


@pytest.mark.usefixtures("log_every_step")
def test_a_gradient_that_turns_nan_stops_before_the_weights_do(images):
    def root(output, clean, degraded, omega):
        """A loss of zero whose gradient is not a number."""
        return (0 * output.float()).flatten(1).sum(1).sqrt()

    class Rooted:
        pair = Denoising().pair
        loss = MultiLoss({"root": root, "other root": root})

    control, untouched = fresh(), fresh()
    with pytest.raises(TrainingDiverged, match="at step 0 of stage 'tunable'"):
        trained(images, control=control, task=Rooted())
    assert same(control, untouched)


def test_a_diverged_training_leaves_no_bad_checkpoint(images, checkpoint):
    with pytest.raises(TrainingDiverged, match="at step 3"):
        trained(images, checkpoint=checkpoint, task=Poisoned())
    assert same(trained(images, checkpoint=checkpoint)[0], trained(images)[0])


def test_all_faults_of_the_settings_are_reported_at_once():
    with pytest.raises(ValueError, match="Training: ") as raised:
        Training(
            steps=0,
            batch=0,
            patch=7,
            lr=0,
            warmup=-1,
            clip=0,
            weight_decay=-1,
            ema=1,
            schedule="linear",
            precision="fp8",
            fidelity_first=-1,
        )
    refusal = str(raised.value)
    for name in (
        "steps",
        "batch",
        "patch",
        "lr",
        "warmup",
        "clip",
        "weight_decay",
        "ema",
        "fidelity_first",
    ):
        assert f"{name} must" in refusal
    assert "schedule must" in refusal
    assert "precision must" in refusal


@pytest.mark.parametrize("lr", [math.nan, math.inf])
def test_a_rate_that_is_no_number_is_refused(lr):
    with pytest.raises(ValueError, match="lr must be"):
        Training(lr=lr)


def test_groups_that_do_not_divide_the_batch_are_refused():
    with pytest.raises(ValueError, match=r"batch must be a multiple of omega\.groups; got Training"):
        Training(batch=8, omega=OmegaSampling(groups=3))
