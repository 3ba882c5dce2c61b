"""The figures of sessions in a latent space: what they show, and that nothing is cut off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from crowdloom.analysis.figure_style import GREEN, ORANGE, RED, WIDTH, NothingToDrawError
from crowdloom.analysis.latent_figures import (
    MOST,
    Picture,
    Pictures,
    by_scenario,
    interaction_figure,
    learning_figure,
)
from crowdloom.analysis.latent_frames import curves
from crowdloom.analysis.latent_interactions import interactions
from crowdloom.analysis.questionnaire_figures import scales_figure, tlx_figure
from crowdloom.analysis.questionnaires import questionnaire_tables
from crowdloom.tasks.questionnaires import INSTRUMENTS
from tests.analysis.latent_sessions import baselines_of, session
from tests.analysis.test_figures import cut_off

SOME = [session(number, gain=0.02 * number) for number in range(4)]
LONG = "a scenario with an uncommonly long name, of $n$ classes and more"


def test_best_worst_and_baseline_are_drawn_with_the_interactions() -> None:
    """In percent; dashed lines at 25, 30, 35 and 40."""
    figure = learning_figure(curves(SOME, baselines_of(SOME)), interactions(SOME))
    (axes,) = figure.axes
    by_colour = {line.get_color(): line for line in axes.lines if len(line.get_xdata()) > 2}
    best, worst = by_colour[GREEN], by_colour[ORANGE]
    finals = [one.last.accuracy * 100 for one in SOME]
    assert (best.get_ydata()[-1], worst.get_ydata()[-1]) == pytest.approx((max(finals), min(finals)))
    assert best.get_xdata().tolist() == list(range(25, 46))
    upright = [line.get_xdata()[0] for line in axes.lines if line.get_color() == RED]
    assert upright == [25, 30, 35, 40]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "best participant",
        "worst participant",
        "baseline, mean",
        "all participants",
        "pretraining",
        "interaction",
    ]
    assert not cut_off(figure)


def test_a_scenario_has_an_axes_of_its_own() -> None:
    """One below the other, long names shortened; without baselines there is no word of them."""
    some = [*SOME, session(9, scenario=LONG)]
    figure = learning_figure(curves(some), interactions(some))
    assert len(figure.axes) == 2
    assert figure.get_figwidth() == WIDTH
    assert "baseline, mean" not in [text.get_text() for text in figure.legends[0].get_texts()]
    assert not cut_off(figure)


def test_one_session_without_any_interaction() -> None:
    """It can be drawn, best and worst at once."""
    some = [session(0, ())]
    assert not cut_off(learning_figure(curves(some), interactions(some)))
    with pytest.raises(NothingToDrawError, match="no session"):
        learning_figure(curves([]), interactions([]))


def pictures(classes: int = 13, points: int = 130) -> Pictures:
    """Random ones; before, every tenth point was taken for class 0, and after none."""
    rng = np.random.default_rng(3)
    labels = np.arange(points) % classes
    x, y = rng.normal(0, 1, (2, points))
    wrong = np.where(np.arange(points) % 10 == 0, 0, labels)
    names = [f"{LONG} {number}" for number in range(classes)]
    return Pictures(
        names, labels, Picture(x, y, wrong), Picture(x / 2, y / 2, None), Picture(x * 0.8, y * 0.8, labels.copy())
    )


@pytest.mark.parametrize(("classes", "points"), [(2, 2), (3, 90), (13, 130), (MOST, 2500)])
def test_three_pictures_of_the_same_points_on_one_scale(classes: int, points: int) -> None:
    """Every point is in each; black borders where the network was wrong."""
    given = pictures(classes, points)
    figure = interaction_figure(given)
    assert [axes.get_title() for axes in figure.axes] == ["before", "intervention", "after"]
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1
    for axes, picture in zip(figure.axes, (given.before, given.intended, given.after), strict=True):
        drawn = [one for one in axes.collections if isinstance(one, PathCollection)]
        assert sum(len(one.get_offsets()) for one in drawn) == points
        wrong = 0 if picture.predictions is None else int((picture.predictions != given.labels).sum())
        black = [one for one in drawn if len(one.get_edgecolor()) and to_hex(one.get_edgecolor()[0]) == "#000000"]
        assert sum(len(one.get_offsets()) for one in black) == wrong
    assert not cut_off(figure)


def test_points_that_all_lie_in_one_place_can_be_drawn() -> None:
    """The square around them has a side all the same."""
    none = Picture(np.zeros(4), np.zeros(4), None)
    figure = interaction_figure(Pictures(["a", "b"], np.array([0, 0, 1, 1]), none, none, none))
    assert figure.axes[0].get_xlim() == (-1, 1)


def test_too_many_classes_are_not_drawn() -> None:
    """With a sentence."""
    with pytest.raises(NothingToDrawError, match=f"{MOST + 1} classes are too many to tell apart"):
        interaction_figure(pictures(MOST + 1, MOST + 1))


def questionnaires(people: int = 5) -> pd.DataFrame:
    """Answers after each of two scenarios, and once after the study."""
    rng = np.random.default_rng(1)
    rows = []
    for person in range(people):
        for after in ("digits", "signals"):
            for item in INSTRUMENTS["nasa-tlx"].items:
                rows.append((f"s{person}", 1, "nasa-tlx", item.name, item.text, rng.integers(0, 21), after))
            for number in range(1, 8):
                rows.append((f"s{person}", 2, "scales", f"Q{number}", "It helped.", rng.integers(0, 101), after))
        rows.append((f"s{person}", 3, "scales", "Q1", "It was long.", 50, None))
    names = ["submission", "questionnaire", "instrument", "item", "text", "value", "after_item"]
    frame = pd.DataFrame(rows, columns=names).assign(about=None, kind="item", left="low", right="high")
    return frame.assign(participant=frame["submission"], condition="default", value=frame["value"].astype(float))


def test_questionnaires_are_told_apart_by_scenario() -> None:
    """Those asked once are left out; n counts people."""
    found = by_scenario(questionnaires())
    assert set(found["condition"]) == {"digits", "signals"}
    assert set(found["questionnaire"]) == {1, 2}
    tables = questionnaire_tables(found)
    assert [list(table.frame)[:4] for table in tables] == [["n digits", "mean digits", "sd digits", "n signals"]] * 2
    assert tables[0].frame["n digits"].tolist() == [5] * 7
    for figure in (tlx_figure(found), scales_figure(found)):
        names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        assert names == ["digits, n = 5", "signals, n = 5"]
        assert not cut_off(figure)
