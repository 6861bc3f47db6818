"""The same loop with Hugging Face accelerate."""

import torch
from accelerate import Accelerator
from torch import nn

from tunable_core import MultiLoss, NoisePreservation, OmegaSampling, Tunable, reconstruction


def main(steps: int = 20) -> list[float]:
    """Train for a few steps on noise; returns the losses."""
    accelerator = Accelerator()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))
    model = Tunable(network, p=2)
    model, optimizer = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=1e-2))
    loss = MultiLoss({"fidelity": reconstruction, "keep noise": NoisePreservation()})
    sampling, generator, losses = OmegaSampling(), torch.Generator().manual_seed(0), []
    for _ in range(steps):
        clean = torch.rand(4, 3, 16, 16, generator=generator)
        noisy = clean + 0.1 * torch.randn(clean.shape, generator=generator)
        clean, noisy = clean.to(accelerator.device), noisy.to(accelerator.device)
        omega = sampling.draw(2, generator)[0]
        total, _ = loss(model(noisy, omega), clean, noisy, omega)
        optimizer.zero_grad()
        accelerator.backward(total)
        optimizer.step()
        losses.append(total.item())
    return losses


if __name__ == "__main__":
    print(main()[-1])
