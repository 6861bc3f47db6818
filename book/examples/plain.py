"""Train a tunable denoiser with a plain PyTorch loop."""

import torch
from torch import nn

import tunable_core as tc


def main(steps: int = 20) -> list[float]:
    """Train for a few steps on noise; returns the losses."""
    torch.manual_seed(0)
    network = nn.Conv2d(3, 3, 5, padding=2)
    model = tc.Tunable(network, p=2)
    objectives = {"clean": tc.reconstruction, "noise": tc.NoisePreservation()}
    loss = tc.MultiLoss(objectives)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    sampling, losses = tc.OmegaSampling(), []
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        clean = torch.rand(4, 3, 16, 16, generator=generator)
        noisy = clean + 0.1 * torch.randn(clean.shape, generator=generator)
        omega = sampling.draw(2, generator)[0]  # one for the batch
        total, _ = loss(model(noisy, omega), clean, noisy, omega)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    return losses


if __name__ == "__main__":
    print(main()[-1])
