"""The networks that `--run` can name: released networks, saved folders, and trained runs."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from torch import nn

from tunable_core.saving import CONFIG
from tunable_core.tunable import Tunable
from tunable_photo.dial import Dial, measured

GROUP = "tunable.networks"
"""Entry points of this group find networks by name: functions from a name to a network with dials, which
raise FileNotFoundError for an unknown name."""
RELEASED = Path(__file__).parent / "released"
"""The networks inside the package, each in a folder of its name, as Tunable.save writes it: photo,
for photographs, and paper, the network of the paper's Table 1."""
DEFAULT = "photo"
"""The network used without --run."""


def network(run: str = DEFAULT) -> nn.Module:
    """The network that --run names: a released one, a folder by Tunable.save, or a trained run.

    Raises FileNotFoundError for an unknown name.
    """
    if (folder := _folder(run)) is not None:
        return Tunable.load(folder)
    reason = (
        f"--run {run} is neither a released network ({', '.join(released())}) nor a folder written by "
        f"Tunable.save; trained runs have names only in a clone of the repository (install it with "
        f"`make setup`)"
    )
    for entry in entry_points(group=GROUP):
        try:
            return entry.load()(run)
        except ModuleNotFoundError as error:
            if error.name != entry.module.partition(".")[0]:  # the wheel lacks the study
                raise
        except FileNotFoundError as error:
            reason = str(error)
    raise FileNotFoundError(reason)


def dial(run: str = DEFAULT) -> Dial | None:
    """The measured dial of the network that --run names; None if it has none."""
    folder = _folder(run)
    return None if folder is None else measured(folder)


def released() -> list[str]:
    """The names of the released networks."""
    return sorted(path.parent.name for path in RELEASED.glob(f"*/{CONFIG}"))


def _folder(run: str) -> Path | None:
    """The folder of a network on disk, a released one first; None for a name."""
    folder = RELEASED / run if run in released() else Path(run).expanduser()
    return folder if (folder / CONFIG).is_file() else None
