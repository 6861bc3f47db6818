"""Chapter 4: third-party networks made tunable (the paper's Table 2, Sec. 4.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from study.chapters import backbones_results as compute
from study.chapters import backbones_words as words
from study.chapters.backbones_data import BOTH, Measured
from study.chapters.base import Chapter, Sure
from study.chapters.beside import beside, versus
from study.chapters.findings import counted, titled
from study.chapters.pictures import Picture, busiest, picture
from study.chapters.shown import Shown
from study.claims.printed import Cell, printed
from study.configs.backbones import PAIRS
from study.configs.measurements import ENDS
from study.controls import complexity
from study.figures import backbones_plots, plots, tables
from study.images import datasets
from study.images.degradations import seeded_noise
from study.measuring.metrics import psnr
from study.networks.third_party import NAFNetConfig, SwinIRConfig
from tunable_core.omega import path

PRINTED_AS = {
    "table2a": {"fixed": "SwinIR", "tunable": "Tunable SwinIR"},
    "table2b": {"fixed": "NAFNet", "tunable": "Tunable NAFNet"},
}
KAIR_PIXELS = 1_600_000 * 8 * 128**2
"""Pixels that the published SwinIR was trained on, by its authors' recipe."""
THREE = ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0))
"""Positions that figures show, from noise preservation to fidelity."""


