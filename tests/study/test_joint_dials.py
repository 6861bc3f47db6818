"""The targets of joint denoising and deblurring, and Retouch, which meets them."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from study.controls import Retouch
from study.images.degradations import gaussian_blur, gaussian_noise
from study.measuring import metrics
from study.measuring.behaviour import disentanglement
from study.measuring.joint import ideal
from study.measuring.protocols import CORNERS, JointSweep
from study.measuring.sweep import measure
from study.tasks.joint import Joint

GRID = tuple(itertools.product((0.0, 0.5, 1.0), repeat=2))

WHAT = JointSweep(
    images="samples-test", sigmas=(5.0, 30.0), rhos=(0.0, 2.0), every=2, crop=32, perceptual=False
)


def test_the_target_of_a_reading_scores_as_that_target():
    case = next(iter(WHAT.cases()))
    clean, degraded = case.clean[None], case.degraded[None]
    frame = ideal(WHAT)
    assert len(frame) == len(WHAT) * len(CORNERS) * 3
    for row in frame[frame.image == case.image].query("sigma == 5 and rho == 0").itertuples():
        omega = torch.tensor([row.omega_1, row.omega_2])
        joint = Joint(row.reading)
        kept, sharpened = (f(clean, degraded, omega) for f in (joint.kept, joint.sharpened))
        assert row.psnr_noise == pytest.approx(metrics.psnr(kept, clean).item(), nan_ok=False)
        assert row.psnr_blur == pytest.approx(metrics.psnr(sharpened, clean).item())


def test_the_literal_reading_bounds_what_the_adapted_one_does_not():
    frame = ideal(WHAT, ("literal", "adapted")).query("omega_1 == 1 and omega_2 == 0")
    found = frame.groupby("reading").psnr_noise.mean()
    assert np.isinf(found["adapted"])
    assert found["literal"] < 35


# Retouch


@pytest.fixture
def degraded():
    """A picture with detail [1, 3, 32, 32], and the same blurred and noisy."""
    clean = torch.rand(1, 3, 32, 32)
    return clean, gaussian_noise(gaussian_blur(clean, 1.0), 15, torch.Generator().manual_seed(0))


def test_retouch_over_a_perfect_network_meets_the_adapted_targets(degraded, close):
    clean, z = degraded

    class Knows(nn.Module):
        def forward(self, x):
            return clean

    for omega in GRID:
        target = Joint("adapted").sharpened(clean, z, torch.tensor(omega))
        close(Retouch(Knows())(z, omega), target)


def test_retouch_runs_its_network_once_for_all_omegas(degraded, close):
    calls, network = [], nn.Conv2d(3, 3, 3, padding=1)
    network.register_forward_hook(lambda *_: calls.append(1))
    control, (_, z) = Retouch(network), degraded
    together = control.outputs(z, torch.tensor(GRID))
    assert len(calls) == 1
    for omega, output in zip(GRID, together, strict=True):
        close(output, control(z, omega))


def test_the_dials_of_retouch_are_those_of_the_matrix():
    matrix = disentanglement(measure(Retouch(nn.Identity()), JointSweep(**vars(WHAT)), progress=False))
    assert matrix.loc["omega_2", "detail"] > 4 * matrix.loc["omega_1", "detail"]
