"""How the claims on the layer and on denoising strength are judged (Sec. 3, 4.1.1 and 5)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pandas as pd
import torch
from torch import nn

from study import runs
from study.claims.verdicts import CLEAN, KEEP, NotMeasured, Verdict, graded, table
from study.configs import measurements
from study.configs.denoising import ablation, denoising
from study.configs.profiles import Profile
from study.measuring import behaviour, bench, manifold
from study.measuring.sweep import FIVE, spread
from study.runs import RunConfig
from tunable_core.omega import path
from tunable_core.tunable import Tunable

METRICS = ("psnr", "psnr_eta")


def _overhead(few: bool, bound: float) -> Callable[[Profile], Verdict]:
    def judge(budget: Profile) -> Verdict:
        layers = bench.find("layers", "cpu")
        if layers is None:
            raise NotMeasured("the runtime of layers (make bench PARTS=layers)")
        share, text = _share(layers, few, bound, False)
        text += f" are under {bound:g} %, on a CPU" + (
            " (another version)" if bench.stale(layers) else ""
        )
        if layers.compiled.any():
            text += f"; compiled, {_share(layers, few, bound, True)[1]}"
        card = bench.find("layers", "cuda")
        if card is not None and not bench.stale(card):
            text += f"; on {card.attrs['record']['device']}, {_share(card, few, bound, False)[1]}"
        elif card is not None:
            text += f"; not measured with this version on {card.attrs['record']['device']}"
        return graded(share, 95, 50, f"{text}.")

    return judge


def _share(layers: pd.DataFrame, few: bool, bound: float, compiled: bool) -> tuple[float, str]:
    """Per cent of the cases under a bound, and these words."""
    part = layers[(layers.compiled == compiled) & (layers.p <= 4 if few else layers.p > 0)]
    share = 100 * float((part.overhead < bound).mean())
    return share, f"{share:.0f} % of {len(part)} cases"


def _any_layer(budget: Profile) -> Verdict:
    """The layers that Sec. 3.2 names, each against its own copies at the corners."""
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
    return graded(worst, 1e-5, 1e-3, f"Largest difference over {', '.join(cases)} layers: {worst:.1g}.")


def _ablations(names: list[str], budget: Profile) -> pd.DataFrame:
    """Ends of the dial for ablations, in dB: columns (1, 0) in PSNR, (0, 1) in PSNR_eta."""
    rows = {}
    for name in ["as released", *names]:
        mean = table(ablation(name, budget), measurements.ablations())
        rows[name] = {"clean": mean.loc[CLEAN, "psnr"], "keep": mean.loc[KEEP, "psnr_eta"]}
    return pd.DataFrame(rows).T


def _affine(budget: Profile) -> Verdict:
    ends = _ablations(["phi identity", "phi se"], budget)
    lead = (ends.loc["as released"] - ends.drop(index="as released").max()).rename("lead")
    text = f"Affine leads by {lead.clean:+.2f} dB at (1, 0) and {lead.keep:+.2f} dB at (0, 1)."
    return graded(lead.min(), 0.0, -0.1, text)


def _uniform(budget: Profile) -> Verdict:
    ends = _ablations(["uniform, as in the paper", "simplex, no corners"], budget)
    lead = ends.loc["uniform, as in the paper"] - ends.drop(index="uniform, as in the paper").max()
    text = f"Uniform omegas lead by {lead.clean:+.2f} dB at (1, 0) and {lead.keep:+.2f} dB at (0, 1)."
    return graded(lead.clean, -0.05, -0.15, text)


def _tunes(budget: Profile) -> Verdict:
    mean = table(denoising("tunable", budget), measurements.table_1())
    along = mean.loc[list(FIVE)]
    wanted = {"psnr": "up", "kept": "down"}
    right = sum(behaviour.right_steps(along[name], way)[0] for name, way in wanted.items())
    return graded(right, 8, 6, f"{right} of 8 steps go the right way.")


def _along(config: RunConfig) -> pd.DataFrame:
    """The means along the dial, from noise preservation to fidelity."""
    return table(config, measurements.dial()).sort_index().reset_index()


def _smooth(budget: Profile) -> Verdict:
    ours, theirs = (
        behaviour.evenness(_along(denoising(method, budget)).kept).off_line
        for method in ("tunable", "cfsnet")
    )
    text = f"Largest distance from an even dial: ours {ours:.2f}, CFSNet {theirs:.2f} of its range."
    return graded(ours - theirs, 0.0, 0.05, text)


def _seed_spread(method: str, budget: Profile) -> pd.DataFrame | None:
    frames = []
    for seed in range(budget.seeds):
        with contextlib.suppress(NotMeasured):
            frames.append(table(denoising(method, budget, seed=seed), measurements.seeds()))
    return spread(frames) if len(frames) > 1 else None


def _table_1(budget: Profile) -> Verdict:
    rivals = ("dni", "dni-scratch", "dynet", "cfsnet")
    noise = {m: _seed_spread(m, budget) for m in ("tunable", *rivals)}
    lost, cells = [], 0
    for images in ("kodak", "cbsd68"):
        what = measurements.table_1(images)
        means = {m: table(denoising(m, budget), what) for m in ("tunable", *rivals)}
        for omega in FIVE:
            for metric in METRICS:
                cells += 1
                ours = means["tunable"].loc[omega, metric]
                for m in rivals:
                    allowed = sum(
                        n.loc[omega, metric] for n in (noise[m], noise["tunable"]) if n is not None
                    )
                    if means[m].loc[omega, metric] - ours > allowed:
                        lost.append(m)
                        break
    share = (cells - len(lost)) / cells
    text = f"No rival is better in {cells - len(lost)} of {cells} cells"
    return graded(
        share, 0.9, 0.5, text + (f"; lost to {', '.join(sorted(set(lost)))}." if lost else ".")
    )


def _clean_psnr(method: str, budget: Profile) -> float:
    """PSNR on Kodak at (1, 0), dB."""
    return table(denoising(method, budget), measurements.table_1()).loc[CLEAN, "psnr"]


def _fidelity(budget: Profile) -> Verdict:
    cost = _clean_psnr("dni", budget) - _clean_psnr("tunable", budget)
    return graded(cost, 0.1, 0.2, f"{cost:.2f} dB below the plain network (the paper: 0.02).")


def _rivals_drop(budget: Profile) -> Verdict:
    plain = _clean_psnr("dni", budget)
    drops = {m: plain - _clean_psnr(m, budget) for m in ("dynet", "cfsnet")}
    far = max(abs(drop - 0.2) for drop in drops.values())
    text = ", ".join(f"{m} {drop:+.2f} dB" for m, drop in drops.items())
    return graded(far, 0.1, 0.2, f"Below the plain network: {text}.")


def _dni_interior(budget: Profile) -> Verdict:
    below = {}
    for m in ("dni-scratch", "dni", "dynet"):
        psnr = table(denoising(m, budget), measurements.table_1()).loc[list(FIVE), "psnr"]
        below[m] = psnr.iloc[1:-1].min() - min(psnr.iloc[0], psnr.iloc[-1])
    text = ", ".join(f"{m} {value:+.1f} dB" for m, value in below.items())
    count = sum(value < 0 for value in below.values())
    return graded(count, 3, 1, f"Worst interior point against the worse end: {text}.")


def _equation_9(budget: Profile) -> Verdict:
    miss = behaviour.miss(_along(denoising("tunable", budget)))
    other = behaviour.miss(_along(denoising("tunable", budget, noise_target="eq9")))
    text = (
        f"Mean distance from 0.9 omega_2: {miss:.2f} with the fixed target that Table 1 fits, "
        f"{other:.2f} with Eq. 9."
    )
    return graded(min(miss, other), 0.05, 0.1, text)


def _manifolds(budget: Profile) -> Verdict:
    config = denoising("tunable", budget)
    if runs.find(config, weights=True) is None:
        raise NotMeasured(f"the weights of {config.name}")
    control = runs.get(config, progress=False).control
    names = [
        n for n, _ in control.network.module.named_parameters() if ".conv" in n and n.endswith("weight")
    ]
    kernels = manifold.tuned_kernels(control, path((0, 1), (1, 0), 5), [[name] for name in names])
    least = manifold.straightness(kernels).explained.min()
    text = (
        f"Least share of variance on one line, over {len(names)} layers: {least:.6f}; "
        "affine phi makes it so."
    )
    return graded(least, 0.99, 0.9, text)


JUDGES: dict[str, Callable[[Profile], Verdict]] = {
    "overhead-20": _overhead(few=False, bound=20),
    "overhead-5": _overhead(few=True, bound=5),
    "any-layer": _any_layer,
    "affine": _affine,
    "uniform": _uniform,
    "tunes": _tunes,
    "smooth": _smooth,
    "table-1": _table_1,
    "fidelity": _fidelity,
    "rivals-drop": _rivals_drop,
    "dni-interior": _dni_interior,
    "equation-9": _equation_9,
    "manifolds": _manifolds,
}
