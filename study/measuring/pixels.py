"""The cost of a dial per pixel, relative to the ordinary forward pass."""

from __future__ import annotations

import pandas as pd
import torch
from torch import nn

from study.measuring.overhead import alternate
from tunable_core.tunable import Tunable


@torch.inference_mode()
def cost(
    plain: nn.Module, *, batch: int, patch: int, rounds: int = 50, seconds: float = 20.0, device="cpu"
) -> pd.DataFrame:
    """Times of a forward pass of a quarter of the images [batch, 3, patch, patch], measured in turns.

    The map has p = 2 dials that differ at every pixel; "two outputs, blended" is the alternative for a
    map between two omegas. Both memory layouts are measured: PyTorch's default, and channels_last, which
    is faster on a CPU and which a map of dials uses for its kernels there.
    Columns: work, case, milliseconds ms, and ratio to the plain network of the same layout.
    """
    tunable = Tunable(plain, 2).to(device)
    plain = plain.to(device)
    batch = max(1, batch // 4)
    x = torch.rand(batch, 3, patch, patch, device=device)
    last = x.contiguous(memory_format=torch.channels_last)
    omega = torch.rand(batch, 1, patch, patch, device=device)
    omega = torch.cat([omega, 1 - omega], 1)
    actions = {
        (layout, case): (lambda call=call, image=image: call(image))
        for layout, image in (("default layout", x), ("channels_last", last))
        for case, call in {
            "plain": plain,
            "one omega": lambda image: tunable(image, [0.7, 0.3]),
            "a dial per pixel": lambda image: tunable(image, omega),
            "two outputs, blended": lambda image: torch.lerp(
                tunable(image, [1.0, 0.0]), tunable(image, [0.0, 1.0]), omega[:, :1]
            ),
        }.items()
    }
    times = alternate(
        {" / ".join(key): action for key, action in actions.items()},
        rounds=rounds,
        seconds=seconds,
        device=device,
    )
    work = f"forward of {batch} images of {patch} x {patch}, float32"
    rows = [
        (f"{work}, {layout}", case, times[f"{layout} / {case}"], times[f"{layout} / plain"])
        for layout, case in actions
    ]
    table = pd.DataFrame(rows, columns=["work", "case", "ms", "plain"])
    return table.assign(ratio=table.ms / table.plain).drop(columns="plain")
