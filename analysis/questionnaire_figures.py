"""Figures of questionnaires: the subscales of the raw NASA-TLX, and scales with a study's own statements.

They show what figures 6 and 7 do in the paper on human-in-the-loop latent spaces (HILL): every rating by item and
condition. Each item stands in full above its boxes, since statements are too long for an axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crowdloom.analysis.figure_style import (
    INK,
    MARKERS,
    NOTE,
    RULE,
    SERIES,
    TICK,
    WIDTH,
    NothingToDrawError,
    faintness,
    finish,
    jitter,
    legend_above,
    plain,
    shortened,
    text_width,
)
from crowdloom.analysis.questionnaires import AFTER, conditions_of, questionnaires_of
from crowdloom.tasks.questionnaires import INSTRUMENTS

_LINE, _ROW, _GAP = 0.125, 0.17, 0.09  # inches: a line of text, a box, the room between items
_PAPER = {"facecolor": "white", "lw": 0, "pad": 0.5}  # the grid goes behind a text
_ROOM = WIDTH - 0.35  # inches that an item's text may fill


def tlx_figure(frame: pd.DataFrame, questionnaire: int | None = None) -> Figure:
    """The six subscales of the raw NASA-TLX, 0 to 20, by condition: ratings, boxes of quartiles, means.

    Where it was asked after each item, it is drawn by item (and condition, where there are several).
    `questionnaire` is its place in the design where there are several (the first of them, if it is not given).
    Raises NothingToDrawError where nobody answered it, or there are more conditions than colours, FrameError as
    `check_questionnaires` does.
    """
    return _figure(frame, "nasa-tlx", questionnaire)


def scales_figure(frame: pd.DataFrame, questionnaire: int | None = None) -> Figure:
    """The study's own statements, 0 to 100, as in `tlx_figure`; raises what it raises."""
    return _figure(frame, "scales", questionnaire)


def _figure(frame: pd.DataFrame, instrument: str, questionnaire: int | None) -> Figure:
    asked = [rows[rows["kind"] == "item"] for _, rows in questionnaires_of(frame)]
    fits = [
        rows
        for rows in asked
        if rows["instrument"].iloc[0] == instrument and questionnaire in (None, rows["questionnaire"].iloc[0])
    ]
    if not fits:
        which = "" if questionnaire is None else f" as questionnaire {questionnaire}"
        raise NothingToDrawError(f"nobody answered the instrument {instrument}{which}")
    rows = fits[0]
    rows = _by_item(rows)
    conditions = conditions_of(rows)
    if len(conditions) > len(SERIES):
        what = "conditions" if rows is fits[0] else "items and conditions"
        raise NothingToDrawError(
            f"{len(conditions)} {what} are too many for one figure; it can tell {len(SERIES)} apart"
        )
    ends = rows[["left", "right"]].value_counts().index[0]
    written = {title: _lines(_with_ends(title, some, ends), _ROOM) for title, some in _by_title(rows)}
    height = sum(_LINE * len(lines) + _ROW * len(conditions) + _GAP for lines in written.values())
    figure = Figure(
        figsize=(WIDTH, height + 0.5 + 0.2 * (len(conditions) > 1)), facecolor="white", layout="constrained"
    )
    axes = figure.add_subplot()
    y = 0.0
    for title, lines in written.items():
        axes.text(
            0, y, plain("\n".join(lines)), size=NOTE, color=INK, va="top", linespacing=1.25, zorder=2, bbox=_PAPER
        )
        y += _LINE * len(lines) + _ROW / 2
        for number, condition in enumerate(conditions):
            values = rows.loc[(rows["title"] == title) & (rows["condition"] == condition), "value"]
            _draw(axes, values.to_numpy(dtype=np.float64), y, number)
            y += _ROW
        y += _GAP - _ROW / 2
    _scale(axes, INSTRUMENTS[instrument].high, y, ends)
    if len(conditions) > 1:
        for number, condition in enumerate(conditions):
            n = rows.loc[rows["condition"] == condition, "submission"].nunique()
            name = f"{shortened(condition, _ROOM / 2 - 0.75, NOTE, bold=False)}, n = {n}"
            axes.plot([], [], ls="none", color=SERIES[number], marker=MARKERS[number], ms=4, label=plain(name))
        legend_above(axes, 2)
    return figure


def _by_item(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows; where they were given after items, these stand in for the conditions, or beside several of them."""
    if AFTER not in rows or rows[AFTER].isna().all():
        return rows
    several = rows["condition"].nunique() > 1
    return rows.assign(condition=rows["condition"] + ", " + rows[AFTER] if several else rows[AFTER])


def _draw(axes: Axes, values: np.ndarray, y: float, number: int) -> None:
    """The ratings of one item in one condition: dots, the box of their quartiles with the median, and the mean."""
    if not len(values):
        return
    axes.scatter(
        values, jitter(np.full(len(values), y), 0.045), s=6, color=SERIES[number], lw=0,
        alpha=max(faintness(len(values)), 0.1), rasterized=True, zorder=2,
    )  # fmt: skip
    line = {"color": INK, "lw": 0.7}
    axes.boxplot(
        values, positions=[y], widths=0.11, orientation="horizontal", showfliers=False, manage_ticks=False,
        medianprops={"color": INK, "lw": 1.6}, boxprops=line, whiskerprops=line, capprops=line, zorder=3,
    )  # fmt: skip
    axes.plot(values.mean(), y, marker=MARKERS[number], ms=4, color=SERIES[number], mec="white", mew=0.6, zorder=4)


def _scale(axes: Axes, high: int, depth: float, ends: Sequence[str]) -> None:
    finish(axes, "", "")
    axes.set_xlabel("line: median, box: quartiles, symbol: mean", size=NOTE, color=INK, labelpad=11)
    axes.set_xlim(-0.02 * high, 1.02 * high)
    axes.set_ylim(depth, -0.04)
    axes.set_xticks(np.linspace(0, high, 5).tolist())
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=RULE, lw=0.4, zorder=0)
    for end, where, side in ((ends[0], 0, "left"), (ends[1], high, "right")):
        axes.annotate(
            plain(shortened(end, _ROOM / 2, TICK, bold=False)), (where, 0), xycoords=("data", "axes fraction"),
            xytext=(0, -13), textcoords="offset points", ha=side, va="top", size=TICK, color=INK,
        )  # fmt: skip


def _by_title(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(title, rows[rows["title"] == title]) for title in dict.fromkeys(rows["title"])]


def _with_ends(title: str, rows: pd.DataFrame, ends: Sequence[str]) -> str:
    """An item's title, with what its ends mean where these are not those of the most items."""
    own = rows[["left", "right"]].iloc[0]
    return title if tuple(own) == tuple(ends) else f"{title} ({own['left']} to {own['right']})"


def _lines(text: str, room: float) -> list[str]:
    """The text in lines that are at most `room` inches wide."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, NOTE, bold=False) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [shortened(line, room, NOTE, bold=False) for line in lines]
