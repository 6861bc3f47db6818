"""Sharded parameters (FSDP2): torchrun --nproc-per-node 2 fsdp2.py"""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard

import tunable_core as tc


def main(steps: int = 20) -> list[float]:
    """Train for a few steps on noise; each process takes its share of a batch of four."""
    dist.init_process_group()
    rank, count = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    network = nn.Conv2d(3, 3, 5, padding=2)
    model = fully_shard(tc.Tunable(network, p=2))  # as a whole
    objectives = {"clean": tc.reconstruction, "noise": tc.NoisePreservation()}
    loss = tc.MultiLoss(objectives)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    sampling, losses = tc.OmegaSampling(), []
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        clean = torch.rand(4, 3, 16, 16, generator=generator)
        noisy = clean + 0.1 * torch.randn(clean.shape, generator=generator)
        omega = sampling.draw(2, generator)[0]
        clean, noisy = clean[rank::count], noisy[rank::count]
        total, _ = loss(model(noisy, omega), clean, noisy, omega)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    dist.destroy_process_group()
    return losses


if __name__ == "__main__":
    print(main()[-1])
