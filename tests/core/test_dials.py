"""model.dials() sets the dials for code that calls model(x), in one thread only."""

import threading

import pytest
import torch
from torch import nn

from tunable_core import Tunable


class Shifted(nn.Linear):
    """A layer of two inputs."""

    def forward(self, x, shift=0.0):
        return super().forward(x) + shift


@pytest.fixture
def model():
    return Tunable(Shifted(4, 4), p=2)


def test_a_sequential_uses_the_dials_of_the_block(model, close):
    x, pipeline = torch.rand(3, 4), nn.Sequential(nn.Identity(), model)
    for omega in ([0.3, 0.8], [[0.3, 0.8], [1.0, 0.0], [0.0, 1.0]]):
        expected = model(x, omega)
        with model.dials(omega):
            close(pipeline(x), expected)
            close(model(x, torch.ones(3, 4)), expected + 1)
        with pytest.raises(TypeError, match=r"needs dials: model\(x, omega\), or"):
            pipeline(x)


def test_blocks_nest_and_end_with_an_error(model, close):
    x = torch.rand(3, 4)
    with model.dials([1.0, 0.0]):
        with pytest.raises(RuntimeError), model.dials([0.0, 1.0]):
            model(torch.rand(3, 5))
        with model.dials([0.0, 1.0]):
            close(model(x), model.at([0.0, 1.0])(x))
        close(model(x), model.at([1.0, 0.0])(x))


def test_another_thread_and_another_model_keep_their_own(model, close):
    x, other, found = torch.rand(3, 4), Tunable(nn.Linear(4, 4), p=2), []

    def work():
        with model.dials([0.0, 1.0]):
            found.append(model(x))

    with model.dials([1.0, 0.0]):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        close(model(x), model.at([1.0, 0.0])(x))
        close(other(x, [0.3, 0.8]), other.at([0.3, 0.8])(x))
    close(found[0], model.at([0.0, 1.0])(x))


def test_bad_dials_are_refused_at_the_block(model):
    with pytest.raises(ValueError, match=r"got 1\.3 in position 2"), model.dials([0.3, 1.3]):
        pass


def test_differences_name_the_kernels_that_the_dials_change_most():
    model = Tunable(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)), p=2)
    model.phi.own()
    with torch.no_grad():
        for i, gap in enumerate((0.1, 0.0, 0.5)):
            for bank in model.module[i].parameters():
                bank[0], bank[1] = 1 + gap, 1 - gap
    found = model.differences()
    assert list(found)[:2] == ["2.weight", "2.bias"]
    assert found["2.weight"] == pytest.approx(0.5)
    assert found["0.bias"] == pytest.approx(0.1)
    assert found["1.weight"] == pytest.approx(0, abs=1e-6)
