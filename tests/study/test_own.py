"""Any folder of photographs is measured as Kodak is."""

from dataclasses import replace

import pytest
from PIL import Image
from torch import nn

from study import configs, runs
from study.chapters import own as command
from study.controls import Blend
from study.images import datasets
from study.measuring.own import OwnSweep, frames, table
from study.measuring.protocols import DenoisingSweep
from study.measuring.sweep import average, measure
from tunable_core.files import DamagedFile

SMALL = {"sigmas": (30.0,), "omegas": ((0.0, 1.0), (1.0, 0.0)), "crop": 48}


@pytest.fixture
def folder(tmp_path):
    """The embedded test photographs as files."""
    images = datasets.load("samples-test")
    for name in images.ids:
        Image.fromarray(images[name].permute(1, 2, 0).numpy()).save(tmp_path / f"{name}.png")
    (tmp_path / "notes.txt").write_text("no photograph")
    return tmp_path


def test_the_same_photographs_give_the_same_numbers_as_the_registered_set(folder):
    control = Blend(nn.Identity())
    found = frames({"input": control}, OwnSweep(folder=folder, **SMALL))
    expected = average(measure(control, DenoisingSweep("samples-test", **SMALL), progress=False))
    assert table(found, "psnr").loc["input"].to_dict() == expected.psnr.to_dict()


def test_a_folder_without_photographs_is_refused(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match=r"has no photograph \(\.png, \.jpg, \.jpeg\)"):
        OwnSweep(folder=tmp_path)
    with pytest.raises(SystemExit):
        command.main([str(tmp_path)])
    assert "has no photograph" in capsys.readouterr().err


def test_a_file_that_is_no_photograph_is_named(folder):
    (folder / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(DamagedFile, match=r"broken\.png is not a readable PNG or JPEG"):
        frames({"input": Blend(nn.Identity())}, OwnSweep(folder=folder, **SMALL))


def test_the_command_prints_the_table_and_what_fidelity_costs(folder, store, monkeypatch, capsys):
    budget = replace(configs.profile("smoke"), seeds=1)
    for name in ("dni-scratch", "tunable"):
        runs.get(configs.denoising(name, budget), progress=False)
    command.main([str(folder), "--profile", "smoke", "--crop", "48"])
    text = capsys.readouterr().out
    assert f"{len(datasets.describe('samples-test').ids)} photographs, sigma 5, 15, 30" in text
    assert "PSNR_ETA, dB" in text
    assert "Tunable, fixed target: " in text
    assert "DyNet" not in text
