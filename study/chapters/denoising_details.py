"""The details of chapter 3: seeds, the second set, single images, the paper's size, ablations."""

from __future__ import annotations

import re

import pandas as pd

from study import configs, runs
from study.chapters.beside import over_seeds
from study.chapters.denoising import Denoising
from study.chapters.denoising_data import DIALS, EVEN, NAMES, SWITCH, at_five
from study.chapters.findings import Either, counted
from study.chapters.shown import Said, Shown
from study.controls import complexity
from study.figures import plots, tables
from study.measuring.reruns import apart, begun_alike
from study.measuring.sweep import FIVE, average, measurable, repeats, spread, sweep

SHORT = {"psnr": "PSNR", "psnr_eta": "PSNR η"}
SAME_SEED = Either(
    above="On {device}, {pairs} with one seed were run twice; their histories differ by up to "
    "{value:.1g} of their values.",
    otherwise="On {device}, {pairs} with one seed were run twice; their histories agree in every digit.",
)
"""value: the largest relative difference."""
BIGGER = Either(
    above="At the paper's size the network trained on Eq. 9 is {value:.2f} dB above the small one at "
    "fidelity.",
    otherwise="At the paper's size the network trained on Eq. 9 is not better at fidelity: {size:.2f} "
    "dB below the small one. Its dials were drawn uniformly, as in the paper, and never at that corner.",
)
"""value: PSNR at (1, 0) above that of the small network, dB."""


def pair(first: str, second: str) -> str:
    """Names of two runs of one seed and size, in short: "denoising, dni and dynet, seed0"."""
    found = re.fullmatch(
        r"([a-z]+)-(.+)-\d+x\d+.*-(seed\d+) and \1-(.+)-\d+x\d+.*", f"{first} and {second}"
    )
    return "{0}, {1} and {3}, {2}".format(*found.groups()) if found else f"{first} and {second}"


