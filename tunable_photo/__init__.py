"""The command `tunable`: process photographs by a network with dials, set after training."""

from __future__ import annotations

import sys

from tunable_photo.resnet import ResNet

__all__ = ["ResNet", "main"]  # importing ResNet makes it known to Tunable.load


def main() -> int:
    """Run the command, or name the extra to install; returns the exit code (see cli.main)."""
    try:
        from tunable_photo import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("tunable_core", "tunable_photo"):
            raise
        print(
            f"tunable: this command needs the package {error.name}: pip install 'tunable-core[photo]'",
            file=sys.stderr,
        )
        return 2
    return cli.main()
