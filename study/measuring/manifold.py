"""Where tuned kernels go when the dial turns: PCA, then t-SNE (Sec. 5, Figs. 8 and 9)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor

from tunable_core.controls.base import Control


@torch.no_grad()
def tuned_kernels(control: Control, omegas: Tensor, layers: list[list[str]]) -> np.ndarray:
    """The kernels of groups of layers at each omega, flattened: [groups, N, numbers].

    omegas: [N, p]; layers: parameter names of each group; groups must have one size.
    """
    tuned = [dict(control.at(omega).named_parameters()) for omega in omegas]
    return np.stack(
        [
            np.stack([torch.cat([plain[n].flatten() for n in group]).numpy() for plain in tuned])
            for group in layers
        ]
    )


def embed(kernels: np.ndarray, *, components: int = 10, perplexity: float = 5.0, seed: int = 0):
    """PCA then t-SNE of all kernels of all groups together, as Fig. 8: [groups, N, 2]."""
    groups, positions, size = kernels.shape
    flat = kernels.reshape(groups * positions, size)
    components = min(components, *flat.shape)
    reduced = PCA(components, random_state=seed).fit_transform(flat)
    perplexity = min(perplexity, (len(flat) - 1) / 3)
    points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    return points.reshape(groups, positions, 2)


def straightness(kernels: np.ndarray) -> pd.DataFrame:
    """How straight the path of each group is: one row per group.

    kernels: [groups, N, numbers] along a path of the dial. explained: share of variance on the first
    principal component, 1 for a segment; length: distance between the ends over the norm of the middle;
    detour: length of the polygon over the distance of its ends, 1 for a segment.
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
    """First principal component of the kernels of one layer at each omega, as Fig. 9: [N, 3, k, k].

    kernels: [N, C, 3, k, k], C kernels that see or make RGB. The component is scaled by its standard
    deviation; its sign, which is arbitrary, is chosen to continue that of the omega before.
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
