"""Chapter 1: measurements and sentences for a network with known behaviour."""

import pandas as pd
import pytest
import torch
from torch import nn

from study.chapters.lesson import Lesson
from study.tasks import Denoising
from study.training import Training
from tunable_core.omega import OmegaSampling


class Known(nn.Module):
    """A network that keeps the share omega_2 of the noise of one photograph, or all of it."""

    def __init__(self, clean, dial=True):
        super().__init__()
        self.clean, self.dial = clean, dial
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, x, omega):
        return self.clean + (float(omega[1]) if self.dial else 1.0) * (x - self.clean)

    def at(self, omega):
        return At(self, omega)


class At(nn.Module):
    """The same at one position of the dial."""

    def __init__(self, whole, omega):
        super().__init__()
        self.whole, self.omega = whole, omega

    def forward(self, x):
        return self.whole(x, self.omega)


@pytest.fixture
def lesson():
    return Lesson("chelsea", 30.0)


def trained(lesson, control, task=None, corners=()):
    """The lesson after a training that changes nothing."""

    def train(*args, **kwargs):
        return pd.DataFrame({"step": [100], "loss": [0.02]})

    settings = Training(steps=100, omega=OmegaSampling(corners=corners))
    lesson.train(train, control, task or Denoising(noise_target="eq9"), settings)
    return lesson


def test_the_photograph_is_measured_at_each_position(lesson):
    five = trained(lesson, Known(lesson.clean)).five
    assert five.kept.tolist() == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0], abs=1e-4)
    assert len(lesson.dial) == 21
    assert five.psnr.is_monotonic_increasing


@pytest.mark.parametrize(("dial", "said"), [(True, "keeps 100 %"), (False, "does little")])
def test_whether_the_dial_learnt_something_is_said(lesson, dial, said):
    findings = trained(lesson, Known(lesson.clean, dial)).findings()
    assert said in findings[0]
    assert ("does not denoise" in findings[1]) != dial
    assert "with the same output" in findings[2]


def test_equal_steps_of_the_dial_are_called_nearly_equal(lesson):
    assert "nearly equal: the kept fraction changes by 0.25 to 0.25" in (
        trained(lesson, Known(lesson.clean)).steps_said().text
    )


def test_doing_nothing_costs_more_than_knowing_the_picture(lesson):
    idle, knows = trained(lesson, Known(lesson.clean)).loss_bounds
    noise = (2 / torch.pi) ** 0.5 * 17.5 / 255  # mean |z - y| at the mean sigma
    # uniform dials: E[w1 + w2 (1 - 0.9 w2)] = 1 - 0.3, E[min(w1, w2) w2] = 1/8 + 1/12
    assert idle == pytest.approx(0.7 * noise, rel=0.03)
    assert knows == pytest.approx(0.9 * (1 / 8 + 1 / 12) * noise, rel=0.05)


def test_a_fixed_target_asks_for_more_noise(lesson):
    fixed = trained(lesson, Known(lesson.clean), Denoising(noise_target="fixed")).loss_bounds
    assert fixed[0] == pytest.approx(0.55 * (2 / torch.pi) ** 0.5 * 17.5 / 255, rel=0.03)
