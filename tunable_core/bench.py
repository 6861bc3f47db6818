"""What tuning costs: ratios of times measured in one run, printed as a table and kept as JSON."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from tqdm.auto import tqdm

from tunable_core.files import write_atomically
from tunable_core.networks import ResNetConfig
from tunable_core.runs import machine, store
from tunable_core.tunable import Tunable

SIZES = {"8 x 32": (ResNetConfig(8, 32), 8, 48), "16 x 64": (ResNetConfig(16, 64), 16, 64)}
"""Backbone, batch and patch of each size."""


def alternate(actions: dict[str, Callable[[], None]], rounds: int, label: str) -> dict[str, float]:
    """Median milliseconds of each action, taken in turns so that drifts of the machine cancel."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for number in tqdm(range(rounds + 2), desc=label):
        for name, action in actions.items():
            clock = time.perf_counter()
            action()
            if number >= 2:  # the first two warm up
                times[name].append(time.perf_counter() - clock)
    return {name: 1000 * statistics.median(values) for name, values in times.items()}


def training_step(model: torch.nn.Module, x: torch.Tensor, *omega) -> Callable[[], None]:
    """A whole step as the training loop makes it: bf16 forward, backward, clip, fused AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.0, fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            output = model(x, *omega)
        (output.float() - x).abs().mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def measure(size: str, rounds: int) -> list[dict]:
    """Rows of the table for one size: case, milliseconds, and the ratio to the plain network."""
    config, batch, patch = SIZES[size]
    plain = config.build()
    tunable, omega, other = Tunable(plain, 2), torch.tensor([0.7, 0.3]), torch.tensor([0.3, 0.7])
    x = torch.rand(batch, 3, patch, patch).contiguous(memory_format=torch.channels_last)
    image = torch.rand(1, 3, 256, 256).contiguous(memory_format=torch.channels_last)
    fixed = tunable.at(omega)
    steps = alternate(
        {"plain": training_step(plain, x), "tunable": training_step(tunable, x, omega)},
        rounds,
        f"{size} training step",
    )
    with torch.inference_mode():
        forward = alternate(
            {
                "plain": lambda: plain(image),
                "tunable": lambda: tunable(image, omega),
                "at(omega)": lambda: fixed(image),
                "changing omega": lambda: tunable.mix(other),
            },
            rounds,
            f"{size} forward, 256 x 256, float32",
        )
    rows = [("training step, bf16", name, ms, ms / steps["plain"]) for name, ms in steps.items()]
    rows += [
        ("forward 256 x 256, float32", name, ms, ms / forward["plain"]) for name, ms in forward.items()
    ]
    return [
        {"size": size, "work": work, "case": case, "ms": round(ms, 3), "ratio to plain": round(ratio, 3)}
        for work, case, ms, ratio in rows
    ]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="repetitions of each case")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--output", type=Path, default=store() / "bench" / "denoising.json")
    arguments = parser.parse_args()
    rows = [row for size in arguments.sizes for row in measure(size, arguments.rounds)]
    print(pd.DataFrame(rows).to_string(index=False))
    record = {"rows": rows, "rounds": arguments.rounds, **machine("cpu")}
    write_atomically(arguments.output, json.dumps(record, indent=1) + "\n")
    print(f"kept in {arguments.output}")


if __name__ == "__main__":
    main()
