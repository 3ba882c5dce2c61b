"""The figures of sessions in a latent space: how they learned, and what one interaction did to the picture.

They show what figures 4 and 5 do in Geissler et al., *Human in the Latent Loop (HILL)*. Figures 6 and 7 there are
`questionnaire_figures` of the frame that `by_scenario` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.figure_style import (
    BLUE,
    GREEN,
    INK,
    LABEL,
    NOTE,
    ORANGE,
    RED,
    WIDTH,
    NothingToDrawError,
    finish,
    plain,
    shortened,
)
from crowdloom.analysis.latent_gains import best_and_worst, gains
from crowdloom.analysis.latent_palette import COLOURS, SHAPES, look_of
from crowdloom.tasks.latent_records import BASELINE

MOST = len(COLOURS) * len(SHAPES)
"""Classes that look different from each other."""

DARK, LIGHT = "#BDBDBD", "#E6E6E6"


def learning_figure(curves: pd.DataFrame, interactions: pd.DataFrame) -> Figure:
    """Validation accuracy by epoch, one axes for each scenario: the best and the worst session, baseline, all sessions.

    `curves` and `interactions` are the frames of `latent_frames` and `latent_interactions`. Raises NothingToDrawError
    where there is no session.

    The y axis shows what happened after the pretraining; the first epochs of it may lie below.
    """
    scenarios = list(dict.fromkeys(curves["scenario"]))
    if not scenarios:
        raise NothingToDrawError("there is no session")
    figure = Figure(figsize=(WIDTH, 0.55 + 1.95 * len(scenarios)), facecolor="white", layout="constrained")
    for axes, scenario in zip(figure.subplots(len(scenarios), squeeze=False)[:, 0], scenarios, strict=True):
        own = interactions[interactions["scenario"] == scenario]
        _learning(axes, curves[curves["scenario"] == scenario], own)
        axes.set_title(plain(shortened(scenario, WIDTH - 0.8, LABEL, bold=False)), size=LABEL, color=INK, loc="left")
        finish(axes, "epoch" if scenario == scenarios[-1] else "", "validation accuracy (%)")
    handles = [
        Line2D([], [], color=GREEN, lw=1.4, label="best participant"),
        Line2D([], [], color=ORANGE, lw=1.4, label="worst participant"),
        Line2D([], [], color=BLUE, lw=1.2, ls=(0, (4, 1.5)), label="baseline, mean"),
        Patch(color=LIGHT, label="all participants"),
        Patch(color=DARK, label="pretraining"),
        Line2D([], [], color=RED, lw=0.9, ls=(0, (2, 2)), label="interaction"),
    ]
    if not (curves["source"] == BASELINE).any():
        del handles[2]
    figure.legend(
        handles=handles, loc="outside upper center", ncols=3, fontsize=NOTE, frameon=False, labelcolor=INK,
        handlelength=1.5, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _learning(axes: Axes, curves: pd.DataFrame, interactions: pd.DataFrame) -> None:
    """One scenario's curves."""
    people, alone = (curves[curves["source"] == name] for name in ("person", BASELINE))
    begins = interactions.groupby("submission")["epoch"].min()
    pretraining = int(begins.median()) if len(begins) else int(people["epoch"].max())
    axes.axvspan(1, pretraining, color=DARK, lw=0, alpha=0.55, zorder=0)
    shared = people[people["epoch"] <= pretraining].groupby("epoch")["accuracy"].mean() * 100
    axes.plot(shared.index, shared, color=INK, lw=1.2, zorder=3)
    later = people[people["epoch"] >= pretraining]
    reach = later.groupby("epoch")["accuracy"].agg(["min", "max"]) * 100
    axes.fill_between(reach.index.to_numpy(), reach["min"], reach["max"], color=LIGHT, lw=0, zorder=1)
    for epoch in _shared_epochs(interactions):
        axes.axvline(epoch, color=RED, lw=0.9, ls=(0, (2, 2)), zorder=2)
    best, worst = best_and_worst(gains(curves))
    for row, colour in ((worst, ORANGE), (best, GREEN)):
        if row is not None:
            own = later[later["submission"] == row["submission"]]
            axes.plot(own["epoch"], own["accuracy"] * 100, color=colour, lw=1.4, zorder=4)
    lowest, highest = reach["min"].min(), reach["max"].max()
    if len(alone):
        once = alone[alone["epoch"] >= pretraining].drop_duplicates(["seed", "epoch"])
        mean = once.groupby("epoch")["accuracy"].mean() * 100
        axes.plot(mean.index, mean, color=BLUE, lw=1.2, ls=(0, (4, 1.5)), zorder=5)
        lowest, highest = min(lowest, mean.min()), max(highest, mean.max())
    room = max(highest - lowest, 1.0)
    axes.set_ylim(max(lowest - 0.6 * room, 0.0), highest + 0.08 * room)
    axes.set_xlim(1, curves["epoch"].max())


