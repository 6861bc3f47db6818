"""The objective of perceptual super-resolution, L_gan, with its discriminator (Sec. 4.1.3)."""

from __future__ import annotations

from functools import partial

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from study.images.artifacts import colours
from study.images.degradations import high_pass
from study.networks import precision
from study.networks.discriminator import DiscriminatorConfig
from study.tasks import perceptual
from study.tasks.perceptual import VGG19
from study.training import processes
from tunable_core.objectives import l1

LAYER = "conv5_4"
Features = tuple[tuple[str, float], ...]
"""Layers of VGG-19 with their weights; () is the single layer LAYER, scaled by perceptual.unit()."""
WATCHED = ("vgg", "adversarial", "discriminator", "margin", "detail")
"""Columns of the history besides the objectives: L_vgg, L_adv, the discriminator's loss, its margin
between clean images and the network's, and the standard deviation of the output's high pass divided by
that of the clean image."""
WON = 0.05
"""Loss below which the discriminator is almost never wrong; guessing gives log 2 = 0.69."""
DETAIL = (0.3, 2.0)
"""Range of "detail"; outside it the network has collapsed to flat images or to noise."""
GRID = 10.0
"""Grid peak (column "grid", see watch.py) above which the network's images have a visible grid; clean
photographs have about 2."""
ROWS = 5
"""Consecutive rows of the history that give a warning."""


class Adversarial:
    """L_gan = pixel L_rec + vgg L_vgg + adversarial L_adv + chroma L_chroma, with the discriminator of
    L_adv.

    L_vgg: L1 distance of VGG-19's conv5_4 before its ReLU, or of several layers, see features.
    L_adv: relativistic average loss, as in ESRGAN. Call start() before the first use; then at each step
    first the objective, and then learn(), a step of the discriminator on the same images.
    pixel, vgg, adversarial: weights; 0.01, 1 and 0.005 in the paper. With vgg = 0 VGG-19 is not needed.
    chroma: weight of L_chroma, the L1 distance of the colours, which are the image minus its grey. It
        prevents coloured fringes along edges, which VGG-19 and the discriminator hardly penalise. 0 in
        the paper.
    features: layers of VGG-19 with their weights, in place of conv5_4 alone: L_vgg is then the weighted
        sum of their L1 distances, each divided by the mean size of the clean image's features.
    discriminator, lr: its size, and the learning rate of its Adam.
    weighted: weight the discriminator's samples by their weight of L_gan; not specified in the paper.
    """

    costly = True
    """Without weight for L_gan in a batch it is not computed, and the discriminator does not learn."""

    def __init__(
        self,
        pixel: float = 0.01,
        vgg: float = 1.0,
        adversarial: float = 0.005,
        discriminator: DiscriminatorConfig | None = None,
        lr: float = 1e-4,
        weighted: bool = False,
        features: Features = (),
        chroma: float = 0.0,
    ) -> None:
        self.weights, self.chroma = (pixel, vgg, adversarial), chroma
        self.config, self.lr = discriminator or DiscriminatorConfig(), lr
        self.weighted = weighted
        self.features, self.vgg = features, VGG19([name for name, _ in features] or [LAYER])

    def start(self, seed: int, device: torch.device, *, bf16: bool) -> None:
        """Make a new discriminator, drawn from the seed alone, with its optimizer.

        Its random numbers differ from those of the network that is initialised from the same seed.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed((seed * 0x9E3779B1 - 1) % 2**32)  # as in batches.batch(): 32 bits are used
            self.discriminator = self.config.build()
        self.discriminator.to(device)
        self.optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=self.lr, fused=True)
        self.precision = partial(precision.bf16, device, bf16)
        one = self.weights[1] and not self.features  # several layers are scaled separately
        self.unit = perceptual.unit() if one else 1.0

    def __call__(self, output: Tensor, clean: Tensor, degraded: Tensor, omega: Tensor) -> Tensor:
        """See Objective."""
        pixel, vgg, adversarial = self.weights
        self.discriminator.requires_grad_(False)  # the gradient is for the network alone
        with self.precision():
            with torch.no_grad():
                real = self.discriminator(clean)
                target = self.vgg(clean) if vgg else None
            fake = self.discriminator(output)
            seen = self.vgg(output) if vgg else None
        feature = self._distance(seen, target) if vgg else output.new_zeros(len(output))
        against = relativistic(fake.float(), real.float())
        self.parts = {"vgg": feature.detach().mean(), "adversarial": against.detach().mean()}
        loss = pixel * l1(output, clean) + vgg * feature + adversarial * against
        if self.chroma:
            loss = loss + self.chroma * l1(colours(output), colours(clean))
        return loss

    def _distance(self, seen: dict[str, Tensor], target: dict[str, Tensor]) -> Tensor:
        """L_vgg between the features of output and clean image: [B]."""
        if not self.features:
            return l1(seen[LAYER], target[LAYER]) / self.unit
        parts = [
            weight * l1(seen[name], target[name]) / target[name].float().abs().mean((1, 2, 3))
            for name, weight in self.features
        ]
        return torch.stack(parts).sum(0)

    def learn(
        self, output: Tensor, clean: Tensor, weight: Tensor, pace: float = 1.0
    ) -> dict[str, Tensor]:
        """One step of the discriminator on the same images; returns the columns of WATCHED, each [].

        weight: of L_gan in the mixed loss (MultiLoss.weights), [] or [B]; if all are 0, nothing is
        learnt. pace: factor on the learning rate, that of the network's schedule: at a constant rate the
        discriminator would win while the network's rate goes to 0.
        """
        nan = output.new_full((), torch.nan, dtype=torch.float32)
        shown = weight.any().float()
        processes.average([shown])  # all processes learn, or none does
        if not shown:
            return dict.fromkeys(WATCHED, nan)
        parts = self.parts if weight.any() else dict.fromkeys(("vgg", "adversarial"), nan)
        output = output.detach()
        self.discriminator.requires_grad_(True)
        with self.precision():
            real, fake = self.discriminator(clean).float(), self.discriminator(output).float()
        loss = relativistic(real, fake)
        loss = ((weight if self.weighted else 1.0) * loss).mean()
        for group in self.optimizer.param_groups:
            group["lr"] = pace * self.lr
        self.optimizer.zero_grad()
        loss.backward()
        processes.gradients(list(self.discriminator.parameters()))
        self.optimizer.step()
        edges = [high_pass(image.float()).std() for image in (output, clean)]
        margin = (real - fake).detach().mean()
        watched = {"discriminator": loss.detach(), "margin": margin, "detail": edges[0] / edges[1]}
        return {**parts, **watched}

    def state(self) -> dict[str, Tensor]:
        """Weights and optimizer state of the discriminator, by name."""
        tensors = {f"network.{k}": v for k, v in self.discriminator.state_dict().items()}
        for i, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{k}": v for k, v in values.items()}
        return tensors

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore a state()."""
        network = {k[8:]: v for k, v in tensors.items() if k.startswith("network.")}
        self.discriminator.load_state_dict(network)
        states: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, i, name = key.split(".")
                states.setdefault(int(i), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})


