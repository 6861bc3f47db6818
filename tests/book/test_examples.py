"""The examples of the page *Use it in your training* run, and all of them reach the same loss."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "book" / "examples"
ALONE = ("plain", "fabric", "with_accelerate")
SEVERAL = ("ddp", "fsdp2")


def losses(*command: str) -> list[float]:
    """The last loss of each process, also where two of them wrote into one line."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [float(number) for number in re.findall(r"0\.\d+?(?=0\.|\s|$)", done.stdout)]


@pytest.fixture(scope="module")
def expected() -> float:
    (loss,) = losses(str(EXAMPLES / "plain.py"))
    return loss


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE[1:])
def test_a_framework_trains_as_the_plain_loop_does(name, expected):
    (loss,) = losses(str(EXAMPLES / f"{name}.py"))
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERAL)
def test_two_processes_train_as_one_does(name, expected):
    torchrun = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    found = losses(*torchrun, str(EXAMPLES / f"{name}.py"))
    assert len(found) == 2
    assert sum(found) / 2 == pytest.approx(expected, rel=1e-4)


def test_every_example_is_short_and_on_the_page():
    page = (EXAMPLES.parent / "training.md").read_text()
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*ALONE, *SEVERAL}
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) < 40
        assert f"examples/{path.name}" in page
