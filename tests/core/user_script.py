"""The script of a user, with types: mypy checks it, and a test runs it."""

from pathlib import Path

import torch
from torch import Tensor, nn

from tunable_core import (
    Live,
    MultiLoss,
    NoisePreservation,
    OmegaSampling,
    Tunable,
    calibrate,
    reconstruction,
)


def small() -> nn.Sequential:
    """A network from images to images."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))


def step(model: Tunable, loss: MultiLoss, clean: Tensor, generator: torch.Generator) -> dict[str, float]:
    """One step of training: the value of each objective."""
    noisy = clean + 0.1 * torch.randn_like(clean)
    omega: Tensor = OmegaSampling().draw(p=2, generator=generator)[0]
    total, parts = loss(model(noisy, omega), clean, noisy, omega)
    total.backward()
    return {name: part.item() for name, part in parts.items()}


def main(folder: Path) -> Tensor:
    """Train a step, save, load, and show the network at an omega."""
    model = Tunable(small(), p=2, untuned=("2.bias",))
    loss = MultiLoss({"fidelity": reconstruction, "keep noise": NoisePreservation()})
    x = torch.rand(4, 3, 32, 32)
    values = step(model, loss, x, torch.Generator().manual_seed(0))
    assert set(values) == {"fidelity", "keep noise"}
    loaded: Tunable = Tunable.load(model.save(folder), small())
    plain: nn.Module = calibrate(loaded.at([0.7, 0.3]), [x])
    live = Live(loaded)
    with torch.no_grad(), loaded.dials([0.7, 0.3]):
        torch.testing.assert_close(loaded(x), plain(x))
        torch.testing.assert_close(live(x, [0.7, 0.3]), plain(x))
    networks: list[nn.Module] = loaded.corners()
    both: Tunable = Tunable.from_networks(networks)
    output: Tensor = both(x, torch.rand(4, 2))
    return output
