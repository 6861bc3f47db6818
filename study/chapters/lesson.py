"""Chapter 1: what stands around the lesson: photograph, measurements, figures and sentences.

The lesson itself, from the layer to the training, is written out in the notebook.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from study.chapters.base import Chapter, Sure
from study.chapters.findings import Either, counted
from study.chapters.pictures import picture
from study.chapters.shown import Said, Shown
from study.disk import records
from study.figures import lesson_plots
from study.images import datasets
from study.images.degradations import seeded_noise
from study.measuring.image_sweep import FIVE
from study.measuring.metrics import kept_fraction, psnr
from tunable_core.omega import path

LEARNT = Either(
    threshold=0.3,
    above="After {steps} and {seconds:.0f} s of training, one network keeps {keep:.0%} of the noise at "
    "one end of its dial, {middle:.0%} in the middle and {clean:.0%} at the other end.",
    otherwise="After {steps} the dial does little: it keeps {keep:.0%} of the noise at one end and "
    "{clean:.0%} at the other. So few steps only show that everything runs.",
)
"""value: the difference of the kept fractions at both ends."""
CLEANER = Either(
    above="At fidelity, the network raises the PSNR of the noisy photograph from {noisy:.2f} dB to "
    "{clean:.2f} dB.",
    otherwise="The network does not denoise the photograph yet: at fidelity its PSNR is {clean:.2f} dB, "
    "that of the noisy photograph {noisy:.2f} dB.",
)
"""value: PSNR at fidelity above that of the noisy photograph, dB."""
ORDINARY = Either(
    threshold=1e-4,
    above="With its dial fixed, the network of {tunable:,} parameters should become one of {plain:,}, "
    "but the two outputs differ by {value:.1e}.",
    otherwise="With its dial fixed, the network of {tunable:,} parameters becomes an ordinary one of "
    "{plain:,} with the same output.",
)
"""value: the largest difference of the two outputs."""
STEPS = Either(
    threshold=0.3,
    above="The steps are not equal: from {before} to {after} the kept fraction changes by {most:.2f}, "
    "elsewhere by as little as {least:.2f}.",
    otherwise="The steps are nearly equal: the kept fraction changes by {least:.2f} to {most:.2f} in "
    "each.",
)
"""value: the largest change of the kept fraction less the smallest, as a share of their sum."""
LOSS = Either(
    above="The loss ended at {loss:.4f}, below that of returning the noisy picture ({idle:.4f}) and "
    "above that of the best answers, which need the clean picture ({knows:.4f}).",
    otherwise="The loss ended at {loss:.4f}, not below that of returning the noisy picture "
    "({idle:.4f}).",
)
"""value: how far the loss is below that of returning the noisy picture."""


class Lesson(Chapter):
    """The photograph of the chapter and what is measured of the network trained on the page.

    name: a photograph of scikit-image: chelsea, coffee or astronaut. sigma: its noise, grey levels.
    """

    asked = (
        "How can a network that is trained once have a dial? What has to change in its layers and in "
        "its loss, and what does the dial do after a minute of training?"
    )

    def __init__(self, name: str = "chelsea", sigma: float = 30.0) -> None:
        super().__init__()
        self.picture, self.sigma = picture("samples-test", name, side=100), sigma
        self.clean = self.picture.clean[None]
        self.noisy = seeded_noise(self.picture.clean, sigma)[None]
        self.set = "bsds500" if datasets.available("bsds500") else "samples-train"
        self.images = list(datasets.load(self.set))

    def training_images(self) -> Said:
        """Which photographs the network learns from and is tested on."""
        return Said(
            f"It learns from the {len(self.images)} photographs of {self.set} and is tested on "
            f"{self.picture.name}, which is not among them, with noise of {self.sigma:g} grey levels."
        )

    def train(
        self, train: Callable[..., pd.DataFrame], control: nn.Module, task: Any, settings: Any
    ) -> None:
        """Train the network of the page with a training loop, and keep the time and the history."""
        clock = time.perf_counter()
        self.history = train(control, task, self.images, settings, progress=False)
        self.seconds, self.settings, self.task = time.perf_counter() - clock, settings, task
        self.control = control.eval()
        _, self.five = self.turn(control, FIVE)
        _, self.dial = self.turn(control, path(FIVE[0], FIVE[-1], 21))

    @torch.inference_mode()
    def turn(
        self, control: nn.Module, omegas: Sequence[Sequence[float]] | Tensor, **options: Any
    ) -> tuple[list[Tensor], pd.DataFrame]:
        """The photograph at each omega, and a table of omega_1, omega_2, psnr and kept."""
        outputs = [control(self.noisy, omega, **options) for omega in omegas]
        rows = [
            {
                "omega_1": float(omega[0]),
                "omega_2": float(omega[1]),
                "psnr": psnr(output, self.clean).item(),
                "kept": kept_fraction(output, self.clean, self.noisy).item(),
            }
            for omega, output in zip(omegas, outputs, strict=True)
        ]
        return outputs, pd.DataFrame(rows)

    @property
    def loss_bounds(self) -> tuple[float, float]:
        """The mean loss of returning the noisy picture, and that of the best answers."""
        noise = np.sqrt(2 / np.pi) * sum(self.task.sigma) / 2 / 255  # mean |z - y|
        omega = replace(self.settings.omega, groups=4096).draw(2, torch.Generator().manual_seed(0))
        w1, w2 = omega.T.numpy()
        target = self.task.nu * (w2 if self.task.noise_target == "eq9" else 1.0)
        idle = (w1 + w2 * (1 - target)).mean()
        return float(noise * idle), float(noise * (np.minimum(w1, w2) * target).mean())

    def plain(self) -> tuple[int, int, float]:
        """Parameters with the dial and at (1, 0), and the largest difference of the two outputs."""
        plain = self.control.at((1.0, 0.0))
        with torch.inference_mode():
            off = (self.control(self.noisy, (1.0, 0.0)) - plain(self.noisy)).abs().max().item()
        sizes = [sum(p.numel() for p in network.parameters()) for network in (self.control, plain)]
        return sizes[0], sizes[1], off

    # What is said.

    def findings(self) -> list[str]:
        """See Chapter."""
        kept, fidelity = self.five.kept, self.five.psnr.iloc[-1]
        tunable, plain, off = self.plain()
        noisy = psnr(self.noisy, self.clean).item()
        return [
            LEARNT(
                kept.iloc[0] - kept.iloc[-1],
                steps=counted(self.settings.steps, "step"),
                seconds=self.seconds,
                keep=kept.iloc[0],
                middle=kept.iloc[2],
                clean=kept.iloc[-1],
            ),
            CLEANER(fidelity - noisy, noisy=noisy, clean=fidelity),
            ORDINARY(off, tunable=tunable, plain=plain),
        ]

    def advice(self) -> list[str]:
        """See Chapter."""
        return [
            "A tunable layer stores p kernels and mixes them with weights that depend on the dials; at "
            "any one setting it is an ordinary layer.",
            "The same dials weight the objectives of the loss, and training draws them at random. This "
            "link gives each dial its meaning.",
            "A dial does what its loss asks for, which need not be what its label suggests. Plot it "
            "before you trust it.",
        ]

    def how_sure(self) -> Sure:
        """See Chapter."""
        machine = records.machine("cpu")
        return Sure(
            images={self.picture.images: 1},
            seeds={},
            networks=f"One network, trained once on this page, on {machine['device']}.",
            would_change="Another seed or photograph would change these numbers; the networks of later "
            "chapters are trained for longer and measured on test sets.",
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        return {"seconds": round(self.seconds), "steps": self.settings.steps}

    def after_training(self) -> Said:
        """How far the loss came."""
        (idle, knows), loss = self.loss_bounds, float(self.history.loss.iloc[-1])
        return Said(LOSS(idle - loss, loss=loss, idle=idle, knows=knows))

    def steps_said(self) -> Said:
        """Whether the five positions are equally far apart."""
        jumps = self.five.kept.diff().abs().iloc[1:]
        at, most, least = jumps.idxmax(), jumps.max(), jumps.min()
        before, after = (lesson_plots.dials(FIVE[i]) for i in (at - 1, at))
        share = (most - least) / (most + least)
        return Said(STEPS(share, before=before, after=after, most=most, least=least))

    # What is shown.

    def _made(self) -> str:
        return f"{self.picture.title}, noise of sigma {self.sigma:g}; networks trained on this page"

    def choice(self, shares: Tensor, losses: Mapping[tuple[float, ...], Tensor]) -> Shown:
        """The multi-loss of answers that keep a share of the noise, one line for each omega."""
        return Shown(lesson_plots.choice(shares, losses), images=self.picture.title)

    def training(self) -> Shown:
        """The loss while training, between that of the noisy picture and that of the best answers."""
        idle, knows = self.loss_bounds
        return Shown(lesson_plots.training(self.history, idle, knows), images=self._made())

    def pictures(self) -> Shown:
        """The photograph, and the magnified square clean, noisy and at three positions of the dial."""
        outputs, rows = self.turn(self.control, FIVE[::2])
        shown = [self.picture.cut(image) for image in (self.clean, self.noisy, *outputs)]
        noisy = psnr(self.noisy, self.clean).item()
        titles = ["clean", f"noisy\n{noisy:.2f} dB, f = 1"]
        for row in rows.itertuples():
            omega = lesson_plots.dials((row.omega_1, row.omega_2))
            titles.append(f"$\\omega$ = {omega}\n{row.psnr:.2f} dB, f = {row.kept:.2f}")
        figure = lesson_plots.pictures(self.clean, self.picture.square, shown, titles)
        return Shown(figure, images=self._made())

    def kept(self, tables: Mapping[str, pd.DataFrame] | None = None) -> Shown:
        """The kept fraction along the dial, of the network of the page or of the given tables."""
        asked = self.task.nu if self.task.noise_target == "eq9" else None
        named = tables or {"the network of this page": self.dial}
        return Shown(lesson_plots.kept(named, asked), images=self._made())

    def sliders(self) -> None:
        """Two sliders for all dials; they need a running notebook."""
        import ipywidgets
        import matplotlib.pyplot as plt

        def look(omega_1: float, omega_2: float) -> None:
            outputs, table = self.turn(self.control, [(omega_1, omega_2)])
            title = f"{table.psnr[0]:.2f} dB, f = {table.kept[0]:.2f}"
            lesson_plots.pictures(None, None, [self.picture.cut(outputs[0])], [title])
            plt.show()

        scale = {"min": 0.0, "max": 1.0, "step": 0.05, "value": 0.5, "continuous_update": False}
        first, second = (ipywidgets.FloatSlider(**scale) for _ in range(2))
        ipywidgets.interact(look, omega_1=first, omega_2=second)
