"""Settings of a training, and the learning rate they give at each step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from tunable_core.checks import check
from tunable_core.omega import OmegaSampling


@dataclass(frozen=True)
class Training:
    """Settings of a training; lengths are for a stage of share 1."""

    steps: int = 20_000
    """Optimizer steps."""
    batch: int = 8
    """Patches per step."""
    patch: int = 48
    """Side of a square patch, pixels."""
    lr: float = 1e-3
    """Peak learning rate."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """cosine: linear warm-up, then cosine to zero; constant: the paper's fixed rate."""
    warmup: int = 500
    """Steps of linear warm-up of the cosine schedule."""
    clip: float = 1.0
    """Largest gradient norm."""
    weight_decay: float = 0.0
    """Weight decay of AdamW; 0 makes it Adam."""
    ema: float = 0.999
    """Decay of the moving average of the weights, which a run stores; 0 turns it off."""
    omega: OmegaSampling = field(default_factory=OmegaSampling)
    """How omegas are drawn in stages that do not fix them."""
    fidelity_first: int = 0
    """Steps at (1, 0, ...) at the beginning of such a stage, before omegas are drawn: the rest then
    starts from a network for the first objective."""
    precision: Literal["bf16", "float32"] = "bf16"
    """bf16: autocast of the network; losses, weights and the mixing of kernels stay float32."""
    seed: int = 0
    """Seed of initialisation, crops, noise and omegas."""

    def __post_init__(self) -> None:
        rules = {
            "steps must be at least 1": self.steps >= 1,
            "batch must be at least 1": self.batch >= 1,
            "patch must be at least 8 pixels": self.patch >= 8,
            "lr must be positive and finite": 0 < self.lr < math.inf,
            "warmup must not be negative": self.warmup >= 0,
            "fidelity_first must not be negative": self.fidelity_first >= 0,
            "clip must be positive": self.clip > 0,
            "weight_decay must not be negative": self.weight_decay >= 0,
            "ema must lie in [0, 1)": 0 <= self.ema < 1,
            "schedule must be 'cosine' or 'constant'": self.schedule in ("cosine", "constant"),
            "precision must be 'bf16' or 'float32'": self.precision in ("bf16", "float32"),
            "batch must be a multiple of omega.groups": self.batch % self.omega.groups == 0,
        }
        check(self, rules)


def learning_rate(step: int, steps: int, settings: Training) -> float:
    """Learning rate at a step in [0, steps): a pure function, so checkpoints need not store it."""
    if settings.schedule == "constant":
        return settings.lr
    warmup = min(settings.warmup, steps // 10)
    if step < warmup:
        return settings.lr * (step + 1) / warmup
    return settings.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
