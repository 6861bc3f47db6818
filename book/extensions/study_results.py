"""The role `result`, a number in the prose that a notebook computed, and the directive of that name.

    {result}`03-denoising:psnr_fidelity:.2f`

is the value `psnr_fidelity` among the results of the notebook 03-denoising (study/chapters/shown.py);
`.2f` is a Python format and may be left out. A dot reaches into a nested object:
`03-denoising:kodak.psnr`. A notebook, a key or a format that does not exist, and a value that is
null or not finite, is a warning, which fails the build. The directive shows a result that is HTML:

    ```{result} 10-claims:themes
    ```
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective, SphinxRole


def text_of(results: dict[str, Any], reference: str) -> str:
    """The formatted value behind `NOTEBOOK:KEY[:FORMAT]`; raises KeyError or ValueError."""
    stem, _, rest = reference.partition(":")
    key, _, form = rest.partition(":")
    if stem not in results:
        raise KeyError(f"no notebook {stem!r} among {', '.join(results) or 'none'}")
    value: Any = results[stem]
    for part in [key] if key in value else key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise KeyError(f"{stem} prints no result {key!r}; it prints {', '.join(results[stem])}")
        value = value[part]
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"the result {key!r} of {stem} is {value}")
    if isinstance(value, dict | list):
        raise ValueError(f"the result {key!r} of {stem} is a {type(value).__name__}, not a value")
    return format(value, form)


def results(env: BuildEnvironment) -> dict[str, Any]:
    """All results, by notebook."""
    path = Path(env.srcdir) / "results.json"
    env.note_dependency(str(path))
    found: dict[str, Any] = json.loads(path.read_text())
    return found


class Block(SphinxDirective):
    """A result that is HTML."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The HTML; an error fails the build."""
        try:
            text = text_of(results(self.env), self.arguments[0])
        except (KeyError, ValueError) as error:
            raise self.error(f"result {self.arguments[0]!r}: {error.args[0]}") from None
        return [nodes.raw("", f'<div class="result-block">{text}</div>', format="html")]


class Result(SphinxRole):
    """{result}`NOTEBOOK:KEY[:FORMAT]`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The value as text, or a warning."""
        try:
            text = text_of(results(self.env), self.text)
        except (KeyError, ValueError) as error:
            message = f"result {self.text!r}: {error.args[0]}"
            return [], [self.inliner.reporter.warning(message, line=self.lineno)]
        return [nodes.inline(self.rawtext, text, classes=["result"])], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both."""
    app.add_role("result", Result())
    app.add_directive("result", Block)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
