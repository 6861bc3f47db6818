"""Chapter 9: where the kernels go when the dial turns (the paper's Figures 8 and 9, Sec. 5)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from study import configs, runs
from study.chapters import manifolds_results as compute
from study.chapters import manifolds_words as words
from study.chapters.base import Chapter, Sure, network
from study.chapters.findings import listed
from study.chapters.shown import Shown
from study.chapters.super_resolution_data import OURS, SHOWN
from study.figures import manifold_plots, plots, tables
from study.measuring import manifold
from study.runs import Run
from tunable_core.omega import path

FRAMES, PIXELS = 11, 24
"""Positions of the filmstrip; pixels of each number of a kernel in it."""


class Manifolds(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. positions: omegas from (0, 1) to (1, 0), at least 3.
    perplexity, seed: of t-SNE. Raises ValueError for fewer positions.
    """

    asked = (
        "Along which paths do the kernels of a network move while its dial turns? The paper draws a map "
        'and finds "quasi-linear manifolds": how straight are they, and what does the map show?'
    )

    def __init__(
        self, profile: str = "laptop", positions: int = 5, perplexity: float = 5.0, seed: int = 0
    ) -> None:
        super().__init__()
        if positions < 3:
            raise ValueError(
                f"two positions are always on a line: positions is 3 or more; got {positions}"
            )
        self.budget, self.perplexity, self.seed = configs.profile(profile), perplexity, seed
        self.dial = path((0, 1), (1, 0), positions)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Task to run; super-resolution only where the store has it, or at the smoke budget."""
        wanted = {"denoising": configs.denoising("tunable", self.budget, noise_target="eq9")}
        enlarging = SHOWN[OURS].recipe(SHOWN[OURS].method, self.budget)
        if self.budget.name == "smoke" or runs.find(enlarging, weights=True):
            wanted["super-resolution"] = enlarging
        return {task: runs.get(config, progress=False) for task, config in wanted.items()}

    @cached_property
    def kernels(self) -> dict[str, np.ndarray]:
        """Task to the kernels of its residual blocks at each position: [blocks, positions, numbers]."""
        found = {}
        for task, run in self.runs.items():
            body = run.config.network.blocks
            names = [[f"body.{i}.{conv}.weight" for conv in ("conv1", "conv2")] for i in range(body)]
            found[task] = manifold.tuned_kernels(run.control, self.dial, names)
        return found

    @cached_property
    def layers(self) -> dict[str, np.ndarray]:
        """The first and the last layer of each network, whose kernels see or make RGB.

        "TASK, first layer" to [FRAMES, C, 3, k, k].
        """
        found = {}
        for task, run in self.runs.items():
            tuned = [dict(run.control.at(w).named_parameters()) for w in path((0, 1), (1, 0), FRAMES)]
            first = [plain["head.weight"].detach().numpy() for plain in tuned]
            last = [plain["tail.weight"].detach().transpose(0, 1).numpy() for plain in tuned]
            found |= {f"{task}, first layer": np.stack(first), f"{task}, last layer": np.stack(last)}
        return found

    @cached_property
    def maps(self) -> dict[str, np.ndarray]:
        """Task to the map of its kernels by PCA and t-SNE: [blocks, positions, 2]."""
        return {task: self._embedded(kernels) for task, kernels in self.kernels.items()}

    @cached_property
    def chance(self) -> np.ndarray:
        """The map of as many random segments as the denoiser has blocks."""
        return self._embedded(compute.chance(self.kernels["denoising"], self.seed))

    def _embedded(self, kernels: np.ndarray) -> np.ndarray:
        return manifold.embed(kernels, perplexity=self.perplexity, seed=self.seed)

    @cached_property
    def bends(self) -> pd.DataFrame:
        """compute.bends of the blocks, the first and the last layer of each network."""
        blocks = {f"{task}, blocks": kernels for task, kernels in self.kernels.items()}
        layers = {name: k.reshape(1, FRAMES, -1) for name, k in self.layers.items()}
        found = compute.bends(blocks | layers)
        return found.loc[sorted(found.index, key=lambda name: name.partition(",")[0])]

    @cached_property
    def lengths(self) -> dict[str, pd.Series]:
        """Task to how far each block moves, from end to end, over the norm of its kernels in the
        middle."""
        found = {}
        for task, kernels in self.kernels.items():
            length = manifold.straightness(kernels).length
            found[task] = length.set_axis(range(1, len(length) + 1))
        return found

    # What is said.

    def findings(self) -> list[str]:
        """See Chapter."""
        blocks = sum(len(points) for points in self.maps.values())
        ordered = sum(compute.ordered(points) for points in self.maps.values())
        grouped = min(compute.grouped(points) for points in self.maps.values())
        lengths = self.lengths["denoising"]
        return [
            words.STRAIGHT(self.bends["off the line"].max()),
            words.CLUSTERS(grouped),
            words.ORDER(ordered / blocks, ordered=ordered, blocks=blocks),
            words.CHANCE(compute.grouped(self.chance)),
            words.LENGTH(
                lengths.max() / lengths.min(),
                least=lengths.min(),
                most=lengths.max(),
                first=lengths.idxmin(),
                last=lengths.idxmax(),
                task="denoising",
            ),
            words.DIRECTIONS(max(compute.largest_cosine(kernels) for kernels in self.kernels.values())),
        ]

    def advice(self) -> list[str]:
        """See Chapter."""
        return [
            "The kernels at any position are a weighted mean of those at the two ends: to store the "
            "whole dial, store the two networks at its ends.",
            "Kernels that move evenly do not make pictures change evenly: measure the dial itself.",
            "Read only neighbourhoods from a t-SNE map: its lengths, bends and gaps have no meaning.",
        ]

    def how_sure(self) -> Sure:
        """See Chapter."""
        return Sure(
            images={},
            seeds=dict.fromkeys(self.runs, 1),
            networks=f"{network(self.runs['denoising'].config)} {len(self.dial)} positions of the dial; "
            f"t-SNE with a perplexity of {self.perplexity:g} and seed {self.seed}.",
            would_change="The straight lines follow from the equation; other seeds or longer trainings "
            "could only change lengths and directions.",
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        lengths = self.lengths["denoising"]
        return {
            "blocks": len(lengths),
            "worst_bend": float(self.bends["off the line"].max()),
            "longest": float(lengths.max()),
        }

    # Tables and figures.

    @property
    def _records(self) -> list[dict[str, Any]]:
        return [run.record for run in self.runs.values()]

    def figure_8(self) -> Shown:
        """The map of the kernels of every block, and one block of it magnified."""
        return Shown(manifold_plots.maps(self.maps, self.dial[:, 0].tolist()), self._records)

    def pca(self) -> Shown:
        """The first two principal components of the denoiser's kernels."""
        found = compute.principal(self.kernels["denoising"])
        figure = manifold_plots.plane(found.plane, found.explained, self.dial[:, 0].tolist())
        return Shown(figure, self._records[:1])

    def straight(self) -> Shown:
        """How far the paths are from straight lines."""
        shown = self.bends.copy()
        for column in ("off the line", "detour"):
            shown[column] = shown[column].map(lambda share: f"{share:.0e}" if share else "0")
        return Shown(tables.tidy(shown), self._records)

    def moved(self) -> Shown:
        """How far each block moves."""
        return Shown(manifold_plots.lengths(self.lengths), self._records)

    @cached_property
    def components(self) -> dict[str, np.ndarray]:
        """The first principal component of each of `layers`: [FRAMES, 3, k, k] in [0, 1], grey for
        zero."""
        found = {}
        for name, kernels in self.layers.items():
            component = manifold.first_component(kernels)
            found[name] = component / np.abs(component).max() / 2 + 0.5
        return found

    def figure_9(self) -> Shown:
        """The components at five positions, one row per layer."""
        chosen = np.linspace(0, FRAMES - 1, 5).round().astype(int)
        shares = np.linspace(0, 1, FRAMES)[chosen]
        pictures = {name: component[chosen] for name, component in self.components.items()}
        return Shown(manifold_plots.tiles(pictures, shares.tolist()), self._records)

    def film(self) -> Shown:
        """The components side by side, for a slider."""
        gap = ((0, 0), (0, 0), (0, 0), (0, 1))  # one white column behind each
        tiles = [np.pad(c, gap, constant_values=1) for c in self.components.values()]
        large = np.concatenate(tiles, axis=-1).repeat(PIXELS, axis=-1).repeat(PIXELS, axis=-2)
        marks = [plots.dials([round(1 - t, 2), round(t, 2)]) for t in np.linspace(1, 0, FRAMES)]
        film = plots.filmstrip(
            list(torch.from_numpy(large).float()),
            marks,
            {"From (0, 1) to (1, 0)": FRAMES},
            f"Kernels along the dial: {listed([*self.components])}.",
        )
        return Shown(film, self._records)
