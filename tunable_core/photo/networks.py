"""The networks that the command knows: the released denoiser, saved folders, and names."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from torch import nn

from tunable_core.folders import CONFIG
from tunable_core.tunable import Tunable

GROUP = "tunable.networks"
"""Entry points of this group find networks by name: functions from a name to a network with dials, which
raise FileNotFoundError for a name that they do not know."""
RELEASED = Path(__file__).parent / "released"
"""The released denoiser, as Tunable.save writes it."""


def network(run: str = "") -> nn.Module:
    """The network that --run names: a folder by Tunable.save, a name, or "" for the released denoiser.

    Raises FileNotFoundError, with the way out, for a name that nobody knows.
    """
    if not run:
        return Tunable.load(RELEASED)
    if (Path(run).expanduser() / CONFIG).is_file():
        return Tunable.load(Path(run).expanduser())
    reason = (
        f"--run {run} is no folder written by Tunable.save, and names of trained runs are known only in "
        f"a clone of the repository (`make setup` there installs them)"
    )
    for entry in entry_points(group=GROUP):
        try:
            return entry.load()(run)
        except ModuleNotFoundError as error:
            if error.name != entry.module.partition(".")[0]:  # the wheel names the study, which it lacks
                raise
        except FileNotFoundError as error:
            reason = str(error)
    raise FileNotFoundError(reason)