def _shared_epochs(interactions: pd.DataFrame) -> list[int]:
    """The epochs at which at least half of the sessions had an interaction with a person."""
    asked = interactions[~interactions["without_person"].astype(bool)]
    counts = asked.groupby("epoch")["submission"].nunique()
    return [int(epoch) for epoch in counts.index[counts * 2 >= interactions["submission"].nunique()]]


@dataclass(frozen=True)
class Picture:
    """Where points lay at one stage, and what the network took them for (None where nobody asked it)."""

    x: Floats
    y: Floats
    predictions: Ints | None


@dataclass(frozen=True)
class Pictures:
    """One interaction in pictures: of the same points [N], before, as intended, and after."""

    classes: Sequence[str]
    labels: Ints
    before: Picture
    intended: Picture
    after: Picture


def interaction_figure(pictures: Pictures) -> Figure:
    """Before, intervention and after, side by side, two columns wide, all on the same scale.

    Classes differ in colour and shape, crosses are their centres, a black border marks a point that the network took
    for another class. Raises NothingToDrawError for more classes than look different.
    """
    if len(pictures.classes) > MOST:
        raise NothingToDrawError(f"{len(pictures.classes)} classes are too many to tell apart; {MOST} are possible")
    shown = np.unique(pictures.labels)
    rows = -(-len(shown) // _LEGEND)
    figure = Figure(figsize=(2 * WIDTH, 2.45 + 0.175 * rows), facecolor="white", layout="constrained")
    panels = figure.subplots(1, 3)
    stages = (("before", pictures.before), ("intervention", pictures.intended), ("after", pictures.after))
    middle, half = _square([picture for _, picture in stages])
    for axes, (title, picture) in zip(panels, stages, strict=True):
        _scatter(axes, picture, pictures.labels)
        axes.set_title(title, size=LABEL, color=INK)
        axes.set_xlim(middle[0] - half, middle[0] + half)
        axes.set_ylim(middle[1] - half, middle[1] + half)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set(color=INK, linewidth=0.6)
    handles = [
        Line2D(
            [], [], ls="none", color=look_of(one).fill, marker=_MARKERS[look_of(one).shape], ms=4.8,
            mec=look_of(one).edge, mew=0.4, label=plain(shortened(pictures.classes[one], 0.62, NOTE, bold=False)),
        )
        for one in shown.tolist()
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(_LEGEND, len(shown)), fontsize=NOTE, frameon=False,
        labelcolor=INK, handletextpad=0.1, columnspacing=1.0,
    )  # fmt: skip
    return figure


_LEGEND = 7
"""Names in a line."""


_MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "star": "*",
    "down": "v",
    "hexagon": "h",
}
"""The shapes of `latent_palette` as matplotlib calls them."""


def _square(pictures: Sequence[Picture]) -> tuple[Floats, float]:
    """The middle and half the side of the square around the points of all pictures, with a little room."""
    points = np.concatenate([np.stack([picture.x, picture.y], axis=1) for picture in pictures])
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, float((high - low).max()) * 0.54 or 1.0


def _scatter(axes: Axes, picture: Picture, labels: Ints) -> None:
    size = float(np.clip(900 / np.sqrt(max(len(labels), 1)) / 6, 1.5, 18))
    for number in np.unique(labels).tolist():
        own = labels == number
        look = look_of(number)
        wrong = np.zeros(own.sum(), dtype=bool) if picture.predictions is None else picture.predictions[own] != number
        x, y = picture.x[own], picture.y[own]
        area = size * (1.7 if look.shape == "star" else 0.8 if look.shape in ("square", "diamond") else 1.0)
        for some, edge, width in ((~wrong, look.edge, 0.3), (wrong, "black", 0.8)):
            axes.scatter(
                x[some], y[some], s=area, color=look.fill, marker=_MARKERS[look.shape], edgecolors=edge,
                linewidths=width, alpha=0.85, rasterized=len(labels) > 2000, zorder=2,
            )  # fmt: skip
        for width, colour in ((3.0, "white"), (1.6, look.edge)):
            axes.plot(x.mean(), y.mean(), marker="x", ms=6.5 + width / 3, mew=width, color=colour, ls="none", zorder=3)


def by_scenario(questionnaires: pd.DataFrame, scenarios: Sequence[str] = ()) -> pd.DataFrame:
    """The answers to questionnaires that were asked after each item, with the item in the place of the condition.

    So the tables and figures of `questionnaires` and `questionnaire_figures` tell scenarios apart. Each item's answers
    of a submission become a submission of their own; conditions are pooled. The items are in the order of `scenarios`,
    their keys; others come after these. `questionnaires` has the column `after_item`: the key of the item after which
    it was asked, None where it was asked once.
    """
    asked = questionnaires[questionnaires["after_item"].notna()]
    answered = set(asked["after_item"])
    order = [key for key in dict.fromkeys([*scenarios, *sorted(answered)]) if key in answered]
    return asked.assign(
        condition=pd.Categorical(asked["after_item"], order, ordered=True),
        submission=asked["submission"] + " " + asked["after_item"].astype(str),
        after_item=None,
    )