def relativistic(winner: Tensor, loser: Tensor) -> Tensor:
    """The loss for winner's logits being above the average of loser's, and the reverse: [B].

    The relativistic average loss (Jolicoeur-Martineau, 2019) with cross entropy, half of each part.
    """
    above = F.softplus(loser.mean() - winner)
    below = F.softplus(loser - winner.mean())
    return (above + below) / 2


def health(history: pd.DataFrame) -> list[str]:
    """Problems of an adversarial training, a sentence each, from a history with the columns WATCHED.

    A discriminator that always wins gives no useful gradient; a collapsed network gives flat or noisy
    images; a grid covers flat regions. Each problem must last for ROWS consecutive rows.
    """
    if "discriminator" not in history:
        return []
    seen = history[history["discriminator"].notna()]
    signs = {
        f"the discriminator wins: its loss is below {WON}": seen["discriminator"] < WON,
        f"the network's images turn flat: their detail is below {DETAIL[0]} of the clean images'": (
            seen["detail"] < DETAIL[0]
        ),
        f"the network's images turn to noise: their detail is over {DETAIL[1]} of the clean images'": (
            seen["detail"] > DETAIL[1]
        ),
    }
    if "grid" in seen:  # missing in older runs
        signs[f"the network draws a grid: its grid peak is over {GRID:g}"] = seen["grid"] > GRID
    found = []
    for sentence, holds in signs.items():
        lasting = holds.rolling(ROWS).sum() == ROWS
        if lasting.any():
            first = seen[lasting].iloc[0]
            found.append(f"{sentence} (stage {first['stage']:.0f}, step {first['step']:.0f})")
    return found
