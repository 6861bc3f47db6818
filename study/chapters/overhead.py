"""Chapter 2: what tuning costs in time and memory (the paper's Figure 3)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from study import configs
from study.chapters import overhead_results as compute
from study.chapters import overhead_words as words
from study.chapters.base import Chapter, Sure
from study.chapters.findings import counted
from study.chapters.shown import Shown
from study.figures import overhead_plots, tables
from study.measuring import bench, overhead
from study.measuring.overhead import LayerGrid
from tunable_photo.resnet import ResNetConfig

CHOICES = {
    "everything": ("*",),
    "second convolution of each block": ("*.conv2.*", "head.*", "tail.*"),
    "tail only": ("tail.*",),
}
"""Tuned layers, as patterns of names."""
NO_CARD = "<p>No measurement on a GPU is stored here; <code>make bench</code> makes one.</p>"


class Overhead(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: smoke measures a few tiny cases; the others read stored benchmarks. measure: measure all
    cases now, for half an hour, and store them. seconds: time for each case then. device: cpu or cuda.
    """

    asked = (
        'The paper promises tunable convolutions "at virtually no cost": under 20 % longer than plain '
        "ones, and under 5 % for up to four dials. Does that hold for one layer, and what does a whole "
        "network pay?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        measure: bool = False,
        seconds: float = 0.5,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.tiny, self.measure = profile == "smoke", measure
        self.seconds, self.device = seconds, device
        self._measured: dict[str, pd.DataFrame] = {}

    # Benchmarks.

    def measurement(self, part: str) -> pd.DataFrame:
        """The stored benchmark of a part on this device, or a new one; attrs hold its record."""
        if part not in self._measured:
            where = "cpu" if part == "processes" else self.device
            table = None if self.measure or self.tiny else bench.find(part, where)
            self._measured[part] = self._new(part, where) if table is None else table
        return self._measured[part]

    def _new(self, part: str, where: str) -> pd.DataFrame:
        if self.tiny:
            table = _few(part)
        else:
            table = bench.measure(part, self.seconds, self.device, few=not self.measure)
        if self.measure and not self.tiny:
            bench.write(part, table, where)
        table.attrs["record"] = bench.machine(where) | {"wrapper": bench.wrapper()}
        return table

    def gpu(self, part: str) -> pd.DataFrame | None:
        """The stored benchmark of a part on a GPU, or None."""
        return None if self.tiny else bench.find(part, "cuda")

    def age(self, table: pd.DataFrame) -> str:
        """What follows a number of a benchmark that is older than the code."""
        return words.OLD if bench.stale(table) else ""

    def machine(self, table: pd.DataFrame) -> str:
        """What a benchmark ran on: "CPU x86_64, 2 threads"."""
        record = table.attrs["record"]
        return f"{record['device']} with {counted(record['threads'], 'thread')}"

    def _shown(self, content: Any, table: pd.DataFrame) -> Shown:
        record = {"name": "benchmark", **table.attrs["record"], "settings": {"images": "random numbers"}}
        if not bench.stale(table):
            return Shown(content, [record])
        note = "<p><strong>Measured with an older version of the wrapper: not comparable.</strong></p>"
        if hasattr(content, "to_html"):
            content = note + content.set_properties(opacity="0.75").to_html()
        return Shown(content, [record], "" if isinstance(content, str) else "an older version")

    @property
    def size(self) -> str:
        """The backbone whose memory is counted: the paper's, blocks x channels."""
        return "16 x 64"

    @cached_property
    def stored(self) -> pd.DataFrame:
        """Numbers stored by the paper's backbone, all or some of its layers tuned."""
        return compute.memory(ResNetConfig().build(), CHOICES, (2, 4))

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        runs = self.measurement("layers").get("runs", pd.Series([float("nan")])).median()
        times = f", each the median of {runs:.0f} runs" if pd.notna(runs) else ""
        return Sure(
            images={},
            seeds={},
            networks="The networks of a comparison are timed in turns in one process, and ratios are of "
            f"medians. One layer has {len(self.measurement('layers')):,} cases{times}.",
            would_change="Measured on one machine of each kind: another processor, version of PyTorch "
            "or compiler would change every number here. The paper does not name the software that it "
            "measured.",
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        network, paper = self.gpu("network"), configs.profile("paper")
        step = compute.whole(network).step_ms if network is not None else None
        hours = paper.training.steps * step / 3.6e6 if step else None
        count, processes = len(configs.all_runs(paper)), self.measurement("processes")
        missing = "(not measured)"
        return {
            "gpu": network.attrs["record"]["device"] if network is not None else "a GPU",
            "gpu_step": f"{step:.0f} ms" if step else missing,
            "paper_steps": paper.training.steps,
            "paper_runs": count,
            "paper_run_hours": f"{hours:.1f}" if hours else missing,
            "paper_hours": f"{hours * count / 8:.0f}" if hours else missing,
            "processes": int(processes.processes.max()),
            "speedup": float(processes.speedup.iloc[-1]),
            "speedup_small": float(processes[processes.processes > 1].speedup.iloc[0]),
            "forward_ratio": compute.whole(self.measurement("network")).forward,
        }

    # Tables and figures.

    def figure_3(self) -> Shown:
        """Overhead of one layer, forward, float32."""
        layers = self.measurement("layers")
        return self._shown(overhead_plots.overheads(_plain_forward(layers)), layers)

    def bounds(self) -> Shown:
        """How often the paper's bounds hold."""
        layers = self.measurement("layers")
        rows = compute.bounds(layers).astype({"cases": int})
        digits = dict.fromkeys(rows, 1) | {compute.MEDIAN_MS: 2, "cases": 0}
        return self._shown(tables.tidy(rows, digits), layers)

    def network(self) -> Shown:
        """What tuning costs whole networks."""
        return self._network(self.measurement("network"))

    def _network(self, table: pd.DataFrame) -> Shown:
        rows = table.set_index(["size", "work", "case"])[["ms", "ratio"]]
        return self._shown(tables.tidy(rows.rename_axis([None] * 3), {"ms": 1, "ratio": 3}), table)

    def samples(self) -> Shown:
        """Three ways to serve one omega per sample."""
        table = self.measurement("samples")
        rows = table.set_index(["precision", "distinct"])[["dense", "grouped", "vmap"]]
        return self._shown(tables.tidy(rows, 1), table)

    def gpu_layers(self) -> Shown:
        """Time of one layer on a GPU."""
        layers = self.gpu("layers")
        if layers is None:
            return Shown(NO_CARD)
        return self._shown(overhead_plots.milliseconds(_plain_forward(layers)), layers)

    def gpu_added(self) -> Shown:
        """What a tunable layer adds on a GPU."""
        layers = self.gpu("layers")
        if layers is None:
            return Shown(NO_CARD)
        rows = compute.added(layers).astype({"cases": int})
        digits = dict.fromkeys(rows, 3) | {"cases": 0, "longer than plain, %": 0}
        return self._shown(tables.tidy(rows, digits), layers)

    def gpu_network(self) -> Shown:
        """What tuning costs whole networks on a GPU."""
        table = self.gpu("network")
        return Shown(NO_CARD) if table is None else self._network(table)

    def operators(self) -> Shown:
        """Operators that compute something, plain and tunable; counted now."""
        plain = ResNetConfig(2, 8) if self.tiny else ResNetConfig()
        rows = overhead.operators(plain.build()).set_index(["work", "case"]).rename_axis([None] * 2)
        digits = {column: 0 if column == "operators" else 2 for column in rows}
        return Shown(tables.tidy(rows, digits))

    def processes(self) -> Shown:
        """How much faster a training is with a second process."""
        table = self.measurement("processes")
        rows = table.set_index(["size", "processes"])[["ms", "speedup", "efficiency"]]
        return self._shown(tables.tidy(rows), table)

    def memory(self) -> Shown:
        """What all or some tuned layers store."""
        return Shown(tables.tidy(self.stored, {"stored": 0, "MB in float16": 1}))


def _plain_forward(layers: pd.DataFrame) -> pd.DataFrame:
    return layers[~layers.compiled & (layers.work == "forward") & (layers.precision == "float32")]


def _few(part: str) -> pd.DataFrame:
    """A benchmark of a few tiny cases."""
    grid, net = LayerGrid(kernel=(3,), p=(1, 2), channels=(4, 8), side=16), ResNetConfig(1, 4)
    if part == "layers":
        return overhead.layers(grid, rounds=3, progress=False)
    if part == "samples":
        return overhead.per_sample(batch=2, channels=4, side=16, rounds=3)
    if part == "network":
        table = overhead.network(net.build(), batch=2, patch=8, side=16)
    else:
        table = overhead.with_processes(net.build(), batch=2, patch=8, rounds=3)
    return table.assign(size="1 x 4")
