"""The joint objectives of denoising and deblurring, in their three readings."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from study.images.degradations import high_pass
from study.tasks.joint import Joint
from tunable_core.multi_loss import MultiLoss
from tunable_core.objectives import noise_target

READINGS = ("adapted", "clean", "literal")


@pytest.fixture
def degraded(patches):
    return patches + 0.1 * torch.randn_like(patches)


def test_the_high_pass_is_scipys(patches):
    expected = np.stack(
        [
            [
                channel - scipy.ndimage.gaussian_filter(channel, 2.5, mode="mirror", radius=4)
                for channel in image
            ]
            for image in patches.double().numpy()
        ]
    )
    np.testing.assert_allclose(high_pass(patches.double()).numpy(), expected, atol=1e-10)


def test_a_flat_image_has_no_high_pass():
    assert high_pass(torch.full((1, 3, 9, 9), 0.3)).abs().max() < 1e-6


def test_an_image_smaller_than_half_the_mask_is_refused():
    with pytest.raises(ValueError, match=r"5 x 5 pixels or more; got \[1, 3, 4, 9\]"):
        high_pass(torch.rand(1, 3, 4, 9))


@pytest.mark.parametrize("reading", READINGS)
def test_nothing_to_remove_and_nothing_to_sharpen_is_the_clean_image(reading, patches, close):
    joint, omega = Joint(reading), torch.tensor([0.0 if reading == "literal" else 1.0, 0.0])
    close(joint.kept(patches, patches + 1, omega), patches)
    close(joint.sharpened(patches, patches + 1, omega), patches)


def test_adapted_keeps_more_noise_the_less_is_to_be_removed(patches, degraded, close):
    joint = Joint("adapted")
    for omega_1 in (0.0, 0.25, 1.0):
        kept = joint.kept(patches, degraded, torch.tensor([omega_1, 0.7]))
        close(kept, patches + 0.9 * (1 - omega_1) * (degraded - patches))


def test_literal_keeps_more_noise_the_more_is_asked_for(patches, degraded, close):
    omega = torch.tensor([0.25, 0.7])
    close(Joint("literal").kept(patches, degraded, omega), noise_target(patches, degraded, 0.25))


def test_sharpening_amplifies_the_noise_in_the_literal_reading_alone(patches, degraded):
    amplified = {}
    for reading in READINGS:
        omega = torch.tensor([1.0 if reading == "literal" else 0.0, 1.0])
        noisy = Joint(reading).sharpened(patches, degraded, omega)
        quiet = Joint(reading).sharpened(patches, patches, omega)
        amplified[reading] = ((noisy - quiet).std() / (degraded - patches).std()).item()
    assert amplified["clean"] == 0
    assert amplified["adapted"] == pytest.approx(0.9, abs=0.01)
    assert amplified["literal"] > 5


def test_dials_per_sample_equal_a_loop(patches, degraded, close):
    omegas = torch.rand(len(patches), 2)
    for reading in READINGS:
        together = Joint(reading).sharpened(patches, degraded, omegas)
        for i, omega in enumerate(omegas):
            one = Joint(reading).sharpened(patches[i : i + 1], degraded[i : i + 1], omega)
            close(together[i : i + 1], one)


def test_both_are_objectives_of_a_multi_loss(patches, degraded, close):
    joint, omega = Joint(), torch.tensor([0.3, 0.6])
    loss, parts = MultiLoss({"noise": joint.noise, "blur": joint.blur})(
        degraded, patches, degraded, omega
    )
    close(loss, 0.3 * parts["noise"] + 0.6 * parts["blur"])
    target = joint.sharpened(patches, degraded, omega)
    close(parts["blur"], (degraded - target).abs().mean())


def test_every_fault_is_named_at_once():
    with pytest.raises(ValueError, match=r"Joint: reading .*; nu .*; gamma .*; got .*exact.* nu=1\.5"):
        Joint("exact", nu=1.5, gamma=-1)


@pytest.mark.parametrize("reading", READINGS)
def test_the_pair_of_objectives_follows_its_own_dials_in_either_order(patches, degraded, reading):
    """S9: with the blur first, both objectives read each other's dial."""
    joint = Joint(reading)
    inputs = torch.rand_like(patches), patches, degraded
    forward = MultiLoss({"noise": joint.noise, "blur": joint.blur})(*inputs, [0.3, 0.8])
    backward = MultiLoss({"blur": joint.blur, "noise": joint.noise})(*inputs, [0.8, 0.3])
    torch.testing.assert_close(forward, backward)


def test_the_sharpened_target_without_its_pair_is_refused(patches):
    inputs = (patches,) * 3
    for names in (("blur",), ("noise", "blur", "third")):
        loss = MultiLoss({name: Joint().blur for name in names})
        with pytest.raises(ValueError, match=f"Joint.blur needs two dials.* got {len(names)} "):
            loss(*inputs, [0.5] * len(names))
