"""Paths of tuned kernels along a dial: PCA, then t-SNE (Sec. 5, Figs. 8 and 9)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from study.controls.base import Control


@torch.no_grad()
def tuned_kernels(control: Control, omegas: Tensor, layers: list[list[str]]) -> np.ndarray:
    """The kernels of groups of layers at each omega, flattened: [groups, N, numbers].

    omegas: [N, p]; layers: parameter names of each group; groups must have equal sizes.
    """
    tuned = [dict(control.at(omega).named_parameters()) for omega in omegas]
    return np.stack(
        [
            np.stack([torch.cat([plain[n].flatten() for n in group]).numpy() for plain in tuned])
            for group in layers
        ]
    )


def embed(kernels: np.ndarray, *, components: int = 10, perplexity: float = 5.0, seed: int = 0):
    """PCA, then t-SNE, of the kernels of all groups together, as in Fig. 8: [groups, N, 2]."""
    from sklearn.decomposition import PCA  # it takes a second, and most claims are not on kernels
    from sklearn.manifold import TSNE

    groups, positions, size = kernels.shape
    flat = kernels.reshape(groups * positions, size)
    components = min(components, *flat.shape)
    reduced = PCA(components, random_state=seed).fit_transform(flat)
    perplexity = min(perplexity, (len(flat) - 1) / 3)
    points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    return points.reshape(groups, positions, 2)


def separation(kernels: np.ndarray, *, perplexity: float = 5.0, seed: int = 0) -> float:
    """How well the groups are separated in the points of embed(): their mean silhouette coefficient.

    1 for groups far apart, 0 for overlapping groups. kernels: as returned by tuned_kernels().
    """
    from sklearn.metrics import silhouette_score

    points = embed(kernels, perplexity=perplexity, seed=seed)
    groups = np.repeat(np.arange(len(points)), points.shape[1])
    return float(silhouette_score(points.reshape(-1, 2), groups))


def straightness(kernels: np.ndarray) -> pd.DataFrame:
    """How straight the path of each group is: one row per group.

    kernels: [groups, N, numbers] along a path of the dial. explained: share of variance on the first
    principal component, 1 for a straight line; length: distance between the ends divided by the norm of
    the middle; detour: length of the path divided by the distance of its ends, 1 for a straight line.
    """
    rows = []
    for path in kernels.astype(np.float64):
        centred = path - path.mean(0)
        variance = np.linalg.svd(centred, compute_uv=False) ** 2
        ends = np.linalg.norm(path[-1] - path[0])
        polygon = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        middle = np.linalg.norm(path[len(path) // 2])
        rows.append(
            {
                "explained": variance[0] / variance.sum(),
                "length": ends / middle,
                "detour": polygon / ends,
            }
        )
    return pd.DataFrame(rows)


def directions(kernels: np.ndarray) -> np.ndarray:
    """Cosines between the directions in which the groups' kernels move: [groups, groups]."""
    steps = kernels[:, -1] - kernels[:, 0]
    steps = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return steps @ steps.T


def first_component(kernels: np.ndarray) -> np.ndarray:
    """First principal component of the kernels of one layer at each omega, as in Fig. 9: [N, 3, k, k].

    kernels: [N, C, 3, k, k], C kernels with RGB input or output. The component is scaled by its standard
    deviation; its arbitrary sign is chosen to agree with the previous omega.
    """
    components = []
    for at_omega in kernels.astype(np.float64):
        flat = at_omega.reshape(len(at_omega), -1)
        _, scale, axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
        component = axes[0] * scale[0] / len(flat) ** 0.5
        if components and component @ components[-1] < 0:
            component = -component
        components.append(component)
    return np.stack(components).reshape(len(kernels), *kernels.shape[2:])
