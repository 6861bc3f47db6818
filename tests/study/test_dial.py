"""The dials that reach a wanted result."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from study.controls import Blend
from study.measuring import dial
from study.measuring.metrics import kept_fraction, psnr


def along(kept, **columns):
    t = np.linspace(0, 1, len(kept))
    return pd.DataFrame({"omega_1": t, "omega_2": 1 - t, "kept": kept, **columns})


class Halve(nn.Module):
    """A denoiser that knows the truth and leaves half of what is off."""

    def __init__(self, clean):
        super().__init__()
        self.clean = clean
        self.idle = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.clean + 0.5 * (x - self.clean)


@pytest.fixture
def clean():
    return torch.rand(1, 3, 24, 24)


@pytest.fixture
def noisy(clean):
    return clean + 0.1 * torch.randn_like(clean)


def test_a_metric_at_equal_kept_fraction_is_interpolated():
    frame = along([0.9, 0.5, 0.1], psnr=[20.0, 30.0, 32.0])
    assert dial.at_equal_kept(frame, 0.7) == pytest.approx(25)
    assert dial.at_equal_kept(frame, 0.1) == pytest.approx(32)
    assert np.isnan(dial.at_equal_kept(frame, 0.95))


@pytest.mark.parametrize("kept", [0.95, 0.8, 0.5001])
def test_a_wanted_fraction_is_found(clean, noisy, kept):
    control = Blend(Halve(clean), nu=1.0)
    found = dial.tune_for(control, noisy, kept=kept, clean=clean)
    assert found.reached == pytest.approx(kept, abs=2e-3)
    assert kept_fraction(found.output, clean, noisy).item() == pytest.approx(found.reached)
    assert sum(found.omega) == pytest.approx(1)
    assert torch.allclose(control(noisy, found.omega), found.output, atol=1e-6)


def test_a_wanted_psnr_is_found(clean, noisy):
    control = Blend(Halve(clean), nu=1.0)
    wanted = psnr(noisy, clean).item() + 3
    assert dial.tune_for(control, noisy, psnr=wanted, clean=clean).reached == pytest.approx(
        wanted, abs=0.02
    )


def test_without_the_truth_the_cleanest_output_stands_in(clean, noisy):
    found = dial.tune_for(Blend(Halve(clean), nu=1.0), noisy, kept=0.25)
    stand_in = Halve(clean)(noisy)
    assert kept_fraction(found.output, stand_in, noisy).item() == pytest.approx(0.25, abs=2e-3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "either kept or psnr; got kept=None, psnr=None"),
        ({"kept": 0.5, "psnr": 30}, "either kept or psnr"),
        ({"kept": 0.2}, r"reaches a kept fraction of 0\.5 to 1 on this image; got 0\.2"),
        ({"psnr": 99}, "reaches a PSNR of .* got 99"),
    ],
)
def test_what_cannot_be_found_is_refused(clean, noisy, asked, message):
    with pytest.raises(ValueError, match=message):
        dial.tune_for(Blend(Halve(clean), nu=1.0), noisy, clean=clean, **asked)


def test_one_image_at_a_time(noisy):
    with pytest.raises(ValueError, match=r"one image \[1, 3, H, W\]; got \[2, 3, 24, 24\]"):
        dial.tune_for(Blend(Halve(noisy)), noisy.repeat(2, 1, 1, 1), kept=0.5)
