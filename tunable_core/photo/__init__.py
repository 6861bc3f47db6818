"""The command `tunable`: photographs through a network whose dials are turned after training."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command, or name the extra that it needs; returns the exit code (see cli.main)."""
    try:
        from tunable_core.photo import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "tunable_core":
            raise
        print(
            f"tunable: this command needs the package {error.name}: pip install 'tunable-core[photo]'",
            file=sys.stderr,
        )
        return 2
    return cli.main()
