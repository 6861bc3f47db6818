"""What the chapter of kernel manifolds computes from tuned kernels (Sec. 5).

kernels: [blocks, positions, numbers], as manifold.tuned_kernels returns them; a map: [blocks, positions,
2], as manifold.embed does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.measuring import manifold


@dataclass(frozen=True)
class Principal:
    """All kernels in the plane of their first two principal components."""

    plane: np.ndarray
    """[blocks, positions, 2]."""
    explained: np.ndarray
    """Share of the variance on each component."""


def principal(kernels: np.ndarray) -> Principal:
    """PCA of the kernels of all blocks together."""
    flat = kernels.reshape(-1, kernels.shape[-1]).astype(np.float64)
    centred = flat - flat.mean(0)
    scale, axes = np.linalg.svd(centred, full_matrices=False)[1:]
    plane = (centred @ axes[:2].T).reshape(*kernels.shape[:2], -1)
    return Principal(plane, scale**2 / (scale**2).sum())


def ordered(points: np.ndarray) -> int:
    """In how many blocks of a map the points are in the order of the dial, along their longest axis."""
    found = 0
    for chain in points.astype(np.float64):
        centred = chain - chain.mean(0)
        along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
        steps = np.diff(along)
        found += bool((steps > 0).all() or (steps < 0).all())
    return found


def grouped(points: np.ndarray) -> float:
    """The share of a map's points whose nearest neighbour is of their own block."""
    flat = points.reshape(-1, 2).astype(np.float64)
    block = np.repeat(np.arange(len(points)), points.shape[1])
    distance = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    return float((block[distance.argmin(1)] == block).mean())


def chance(kernels: np.ndarray, seed: int = 0) -> np.ndarray:
    """As many blocks whose kernels move on random segments at an even pace, in the shape of kernels."""
    starts, ways = np.random.default_rng(seed).normal(size=(2, len(kernels), kernels.shape[-1]))
    pace = np.linspace(0, 0.3, kernels.shape[1])[None, :, None]
    return starts[:, None] + pace * ways[:, None]


def largest_cosine(kernels: np.ndarray) -> float:
    """The largest cosine, in size, between the directions in which two blocks move; 0 for one block."""
    cosines = np.abs(manifold.directions(kernels))
    np.fill_diagonal(cosines, 0)
    return float(cosines.max())


def bends(paths: dict[str, np.ndarray]) -> pd.DataFrame:
    """How far paths are from straight: one row per name.

    paths: [groups, positions, numbers] each. off the line: the largest share of a group's variance that
    is not on its first principal axis; detour: by how much the longest path exceeds the distance of its
    ends, as a share.
    """
    rows = {}
    for name, kernels in paths.items():
        found = manifold.straightness(kernels)
        off, detour = (1 - found.explained).max(), (found.detour - 1).max()
        rows[name] = {"paths": len(found), "off the line": off, "detour": detour}
    return pd.DataFrame.from_dict(rows, orient="index")
