"""How the claims on kernels are judged (Sec. 5), of the denoiser and the super-resolution network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from study.claims.comparing import Judge, each_reading
from study.claims.sources import Source
from study.claims.verdicts import CLEAN, KEEP, Bounds, Verdict, graded
from study.configs.denoising import denoising
from study.configs.super_resolution import resnet
from study.controls import Control
from study.measuring import manifold
from study.measuring.intervals import Estimate
from tunable_core.omega import path


def _networks(source: Source) -> dict[str, Control]:
    """The denoiser and the super-resolution network of Tables 1 and 4."""
    store = source.ours("the kernels")
    return {
        "denoising": store.control(denoising("tunable", store.budget, noise_target=store.target)),
        "super-resolution": store.control(resnet("tunable", store.budget)),
    }


def _blocks(control: Control) -> list[list[str]]:
    """The names of the kernels of each residual block."""
    names = [n for n, _ in control.network.module.named_parameters() if ".conv" in n and "weight" in n]
    return [names[i : i + 2] for i in range(0, len(names), 2)]


def _kernels(control: Control, groups: Sequence[list[str]]) -> np.ndarray:
    return manifold.tuned_kernels(control, path(KEEP, CLEAN, 5), list(groups))


def _of_networks(measure: Callable[[Control], float], words: str) -> Judge:
    """The smaller value of the two networks."""

    def judge(source: Source, bounds: Bounds) -> Verdict:
        found = {name: measure(control) for name, control in _networks(source).items()}
        text = "; ".join(f"{name} {value:.4f}" for name, value in found.items())
        return graded(Estimate.exact(min(found.values())), bounds, f"{words}: {text}.")

    return judge


def _straight(control: Control) -> float:
    return float(manifold.straightness(_kernels(control, _blocks(control))).explained.min())


def _component(control: Control) -> float:
    """Fig. 9: of the first and the last convolution, at 11 positions."""
    tuned = [dict(control.at(omega).named_parameters()) for omega in path(KEEP, CLEAN, 11)]
    head = np.stack([t["head.weight"].detach().numpy() for t in tuned])
    tail = np.stack([t["tail.weight"].detach().transpose(0, 1).numpy() for t in tuned])
    paths = [manifold.first_component(kernels).reshape(1, len(tuned), -1) for kernels in (head, tail)]
    return min(float(manifold.straightness(each).explained.min()) for each in paths)


JUDGES: dict[str, Judge] = {
    "manifolds": each_reading(
        _of_networks(_straight, "Least share of variance on one line, which affine phi makes 1")
    ),
    "clusters": each_reading(
        _of_networks(lambda c: manifold.separation(_kernels(c, _blocks(c))), "Silhouette of the blocks")
    ),
    "kernels-linear": each_reading(
        _of_networks(_component, "Least share of variance of the component on one line")
    ),
}
