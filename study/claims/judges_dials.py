"""How the claims on layers and dials are judged, which no table of the paper prints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from study.claims.comparing import SETS, Judge, each_reading
from study.claims.sources import Source
from study.claims.store import Store, block
from study.claims.verdicts import CLEAN, KEEP, Bounds, Verdict, graded
from study.configs import measurements
from study.configs.denoising import ABLATIONS, ablation, denoising
from study.configs.joint import joint
from study.configs.style import transfer
from study.controls import Blend
from study.measuring import behaviour, bench
from study.measuring.intervals import Block, Estimate, count, estimate, lead, sided
from tunable_core.objectives import NU
from tunable_core.tunable import Tunable

ENDS = ((CLEAN, "psnr"), (KEEP, "psnr_eta"))
"""Each end of the denoising dial with the metric of its objective."""


def _overhead(few: bool, bound: float) -> Judge:
    """By the GPU's times of this version of the code; beside it the verdict of the CPU."""

    def share(layers: pd.DataFrame) -> tuple[Estimate, str]:
        case = (layers.work == "forward") & (layers.precision == "float32") & ~layers.compiled
        part = layers[case & (layers.p <= 4)] if few else layers[case]
        found = Estimate.exact(100 * float((part.overhead < bound).mean()))
        return found, f"{found.value:.0f} % of {len(part)} cases are under {bound:g} %"

    def judge(source: Source, bounds: Bounds) -> Verdict:
        store = source.ours("the times of the cases of Fig. 3, which is printed as curves")
        found = {}
        for device in ("cuda", "cpu"):
            layers = store.layers(device)
            if layers is None:
                found[device] = Verdict("not measured here", "Not measured on a GPU.")
                continue
            value, words = share(layers)
            name = layers.attrs["record"]["device"]
            if bench.stale(layers):
                words = (
                    "Stale, so not used for the verdict: with an older version of the code, "
                    f"{words} ({name})."
                )
                found[device] = Verdict("not measured here", words)
            else:
                found[device] = graded(value, bounds, f"{words} ({name}).")
        cpu = found["cpu"]
        return replace(found["cuda"], beside=f"On a CPU: {cpu.level}. {cpu.evidence}")

    return judge


def _any_layer(source: Source, bounds: Bounds) -> Verdict:
    """The layers that Sec. 3.2 names, each against its own copies at the corners."""
    source.ours("the layers themselves")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        image, tokens = torch.rand(2, 4, 9, 9), (torch.rand(2, 5, 8),) * 3
        cases = {
            "strided": (nn.Conv2d(4, 6, 3, stride=2), (image,)),
            "transposed": (nn.ConvTranspose2d(4, 6, 3, stride=2), (image,)),
            "point-wise": (nn.Conv2d(4, 6, 1), (image,)),
            "group-wise": (nn.Conv2d(4, 6, 3, groups=2), (image,)),
            "attention": (nn.MultiheadAttention(8, 2, batch_first=True), tokens),
        }
        worst = 0.0
        for layer, inputs in cases.values():
            model = Tunable(layer, p=2, phi="identity")
            for corner in ([1.0, 0.0], [0.0, 1.0]):
                one, other = model(inputs[0], corner, *inputs[1:]), model.at(corner)(*inputs)
                one, other = (y[0] if isinstance(y, tuple) else y for y in (one, other))
                worst = max(worst, (one - other).abs().max().item())
    text = f"Largest difference over {', '.join(cases)} layers: {worst:.1g}."
    return graded(Estimate.exact(worst), bounds, text)


def _ends(store: Store, name: str) -> list[Block]:
    """Both ends of the dial of an ablation, each in the metric of its objective."""
    frame = store.sweep(ablation(name, store.budget), measurements.ablations())
    return [block([frame], metric, [omega]) for omega, metric in ENDS]


ONE_READING = "Ablations were trained with the fixed target alone, at a third of the steps."


def _affine(source: Source, bounds: Bounds) -> Verdict:
    store = source.ours("networks with another phi")
    ours = _ends(store, "as released")
    cells, words = [], []
    for name in ("phi identity", "phi se"):
        for end, first, second in zip(("(1, 0)", "(0, 1)"), ours, _ends(store, name), strict=True):
            ahead = lead(first, second)
            cells.append([ahead])
            words.append(f"{sided(ahead, 'above', 'below')} {name} at {end}")
    return graded(count(cells), bounds, f"Affine phi: {'; '.join(words)}.", ONE_READING)


def _uniform(source: Source, bounds: Bounds) -> Verdict:
    store = source.ours("networks trained with other omegas")
    name = "uniform, as in the paper"
    settings = {"kind", "corners"}
    others = [
        n
        for n, (_, changed) in ABLATIONS.items()
        if set(changed) & settings and n != name and changed.get("kind") != "annealed"
    ]  # the claim is about random draws, and annealed omegas are not random
    ours, theirs = _ends(store, name), [_ends(store, n) for n in ("as released", *others)]

    def behind(*means: np.ndarray) -> np.ndarray:
        clean, keep, *rivals = (mean[..., 0] for mean in means)
        of = [np.stack(rivals[end::2], -1).max(-1) - own for end, own in enumerate((clean, keep))]
        return np.stack(of, -1)

    flat = [*ours, *(one for both in theirs for one in both)]
    worst = estimate(lambda *means: behind(*means).max(-1), *flat)
    each = [estimate(lambda *m, i=i: behind(*m)[..., i], *flat) for i in range(2)]
    text = (
        f"Against the best of {len(theirs)} other samplings: {sided(each[0])} at (1, 0), "
        f"{sided(each[1])} at (0, 1)."
    )
    return graded(worst, bounds, text, ONE_READING)


