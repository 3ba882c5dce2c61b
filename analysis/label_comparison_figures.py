"""The labels of some items in two label sets, side by side: figures 3.3, 3.4, B.1 and B.2 of the soft-label thesis.

Which items are worth it is found by `analysis.label_comparison`: `largest_distance`, `softened`, `alike_and_uncertain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figure_style import (
    BLUE,
    INK,
    NOTE,
    RED,
    WIDTH,
    NothingToDrawError,
    finish,
    legend_below,
    one_axes,
    plain,
    shortened,
    text_width,
)
from crowdloom.analysis.label_comparison import LabelComparison
from crowdloom.analysis.tiles import EDGE, GAP, IMAGE, LEGEND, NAME, SCALE, TITLE, axes_at, class_axes, rows_of

_ROW, _TOP, _BOTTOM = 0.14, 0.32, 0.1  # inches

Image = bytes | npt.NDArray[Any] | None


def compared_labels_figure(
    compared: LabelComparison,
    shown: Sequence[str],
    first: Floats,
    second: Floats,
    classes: Sequence[str],
    images: Mapping[str, Image],
    references: Mapping[str, str | None],
) -> Figure:
    """One tile for each of the items `shown`, two abreast: its image, and of each class the mass in both sets as bars.

    first and second [I, K] are the labels that were compared, in the order of `compared`. An image is an array [H, W]
    or [H, W, 3 or 4], or the bytes of a file; none is drawn where there is none. The reference class has a bold name.
    Raises NothingToDrawError where no item is to be shown, and ValueError for one that was not compared.
    """
    if not len(shown):
        raise NothingToDrawError("no item is to be shown; there may be none of that kind")
    place = {item: number for number, item in enumerate(compared.by_item.index)}
    if unknown := [item for item in shown if item not in place]:
        raise ValueError(f"the item {unknown[0]!r} was not compared")
    pairs = [np.stack([first[place[item]], second[place[item]]]) for item in shown]
    tiles = [rows_of(pair, classes, references.get(item)) for item, pair in zip(shown, pairs, strict=True)]
    image_width = IMAGE + GAP if any(images.get(item) is not None for item in shown) else 0.0
    tile = (WIDTH - 3 * EDGE) / 2
    widest = max(text_width(name, NAME, bold=True) for names, _ in tiles for name in names)
    room = min(widest, tile - image_width - GAP - 0.42)  # leaves some for the bars
    tile_height = _TOP + max(len(names) for names, _ in tiles) * _ROW + _BOTTOM
    height = ceil(len(shown) / 2) * tile_height + SCALE + LEGEND
    figure = Figure(figsize=(WIDTH, height), facecolor="white")

    for number, (item, (names, values)) in enumerate(zip(shown, tiles, strict=True)):
        x, y = EDGE + (number % 2) * (tile + EDGE), (number // 2) * tile_height
        left = image_width + room + GAP
        axes = axes_at(figure, x + left, y + _TOP, tile - left - 0.04, len(names) * _ROW)
        where = np.arange(len(names))
        for one, colour, aside in zip(values, (BLUE, RED), (-0.2, 0.2), strict=True):
            axes.barh(where + aside, one, color=colour, height=0.38, zorder=2)
        class_axes(axes, names, references.get(item), room, scale=number + 2 >= len(shown))
        if (image := images.get(item)) is not None:
            pictured = axes_at(figure, x, y + _TOP, IMAGE, IMAGE)
            pictured.imshow(_pixels(image), cmap="gray", interpolation="nearest")
            pictured.set_axis_off()
        found = compared.by_item.loc[item]
        says = f"distance {found['wasserstein']:.2f}, entropy {found['entropy1']:.2f} | {found['entropy2']:.2f}"
        title = plain(shortened(item, tile, TITLE, bold=True))
        for text, size, up, weight in ((title, TITLE, 0.15, "bold"), (says, NAME, 0.05, "normal")):
            figure.text(
                x / WIDTH, 1 - (y + _TOP - up) / height, text, size=size, weight=weight, color=INK, va="bottom"
            )  # fmt: skip
    legend_below(figure, {plain(compared.first): BLUE, plain(compared.second): RED}, TITLE)
    return figure


def entropies_figure(compared: LabelComparison) -> Figure:
    """The entropy of every item's label in the second set against that in the first, and where both are the same.

    Raises NothingToDrawError where there is no item.
    """
    found = compared.by_item
    if not len(found):
        raise NothingToDrawError("no item has a label in both sets")
    figure, axes = one_axes(3.1)
    most = max(float(found[["entropy1", "entropy2"]].to_numpy().max()) * 1.04, 0.1)
    axes.plot([0, most], [0, most], color=RED, lw=1.0, zorder=1)
    axes.annotate("same", (most, most), xytext=(-8, 2), textcoords="offset points", ha="right", size=NOTE, color=RED)
    axes.scatter(found["entropy2"], found["entropy1"], s=6, color=BLUE, lw=0, alpha=0.4, rasterized=True, zorder=2)
    finish(axes, f"entropy in {plain(compared.second)} (nats)", f"entropy in {plain(compared.first)} (nats)")
    axes.set_xlim(-0.02 * most, most)
    axes.set_ylim(-0.02 * most, most)
    return figure


def _pixels(image: bytes | npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not isinstance(image, bytes):
        return image
    from PIL import Image as Pillow

    with Pillow.open(BytesIO(image)) as opened:
        return np.asarray(opened.convert("L" if opened.mode in ("1", "L") else "RGBA"))