class Details(Denoising):
    """Tables for the appendix, from the same parameters as the chapter."""

    @property
    def last(self) -> str:
        """The last set of images that was really used."""
        return list(self.data.frames)[-1]

    def networks(self) -> Shown:
        """What each method stores and costs."""
        rows = {}
        for method in self.rows:
            stored = self.data.controls.get(method)
            cost = complexity(stored or self.data.runs[method][0].config.build(), (0.5, 0.5))
            record = self.data.runs[method][0].record if method in self.data.runs else None
            rows[NAMES.get(method, method)] = {
                "parameters": cost["parameters"],
                "multiply-adds per pixel": round(cost["multiply_adds"]),
                "seeds": len(self.data.repetitions[method]),
                "minutes, seed 0": plots.minutes(record) if record else "those of its denoiser",
            }
        table = pd.DataFrame.from_dict(rows, orient="index")
        return Shown(tables.tidy(table), self.data.run_records)

    def seeds(self) -> Shown:
        """Mean and half the range over seeds, on squares."""
        table = over_seeds(self.data.seed_means, FIVE, SHORT, NAMES)
        return Shown(table, self.data.seed_records, self.data.first)

    def without_skip(self) -> Shown:
        """DNI of two independent networks, with the image skip of our backbone and without it."""
        budget, what = self.data.budget, self.data.squares
        wanted = {
            "with": configs.denoising("dni-scratch", budget),
            "without": configs.without_skip(budget),
        }
        found = {
            label: runs.get(config, weights=False, progress=False)
            for label, config in wanted.items()
            if budget.name == "smoke" or runs.find(config) is not None
        }
        if found.keys() != wanted.keys() or not all(measurable(run, what) for run in found.values()):
            return Shown("<p>The store has no DNI without the image skip.</p>")
        frames = {label: sweep(run, what, progress=False) for label, run in found.items()}
        means = {label: average(frame) for label, frame in frames.items()}
        table = pd.concat({name: at_five(means, metric) for metric, name in SHORT.items()})
        records = [run.record for run in found.values()]
        records += [frame.attrs["record"] for frame in frames.values()]
        return Shown(tables.tidy(table), records, self.data.first)

    def orders(self) -> Shown:
        """Who is ahead between the ends, the fixed-target network or a rival of the paper."""
        found = {name: self.order(metric) for metric, name in SHORT.items()}
        table = pd.concat(found, axis=1).rename(index=NAMES)
        colours = {"same": f"color: {tables.BETTER}", "reversed": f"color: {tables.WORSE}"}
        styler = table.style.map(lambda word: colours.get(word, ""))
        return Shown(styler, self.data.records, self.data.first)

    def per_image(self) -> Shown:
        """PSNR against the noisy target in the middle of the dial, image by image."""
        columns = {}
        for method, frame in self.data.frames[self.data.first].items():
            middle = frame[(frame.omega_1 == FIVE[2][0]) & (frame.omega_2 == FIVE[2][1])]
            columns[NAMES.get(method, method)] = middle.groupby("image").psnr_eta.mean()
        table = pd.DataFrame(columns).rename_axis(None).rename_axis("image", axis=1)
        return Shown(tables.sortable(tables.tidy(table)), self.data.records, self.data.first)

    def kept(self) -> Shown:
        """The kept fraction measured, and computed from our and from the paper's PSNRs."""
        measured = self.table("kept")
        rows = {}
        for method in (EVEN, SWITCH):
            rows[f"{NAMES[method]}: measured"] = measured.loc[method]
            rows[f"{NAMES[method]}: from our PSNRs"] = self.implied.loc[method]
        if self.reading:
            rows["the paper's network: from its PSNRs"] = self.implied.loc["paper"]
        return Shown(tables.tidy(pd.DataFrame(rows).T), self.data.records, self.data.first)

    def sizes(self) -> Shown:
        """The small networks and those of the paper's size, on the same squares."""
        rows = {}
        for metric, name in SHORT.items():
            small = {m: self.data.seed_means[m][0] for m in self.data.larger}
            for size, frames in (("small", small), ("the paper's", self.data.larger)):
                for method, row in at_five(frames, metric).iterrows():
                    rows[name, NAMES.get(method, method), size] = row
        if not rows:
            return Shown("<p>The store has no networks of the paper's size.</p>")
        table = pd.DataFrame(rows).T.sort_index(level=[0, 1], sort_remaining=False)
        return Shown(tables.tidy(table), self.data.larger_records, self.data.first)

    def size_said(self) -> Said:
        """What the larger networks say."""
        if EVEN not in self.data.larger:
            return Said("The store has no network of the paper's size that was trained on Eq. 9.")
        large, small = (
            frames.loc[FIVE[-1], "psnr"]
            for frames in (self.data.larger[EVEN], self.data.seed_means[EVEN][0])
        )
        return Said(BIGGER(large - small, size=abs(large - small)))

    def ablations(self) -> Shown:
        """One thing changed at a time in the fixed-target network, a third of the steps."""
        rows = {}
        for name, frame in self.ablation_frames.items():
            mean = average(frame)
            rows[name] = {
                "PSNR at (1, 0)": mean.loc[FIVE[-1], "psnr"],
                "PSNR η at (0, 1)": mean.loc[FIVE[0], "psnr_eta"],
            } | {f"f at {d}": mean.loc[w, "kept"] for d, w in zip(DIALS, FIVE, strict=True)}
        if not rows:
            return Shown("<p>The store has no ablations measured on these images.</p>")
        records = [frame.attrs["record"] for frame in self.ablation_frames.values()]
        return Shown(tables.tidy(pd.DataFrame(rows).T), records, self.data.first)

    def twice(self) -> pd.DataFrame:
        """Trainings of one seed that were made twice; see reruns.begun_alike."""
        return begun_alike(configs.all_runs(self.data.budget))

    def same_seed(self) -> Shown:
        """Pairs of runs that begin with the same training, and how far apart the two are."""
        found = self.twice()
        table = pd.DataFrame(
            {
                "device": found.device,
                "steps": found.steps,
                "rows compared": found.rows,
                "largest difference": found.difference.map("{:.1g}".format),
            }
        ).set_index(pd.Index(map(pair, found["first"], found["second"])))
        return Shown(tables.tidy(table))

    def same_seed_said(self) -> Said:
        """Whether one seed gives one network, on each kind of device; for the page on scale."""
        twice = " ".join(
            SAME_SEED(pairs.difference.max(), device=device, pairs=counted(len(pairs), "training"))
            for device, pairs in self.twice().groupby("device")
        )
        again = self._again() or "No run of this budget was trained a second time."
        steps = [run.config.training.steps for run in self.data.larger_runs.values()][:1]
        seconds = [run.record["seconds"] for run in self.data.larger_runs.values()][:1]
        shared = f"{1000 * seconds[0] / steps[0]:.0f} ms" if steps else "(not measured)"
        results = {"twice": twice, "again": again, "shared_step": shared}
        return Said(f"{twice}\n\n{again}", results)

    def _again(self) -> str:
        said = []
        for method, frames in self.data.seed_frames.items():
            seeds = 2 * spread([*self.data.seed_means[method].values()])
            for seed, here in frames.items():
                run = self.data.repetitions[method][seed]
                for frame in repeats(run, self.data.squares):
                    off = apart(here, frame).abs()
                    first, second = run.record["device"], frame.attrs["record"]["device"]
                    said.append(
                        f"{NAMES.get(method, method)}, seed {seed}, was trained on {first} and again on "
                        f"{second}: at the five dials the two differ by at most {off.psnr.max():.2f} dB "
                        f"in PSNR and {off.psnr_eta.max():.2f} dB in PSNR η, where seeds differ by up "
                        f"to {seeds.psnr.max():.2f} and {seeds.psnr_eta.max():.2f} dB."
                    )
        return " ".join(said)
