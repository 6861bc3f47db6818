"""Choose settings on validation images, which are neither training nor test images.

The settings of the first released runs were chosen on Kodak, Set5 and nam; data/paper/claims.yml
names the claims that this concerns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from study.measuring.image_sweep import ImageSweep
from study.runs import RunConfig

FIT, VALID = "bsds500-fit", "bsds500-valid"
"""Training and validation images of a trial; together they are bsds500-clean."""
Sweep = TypeVar("Sweep", bound=ImageSweep)


def trial(config: RunConfig) -> RunConfig:
    """The run of a trial: the same settings, trained on FIT."""
    return replace(config, name=f"trial-{config.name}", data=FIT)


def validation(what: Sweep) -> Sweep:
    """The same sweep on VALID, to compare trials."""
    return replace(what, images=VALID)


def chosen(config: RunConfig) -> RunConfig:
    """The run with the chosen settings, trained on all of bsds500-clean."""
    return replace(config, data="bsds500-clean")
