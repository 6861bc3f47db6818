"""Write the table and the picture of README.md from released runs and sweeps.

`python book/headline.py` rewrites them; `--check` tests whether the README is up to date.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from study import configs, runs
from study.chapters.verdicts import Verdicts
from study.claims import page, summary
from study.controls import Blend
from study.figures import plots, tables
from study.images import datasets
from study.images.degradations import seeded_noise
from study.measuring.sweep import FIVE, average, find
from study.runs import named

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
        "Tunable, target of Eq. 9": eq9,
        "Tunable, fixed target": tunable,
        "DNI: the weights of two networks interpolated": dni,
        "Blend of output and input (oracle)": Blend(dni.control.networks[0]),
    }
    what = configs.measurements.table_1()
    ours = {name: average(find(of, what)) for name, of in contestants.items()}
    printed = tables.paper_table("table1").query("images == 'kodak' and method == 'Tunable'")
    cells = printed.pivot(index=["omega_1", "omega_2"], columns="metric", values="value")
    rows = [*ours.items(), ("*the paper's Tunable: 16 blocks of 64, 500,000 steps*", cells)]
    head = " | ".join(plots.dials(omega) for omega in FIVE)
    lines = [*findings(), "", f"| PSNR / PSNR_eta, dB, at omega = | {head} |"]
    lines.append("|---" * (len(FIVE) + 1) + "|")
    for name, frame in rows:
        values = [f"{frame.loc[w, 'psnr']:.2f} / {frame.loc[w, 'psnr_eta']:.2f}" for w in FIVE]
        lines.append(f"| {name} | {' | '.join(values)} |")
    config = tunable.config
    size = f"{config.network.blocks} residual blocks of {config.network.channels} channels"
    lines += [
        "",
        "Denoising on Kodak, mean over noise of sigma 5, 15 and 30 grey levels. Our networks have "
        f"{size}, trained for {config.training.steps:,} steps on {trained_on([tunable, eq9, dni])}. "
        "The target of Eq. 9 is the clean image plus the share of the noise that the dial asks for; a "
        "fixed target holds 90 % of the noise at every omega. PSNR compares with the clean image, "
        "PSNR_eta with the target of Eq. 9. The [chapter on denoising](notebooks/03-denoising.ipynb) "
        "explains the table.",
        "",
        made_with(),
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


def findings() -> list[str]:
    """The verdicts on the paper's claims, in at most five lines."""
    judged = Verdicts("laptop").judged
    failed = judged.index[judged.verdict == "not reproduced"]
    lines = [f"Of the paper's {page.sentence(judged)}."]
    for sentence, number, sure in summary.numbers(judged):
        lines.append(f"{sentence.format(f'**{number}**')} ({sure}.)")
    if len(failed):
        names = ", ".join(f"`{name}`" for name in failed)
        lines.append(
            f"Not reproduced: {names}. [The claims](data/paper/claims.yml) quote the paper; "
            f"`make claim NAME={failed[0]}` judges one again."
        )
    return [f"- {line}" for line in lines]


def made_with() -> str:
    """Number of networks and measurements, their hardware and versions, from all records."""
    trained = [json.loads(path.read_text()) for path in (runs.store() / "runs").glob("*/run.json")]
    swept = [
        json.loads(path.read_bytes().partition(b"\n")[0].removeprefix(b"# "))
        for path in (runs.store() / "sweeps").rglob("*.csv")
        if "samples" not in path.parts
    ]
    records = [*trained, *swept]
    devices = sorted({one for record in records for one in record["device"].split(", then ")})
    versions = sorted({record["versions"]["torch"] for record in records})
    return (
        f"The folder `data/` has the records of {len(trained)} trainings and {len(swept)} measurements, "
        f"made on {' and '.join(devices)} with PyTorch {' and '.join(versions)}."
    )


def trained_on(found: Sequence[runs.Run]) -> str:
    """The hardware in the records, such as "one thread of a CPU (x86_64)"."""
    places = set()
    for record in (run.record for run in found):
        kind, _, name = record["device"].partition(" ")
        threads = "one thread" if record["threads"] == 1 else f"{record['threads']} threads"
        places.add(f"{threads} of a CPU ({name})" if kind == "CPU" else record["device"])
    return " or ".join(sorted(places))


def picture() -> None:
    """A square of one photograph at three positions of the even dial."""
    config = configs.denoising("tunable", configs.profile("laptop"), noise_target="eq9")
    control = stored(config, weights=True).control
    clean = datasets.load("samples-test")["chelsea"][:, 40:260, 60:340].float() / 255
    noisy = seeded_noise(clean, 30.0)
    with torch.inference_mode():
        outputs = control.outputs(noisy[None], torch.tensor(FIVE[::2]))
    plots.style()
    pieces = [output[0][:, 50:160, 60:170] for output in outputs]
    figure = plots.strip(pieces, [rf"$\omega$ = {plots.dials(w)}" for w in FIVE[::2]])
    figure.savefig(PICTURE, dpi=110)
    plt.close(figure)


def readme(text: str, new: str) -> str:
    """The text of the README with the new headline."""
    start = text.index("\n", text.index(BEGIN)) + 1
    return text[:start] + new + "\n" + text[text.index(END) :]


def main() -> int:
    """Rewrite the README, or check it."""
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
