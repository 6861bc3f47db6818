"""Chapters 4 to 6 over seeds: what the store has, never a training."""

import pandas as pd
import pytest
from stored import kept_run, kept_sweep

from study import configs
from study.chapters.backbones import Backbones
from study.chapters.joint_data import Measured as JointData
from study.chapters.joint_details import Details
from study.chapters.super_resolution import SuperResolution
from study.chapters.super_resolution_data import Measured as SuperResolutionData
from study.configs.backbones import CONTROLS
from study.configs.measurements import ENDS
from study.configs.super_resolution import resnet
from study.measuring.protocols import CORNERS
from study.measuring.sweep import FIVE

pytestmark = pytest.mark.usefixtures("store")
LAPTOP = configs.profile("laptop")


def table(omegas, psnr):
    """A sweep of one image with one PSNR at all omegas; LPIPS is a hundredth of it."""
    places = pd.DataFrame(omegas, columns=["omega_1", "omega_2"])
    return places.assign(image="kodim01", sigma=5.0, rho=0.0, psnr=psnr, psnr_eta=psnr, lpips=psnr / 100)


def cells(shown):
    return shown.content.data.iloc[:, 0].tolist()


def test_swinir_with_its_stored_seeds():
    chapter = Backbones(images=["kodak"])
    data = chapter.data
    names = {(c, s): configs.backbones.swinir(c, "laptop", seed=s) for c in CONTROLS for s in (0, 2)}
    for psnr, config in enumerate(names.values(), 30):
        kept_sweep(config, data.squares("kodak"), table(ENDS, float(psnr)))
    data.swinir = {control: kept_run(names[control, 0]) for control in CONTROLS}
    data.frames = {"kodak": {}}
    found = chapter.swinir_seeds().content.data
    assert found.index.to_list() == ["seed 0", "seed 2", "mean"]
    assert found.gap.to_list() == [-2.0, -2.0, -2.0]


def test_joint_methods_with_their_stored_seeds():
    chapter = object.__new__(Details)
    chapter.data = data = JointData("laptop", ["kodak"], (5.0,), (0.0,), None, 3)
    for psnr, (method, seed) in enumerate((("tunable", 0), ("tunable", 2), ("cresmd", 0)), 24):
        kept_sweep(configs.joint(method, LAPTOP, seed=seed), data.squares, table(CORNERS, float(psnr)))
    data.runs = {m: kept_run(configs.joint(m, LAPTOP)) for m in ("tunable", "cresmd")}
    data.frames = {"kodak": {}}
    assert {m: [*found] for m, found in data.repeated.items()} == {"tunable": [0, 2], "cresmd": [0]}
    assert cells(chapter.seeds("psnr")) == ["24.50 ± 0.50", "26.00"]
    assert cells(chapter.seeds("lpips")) == ["0.245 ± 0.005", "0.260"]
    assert "NIQE was not measured" in chapter.seeds("niqe").content


def test_super_resolution_with_its_stored_seeds():
    chapter = object.__new__(SuperResolution)
    chapter.data = data = SuperResolutionData("laptop", ["kodak"], None, [], 3)
    for psnr, (method, seed) in enumerate((("tunable", 0), ("tunable", 1), ("dni", 0)), 24):
        kept_sweep(resnet(method, LAPTOP, seed=seed), data.five("kodak"), table(FIVE, float(psnr)))
    data.runs = {m: kept_run(resnet(m, LAPTOP)) for m in ("tunable", "dni")}
    data.frames = {"kodak": {}}
    assert {m: [*found] for m, found in data.repeated.items()} == {"tunable": [0, 1], "dni": [0]}
    assert cells(chapter.seeds("psnr")) == ["24.50 ± 0.50", "26.00"]
    assert cells(chapter.seeds("lpips")) == ["0.245 ± 0.005", "0.260"]
    assert "Not measured" in chapter.seeds("niqe").content
