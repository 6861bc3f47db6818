"""The commands and code of the page "Use it" are run exactly as printed.

tests/browser/test_stranger.py runs those of README.md.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch

from study import configs
from study.images import datasets
from study.runs import named
from tunable_core import Tunable
from tunable_photo import cli, editors
from tunable_photo.resnet import ResNetConfig

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "book/use.md"
COMMAND = ".venv/bin/tunable "


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"{PAGE.name} shows no {language}"
    return found


@pytest.fixture
def released():
    try:
        return configs.released()
    except named.MissingRun:
        pytest.fail("the released denoiser is part of the repository")


def test_its_python_runs(released, exporter, tmp_path, monkeypatch):
    """As printed, except that a small network is exported for editors in place of the released one."""
    small = Tunable(ResNetConfig(1, 4, image_skip=True, stride=2).build(), 2)
    monkeypatch.setattr(editors, "network", lambda _: small)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    with torch.random.fork_rng(devices=[]):
        for block in blocks("python"):
            exec(compile(block, str(PAGE), "exec"), names)


def test_its_commands_run(released, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    image = datasets.load("samples-test")[0][:, :96, :128].permute(1, 2, 0).numpy()
    Path("photos").mkdir()
    for name in ("photo.png", "photos/one.png", "photos/two.jpg"):
        Image.fromarray(image).save(name)
    Image.fromarray(image[..., 0]).save("mask.png")
    lines = "".join(blocks("bash")).splitlines()
    commands = [
        shlex.split(line.removeprefix(COMMAND), comments=True)
        for line in lines
        if line.startswith(COMMAND)
    ]
    assert commands, f"{PAGE.name} shows no command"
    for words in commands:
        assert cli.main(words) == 0, words
        assert Path(words[2]).exists(), words
