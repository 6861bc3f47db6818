"""One omega per sample, for inputs and outputs of any structure."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from tunable_core import Live, Tunable

OMEGAS = [[0.2, 0.9], [1.0, 0.0], [0.2, 0.9]]
ALIKE = [[0.2, 0.9]] * 3

Pair = namedtuple("Pair", ["logits", "state"])


@dataclass
class Output:
    """As models of Hugging Face return it, but plain."""

    logits: Tensor
    loss: Tensor | None = None


class ModelOutput(OrderedDict):
    """As models of Hugging Face return it: a dictionary whose keys are attributes."""


STRUCTURES = {
    "tensor": lambda y: y,
    "tuple": lambda y: (y, None, 2 * y),
    "list": lambda y: [y, [2 * y]],
    "dictionary": lambda y: {"out": y, "aux": {"deep": 2 * y}},
    "named tuple": lambda y: Pair(y, (2 * y, "text")),
    "dataclass": lambda y: Output(y),
    "nested dataclass": lambda y: {"a": Output(y, 2 * y), "b": 3},
    "ordered dictionary": lambda y: OrderedDict(out=y, other=None),
    "model output": lambda y: ModelOutput(logits=y, hidden=(y, 2 * y)),
}


class Structured(nn.Module):
    """A linear layer whose output is put into a structure."""

    def __init__(self, structure):
        super().__init__()
        self.layer, self.structure = nn.Linear(4, 5), structure

    def forward(self, x):
        return self.structure(self.layer(x))


def trained(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def same(one, other, close):
    """Assert that two structures are equal, type by type."""
    assert type(one) is type(other)
    if isinstance(one, Tensor):
        close(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key], close)
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b, close)
    elif hasattr(one, "__dict__"):
        same(vars(one), vars(other), close)
    else:
        assert one == other


@pytest.mark.parametrize("kind", [Tunable, Live])
@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_outputs_of_any_structure_come_back_in_the_order_of_the_samples(structure, kind, close):
    model = trained(Tunable(Structured(structure), p=2))
    x = torch.rand(3, 4)
    per_sample = torch.cat([model.at(w).layer(x[i : i + 1]) for i, w in enumerate(OMEGAS)])
    if kind is Live:
        model = Live(model)
    with torch.no_grad():
        same(model(x, OMEGAS), structure(per_sample), close)
        same(model(x, ALIKE), model(x, ALIKE[0]), close)


REFUSED = {
    "mean": (lambda y: y.mean(), r"output is \[\] for"),
    "loss": (lambda y: {"out": y, "loss": y.mean()}, r"output\['loss'\] is \[\] for"),
    "features first": (lambda y: (y, y.mT), r"output\[1\] is \[5, \d\] for \d samples"),
    "in a dataclass": (lambda y: Output(y, y.sum()), r"output\.loss is \[\] for"),
}


@pytest.mark.parametrize("omegas", [OMEGAS, ALIKE], ids=["distinct", "alike"])
@pytest.mark.parametrize(("structure", "message"), REFUSED.values(), ids=REFUSED)
def test_an_output_that_is_not_of_the_samples_is_refused_by_name(structure, message, omegas):
    model = Tunable(Structured(structure), p=2)
    with pytest.raises(ValueError, match=message):
        model(torch.rand(3, 4), omegas)
    model(torch.rand(3, 4), [0.3, 0.8])  # one omega needs no division


def test_other_values_that_depend_on_omega_are_refused():
    model = trained(Tunable(Structured(lambda y: (y, y.sum().item())), p=2))
    with pytest.raises(ValueError, match=r"output\[1\] is .* at one omega and .* at another"):
        model(torch.rand(3, 4), OMEGAS)


@pytest.mark.parametrize("batch", [3, 5])
def test_attention_that_takes_sequences_first_is_refused_also_where_sizes_agree(batch):
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0)
    x = torch.rand(3, batch, 8)
    with pytest.raises(ValueError, match=r"takes \[T, B, C\] \(make it with batch_first=True"):
        Tunable(layer, p=2)(x, OMEGAS)


class Conditioned(nn.Linear):
    """A layer with options."""

    def forward(self, x, *, scale=1.0, mask=None, extra=None):
        y = scale * super().forward(x)
        y = y if mask is None else y * mask
        return y if extra is None else y + extra["shift"]


@pytest.mark.parametrize("kind", [Tunable, Live])
def test_keyword_arguments_reach_the_network_and_are_divided_like_the_samples(kind, close):
    model, x = trained(Tunable(Conditioned(4, 4), p=2)), torch.rand(3, 4)
    model = model if kind is Tunable else Live(model)
    options = {"scale": 2.0, "mask": torch.rand(3, 1), "extra": {"shift": torch.rand(3, 4)}}
    together = model(x, OMEGAS, **options)
    for i, omega in enumerate(OMEGAS):
        s = slice(i, i + 1)
        extra = {"shift": options["extra"]["shift"][s]}
        close(together[s], model(x[s], omega, scale=2.0, mask=options["mask"][s], extra=extra))


class Summed(nn.Linear):
    """A layer of a dictionary of images."""

    def forward(self, images):
        return super().forward(images["left"] + images["right"])


def test_the_first_input_may_be_a_structure_of_samples(close):
    model = trained(Tunable(Summed(4, 4), p=2))
    images = {"left": torch.rand(3, 4), "right": torch.rand(3, 4)}
    together = model(images, OMEGAS)
    for i, omega in enumerate(OMEGAS):
        one = {name: image[i : i + 1] for name, image in images.items()}
        close(together[i : i + 1], model(one, omega))


@pytest.mark.parametrize("kind", [Tunable, Live])
@pytest.mark.parametrize("grad", [True, False])
def test_no_sample_is_an_empty_batch(kind, grad):
    model = Tunable(Structured(STRUCTURES["dictionary"]), p=2)
    model = model if kind is Tunable else Live(model)
    omega = torch.rand(0, 2, requires_grad=grad and kind is Tunable)
    assert model(torch.rand(0, 4), omega)["aux"]["deep"].shape == (0, 5)
    with pytest.raises(ValueError, match="one row per sample; got 0 for 3"):
        model(torch.rand(3, 4), omega)


def test_an_input_without_samples_is_refused():
    model = Tunable(nn.Linear(4, 4), p=2)
    with pytest.raises(TypeError, match="needs an input of tensors"):
        model("image", OMEGAS)
    with pytest.raises(ValueError, match="got 3 for a tensor without samples"):
        model(torch.tensor(1.0), OMEGAS)
