"""Here but not there: grain kept on a face and removed around it, by a dial per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import matplotlib.pyplot as plt
import pandas as pd
import torch
from torch import Tensor

from study import configs, runs
from study.chapters.findings import Either
from study.chapters.pictures import picture, through
from study.chapters.shown import Said, Shown
from study.figures import plots, tables
from study.images import datasets
from study.images.degradations import seeded_noise
from study.measuring import bench, edges, pixels
from study.runs import Run
from tunable_photo.applying import TILE
from tunable_photo.resnet import ResNetConfig
from tunable_photo.tiling import reach, spans

INSIDE, OUTSIDE = (0.0, 1.0), (1.0, 0.0)
"""The dials on the face and around it: the noise kept, and removed."""
LARGE = 12e6
"""Pixels of a large photograph."""
NEAR = 2
"""Pixels from the edge that count as at the edge."""
SHARP = Either(
    threshold=1.1,
    above="At a sharp edge blended inputs are worst: within {near} pixels of it the error is "
    "{inputs:.2f} grey levels, {value:.1f} times the {kernels:.2f} of a dial per pixel. Blended outputs "
    "have {outputs:.2f}.",
    otherwise="At a sharp edge the three ways are equally good: within {near} pixels of it the errors "
    "are {kernels:.2f} grey levels for a dial per pixel, {outputs:.2f} for blended outputs and "
    "{inputs:.2f} for blended inputs.",
)
"""value: the error of blended inputs over that of a dial per pixel."""
SOFT = Either(
    above="At an edge that is feathered by {feather:g} pixels blended outputs are nearest to the share "
    "of the noise that the mask asks for: their error is {outputs:.2f} grey levels, {value:.2f} below "
    "the {kernels:.2f} of a dial per pixel. Blended inputs have {inputs:.2f}.",
    otherwise="At an edge that is feathered by {feather:g} pixels a dial per pixel is at least as good "
    "as blended outputs. Their errors from the share of the noise that the mask asks for are "
    "{kernels:.2f} and {outputs:.2f} grey levels. Blended inputs have {inputs:.2f}.",
)
"""value: how much lower the error of blended outputs is, grey levels."""
COST = Either(
    threshold=1.6,
    above="With a map of dials a forward pass of the {size} network takes {default:.1f} times that of "
    "the plain network in PyTorch's default layout of memory and {last:.1f} times that in "
    "channels_last: more than our goal of 1.6. Two kernels are two convolutions: if convolutions take "
    "the share s of a plain pass, a map costs at least 1 + s, so 1.6 requires s = 60 %. Here they take "
    "nearly all of it, and two whole passes take {passes:.1f} times.",
    otherwise="With a map of dials a forward pass of the {size} network takes {default:.1f} times that "
    "of the plain network in PyTorch's default layout of memory, within our goal of 1.6, and "
    "{last:.1f} times that in channels_last.",
)
"""value: the ratio of the times in the default layout."""
TILES = Either(
    threshold=1.6,
    above="In a photograph of {megapixels:.0f} megapixels with this ellipse, {edge} of {tiles} tiles "
    "have an edge, so `tunable denoise --mask` does about {value:.1f} times the work without a mask.",
    otherwise="In a photograph of {megapixels:.0f} megapixels with this ellipse, only {edge} of {tiles} "
    "tiles have an edge, so `tunable denoise --mask` does about {value:.1f} times the work without a "
    "mask, within the goal.",
)
"""value: the work with the mask, from the share of tiles with an edge and the cost of a map."""
RECOVERED = Either(
    threshold=0.95,
    above="Gradient descent recovers the mask: {share:.0%} of the pixels are on the correct side of "
    "0.5.",
    otherwise="Gradient descent recovers the mask only in part: {share:.0%} of the pixels are on the "
    "correct side of 0.5.",
)
"""value: the share of pixels that are on the right side."""


class HereNotThere:
    """A mask on one photograph, and what its edge looks like.

    profile: the budget of the network, the denoiser of chapter 3 trained with the target of Eq. 9.
    figure_image: a photograph of the Kodak set. view: its square that is shown, top, left and side.
    face: the box of the ellipse in which the noise is kept: top, left, bottom, right in the view.
    sigma: the noise, grey levels of 255. feather: of the soft mask, pixels.
    """

    def __init__(
        self,
        profile: str,
        *,
        figure_image: str,
        view: Sequence[int],
        face: Sequence[float],
        sigma: float,
        feather: float,
    ) -> None:
        plots.style()
        self.budget, self.sigma, self.feather = configs.profile(profile), sigma, feather
        self.shown = picture("kodak", figure_image, view, side=view[2])
        self.clean = self.shown.cut(self.shown.clean)
        self.noisy = seeded_noise(self.clean, sigma)
        height, width = self.clean.shape[1:]
        self.face_box = [min(v, height) for v in face]
        self.mask = edges.ellipse(height, width, self.face_box)

    @cached_property
    def run(self) -> Run:
        """The network."""
        return runs.get(configs.denoising("tunable", self.budget, noise_target="eq9"), progress=False)

    @cached_property
    def network(self):
        """The Tunable of the run."""
        return self.run.control.network.eval()

    def face(self) -> Shown:
        """The noisy photograph, the noise removed everywhere, and removed around the face alone."""
        network = self.network  # made, or trained, with gradients
        dials = edges.as_map(edges.feathered(self.mask, self.feather), INSIDE, OUTSIDE)
        with torch.inference_mode():
            clean, here = (network(self.noisy[None], omega)[0] for omega in (OUTSIDE, dials))
        titles = ["noisy", f"{plots.dials(OUTSIDE)} everywhere", f"{plots.dials(INSIDE)} on the face"]
        figure = plots.strip([self.noisy, clean, here], titles, columns=3)
        return Shown(figure, [self.run.record], f"{self.shown.title}, sigma {self.sigma:g}")

    def edge(self) -> Shown:
        """The three ways at the left end of the ellipse: above with a sharp mask, below with a soft
        one."""
        rows, columns = self.mask.nonzero().T
        middle, left = int(rows.float().mean()), int(columns.min())
        side = min(64, *self.mask.shape)
        top = max(0, min(middle - side // 2, self.mask.shape[0] - side))
        start = max(0, min(left - side // 2, self.mask.shape[1] - side))
        pieces, titles = [], []
        for mask, kind in ((self.mask, "sharp"), (edges.feathered(self.mask, self.feather), "soft")):
            pieces += through(self._ways, torch.cat([self.noisy, mask[None]]), (top, start, side))
            titles += [f"{way}, {kind}" for way in (edges.KERNELS, edges.OUTPUTS, edges.INPUTS)]
        return Shown(plots.strip(pieces, titles, columns=3), [self.run.record], self.shown.title)

    def _ways(self, masked: Tensor) -> list[Tensor]:
        """The pictures of a noisy image and its mask, [4, H, W], in each of the ways."""
        return [*edges.ways(self.network, masked[:3], masked[3], INSIDE, OUTSIDE).values()]

    @cached_property
    def profiles(self) -> dict[float, pd.DataFrame]:
        """Errors by distance from the edge of a disc, for a sharp mask and a soft one."""
        photographs = datasets.load_or_samples("photos")
        side = min(self.clean.shape[-1], 192)
        images = {name: _middle(photographs[name].float() / 255, side) for name in photographs.ids}
        self.images = f"the middle of {len(images)} photographs of {photographs.name}"
        disc = edges.ellipse(side, side, [side / 4, side / 4, 3 * side / 4, 3 * side / 4])
        return {
            feather: edges.profile(
                self.network, images, disc, INSIDE, OUTSIDE, sigma=self.sigma, feather=feather
            )
            for feather in (0.0, self.feather)
        }

    def curves(self) -> Shown:
        """The error against the distance from the edge, for both masks."""
        figure, axes = plt.subplots(1, 2, figsize=(7.4, 2.8), sharey=True)
        for axis, (feather, table) in zip(axes, self.profiles.items(), strict=True):
            for way, look in zip(table, ("-", "--", ":"), strict=True):
                axis.plot(table.index, table[way], look, label=way)
            title = f"feathered by {feather:g} pixels" if feather else "sharp mask"
            axis.set(title=title, xlabel="distance from the edge, pixels (positive inside)")
        axes[0].set_ylabel("error, grey levels of 255")
        axes[0].legend(fontsize=9)
        return Shown(figure, [self.run.record], self.images)

    def at_the_edge(self) -> dict[float, dict[str, float]]:
        """The mean errors within NEAR pixels of the edge, or a feather's width, of both masks."""
        return {
            feather: table.loc[abs(table.index) <= max(NEAR, feather)].mean().to_dict()
            for feather, table in self.profiles.items()
        }

    def edge_said(self) -> Said:
        """What the curves show, in two sentences."""
        sharp, soft = (
            {"kernels": errors[edges.KERNELS], "outputs": errors[edges.OUTPUTS]}
            | {"inputs": errors[edges.INPUTS]}
            for errors in self.at_the_edge().values()
        )
        first = SHARP(sharp["inputs"] / sharp["kernels"], near=NEAR, **sharp)
        return Said(f"{first} {SOFT(soft['kernels'] - soft['outputs'], feather=self.feather, **soft)}")

    @cached_property
    def costs(self) -> pd.DataFrame:
        """The stored benchmark, or a quick one of a small network where none is stored."""
        found = bench.find("pixels")
        if found is not None and self.budget.name != "smoke":
            return found
        network, rounds = ((1, 4), 1) if self.budget.name == "smoke" else ((8, 32), 50)
        quick = pixels.cost(ResNetConfig(*network).build(), batch=8, patch=48, rounds=rounds, seconds=5)
        return quick.assign(size=f"{network[0]} x {network[1]}")

    def cost(self) -> Shown:
        """Milliseconds, and the ratio to the plain network of the same layout."""
        table = self.costs.set_index(["size", "work", "case"])[["ms", "ratio"]]
        return Shown(tables.tidy(table), [self.costs.attrs["record"]] if self.costs.attrs else [])

    def cost_said(self) -> Said:
        """The price, in a sentence."""
        size = self.costs["size"].iloc[-1]
        rows = self.costs[(self.costs["size"] == size) & (self.costs.case == "a dial per pixel")]
        default, last = rows.ms / self._plain(size)
        two = self.costs[(self.costs["size"] == size) & (self.costs.case == "two outputs, blended")]
        passes, _ = two.ms / self._plain(size)
        edge, tiles = self.tiles_with_edge()
        said = COST(default, default=default, size=size, last=last, passes=passes)
        ratio = 1 + edge / tiles * (last - 1)
        return Said(f"{said} {TILES(ratio, edge=edge, tiles=tiles, megapixels=LARGE / 1e6)}")

    def tiles_with_edge(self) -> tuple[int, int]:
        """Tiles with an edge of the mask, and all, of the photograph enlarged to LARGE pixels."""
        height, width = self.shown.clean.shape[1:]
        scale = (LARGE / (height * width)) ** 0.5
        top, left, _ = self.shown.square
        box = [scale * (v + o) for v, o in zip(self.face_box, (top, left) * 2, strict=True)]
        sides = round(scale * height), round(scale * width)
        mask = edges.feathered(edges.ellipse(*sides, box), self.feather)
        seen = reach(self.network.at(OUTSIDE))
        rows, columns = (spans(side, TILE, seen.pixels, seen.period) for side in sides)
        pieces = [mask[row.seen, column.seen] for row in rows for column in columns]
        return sum(bool(piece.min() < piece.max()) for piece in pieces), len(pieces)

    def _plain(self, size: str) -> list[float]:
        rows = self.costs[(self.costs["size"] == size) & (self.costs.case == "plain")]
        return rows.ms.tolist()

    @cached_property
    def found(self) -> tuple[Tensor, Tensor]:
        """A mask, and the one that gradient descent finds from what the first one made: [h, w] each."""
        step = max(1, self.mask.shape[0] // 72)
        mask, noisy = self.mask[::step, ::step][:72, :72], self.noisy[:, ::step, ::step][:, :72, :72]
        with torch.no_grad():
            target = self.network(noisy[None], edges.as_map(mask, INSIDE, OUTSIDE))[0]
        return mask, edges.fitted(self.network, noisy, target, INSIDE, OUTSIDE)

    def recovered(self) -> Shown:
        """Both masks, and how far they differ."""
        mask, found = self.found
        pictures = [x.expand(3, -1, -1) for x in (mask, found, (found - mask).abs())]
        figure = plots.strip(pictures, ["the mask", "found by gradient descent", "difference"])
        return Shown(figure, [self.run.record], self.shown.title)

    def recovered_said(self) -> Said:
        """How well the mask was found."""
        mask, found = self.found
        share = ((found > 0.5) == (mask > 0.5)).float().mean().item()
        return Said(RECOVERED(share, share=share))


def _middle(image: Tensor, side: int) -> Tensor:
    top, left = ((length - side) // 2 for length in image.shape[-2:])
    return image[..., top : top + side, left : left + side]
