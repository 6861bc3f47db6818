"""The table and the picture of README.md, made from released runs and sweeps.

`python book/headline.py` rewrites them; `--check` says whether the README still agrees.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from study import configs, runs
from study.claims import claims
from study.figures import plots
from study.images import datasets
from study.images.degradations import seeded_noise
from study.measuring.sweep import FIVE, average, find
from study.runs import named
from tunable_core.controls import Blend

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / "book" / "_static" / "dial.png"
BEGIN, END = "<!-- headline:", "<!-- end of headline -->"


def table() -> str:
    """PSNR and PSNR_eta on Kodak at the five omegas, ours and the paper's, as Markdown."""
    budget = configs.profile("laptop")
    tunable = stored(configs.denoising("tunable", budget))
    dni = stored(configs.denoising("dni", budget), weights=True)  # Blend contains its first network
    eq9 = stored(configs.denoising("tunable", budget, noise_target="eq9"))
    contestants = {
        "Tunable, fixed target": tunable,
        "Tunable, target of Eq. 9": eq9,
        "DNI, fine-tuned": dni,
        "Blend of pixels (oracle)": Blend(dni.control.networks[0]),
    }
    what = configs.measurements.table_1()
    ours = {name: average(find(of, what)) for name, of in contestants.items()}
    printed = plots.paper_table("table1").query("images == 'kodak' and method == 'Tunable'")
    cells = printed.pivot(index=["omega_1", "omega_2"], columns="metric", values="value")
    rows = [*ours.items(), ("*the paper's Tunable, 16 x 64, 500,000 steps*", cells)]
    head = " | ".join(plots.dials(omega) for omega in FIVE)
    lines = [f"| PSNR / PSNR_eta, dB, at omega = | {head} |", "|---" * (len(FIVE) + 1) + "|"]
    for name, frame in rows:
        values = [f"{frame.loc[w, 'psnr']:.2f} / {frame.loc[w, 'psnr_eta']:.2f}" for w in FIVE]
        lines.append(f"| {name} | {' | '.join(values)} |")
    config = tunable.config
    size = f"{config.network.blocks} x {config.network.channels}"
    lines += [
        "",
        f"Denoising on Kodak, mean over sigma 5, 15 and 30. Networks of {size}, trained for "
        f"{config.training.steps:,} steps on {trained_on([tunable, eq9, dni])}. PSNR is against the "
        "clean image, PSNR_eta against the image with the share of noise that the dial asks for. The "
        "chapter on denoising explains the table.",
        "",
        verdicts(),
    ]
    return "\n".join(lines)


def stored(config: runs.RunConfig, *, weights: bool = False) -> runs.Run:
    """The stored run of a config; nothing is trained.

    weights: whether its weights are needed too. Raises named.MissingRun where the store lacks it.
    """
    folder = runs.find(config, weights=weights)
    if folder is None:
        whole = " with its weights" if weights else ""
        raise named.MissingRun(
            f"the README's table needs the run {config.name}-{config.key}, which is not in "
            f"{runs.store() / 'runs'}{whole} (train it with `make runs`)"
        )
    return runs.load(config, folder)


def verdicts() -> str:
    """How many of the paper's claims came out how, as a sentence."""
    counts = claims.judged(configs.profile("laptop")).verdict.value_counts()
    parts = [f"{counts[level]} {level}" for level in claims.LEVELS if level in counts]
    return (
        f"Of {counts.sum()} claims of the paper, each judged by a threshold in code: "
        f"{', '.join(parts)}. The chapter *Every claim, judged* lists them with their numbers."
    )


def trained_on(found: Sequence[runs.Run]) -> str:
    """The hardware that the records name, such as "one thread of a CPU (x86_64)"."""
    places = set()
    for record in (run.record for run in found):
        kind, _, name = record["device"].partition(" ")
        threads = "one thread" if record["threads"] == 1 else f"{record['threads']} threads"
        places.add(f"{threads} of a CPU ({name})" if kind == "CPU" else record["device"])
    return " or ".join(sorted(places))


def picture() -> None:
    """One photograph at the five omegas, noisy input first."""
    control = stored(configs.denoising("tunable", configs.profile("laptop")), weights=True).control
    clean = datasets.load("samples-test")["chelsea"][:, 40:260, 60:340].float() / 255
    noisy = seeded_noise(clean, 30.0)
    with torch.inference_mode():
        outputs = [output[0] for output in control.outputs(noisy[None], torch.tensor(FIVE))]
    plots.style()
    labels = ["noisy input", *(rf"$\omega$ = {plots.dials(w)}" for w in FIVE)]
    figure = plots.strip([noisy, *outputs], labels, zoom=(70, 90, 70))
    figure.savefig(PICTURE, dpi=110)
    plt.close(figure)


def readme(text: str, new: str) -> str:
    """The README with the headline replaced."""
    start = text.index("\n", text.index(BEGIN)) + 1
    return text[:start] + new + "\n" + text[text.index(END) :]


def main() -> int:
    """Rewrite, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether README.md is up to date")
    arguments = parser.parse_args()
    old = README.read_text()
    new = readme(old, table())
    if arguments.check:
        return int(old != new)
    README.write_text(new)
    picture()
    return 0


if __name__ == "__main__":
    sys.exit(main())
