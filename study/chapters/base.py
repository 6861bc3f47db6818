"""The common part of all chapters: the first screen and the two blocks at the end."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

from study.chapters.findings import counted, listed, spoken, titled
from study.chapters.shown import Said
from study.figures import plots


@dataclass(frozen=True)
class Sure:
    """What the numbers of a chapter rest on."""

    images: Mapping[str, int]
    """Each set of test images that was really used, and how many of its photographs."""
    seeds: Mapping[str, int]
    """Trainings of each method."""
    networks: str
    """Size and training of the networks, as `network()` writes them."""
    would_change: str
    """A sentence: which experiment could change the findings."""
    missing: Sequence[str] = ()
    """Requested sets that are not available."""

    @property
    def text(self) -> str:
        """Three or four sentences."""
        sets = [f"{titled(name)} ({counted(n, 'photograph')})" for name, n in self.images.items()]
        parts = [f"Measured on {listed(sets)}."] if sets else []
        if self.missing:
            parts.append(
                f"Not available here: {listed([titled(name) for name in self.missing])}. Photographs of "
                "scikit-image were used instead, so compare with the paper's numbers with care."
            )
        if self.seeds:
            parts.append(_seeds(self.seeds))
        return " ".join([*parts, self.networks, self.would_change])


def _seeds(seeds: Mapping[str, int]) -> str:
    by_count: dict[int, list[str]] = {}
    for name, count in seeds.items():
        by_count.setdefault(count, []).append(spoken(name))
    if len(by_count) == 1:
        return f"Every method was trained from {counted(next(iter(by_count)), 'seed')}."
    parts = [f"from {counted(n, 'seed')}: {listed(by_count[n])}" for n in sorted(by_count)[::-1]]
    return f"Trained {'; '.join(parts)}."


def network(config: Any) -> str:
    """Size and steps of the networks of a run, as a sentence."""
    size = f"{counted(config.network.blocks, 'block')} of {counted(config.network.channels, 'channel')}"
    return f"Networks of {size}, trained for {counted(config.training.steps, 'step')}."


class Chapter(ABC):
    """One chapter: what it asked, what it found, how sure that is.

    A subclass takes the parameters of its notebook, and adds a method for each table and figure, each
    of which returns Shown.
    """

    asked: ClassVar[str]
    """The question of the chapter, in one or two sentences."""
    words: ClassVar[ModuleType]
    """The module with findings(chapter) and advice(chapter), for chapters without methods for these."""

    def __init__(self) -> None:
        plots.style()
        warnings.simplefilter("ignore", UserWarning)  # how_sure() names what replaces missing images

    def findings(self) -> list[str]:
        """Sentences with their numbers, the most important first; the first screen shows four."""
        return self.words.findings(self)

    def advice(self) -> list[str]:
        """What follows for someone who wants to use the method; at least one sentence."""
        return self.words.advice(self)

    @abstractmethod
    def how_sure(self) -> Sure:
        """What the findings rest on."""

    def results(self) -> dict[str, Any]:
        """Numbers and texts for other pages."""
        return {}

    def first_screen(self) -> Said:
        """**Asked**, **Found** and **How sure**, and the results for other pages."""
        parts = {
            "Asked": self.asked,
            "Found": " ".join(self.findings()[:4]),
            "How sure": self.how_sure().text,
        }
        text = "\n\n".join(f"**{name}.** {part}" for name, part in parts.items())
        return Said(text, self.results(), first=True)

    def what_was_found(self) -> Said:
        """All findings, one a line."""
        return _bullets(self.findings())

    def what_it_means(self) -> Said:
        """The advice, one a line."""
        return _bullets(self.advice())


def _bullets(sentences: Sequence[str]) -> Said:
    return Said("\n".join(f"- {sentence}" for sentence in sentences))
