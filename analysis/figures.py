"""Figures at the width of a printed column, in colours that colour-blind people tell apart.

Drawn without pyplot, so nothing is shared between figures or threads, and nothing needs a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from crowdloom.analysis.figure_fonts import lend_fonts, quietly
from crowdloom.analysis.figure_style import (
    BLUE,
    INK,
    ORANGE,
    WIDTH,
    NothingToDrawError,
    finish,
    legend_below,
    one_axes,
    plain,
    shortened,
    text_width,
)
from crowdloom.analysis.files import whole_file
from crowdloom.analysis.tiles import (
    EDGE,
    GAP,
    IMAGE,
    LEGEND,
    MOST_CLASSES,
    NAME,
    SCALE,
    TITLE,
    axes_at,
    class_axes,
    rows_of,
)

__all__ = ["MOST_CLASSES", "ORANGE", "WIDTH", "entropy_figure", "label_figure", "save_figure"]

_ROW, _TOP, _BOTTOM, _BETWEEN = 0.1, 0.19, 0.08, 0.14  # inches

Image = npt.NDArray[Any]


def label_figure(
    items: Sequence[str],
    labels: npt.NDArray[np.float64],
    classes: Sequence[str],
    images: Sequence[Image | None],
    references: Sequence[str | None],
) -> Figure:
    """One tile per item, two abreast: its image beside the label as horizontal bars.

    labels [N, K] and one item key, image (array [H, W] or [H, W, 3 or 4], or None) and reference
    class (or None) per row. The reference class has an orange bar and a bold name. Raises ValueError
    where there is no item or the lengths differ.
    """
    if not len(items) or labels.shape != (len(items), len(classes)):
        raise ValueError(f"labels have shape {labels.shape}; one row is needed for each of {len(items)} items")
    tiles = [rows_of(label[np.newaxis], classes, name) for label, name in zip(labels, references, strict=True)]
    most = max(len(names) for names, _ in tiles)
    image_width = IMAGE + GAP if any(image is not None for image in images) else 0.0
    tile = (WIDTH - 2 * EDGE - _BETWEEN) / 2
    widest = max(text_width(name, NAME, bold=True) for names, _ in tiles for name in names)
    names_width = min(widest, tile - image_width - GAP - 0.42)  # leaves room for the bars
    left = image_width + names_width + GAP
    any_reference = any(reference is not None for reference in references)
    tile_height = _TOP + most * _ROW + _BOTTOM
    height = ceil(len(items) / 2) * tile_height + SCALE + (LEGEND if any_reference else 0.0)
    figure = Figure(figsize=(WIDTH, height), facecolor="white")

    for number, (item, image, reference) in enumerate(zip(items, images, references, strict=True)):
        x, y = EDGE + (number % 2) * (tile + _BETWEEN), (number // 2) * tile_height
        names, values = tiles[number]
        axes = axes_at(figure, x + left, y + _TOP, tile - left, len(names) * _ROW)
        colours = [ORANGE if name == reference else BLUE for name in names]
        axes.barh(range(len(names)), values[0], color=colours, height=0.72, zorder=2)
        # the lowest tile of each of the two columns carries the scale
        class_axes(axes, names, reference, names_width, scale=number + 2 >= len(items))
        if image is not None:
            shown = axes_at(figure, x, y + _TOP, IMAGE, IMAGE)
            shown.imshow(image, cmap="gray", interpolation="nearest")
            shown.set_axis_off()
        title = plain(shortened(item, tile, TITLE, bold=True))
        figure.text(
            x / WIDTH,
            1 - (y + _TOP - 0.05) / height,
            title,
            size=TITLE,
            weight="bold",
            color=INK,
            va="bottom",
        )
    if any_reference:
        legend_below(figure, {"reference class": ORANGE, "other classes": BLUE}, TITLE)
    return figure


def entropy_figure(entropy_per_item: npt.NDArray[np.float64]) -> Figure:
    """How the entropy of the items' labels is distributed, [I] in nats, with its median.

    Raises NothingToDrawError where there is no item.
    """
    if not len(entropy_per_item):
        raise NothingToDrawError("there is no item with a label; nothing can be drawn")
    figure, axes = one_axes(2.1)
    median, highest = float(np.median(entropy_per_item)), float(np.max(entropy_per_item))
    upper = max(highest, 0.1)
    bins = min(30, max(8, ceil(2 * len(entropy_per_item) ** (1 / 3))))
    axes.hist(entropy_per_item, bins=np.linspace(0, upper, bins + 1).tolist(), color=BLUE, edgecolor="white", lw=0.5)
    axes.axvline(median, color=ORANGE, lw=1.5)
    beyond_middle = median > upper / 2
    axes.annotate(
        f"median {median:.2f}",
        (median, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if beyond_middle else 4, 2),
        textcoords="offset points",
        ha="right" if beyond_middle else "left",
        va="bottom",
        size=7,
        color=INK,
    )
    axes.set_xlim(0, upper)
    finish(axes, "entropy of an item's label (nats)", "items")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (300 dots per inch), PDF or SVG, by suffix: the same figure, the same bytes.

    Texts are outlines in an SVG, unless no font here has one of the letters: then they stay texts, since whoever shows
    the file may have a font for it. The file appears only when it is complete. Raises ValueError for another suffix.
    """
    undated: dict[str, dict[str, Any]] = {
        ".png": {"Software": None},
        ".pdf": {"CreationDate": None},
        ".svg": {"Date": None},
    }
    suffix = path.suffix.lower()
    if suffix not in undated:
        raise ValueError(f"a figure cannot be written to {path.name}; end the name in one of {', '.join(undated)}")
    drawn = "path" if lend_fonts(figure) else "none"
    with (
        whole_file(path) as part,
        mpl.rc_context({"svg.hashsalt": "crowdloom", "svg.fonttype": drawn, "pdf.fonttype": 42}),
        quietly(),
    ):
        figure.savefig(part, format=suffix[1:], dpi=300, metadata=undated[suffix])
