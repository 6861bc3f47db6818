"""`python -m study.chapters.own FOLDER`: the paper's Table 1 on your photographs.

The released denoisers are measured on every PNG and JPEG of the folder as they are on Kodak; nothing is
stored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from study import configs, runs
from study.claims.store import block
from study.claims.verdicts import CLEAN
from study.measuring.intervals import lead, sided
from study.measuring.own import OwnSweep, frames, table
from study.runs import RunConfig

PLAIN = "DNI"
"""The method whose first network is a plain one, trained for fidelity alone."""


def methods(profile: str) -> dict[str, RunConfig]:
    """The runs of the paper's Table 1, the tunable network under both readings of Eq. 9."""
    budget = configs.profile(profile)
    named = dict(configs.measurements.tables(budget)["table1"][0])
    fixed = named.pop("Tunable")
    even = configs.denoising("tunable", budget, noise_target="eq9")
    return {"Tunable, Eq. 9": even, "Tunable, fixed target": fixed, **named}


def main(arguments: list[str] | None = None) -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser("python -m study.chapters.own", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="a folder of PNG or JPEG photographs")
    parser.add_argument("--profile", default="laptop", choices=list(configs.PROFILES))
    parser.add_argument(
        "--crop", type=int, help="side of a central square, pixels; default: whole images"
    )
    given = parser.parse_args(arguments)
    try:
        what = OwnSweep(folder=given.folder, crop=given.crop)
    except FileNotFoundError as error:
        parser.error(str(error))
    there = {n: c for n, c in methods(given.profile).items() if runs.find(c, weights=True)}
    if not there:
        parser.error("no denoiser is in data/runs with its weights; `make runs` trains them")
    found = frames({name: runs.get(c, progress=False).control for name, c in there.items()}, what)
    print(f"{len(what.paths)} photographs, sigma {', '.join(f'{s:g}' for s in what.sigmas)}")
    for metric in ("psnr", "psnr_eta"):
        print(f"\n{metric.upper()}, dB, at (omega_1, omega_2)\n{table(found, metric).round(2)}")
    if PLAIN in found:
        at = {name: block([frame], "psnr", [CLEAN]) for name, frame in found.items()}
        print("\nAgainst the plain network at (1, 0), with 95 % intervals over photographs:")
        for name in found:
            if name.startswith("Tunable"):
                print(f"  {name}: {sided(lead(at[PLAIN], at[name]))}")


if __name__ == "__main__":
    main()
