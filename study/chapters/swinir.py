"""Chapter 7: SwinIR for super-resolution with a dial (the paper's Table 5, Sec. 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from study import configs, runs
from study.chapters import backbones_results as spans
from study.chapters import swinir_results as compute
from study.chapters import swinir_words as words
from study.chapters.base import Chapter, Sure
from study.chapters.beside import beside, versus
from study.chapters.findings import counted, titled
from study.chapters.pictures import Picture, busiest, picture
from study.chapters.shown import Shown
from study.chapters.swinir_results import FIDELITY, FIXED, PERCEPTUAL, RESNET
from study.configs.measurements import ENDS
from study.controls import Control, Fixed, complexity
from study.figures import plots, tables
from study.images.artifacts import WINDOW
from study.images.resampling import cut_to_multiple, low_resolution
from study.measuring.metrics import psnr
from study.measuring.sweep import SuperResolutionSweep, average, sweep
from study.networks.third_party import Published
from study.runs import Run
from tunable_core.omega import path
from tunable_photo.resampling import Bicubic

PRINTED_AS = {"fixed": "SwinIR", "tunable": "Tunable SwinIR"}
ALONG = {"psnr": "PSNR", "patch_distance": "patch distance", "grid_peak": "grid peak"}
"""What is measured along the dial."""


class EnlargingSwinIR(Chapter):
    """The chapter, from the parameters of its notebook.

    profile: budget of the networks. images: test sets. crop: side of a central crop of each test image,
    None for whole images. published: files of other x4 networks, for the same table. figure_image: the
    photograph that is shown, of the first set.
    """

    asked = (
        "Does the dial also work in SwinIR, the network that led super-resolution when the paper was "
        "written? Turned to fidelity, is it as good as SwinIR without a dial, in the usual x4 benchmark?"
    )

    words = words

    def __init__(
        self,
        profile: str = "laptop",
        images: Sequence[str] = ("set5", "set14", "bsd100"),
        crop: int | None = None,
        published: Sequence[str] = (),
        figure_image: str = "003",
    ) -> None:
        super().__init__()
        self.budget, self.images, self.crop = configs.profile(profile), images, crop
        self.files, self.figure_image = published, figure_image

    # Runs and sweeps.

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Both SwinIRs: tunable and fixed."""
        return {m: runs.get(configs.super_resolution.swinir(m, self.budget)) for m in PRINTED_AS}

    @cached_property
    def resnets(self) -> dict[str, Run]:
        """Chapter 6's tunable network, and DNI, whose first network is its plain one."""
        return {m: runs.get(configs.super_resolution.resnet(m, self.budget)) for m in ("tunable", "dni")}

    @cached_property
    def controls(self) -> dict[str, Control]:
        """Every network of the table, by name; those without a run are known by their label."""
        found: dict[str, Control] = {m: run.control.eval() for m, run in self.runs.items()}
        found |= {RESNET: Fixed(self.resnets["dni"].control.networks[0]), "bicubic": Fixed(Bicubic())}
        return found | {Path(file).stem: Fixed(Published(file)) for file in self.files}

    @property
    def others(self) -> list[str]:
        """Networks without a dial and without a run of ours."""
        return [name for name in self.controls if name not in self.runs]

    def what(self, images: str) -> SuperResolutionSweep:
        """The sweep of the paper's Table 5."""
        return SuperResolutionSweep(images, ENDS, crop=self.crop, perceptual=False, luma=True)

    @property
    def along(self) -> SuperResolutionSweep:
        """Five positions of the dial on photographs; a crop is at least as large as grid_peak needs."""
        crop = None if self.crop is None else max(WINDOW, self.crop)
        return SuperResolutionSweep("kodak", crop=crop, perceptual=False, statistics=True)

    @cached_property
    def along_frames(self) -> dict[str, pd.DataFrame]:
        """Tunable network, SwinIR and ResNet, to its sweep along the dial."""
        tunable = {"SwinIR": self.runs["tunable"], RESNET: self.resnets["tunable"]}
        return {name: sweep(run, self.along, progress=False) for name, run in tunable.items()}

    @property
    def along_means(self) -> dict[str, pd.DataFrame]:
        """As along_frames, averaged."""
        return {name: average(frame) for name, frame in self.along_frames.items()}

    @cached_property
    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Images that were really used to network to sweep."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for images in self.images:
            for name, control in self.controls.items():
                label = "" if name in self.runs else name
                of = self.runs.get(name, control)
                frame = sweep(of, self.what(images), label=label, progress=False)
                used = frame.attrs["record"]["settings"]["images"]
                found.setdefault(used, {})[name] = frame
        return found

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the runs and sweeps."""
        frames = [frame for frames in self.frames.values() for frame in frames.values()]
        return [run.record for run in self.runs.values()] + [f.attrs["record"] for f in frames]

    # What the findings state.

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every number of the table, ours and the paper's."""
        means = {
            used: {n: average(f) for n, f in frames.items()} for used, frames in self.frames.items()
        }
        return compute.arranged(beside("table5", means, PRINTED_AS), self.others)

    @property
    def psnr(self) -> pd.DataFrame:
        """PSNR of Y in dB: sets of images x networks and positions."""
        return compute.ours(self.cells)

    @property
    def printed(self) -> pd.DataFrame:
        """The same as the paper prints it; NaN for what it does not."""
        return compute.ours(self.cells, of="printed")

    @property
    def gap(self) -> spans.Spans:
        """Tunable SwinIR at fidelity above the fixed one, over the sets."""
        found = spans.spans(self.psnr[FIDELITY] - self.psnr[FIXED])
        assert found is not None
        return found

    @property
    def warnings(self) -> list[str]:
        """What the adversarial training warned of."""
        return self.runs["tunable"].record["warnings"]

    @property
    def discriminator(self) -> float:
        """Loss of the discriminator at the end of the training."""
        history = self.runs["tunable"].history.dropna()
        return float(history.iloc[-1]["discriminator"]) if len(history) else float("nan")

    # The photograph.

    @cached_property
    def picture(self) -> Picture:
        """A square of at most 256 pixels of a photograph, and the part that is magnified."""
        found = picture(self.images[0], self.figure_image)
        clean = cut_to_multiple(found.clean)[:, :256, :256]
        return Picture(found.name, found.images, clean, busiest(clean, min(96, *clean.shape[-2:])))

    @torch.inference_mode()
    def enlarged(self, name: str, omegas: Sequence[Sequence[float]] = ENDS[:1]) -> list[Tensor]:
        """The photograph, made small and enlarged by a network at each omega: [3, H, W]."""
        small = low_resolution(self.picture.clean[None])
        return [output[0] for output in self.controls[name].outputs(small, torch.tensor(omegas))]

    @property
    def drifts(self) -> pd.DataFrame:
        """Mean differences of each colour to the clean photograph, grey levels."""
        fidelity, perceptual = self.enlarged("tunable", ENDS)
        shown = {PERCEPTUAL: perceptual, FIDELITY: fidelity, FIXED: self.enlarged(FIXED)[0]}
        return compute.drifts(shown, self.picture.clean)

    # What is said.

    def how_sure(self) -> Sure:
        """See Chapter."""
        run, paper = (
            self.runs["fixed"],
            configs.super_resolution.swinir("fixed", configs.profile("paper")),
        )
        size = run.record["parameters"]
        larger = sum(q.numel() for q in paper.network.build().parameters()) / size
        vgg = configs.super_resolution.task(self.budget).vgg
        return Sure(
            images={used: f["fixed"].image.nunique() for used, f in self.frames.items()},
            seeds=dict.fromkeys(("the tunable SwinIR", "the fixed one"), 1),
            networks=f"The fixed one has {size:,} parameters and was trained for "
            f"{counted(run.config.training.steps, 'step')}; the paper's has {larger:.0f} times as many.",
            would_change="Longer trainings of larger networks would raise all numbers, and could change "
            "the differences."
            + ("" if vgg else " Without weights of VGG-19 the second objective has no perceptual part."),
            missing=[name for name in self.images if name not in self.frames],
        )

    def results(self) -> dict[str, Any]:
        """See Chapter."""
        return {"images": list(self.frames), "gap": self.gap.mean}

    # Tables and figures.

    def networks(self) -> Shown:
        """Size, steps and minutes of both SwinIRs."""
        rows = {}
        for name, run in self.runs.items():
            cost = complexity(run.control, (0.5, 0.5), size=64)
            steps = sum(round(run.config.training.steps * s.share) for s in run.control.stages())
            rows[f"SwinIR, {name}"] = {
                "parameters": cost["parameters"],
                "steps": steps,
                "minutes of training": plots.minutes(run.record),
            }
        table = pd.DataFrame.from_dict(rows, orient="index")
        return Shown(tables.tidy(table), [run.record for run in self.runs.values()])

    def table_5(self, metric: str = "psnr") -> Shown:
        """The paper's Table 5: ours, the paper's and the difference; metric: psnr or ssim, of Y."""
        digits = 2 if metric == "psnr" else 3
        cells = self.cells.assign(images=self.cells.images.map(titled))
        styler = versus(cells, metric, rows=("images",), columns="column", digits=digits)
        return Shown(styler, self.records, ", ".join(self.frames))

    def dial(self) -> Shown:
        """PSNR, patch distance and grid peak along the dial of both tunable networks."""
        rows = {
            (title, name): mean[column].set_axis(map(plots.dials, mean.index))
            for column, title in ALONG.items()
            for name, mean in self.along_means.items()
        }
        records = [frame.attrs["record"] for frame in self.along_frames.values()]
        return Shown(tables.tidy(pd.DataFrame(rows).T), records, records[0]["settings"]["images"])

    def printed_others(self) -> Shown:
        """Other networks of the printed table, as printed."""
        printed = tables.paper_table("table5")
        rows = printed[printed.omega_1.isna() & printed.images.isin(list(self.frames))]
        names = {"psnr": "PSNR, dB", "ssim": "SSIM"}
        rows = rows.assign(metric=rows.metric.map(names), images=rows.images.map(titled))
        if not len(rows):
            return Shown("<p>The paper prints none of these images.</p>")
        table = rows.pivot_table(
            index="method", columns=["images", "metric"], values="value", sort=False
        )
        table = table.rename_axis(index=None, columns=[None, None])
        digits = {column: 3 if column[1] == "SSIM" else 2 for column in table}
        return Shown(tables.tidy(table, digits))

    def pictures(self) -> Shown:
        """The magnified part: without a dial above, along the dial below."""
        turns = ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0))
        dials = zip(map(plots.dials, turns), self.enlarged("tunable", turns), strict=True)
        shown = {"bicubic": self.enlarged("bicubic")[0], "fixed SwinIR": self.enlarged(FIXED)[0]}
        shown |= {"clean": self.picture.clean} | dict(dials)
        return Shown(self._strip(shown), self.records[:2], self.picture.title)

    def _strip(self, shown: Mapping[str, Tensor]) -> Any:
        titles = [
            name if name == "clean" else f"{name}: {self.decibels(image):.2f} dB"
            for name, image in shown.items()
        ]
        return plots.strip([self.picture.cut(image) for image in shown.values()], titles, columns=3)

    def decibels(self, image: Tensor, **settings: Any) -> float:
        """PSNR of the photograph in RGB; settings of metrics.psnr."""
        return psnr(image[None], self.picture.clean[None], **settings).item()

    def colours(self) -> Shown:
        """Mean differences of each colour to the clean photograph."""
        return Shown(tables.tidy(self.drifts, 1), self.records[:2], self.picture.title)

    def film(self, positions: int = 9) -> Shown:
        """The magnified part at many positions of the dial."""
        turns = path((0, 1), (1, 0), positions).tolist()
        outputs = self.enlarged("tunable", turns)
        marks = [
            f"{plots.dials([round(v, 3) for v in turn])}: {self.decibels(output):.2f} dB"
            for turn, output in zip(turns, outputs, strict=True)
        ]
        film = plots.filmstrip(
            [self.picture.cut(output) for output in outputs],
            marks,
            {"From perceptual to fidelity": positions},
            f"A magnified square at {positions} positions of the dial.",
        )
        return Shown(film, self.records[:1], self.picture.title)
