"""The transport of a run: fitted to its training images once, then loaded."""

from dataclasses import replace

import pytest
import torch

from study.controls import DNIConfig
from study.measuring import transports
from study.runs import RunConfig
from study.tasks import SuperResolution
from study.training import Training
from tunable_core.files import DamagedFile
from tunable_photo.resnet import ResNetConfig

NETWORK = ResNetConfig(1, 4, scale=4)
CONFIG = RunConfig(
    "enlarging", SuperResolution(vgg=0.0), DNIConfig(), NETWORK, Training(), data="samples-train"
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return NETWORK.build().eval()


def test_a_transport_is_fitted_once_and_read_afterwards(network, store, monkeypatch):
    monkeypatch.setattr(transports, "IMAGES", 2)
    first = transports.transport(network, CONFIG)
    monkeypatch.setattr(transports, "_pairs", None)  # calling it would fail
    second = transports.transport(network, CONFIG)
    assert torch.equal(first.kernel, second.kernel)
    assert torch.equal(first.offset, second.offset)
    assert not torch.equal(first.kernel, transports.Transport(network).kernel)


def test_another_network_has_a_transport_of_its_own(network, store, monkeypatch):
    monkeypatch.setattr(transports, "IMAGES", 2)
    first = transports.transport(network, CONFIG)
    with torch.no_grad():
        network.tail.weight.mul_(0.5)
    assert not torch.equal(transports.transport(network, CONFIG).kernel, first.kernel)
    assert len([*(store / "transports").iterdir()]) == 2


def test_the_filter_of_another_network_is_refused(network, store, monkeypatch):
    monkeypatch.setattr(transports, "IMAGES", 2)
    transports.transport(network, CONFIG)
    (path,) = (store / "transports").iterdir()
    name = path.name
    with torch.no_grad():
        network.tail.weight.mul_(0.5)
    transports.transport(network, CONFIG)
    (other,) = (p for p in (store / "transports").iterdir() if p.name != name)
    other.write_bytes(path.read_bytes())
    with pytest.raises(DamagedFile, match="is the filter of another network; delete it"):
        transports.transport(network, CONFIG)


def test_without_the_training_images_the_samples_are_used_and_nothing_is_stored(
    network, store, monkeypatch, tmp_path
):
    monkeypatch.setattr(transports, "IMAGES", 2)
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path / "empty"))
    with pytest.warns(UserWarning, match="data set 'bsds500' is not in"):
        transports.transport(network, replace(CONFIG, data="bsds500"))
    assert not (store / "transports").exists()
