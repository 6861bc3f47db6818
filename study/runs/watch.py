"""Monitor an adversarial training: outputs for fixed images, and warnings when it fails."""

from __future__ import annotations

import hashlib
import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from study.controls.base import Control
from study.images import datasets
from study.images.artifacts import grid_peak
from study.tasks.adversarial import health
from study.training import LOG_EVERY
from tunable_core.files import write_atomically

MOMENTS = 6
"""Number of samples taken in a stage, evenly spaced, the last at its end."""
PLACES = {"astronaut": (96, 176, 96), "chelsea": (84, 132, 96)}
"""Embedded photographs, with top, left and side of the squares that are used for samples."""
SIDE = 256
"""Side in pixels of the central squares of the same photographs whose grid peak is measured."""
SHEET = "samples.jpg"
"""A file of the run: the clean squares in the first row, the samples in order below."""


class Watch:
    """Takes samples and gives warnings during a training, as its on_log; measure() is its on_row.

    folder: where samples are written immediately, so that a resumed training has the earlier ones.
    degrade: from clean images [B, 3, H, W] in [0, 1] to the input of the control.
    steps: Training.steps, for a stage of share 1.
    on_log: called after each call.
    A sample is the output of the control for small squares at the last corner of the dials, where the
    adversary has the full weight. Taking it does not affect the training.
    """

    def __init__(
        self,
        folder: Path,
        control: Control,
        degrade: Callable[[Tensor], Tensor],
        steps: int,
        on_log: Callable[[pd.DataFrame], None] | None = None,
    ) -> None:
        self.folder, self.control, self.steps, self.on_log = folder, control, steps, on_log
        images = datasets.load("samples-test")
        squares = [
            images[name][:, top : top + side, left : left + side]
            for name, (top, left, side) in PLACES.items()
        ]
        self.clean = torch.stack(squares).float() / 255
        self.degraded = degrade(self.clean)
        central = torch.stack([_central(images[name], SIDE) for name in PLACES])
        self.central = degrade(central.float() / 255)
        self.warned: set[str] = set()

    def __call__(self, history: pd.DataFrame) -> None:
        """Check the last row of the history, and take a sample if it is time."""
        if self._is_moment(history):
            self._sample(*history[["stage", "step"]].iloc[-1].astype(int))
        for sentence in health(history):
            if sentence not in self.warned:
                warnings.warn(sentence, stacklevel=2)
                self.warned.add(sentence)
        if self.on_log is not None:
            self.on_log(history)

    def measure(self, row: dict[str, float]) -> dict[str, float]:
        """The column of a row of the history: grid, the mean grid peak of the photographs at the last
        corner; NaN if the adversary has learnt nothing since the previous row."""
        if math.isnan(row["discriminator"]):
            return {"grid": math.nan}
        return {"grid": grid_peak(self._last_corner(self.central).clamp(0, 1)).mean().item()}

    def keep(self, folder: Path, history: pd.DataFrame) -> dict[str, Any]:
        """Write the sheet of all samples to a run's folder; returns the entries of its record."""
        paths = sorted(self.folder.glob("*.png"))
        rows = [(datasets.decode(path) / 255)[None].split(self.clean.shape[-1], -1) for path in paths]
        sheet = _encoded([self.clean, *(torch.cat(row) for row in rows)], "JPEG")
        write_atomically(folder / SHEET, sheet)
        return {
            "samples": hashlib.sha256(sheet).hexdigest(),
            "moments": [[int(number) for number in path.stem.split("-")] for path in paths],
            "warnings": health(history),
        }

    def _is_moment(self, history: pd.DataFrame) -> bool:
        last = history.iloc[-1]
        if pd.isna(last["discriminator"]):  # it has learnt nothing since the previous row
            return False
        length = max(1, round(self.steps * self.control.stages()[int(last["stage"])].share))
        every, step = -(-length // MOMENTS), int(last["step"])
        return step // every > max(0, step - LOG_EVERY) // every or step == length

    def _sample(self, stage: int, step: int) -> None:
        output = self._last_corner(self.degraded)
        write_atomically(self.folder / f"{stage}-{step:07d}.png", _encoded([output], "PNG"))

    @torch.no_grad()
    def _last_corner(self, degraded: Tensor) -> Tensor:
        corner = torch.eye(self.control.num_objectives)[-1]
        device, mode = next(self.control.parameters()).device, self.control.training
        output = self.control.eval()(degraded.to(device), corner).cpu()
        self.control.train(mode)
        return output


def _central(image: Tensor, side: int) -> Tensor:
    top, left = ((length - side) // 2 for length in image.shape[1:])
    return image[:, top : top + side, left : left + side]


def _encoded(rows: list[Tensor], kind: str) -> bytes:
    """Rows of images [B, 3, H, W], encoded as one picture."""
    picture = torch.cat([torch.cat(list(row), -1) for row in rows], -2)
    picture = (picture.float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    content = io.BytesIO()
    Image.fromarray(picture).save(content, kind, quality=92)
    return content.getvalue()