class Backbones(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. images: test sets of SwinIR. sigmas: noise levels, grey levels of
    255. crop: side of a central crop of each test image, None for whole images. real: training pairs of
    NAFNet; any other set is given synthetic noise. seeds: trainings of each network; of SwinIR, whose
    trainings are long, those that are stored.
    """

    asked = (
        "A tunable layer is meant as a drop-in replacement. Does it work in networks that were not "
        "designed for it, SwinIR with its attention and NAFNet with its strided convolutions? And is "
        "the tunable network, turned to fidelity, as good as the same network without a dial?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        images: Sequence[str] = ("cbsd68", "kodak"),
        sigmas: Sequence[float] = (15.0, 25.0, 50.0),
        crop: int | None = 192,
        real: str = "nam-train",
        seeds: int = 3,
    ) -> None:
        super().__init__()
        self.data = Measured(profile, images, sigmas, crop, real, seeds)

    # What the findings state.

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every number of Table 2a, ours and the paper's, in the columns of the table."""
        found = compute.arranged(beside("table2a", self.data.means, PRINTED_AS["table2a"]))
        asked = found[found.sigma.isin(self.data.sigmas)]
        return asked.assign(level=asked.sigma.map("σ = {:g}".format))

    @cached_property
    def swinir(self) -> pd.DataFrame:
        """Ours alone, in dB: (images, noise level) x the columns of the table."""
        return self.cells.pivot(index=["images", "sigma"], columns="column", values="ours")

    @property
    def gap(self) -> compute.Spans | None:
        """Tunable SwinIR at fidelity above the fixed one; None where the fixed one was not measured."""
        if compute.FIXED not in self.swinir:
            return None
        return compute.spans(self.swinir[compute.FIDELITY] - self.swinir[compute.FIXED])

    @property
    def lift(self) -> compute.Spans:
        """What SwinIR gains at preservation against the noisy target."""
        found = compute.spans(self.swinir[compute.KEEP] - self.swinir[compute.FIDELITY])
        assert found is not None
        return found

    @cached_property
    def seeds(self) -> pd.DataFrame:
        """Both NAFNets of each seed."""
        means = self.data.real_means
        return compute.by_seed(means["tunable"], means["fixed"])

    @property
    def seed_gap(self) -> compute.Spans:
        """Tunable NAFNet at fidelity above the fixed one, over seeds."""
        found = compute.spans(self.seeds.gap)
        assert found is not None
        return found

    @cached_property
    def published(self) -> dict[str, torch.nn.Module]:
        """Both networks at the paper's size."""
        return {"SwinIR": SwinIRConfig().build(), "NAFNet": NAFNetConfig().build()}

    @property
    def larger(self) -> float:
        """Parameters of the published SwinIR over those of our fixed one."""
        count = sum(q.numel() for q in self.published["SwinIR"].parameters())
        return count / self.data.swinir["fixed"].record["parameters"]

    @property
    def more_pixels(self) -> float:
        """Pixels that the published SwinIR saw in training over those of ours."""
        training = self.data.swinir["fixed"].config.training
        return KAIR_PIXELS / (training.steps * training.batch * training.patch**2)

    @property
    def anchor(self) -> tuple[str, float, float, float] | None:
        """Images, sigma, PSNR of our fixed SwinIR on whole images, and the published one's."""
        frame, sigma = self.data.anchor, self.data.whole.sigmas[0]
        if frame is None:
            return None
        used = frame.attrs["record"]["settings"]["images"]
        theirs = printed("table2a").get(Cell(used, "SwinIR", "psnr", ENDS[0], sigma))
        return None if theirs is None else (used, sigma, float(frame.psnr.mean()), theirs)

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        frames = self.data.frames
        images = {used: next(iter(f.values())).image.nunique() for used, f in frames.items()}
        pairs = next(iter(self.data.real_frames["tunable"].values()))
        run = self.data.swinir["fixed"]
        sizes = f"The fixed SwinIR has {run.record['parameters']:,} parameters"
        return Sure(
            images=images | {self.data.pairs.images: pairs.image.nunique()},
            seeds={"SwinIR": min(map(len, self.data.repeated.values())), "NAFNet": len(self.seeds)},
            networks=f"{sizes} and was trained for {counted(run.config.training.steps, 'step')}.",
            would_change="Networks of the published size could need a larger or a smaller share of "
            "their capacity for the dial; only training them would show it.",
            missing=self.data.missing,
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        return {
            "swinir_gap": self.gap.mean if self.gap else None,
            "swinir_lift": self.lift.mean,
            "nafnet_gap": self.seed_gap.mean,
            "nafnet_lift": float(self.seeds.lift.mean()),
        }

    # Tables and figures.

    def composition(self) -> Shown:
        """Where the parameters of both published networks are."""
        parts = {name: compute.composition(network) for name, network in self.published.items()}
        return Shown(backbones_plots.composition(pd.DataFrame(parts).fillna(0)))

    def networks(self) -> Shown:
        """Size, steps and minutes of both SwinIRs."""
        rows = {}
        for control, run in self.data.swinir.items():
            cost = complexity(run.config.build(), (0.5, 0.5), size=64)
            rows[f"SwinIR, {control}"] = {
                "parameters": cost["parameters"],
                "steps": run.config.training.steps,
                "minutes of training": plots.minutes(run.record),
            }
        table = pd.DataFrame.from_dict(rows, orient="index")
        return Shown(tables.tidy(table), [run.record for run in self.data.swinir.values()])

    def table_2a(self) -> Shown:
        """The paper's Table 2a: ours, the paper's and the difference."""
        cells = self.cells.assign(images=self.cells.images.map(titled))
        styler = versus(cells, "psnr", rows=("images", "level"), columns="column")
        return Shown(styler, self.data.records, ", ".join(self.data.frames))

    def swinir_seeds(self) -> Shown:
        """Both SwinIRs of each seed on the first set, means over all noise levels."""
        means = self.data.seed_means
        table = compute.by_seed(means["tunable"], means["fixed"])
        return Shown(_with_mean(table), self.data.seed_records, self.data.first)

    def table_2b(self, metric: str = "psnr") -> Shown:
        """The paper's Table 2b, of the first seed; metric: psnr or ssim. The paper's images are SIDD."""
        first = {c: self.data.real_means[c][int(self.seeds.index[0].split()[-1])] for c in BOTH}
        found = beside("table2b", {"sidd": first}, PRINTED_AS["table2b"])
        named = found[found.metric.str.startswith(metric)]
        named = named.assign(metric=named.metric.str.replace(metric, "psnr"))
        shown = compute.arranged(named).assign(row=metric.upper())
        if metric == "ssim":
            shown = shown.assign(column=shown.column.str.replace("PSNR", "SSIM"))
        if not len(shown):
            return Shown("<p>SSIM is measured on real pairs alone.</p>")
        styler = versus(
            shown, "psnr", rows=("row",), columns="column", digits=2 if metric == "psnr" else 3
        )
        return Shown(styler, self.data.real_records, self.data.pairs.images)

    def nafnet_seeds(self) -> Shown:
        """Both NAFNets of each seed, and their mean."""
        return Shown(_with_mean(self.seeds), self.data.real_records, self.data.pairs.images)

    @torch.inference_mode()
    def _turned(self, control: Any, noisy: Tensor, omegas: Sequence[Sequence[float]]) -> list[Tensor]:
        return [output[0] for output in control.eval().outputs(noisy[None], torch.tensor(omegas))]

    def real_picture(self) -> tuple[Picture, Tensor]:
        """A photograph with its noise, [3, H, W]: of the test pairs, or with synthetic noise."""
        if self.data.real in PAIRS and datasets.available("nam"):
            pairs = datasets.describe("nam-test")
            clean, noisy = (pairs["24"].float() / 255).chunk(2)
            return Picture("24", "nam-test", clean, busiest(clean, 96)), noisy
        shown = picture("samples-test", "", side=96)
        return shown, seeded_noise(shown.clean, 15.0)

    def nafnet_pictures(self) -> Shown:
        """The magnified square of a photograph along the dial of NAFNet."""
        shown, noisy = self.real_picture()
        run = self.data.nafnet["tunable"][0]
        outputs = self._turned(run.control, noisy, THREE)
        titles = [
            f"{plots.dials(omega)}\n{psnr(output[None], shown.clean[None]).item():.2f} dB"
            for omega, output in zip(THREE, outputs, strict=True)
        ]
        figure = plots.strip([shown.cut(output) for output in outputs], titles)
        return Shown(figure, [run.record], shown.title)

    def swinir_film(self, name: str = "kodim23", positions: int = 9) -> Shown:
        """A square of a photograph with the strongest noise, along the dial of SwinIR."""
        shown = picture("kodak", name, side=128)
        clean = shown.cut(shown.clean)
        turns = path((0, 1), (1, 0), positions).tolist()
        run = self.data.swinir["tunable"]
        outputs = self._turned(run.control, seeded_noise(clean, self.data.sigmas[-1]), turns)
        marks = [
            f"{plots.dials([round(v, 3) for v in turn])}: {psnr(o[None], clean[None]).item():.2f} dB"
            for turn, o in zip(turns, outputs, strict=True)
        ]
        film = plots.filmstrip(
            outputs,
            marks,
            {"From noise preservation to fidelity": positions},
            f"A noisy square at {positions} positions of the dial of SwinIR.",
        )
        return Shown(film, [run.record], f"{shown.title}, sigma {self.data.sigmas[-1]:g}")


def _with_mean(rows: pd.DataFrame) -> Any:
    """The rows and their mean as a table."""
    return tables.tidy(pd.concat([rows, rows.mean().rename("mean").to_frame().T]))
