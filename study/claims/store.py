"""What is in the store, as judges ask for it: sweeps of every seed, trained networks, benchmarks."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from study import runs
from study.claims.printed import MEASURED_AS
from study.claims.sources import INSTEAD, READINGS, Omegas, Source
from study.claims.verdicts import NotMeasured, measured
from study.configs import measurements
from study.configs.profiles import Profile
from study.controls import Control
from study.images import datasets
from study.measuring import bench
from study.measuring.image_sweep import FIVE, LEVELS, ImageSweep
from study.measuring.intervals import Block
from study.measuring.sweep import sweep
from study.runs import Run, RunConfig

SQUARES = {"table1": measurements.seeds, "table3": measurements.joint_seeds}
"""Tables whose seeds are measured on central squares."""


class Cost(NamedTuple):
    """What the numbers of a claim took, from scratch."""

    minutes: float
    """Of training and measuring, one after the other; NaN where a record does not say."""
    memory_mb: int
    """The most that a training used, MiB; 0 where nothing was trained."""
    device: str
    """Where, as the records have it."""


class Store(Source):
    """The sweeps, runs and benchmarks of a budget; seeds that are not there are left out."""

    lacks = "Not measured at this profile:"

    def __init__(self, budget: Profile, target: str = "fixed", *, make: bool = False) -> None:
        """target: a reading of Eq. 9. make: train and measure what is missing of the first seed."""
        self.budget, self.target, self.make = budget, target, make
        self.runs: dict[str, dict[str, Any]] = {}
        """Records of the requested runs, by name."""
        self.sweeps: dict[str, pd.DataFrame] = {}
        """The requested sweeps, by the sha256 of their records."""
        self.benches: dict[str, dict[str, Any]] = {}
        """Records of the requested benchmarks, by device."""
        self._read: dict[tuple[RunConfig, ImageSweep], pd.DataFrame | NotMeasured] = {}
        self._loaded: dict[RunConfig, Run] = {}
        self._blocks: dict[tuple, Block] = {}

    def for_next(self) -> Store:
        """The same store with nothing asked for yet; what was read is not read again."""
        other = Store(self.budget, self.target, make=self.make)
        other._read, other._loaded, other._blocks = self._read, self._loaded, self._blocks
        return other

    def readings(self) -> dict[str, Source]:
        """See Source; what they look up is noted here."""
        both: dict[str, Source] = {}
        for target, name in READINGS.items():
            one = self.for_next()
            one.target, one.runs, one.sweeps = target, self.runs, self.sweeps
            both[name] = one
        return both

    def ours(self, needed: str) -> Store:
        """See Source."""
        return self

    def measured_on(self, images: str) -> str:
        """See Source."""
        return INSTEAD.get(images, images)

    def cells(
        self,
        table: str,
        images: str,
        method: str,
        metric: str,
        omegas: Omegas = FIVE,
        sigma: float | None = None,
    ) -> Block:
        """See Source. Kodak of Tables 1 and 3 is measured on the central squares of every seed where
        several seeds have them; all else on the images of the table."""
        metric = MEASURED_AS.get(table, {}).get(metric, metric)
        frames = self._frames(table, self.measured_on(images), method)
        of = tuple(frame.attrs["record"]["sha256"] for frame in frames)
        place = (of, metric, tuple(map(tuple, omegas)), sigma)
        if place not in self._blocks:
            if sigma is not None:
                frames = [frame[np.isclose(frame.sigma, sigma)] for frame in frames]
            self._blocks[place] = block(frames, metric, omegas)
        return self._blocks[place]

    def _frames(self, table: str, images: str, method: str) -> list[pd.DataFrame]:
        """The sweeps of all seeds that have one."""
        what = self._tables[0][table][1](images)
        configs = [of_seed[table][0][method] for of_seed in self._tables]
        if table in SQUARES and images == "kodak":
            squares = self.seeds(configs, SQUARES[table](images))
            if len(squares) > 1:
                return squares
        return self.seeds(configs, what) or [self.sweep(configs[0], what)]

    @cached_property
    def _tables(self) -> list[dict[str, measurements.Table]]:
        """The runs of each printed table, by seed."""
        seeds = range(self.budget.seeds)
        return [measurements.tables(self.budget, seed=s, noise_target=self.target) for s in seeds]

    def seeds(self, configs: Sequence[RunConfig], what: ImageSweep) -> list[pd.DataFrame]:
        """The stored sweeps of those that have one; every run may be of one seed alone."""
        found = []
        for config in dict.fromkeys(configs):
            with contextlib.suppress(NotMeasured):
                found.append(self._stored(config, what))
        return found

    def sweep(self, of: RunConfig | Control, what: ImageSweep) -> pd.DataFrame:
        """The stored sweep; raises NotMeasured, unless this store makes what is missing."""
        try:
            return self._stored(of, what)
        except NotMeasured:
            if not self.make:
                raise
            if not datasets.available(what.images):
                way_out = datasets.way_out(what.images)
                raise NotMeasured(
                    f"{what.images}, whose images are missing ({way_out} gets them)"
                ) from None
            sweep(runs.get(of) if isinstance(of, RunConfig) else of, what)
            self._read.clear()
            return self._stored(of, what)

    def control(self, config: RunConfig) -> Control:
        """The trained control of a run; raises NotMeasured without its weights."""
        if runs.find(config, weights=True) is None and not self.make:
            raise NotMeasured(f"the weights of {config.name}")
        run = runs.get(config, progress=self.make)
        self.runs[config.name] = run.record
        return run.control

    def layers(self, device: str) -> pd.DataFrame | None:
        """The times of layers on "cpu" or "cuda", stale or not; None where there are none."""
        found = bench.find("layers", device)
        if self.make and device == "cpu" and (found is None or bench.stale(found)):
            bench.write("layers", bench.measure("layers", 1.0, device), device)
            found = bench.find("layers", device)
        if found is not None:
            self.benches[device] = found.attrs["record"]
        return found

    def sure(self) -> str:
        """What stands behind the numbers that were asked for: images of each set, and the seeds that
        every network has there, such as "24 squares of kodak, seeds 0, 1, 2"."""
        groups: dict[str, list[tuple[str, int]]] = {}
        for frame in self.sweeps.values():
            record = frame.attrs["record"]
            images, crop = record["settings"]["images"], record["settings"].get("crop")
            count, noun = frame.image.nunique(), "square" if crop else "image"
            where = f"{count} {noun}{'s' * (count != 1)} of {images}"
            network, _, seed = record["name"].rpartition("-seed")
            if network and seed.isdigit():
                groups.setdefault(where, []).append((network, int(seed)))
        parts = []
        for where, found in groups.items():
            of: dict[str, set[int]] = {}
            for network, seed in found:
                of.setdefault(network, set()).add(seed)
            seeds = sorted(set.intersection(*of.values()))
            parts.append(f"{where}, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}")
        return "; ".join(parts)

    def cost(self) -> Cost:
        """What it took to make all that was asked for, from the records."""
        swept = [frame.attrs["record"] for frame in self.sweeps.values()]
        trained, made = self.runs.values(), [*self.runs.values(), *swept, *self.benches.values()]
        return Cost(
            sum(record.get("seconds", float("nan")) for record in made) / 60,
            max((record.get("peak_memory_mb") or 0 for record in trained), default=0),
            ", ".join(sorted({record["device"] for record in made if "device" in record})),
        )

    def _stored(self, of: RunConfig | Control, what: ImageSweep) -> pd.DataFrame:
        """The stored sweep, which is noted; raises NotMeasured."""
        if not isinstance(of, RunConfig):
            frame = measured(of, what)
        else:
            frame = self._once(of, what)
            self.runs[of.name] = self._loaded[of].record
        self.sweeps[frame.attrs["record"]["sha256"]] = frame
        return frame

    def _once(self, of: RunConfig, what: ImageSweep) -> pd.DataFrame:
        """As measured(); neither a table nor its absence is looked up twice."""
        if (of, what) not in self._read:
            try:
                if of not in self._loaded:
                    if runs.find(of) is None:
                        raise NotMeasured(f"{of.name} on {what.images}")
                    self._loaded[of] = runs.get(of, progress=False, weights=False)
                self._read[of, what] = measured(self._loaded[of], what)
            except NotMeasured as missing:
                self._read[of, what] = missing
        found = self._read[of, what]
        if isinstance(found, NotMeasured):
            raise found
        return found


def block(frames: Sequence[pd.DataFrame], metric: str, omegas: Omegas) -> Block:
    """A metric of each seed and image at positions of the dials, averaged over levels of degradation.

    frames: one sweep per seed, all on the same images. Raises NotMeasured for a position or a metric
    that was not measured.
    """
    seeds = []
    for stored in frames:
        name = stored.attrs.get("record", {}).get("name", "a method")
        if metric not in stored:
            raise NotMeasured(f"{metric} of {name}")
        frame = stored.copy(deep=False)
        frame.attrs = {}  # pandas would copy them at every step
        dials = [name for name in frame if name.startswith("omega_")]
        levels = [name for name in LEVELS if name in frame]
        columns = []
        for omega in omegas:
            here = frame[np.isclose(frame[dials], omega, atol=1e-5).all(1)]
            if here.empty:
                raise NotMeasured(f"{name} at {tuple(omega)}")
            columns.append(here.groupby(["image", *levels])[metric].mean().groupby("image").mean())
        seeds.append(pd.concat(columns, axis=1))
    images = seeds[0].index
    values = np.stack([seed.loc[images].to_numpy() for seed in seeds])
    return Block(values, tuple(map(str, images)))
