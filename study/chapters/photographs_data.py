"""The networks, rivals and sweeps of the chapter on real photographs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd
import skimage
import torch
from torch import Tensor, nn

from study import configs, runs
from study.configs import measurements
from study.controls import Blend, Control, WaveletBlend
from study.images import datasets
from study.measuring import metrics
from study.measuring.dial import at_equal_kept
from study.measuring.image_sweep import ImageSweep
from study.measuring.photo_rivals import NonLocalMeans
from study.measuring.photo_sweep import PhotoSweep, in_file
from study.measuring.sweep import sweep
from study.measuring.sweep_files import found
from study.runs import Run

NAMES = {
    "photo": "trained dial",
    "pixels": "blend of pixels",
    "wavelets": "blend of wavelets",
    "means": "non-local means",
    "paper": "the paper's denoiser",
}
"""How tables name the methods. The blends are between a photograph and the trained network's cleanest
answer; non-local means are blended in pixels too."""
CLEAN = (1.0, 0.0)
"""The dials of the cleanest answer."""
REPORTED = {"grey": ("camera", 15.0), "jpeg95": ("chelsea", 20.0)}
"""The two files of a report that the paper's denoiser does nothing for: kind, photograph of scikit-image
and noise level."""
PARTS = {"lawn": (350, 350, 150), "sky": (10, 10, 130)}
"""Top, left and side of squares of the photograph `camera`, pixels."""
REAL_SWEEPS = measurements.photographs_real, measurements.photographs_as_they_are
"""Of photographs with noise of their own: the methods, and the photographs themselves."""
REAL = "real"
"""The kind of photographs with noise of their own."""


class Measured:
    """What the chapter measured: per method a row for each photograph, kind, level and omega."""

    def __init__(
        self,
        profile: str,
        images: str,
        kinds: Sequence[str],
        sigmas: Sequence[float],
        every: int,
        crop: int | None,
        real: str,
    ) -> None:
        self.budget, self.wanted, self.real = configs.profile(profile), images, real
        self.kinds = tuple(kinds)
        self.sweep = PhotoSweep(images, kinds=self.kinds, sigmas=tuple(sigmas), every=every, crop=crop)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """The two trained networks."""
        wanted = {
            "photo": configs.photographs.photo(self.budget),
            "paper": configs.denoising("tunable", self.budget, noise_target="eq9"),
        }
        return {name: runs.get(config, progress=False) for name, config in wanted.items()}

    @cached_property
    def methods(self) -> dict[str, Run | Control]:
        """Method to what is measured."""
        cleanest = self.runs["photo"].control.at(CLEAN)
        return {
            "photo": self.runs["photo"],
            "pixels": Blend(cleanest),
            "wavelets": WaveletBlend(cleanest),
            "means": Blend(NonLocalMeans()),
            "paper": self.runs["paper"],
        }

    def control(self, method: str) -> Control:
        """The network or rival itself."""
        found = self.methods[method]
        return found.control if isinstance(found, Run) else found

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep of the synthetic photographs."""
        return self._swept(self.sweep)

    @cached_property
    def real_frames(self) -> dict[str, pd.DataFrame]:
        """Method to the sweep of photographs with noise of their own; {} where there are none."""
        if not self.real:
            return {}
        what, plain = (make(self.real) for make in REAL_SWEEPS)
        itself = Blend(nn.Identity())
        stored = found(itself, plain) is not None and self._stored(what)
        if not (datasets.available(self.real) or stored):
            return {}
        given = sweep(itself, plain, label="input", progress=False).set_index("image").psnr
        frames = self._swept(what)
        return {name: frame.assign(input=frame.image.map(given)) for name, frame in frames.items()}

    def _swept(self, what: ImageSweep) -> dict[str, pd.DataFrame]:
        return {
            name: sweep(of, what, label=_label(name), progress=False)
            for name, of in self.methods.items()
        }

    def _stored(self, what: ImageSweep) -> bool:
        """Whether all methods were measured before, so that the photographs are not needed."""
        return all(found(of, what) is not None for of in self.methods.values())

    @property
    def images(self) -> str:
        """The set that was really used."""
        return next(iter(self.frames.values())).attrs["record"]["settings"]["images"]

    @cached_property
    def along(self) -> dict[str, pd.DataFrame]:
        """Method to the means over photographs: one row per kind, sigma and omega."""
        by = ["kind", "sigma", "omega_1", "omega_2"]
        means = {
            name: frame.groupby(by, as_index=False).mean(numeric_only=True)
            for name, frame in self.frames.items()
        }
        for name, frame in self.real_frames.items():
            real = frame.assign(kind=REAL, sigma=float("nan"))
            real = real.groupby(by, as_index=False, dropna=False).mean(numeric_only=True)
            means[name] = pd.concat([means[name], real], ignore_index=True)
        return means

    def dial(self, method: str, kind: str, sigma: float | None = None) -> pd.DataFrame:
        """Means along the dial of one kind, from preservation to fidelity; over all levels for None."""
        frame = self.along[method]
        frame = frame[frame.kind == kind]
        if sigma is not None:
            frame = frame[frame.sigma == sigma]
        return frame.groupby(["omega_1", "omega_2"], as_index=False).mean(numeric_only=True)

    def cleanest(
        self, method: str, kind: str, sigma: float | None = None, metric: str = "psnr"
    ) -> float:
        """A metric at full fidelity; the mean over levels for None."""
        return float(self.dial(method, kind, sigma)[metric].iloc[-1])

    def input(self, kind: str, sigma: float | None = None) -> float:
        """PSNR of the photographs themselves, in dB."""
        return float(self.dial("photo", kind, sigma)["input"].iloc[-1])

    def equal(self, method: str, kind: str, kept: float) -> float:
        """PSNR in dB where a method keeps that share of the noise, or NaN; the mean over levels.

        Each level is read on its own dial before the mean is taken.
        """
        frame = self.along[method]
        levels = frame[frame.kind == kind].groupby("sigma", dropna=False)
        found = [at_equal_kept(one.sort_values("omega_1"), kept) for _, one in levels]
        return float(pd.Series(found).mean(skipna=False))

    def kept(self) -> pd.DataFrame:
        """The share that the trained dial keeps: a row per kind and level, a column per omega_1."""
        return (
            self.along["photo"]
            .pivot_table(index=["kind", "sigma"], columns="omega_1", values="kept", dropna=False)
            .dropna(how="all")
        )

    @cached_property
    def reported(self) -> pd.DataFrame:
        """PSNR in dB of the reported files, and of the cleanest answers: kinds x file and methods."""
        rows = {}
        for kind in REPORTED:
            file, scene = reported_file(kind)
            answers = {"file": file} | {
                m: self.clean_answer(m, file) for m in ("photo", "paper", "means")
            }
            rows[kind] = {
                name: metrics.psnr(image[None], scene[None]).item() for name, image in answers.items()
            }
        return pd.DataFrame(rows).T

    @cached_property
    def camera_errors(self) -> dict[str, float]:
        """Error in grey levels in two parts of the reported grey photograph: lawn, sky, and those of
        non-local means, lawn_means and sky_means."""
        file, scene = reported_file("grey")
        found = {}
        for suffix, method in (("", "photo"), ("_means", "means")):
            error = 255 * (self.clean_answer(method, file) - scene)
            for part, (top, left, side) in PARTS.items():
                square = error[:, top : top + side, left : left + side]
                found[f"{part}{suffix}"] = square.square().mean().sqrt().item()
        return found

    @cached_property
    def grey_elsewhere(self) -> pd.Series:
        """PSNR in dB of the network on other photographs, in grey, at the reported level."""
        found = {}
        samples = datasets.load("samples-test")
        for name in samples.ids:
            file, scene = in_file(samples[name].float() / 255, "grey", REPORTED["grey"][1])
            found[name] = metrics.psnr(self.clean_answer("photo", file)[None], scene[None]).item()
        return pd.Series(found)

    def clean_answer(self, method: str, file: Tensor) -> Tensor:
        """A file [3, H, W] at full fidelity, of the same shape."""
        return self.answers(method, file, [CLEAN])[0][0]

    def answers(self, method: str, file: Tensor, omegas: Sequence[Sequence[float]]) -> list[Tensor]:
        """A file [3, H, W] at each omega: [1, 3, H, W] each."""
        control = self.control(method).eval()  # which may train: outside of inference mode
        with torch.inference_mode():
            return control.outputs(file[None], torch.tensor(omegas))

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the runs and of all sweeps."""
        frames = [*self.frames.values(), *self.real_frames.values()]
        return [run.record for run in self.runs.values()] + [f.attrs["record"] for f in frames]


def reported_file(kind: str) -> tuple[Tensor, Tensor]:
    """The file of REPORTED of that kind, and its scene: both [3, H, W] in [0, 1]."""
    name, sigma = REPORTED[kind]
    pixels = torch.from_numpy(getattr(skimage.data, name)().copy())
    pixels = pixels[None].expand(3, -1, -1) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return in_file(pixels.float() / 255, kind, sigma)


def _label(method: str) -> str:
    """The name of a stored sweep; that of a run for the trained networks."""
    return "" if method in ("photo", "paper") else f"photo-{method}"
