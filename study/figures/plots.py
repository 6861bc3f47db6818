"""The study's figures: one look, readable at book width, safe for colour-blind readers."""

from __future__ import annotations

import base64
import html
import io
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from torch import Tensor, from_numpy

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette; the paper's own numbers are always black."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def style() -> None:
    """Set the one look of all figures."""
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.dpi": 150,
            "savefig.bbox": "tight",
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "axes.titlesize": 10,
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
        }
    )


def to_picture(image: Tensor) -> np.ndarray:
    """An image [3, H, W] or [1, 3, H, W] as an array [H, W, 3] clipped to [0, 1], for imshow."""
    return image.detach().reshape(3, *image.shape[-2:]).clamp(0, 1).permute(1, 2, 0).float().numpy()


def strip(
    images: Sequence[Tensor],
    titles: Sequence[str],
    *,
    zoom: tuple[int, int, int] | None = None,
    columns: int | None = None,
) -> Figure:
    """Images in a row under their titles; zoom (top, left, side) adds a row with that square large."""
    columns = columns or len(images)
    bands = -(-len(images) // columns)
    per_band = 1 if zoom is None else 2
    aspect = images[0].shape[-2] / images[0].shape[-1]
    heights = [aspect, 1.0][:per_band] * bands
    width = 7.4 / columns
    lines = 1 + max(title.count("\n") for title in titles)
    figure, axes = plt.subplots(
        bands * per_band,
        columns,
        figsize=(7.4, width * sum(heights) + 0.17 * lines * bands),
        height_ratios=heights,
        squeeze=False,
    )
    for axis in axes.flat:
        axis.axis("off")
    for i, (image, title) in enumerate(zip(images, titles, strict=True)):
        band, column = divmod(i, columns)
        top_axis = axes[band * per_band, column]
        picture = to_picture(image)
        top_axis.imshow(picture)
        top_axis.set_title(title, fontsize=8)
        if zoom is not None:
            top, left, side = zoom
            box = Rectangle((left, top), side, side, fill=False, edgecolor="#E69F00", linewidth=1.2)
            top_axis.add_patch(box)
            enlarged = picture[top : top + side, left : left + side]
            axes[band * per_band + 1, column].imshow(enlarged, interpolation="nearest")
    return figure


def filmstrip(
    frames: Sequence[Tensor], labels: Sequence[str], dials: Mapping[str, int], alt: str
) -> str:
    """HTML of frames, each [3, H, W], of which sliders show one; a strip of all where no script runs.

    dials: name to number of positions of each slider; frames and labels run over all their
    combinations, the last slider fastest. alt: for those who do not see it.
    In a notebook: a cell that ends in HTML(plots.filmstrip(...)), as 03 has; the book does the rest.
    """
    if len(frames) != len(labels) or len(frames) != math.prod(dials.values()):
        raise ValueError(
            f"a filmstrip needs a frame and a label for each of the {math.prod(dials.values())} "
            f"positions of its dials; got {len(frames)} and {len(labels)}"
        )
    row = np.concatenate([to_picture(frame) for frame in frames], axis=1)
    content = io.BytesIO()
    Image.fromarray((255 * row).round().astype(np.uint8)).save(content, "WEBP", quality=85)
    picture = base64.b64encode(content.getvalue()).decode()
    data = {"dials": list(dials), "shape": list(dials.values()), "labels": list(labels)}
    described = html.escape(json.dumps(data), quote=True)
    return (
        f'<div class="filmstrip" data-film="{described}">'
        f'<img alt="{html.escape(alt, quote=True)}" src="data:image/webp;base64,{picture}"></div>'
    )


def looks() -> Iterator[dict[str, str]]:
    """Colour and line of one curve after another: where the colours repeat, lines are dashed."""
    for line, colour in itertools.cycle(itertools.product(("-", "--"), (*COLOURS[:6], "grey"))):
        yield {"color": colour, "linestyle": line}


def curves(
    axis: Axes, frames: Mapping[str, pd.DataFrame], x: str, y: str, *, black: Sequence[str] = ()
) -> Axes:
    """One line per frame of y against x; the names in black are drawn as the paper's are."""
    turn = looks()
    for (name, frame), marker in zip(frames.items(), itertools.cycle(MARKERS), strict=False):
        look = {"color": "black", "linestyle": ":"} if name in black else next(turn)
        axis.plot(frame[x], frame[y], marker=marker, markersize=4, label=name, **look)
    return axis


def against_printed(cells: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> Figure:
    """Every cell as a point, ours over the printed value, one panel per group of metrics.

    cells: rows with table, metric, printed and ours (study.chapters.beside); groups: title to its
    metrics.
    """
    figure, axes = plt.subplots(
        1, len(groups), figsize=(7.4, 7.4 / max(2, len(groups)) + 0.6), squeeze=False
    )
    names = sorted(cells.table.unique())
    for axis, (title, metrics) in zip(axes[0], groups.items(), strict=True):
        shown = cells[cells.metric.isin(metrics)]
        for name, colour, marker in zip(
            names, itertools.cycle(COLOURS), itertools.cycle(MARKERS), strict=False
        ):
            part = shown[shown.table == name]
            axis.scatter(
                part.printed,
                part.ours,
                s=16,
                alpha=0.7,
                color=colour,
                marker=marker,
                label=name.replace("table", "Table "),
            )
        ends = [shown[["printed", "ours"]].min().min(), shown[["printed", "ours"]].max().max()]
        axis.plot(ends, ends, color="black", linewidth=0.8)
        axis.set(title=title, xlabel="printed")
    axes[0][0].set_ylabel("ours")
    handles = axes[0][0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(names), fontsize=8)
    return figure


def shares(counts: pd.Series, colours: Sequence[str]) -> Figure:
    """One bar divided into the counts, each part with its number; a legend below has their names."""
    figure, axis = plt.subplots(figsize=(7.4, 1.2))
    left = 0
    for (name, count), colour in zip(counts.items(), colours, strict=True):
        if count:
            axis.barh(0, count, left=left, color=colour, edgecolor="white", label=name)
            axis.text(left + count / 2, 0, f"{count}", ha="center", va="center", fontweight="bold")
        left += count
    axis.set_xlim(0, left)
    axis.axis("off")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, fontsize=9, frameon=False)
    return figure


def dials(omega: Sequence[float]) -> str:
    """The dials as a heading: "(0.25, 0.75)"."""
    return "(" + ", ".join(f"{value:g}" for value in omega) + ")"


def error_map(output: Tensor, clean: Tensor, full: float = 0.2) -> Tensor:
    """|output - clean|, mean over colours, as a picture [3, H, W]: black is 0, light yellow is full."""
    error = (output - clean).reshape(3, *clean.shape[-2:]).abs().mean(0)
    colours = plt.get_cmap("inferno")((error / full).clamp(0, 1).float().numpy())
    return from_numpy(colours[..., :3]).permute(2, 0, 1)


def minutes(record: Mapping) -> str:
    """How many minutes a training took, and on what: "24, CPU" or "8, H200, then CPU"."""
    devices = record["device"].split(", then ")
    devices = [device.removeprefix("NVIDIA ").partition(" ")[0] for device in devices]
    return f"{record['seconds'] / 60:.0f}, {', then '.join(devices)}"


def provenance(records: Sequence[Mapping], images: str = "") -> str:
    """A folded line of HTML: which runs or sweeps, commit, device, seeds and seconds made this."""
    seen, lines = set(), []
    for record in records:
        if (identity := (record.get("key"), record.get("sha256"))) in seen:
            continue
        seen.add(identity)
        training = record.get("config", {}).get("training", {})
        facts = [f"<b>{html.escape(record.get('name', '?'))}</b>"]
        if record.get("key"):
            commit = str(record.get("commit") or "unknown")[:10]
            facts += [f"run {record['key']}", f"commit {commit}"]
            facts += [f"seed {training.get('seed')}", f"{training.get('steps', 0):,} steps"]
            data = record.get("data") or {}
            facts += [f"trained on {data.get('name', '?')} {str(data.get('checksum', ''))[:10]}"]
        else:
            facts += [f"measured on {record.get('settings', {}).get('images', '?')}"]
            facts += [f"{w} {str(record[w])[:10]}" for w in ("weights", "commit") if record.get(w)]
        seconds = f"{record['seconds']:,.0f} s on " if "seconds" in record else ""
        facts += [seconds + str(record.get("device", "?"))]
        facts += [f"torch {record.get('versions', {}).get('torch', '?')}"]
        lines.append("<li>" + ", ".join(facts) + "</li>")
    head = f"<p>Images: {html.escape(images)}.</p>" if images else ""
    body = f"{head}<ul>{''.join(lines)}</ul>"
    return f'<details class="provenance"><summary>Provenance</summary>{body}</details>'
