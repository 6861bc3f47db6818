"""Findings: a number on the other side of its threshold gives the other sentence."""

import importlib
import pkgutil
import string

import pytest

from study import chapters
from study.chapters.findings import Either, counted, listed, spaced, spoken, titled


def rules():
    """Every Either of the chapters, with its name."""
    every = []
    for module in pkgutil.iter_modules(chapters.__path__):
        found = vars(importlib.import_module(f"study.chapters.{module.name}"))
        for name, value in found.items():
            if isinstance(value, Either):
                every.append(pytest.param(value, id=f"{module.name}.{name}"))
    return every


def fields(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


class Anything:
    """A number or a text, whatever the template asks for."""

    def __format__(self, form):
        return format("x" if not form or form[-1] not in "f%dg," else 0.5, form)


@pytest.mark.parametrize("rule", rules())
def test_a_number_on_either_side_of_its_threshold_gives_the_other_sentence(rule):
    named = (fields(rule.above) | fields(rule.otherwise)) - {"value"}
    numbers = dict.fromkeys(named, Anything())
    more, less = (rule(rule.threshold + change, **numbers) for change in (1e-6, -1e-6))
    assert more != less
    for value in (rule.threshold, float("nan")):
        assert rule(value, **numbers) == spaced(rule.otherwise.format(value=value, **numbers))
    for sentence in (more, less):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "{" not in sentence


def test_a_template_is_filled_with_the_numbers_it_names():
    rule = Either("{value:.1f} dB above {name}.", "Not above {name}.", threshold=2.0)
    assert rule(2.5, name="it") == "2.5 dB above it."
    assert rule(2.0, name="it") == "Not above it."
    with pytest.raises(KeyError, match="name"):
        rule(2.5)


def test_names_and_counts_are_written_as_in_a_sentence():
    assert listed([]) == "none"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert counted(1, "seed") == "1 seed"
    assert counted(12000, "step") == "12,000 steps"
    assert titled("kodak") == "Kodak"
    assert titled("mine") == "mine"
    assert spoken("DNI, fine-tuned") == "DNI (fine-tuned)"
    assert spoken("FiLM") == "FiLM"
    assert spaced("9% to 91.5 %") == "9 % to 91.5 %"
