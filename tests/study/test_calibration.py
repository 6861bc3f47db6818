"""The running statistics of BatchNorm at one omega."""

import copy

import pytest
import torch
from torch import nn

from study.measuring.metrics import psnr
from tunable_core import MultiLoss, NoisePreservation, OmegaSampling, Tunable, calibrate, reconstruction


class DnCNN(nn.Module):
    """The denoiser of Zhang et al. (2017) with BatchNorm, made small."""

    def __init__(self):
        super().__init__()
        body = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU()]
        for _ in range(2):
            body += [nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        self.body = nn.Sequential(*body, nn.Dropout(0.0), nn.Conv2d(16, 3, 3, padding=1))

    def forward(self, x):
        return x - self.body(x)


def tunable():
    with pytest.warns(UserWarning, match=r"BatchNorm gathers .* call calibrate\(model\.at\(omega\)"):
        return Tunable(DnCNN(), p=2)


def pair(generator):
    """Clean patches, and with noise of sigma 25."""
    clean = torch.rand(8, 3, 4, 4, generator=generator)
    clean = nn.functional.interpolate(clean, size=16, mode="bilinear")
    return clean, clean + 25 / 255 * torch.randn(clean.shape, generator=generator)


def test_after_calibration_a_network_is_as_good_as_with_the_statistics_of_its_batch():
    generator, model = torch.Generator().manual_seed(0), tunable()
    loss = MultiLoss({"fidelity": reconstruction, "keep noise": NoisePreservation()})
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(150):
        clean, noisy = pair(generator)
        omega = OmegaSampling().draw(2, generator)[0]
        total, _ = loss(model(noisy, omega), clean, noisy, omega)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    batches = [pair(generator)[1] for _ in range(8)]
    clean, noisy = pair(generator)
    for omega in ([1.0, 0.0], [0.0, 1.0]):
        plain = model.at(omega)
        with torch.no_grad():
            by_batch = psnr(copy.deepcopy(plain).train()(noisy), clean).mean()
            before = psnr(plain.eval()(noisy), clean).mean()
            after = psnr(calibrate(plain, batches)(noisy), clean).mean()
        assert after >= by_batch - 0.2
        if omega == [1.0, 0.0]:
            assert after > before


def test_the_statistics_are_the_mean_over_the_batches():
    plain, batches = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1)), torch.rand(4, 8, 3)
    calibrate(plain, batches)
    torch.testing.assert_close(plain[0].running_mean, batches.mean((0, 1)))
    torch.testing.assert_close(plain[0].running_var, batches.var(1).mean(0))


def test_all_else_stays_as_it_was():
    plain = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, momentum=0.3), nn.Dropout(0.5)).train()
    plain[0].eval()
    weights = [p.clone() for p in plain.parameters()]
    assert calibrate(plain, [(torch.rand(4, 3),)]) is plain
    assert [m.training for m in plain] == [False, True, True]
    assert plain[1].momentum == 0.3
    assert all(torch.equal(p, w) for p, w in zip(plain.parameters(), weights, strict=True))


@pytest.mark.parametrize(
    ("batches", "error"), [([], ValueError), ([torch.rand(4, 3), torch.rand(4, 5)], RuntimeError)]
)
def test_after_an_error_the_statistics_are_the_old_ones(batches, error):
    plain = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    plain(torch.rand(4, 3))
    before = copy.deepcopy(plain.state_dict())
    with pytest.raises(error):
        calibrate(plain, batches)
    assert all(torch.equal(v, before[name]) for name, v in plain.state_dict().items())


def test_a_network_without_running_statistics_comes_back_as_it_is():
    plain = nn.Linear(3, 3)
    assert calibrate(plain, []) is plain