def _along(store: Store, method: str) -> Block:
    """The kept noise of each image along the dial, from noise preservation to fidelity."""
    config = denoising(method, store.budget)
    if method == "tunable":
        config = denoising(method, store.budget, noise_target=store.target)
    what = measurements.dial()
    return block([store.sweep(config, what)], "kept", what.omegas)


def _off_line(means: np.ndarray) -> np.ndarray:
    """behaviour.evenness().off_line of each curve [..., n]."""
    return np.apply_along_axis(lambda curve: behaviour.evenness(curve).off_line, -1, means)


@each_reading
def _smooth(source: Source, bounds: Bounds) -> Verdict:
    store = source.ours("the kept noise along the dial")
    both = [_along(store, method) for method in ("tunable", "cfsnet")]
    ahead = estimate(lambda a, b: _off_line(a) - _off_line(b), *both)
    ours, theirs = (estimate(_off_line, each) for each in both)
    text = (
        f"Largest distance from an even dial, of the range: Tunable {ours.text('.2f')}, CFSNet "
        f"{theirs.text('.2f')}; Tunable is {sided(ahead, 'further', 'nearer', unit='')}."
    )
    return graded(ahead, bounds, text)


@each_reading
def _equation_9(source: Source, bounds: Bounds) -> Verdict:
    store = source.ours("the kept noise along the dial")
    omegas = np.array(measurements.dial().omegas)
    miss = estimate(lambda kept: np.abs(kept - NU * omegas[:, 1]).mean(-1), _along(store, "tunable"))
    return graded(miss, bounds, f"Mean distance from 0.9 omega_2: {miss.text('.3f')}.")


@each_reading
def _fewer_artifacts(source: Source, bounds: Bounds) -> Verdict:
    store = source.ours("a measure of artifacts; Fig. 4 is a picture")
    what = measurements.cleanest()
    ours = denoising("tunable", store.budget, noise_target=store.target)
    both = [
        block([store.sweep(config, what)], "lpips", [CLEAN])
        for config in (ours, denoising("cfsnet", store.budget))
    ]
    more = lead(*both)
    return graded(
        more, bounds, f"LPIPS against CFSNet: {sided(more, 'higher', 'lower', unit='', form='.4f')}."
    )


def _cresmd_artifacts(source: Source, bounds: Bounds) -> Verdict:
    store = source.ours("the PSNR of the inputs")
    cells, words, niqe = [], [], []
    for images in SETS:
        what = measurements.table_3(images)
        noisy = block(
            [store.sweep(Blend(nn.Identity()), replace(what, omegas=(CLEAN,)))], "psnr", [CLEAN]
        )
        frame = store.sweep(joint("cresmd", store.budget), what)
        for omega in ((0.0, 0.0), KEEP):
            lost = lead(noisy, block([frame], "psnr", [omega]))
            cells.append([lost])
            words.append(f"{sided(lost)} at ({omega[0]:g}, {omega[1]:g}) on {images}")
            niqe.append(block([frame], "niqe", [omega]).values.mean())
    text = f"Its output against its input: {'; '.join(words)}. NIQE is up to {max(niqe):.0f}."
    return graded(count(cells), bounds, text)


def _disentangled(source: Source, bounds: Bounds) -> Verdict:
    """By behaviour.leak: how much of each behaviour's movement is due to the dial of the other one."""
    store = source.ours("the kept noise and the detail over a grid of both dials")
    frame = store.sweep(joint("tunable", store.budget), measurements.joint_grid())
    leaks = behaviour.leak(behaviour.disentanglement(frame))
    each = [
        behaviour.leak(behaviour.disentanglement(frame[frame.image == image]))
        for image in frame.image.unique()
    ]
    worst = Estimate(
        leaks.max(), min(x.max() for x in each), max(x.max() for x in each), images=len(each)
    )
    text = (
        f"Due to the other dial: {100 * leaks.kept:.0f} % of the movement of the kept noise and "
        f"{100 * leaks.detail:.0f} % of that of the detail (the interval is the range over images)."
    )
    return graded(worst, bounds, text)


def _right_share(store: Store, method: str) -> float:
    """Per cent of the steps along the edges of three styles that move an objective the right way."""
    frame = store.sweep(transfer(method, store.budget), measurements.three_styles(store.budget))
    right, steps = behaviour.right_steps_of_styles(frame, 3)
    return 100 * right / steps


def _three_objectives(source: Source, bounds: Bounds) -> Verdict:
    share = _right_share(source.ours("the objectives at the outputs"), "tunable")
    return graded(Estimate.exact(share), bounds, f"{share:.0f} % of the steps go the right way.")


def _only_one(source: Source, bounds: Bounds) -> Verdict:
    store = source.ours("the objectives at the outputs of other methods")
    shares = {method: _right_share(store, method) for method in ("tunable", "dni", "film")}
    ours = shares.pop("tunable")
    as_good = sum(share >= ours for share in shares.values())
    words = ", ".join(
        f"{method.upper() if method == 'dni' else 'FiLM'} {share:.0f} %"
        for method, share in shares.items()
    )
    text = f"Steps that go the right way: Tunable {ours:.0f} %, {words}."
    beside = "DyNet and CFSNet have two branches, so only one dial for two objectives."
    return graded(Estimate.exact(as_good), bounds, text, beside)


JUDGES: dict[str, Judge] = {
    "overhead-20": _overhead(few=False, bound=20),
    "overhead-5": _overhead(few=True, bound=5),
    "any-layer": _any_layer,
    "affine": _affine,
    "uniform": _uniform,
    "smooth": _smooth,
    "equation-9": _equation_9,
    "fewer-artifacts": _fewer_artifacts,
    "cresmd-artifacts": _cresmd_artifacts,
    "disentangled": _disentangled,
    "three-objectives": _three_objectives,
    "only-one": _only_one,
}
