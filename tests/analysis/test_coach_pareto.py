"""Which weights are worth choosing, and the figure that shows it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crowdloom.analysis.coach_pareto import non_dominated
from crowdloom.analysis.coach_pareto_figure import pareto_figure


def test_non_dominated_is_what_the_definition_says() -> None:
    """One by one: nobody is as low everywhere and lower somewhere."""
    chance = np.random.default_rng(0)
    for _ in range(50):
        costs = chance.integers(0, 4, (chance.integers(1, 12), 3)).astype(float)
        expected = [not any((other <= one).all() and (other < one).any() for other in costs) for one in costs]
        assert non_dominated(costs).tolist() == expected
        assert any(expected)


def settings() -> pd.DataFrame:
    """Two by two weights of one coach, and one trained separately."""
    columns = ["classification", "efficiency", "discriminator", "accuracy", "change", "ink", "best", "trained"]
    rows = [
        [0.0, 0.0, 0.0, 0.95, 0.30, 0.90, True, "once"],
        [1.0, 0.0, 0.0, 0.99, 0.50, 1.10, True, "once"],
        [0.0, 8.0, 0.0, 0.94, 0.35, 0.95, False, "once"],
        [1.0, 8.0, 0.0, 0.98, 0.45, 0.98, True, "once"],
        [1.0, 0.0, 0.0, 0.992, 0.48, 1.05, False, "separately"],
    ]
    return pd.DataFrame(rows, columns=columns)


def test_the_figure_shows_every_setting() -> None:
    """Two panels in per cent; what is not dominated is a dot, what was trained separately hangs on a line."""
    figure = pareto_figure(settings(), "digits")
    above, below = (axes for axes in figure.axes if axes.get_xlabel())
    assert [axes.get_xlabel() for axes in (above, below)] == [
        "change (% of the drawing's ink)",
        "ink (% of the drawing's)",
    ]
    dominated, best = (np.asarray(marks.get_offsets()) for marks in above.collections)
    assert best.tolist() == [[30, 95], [50, 99], [45, 98]]
    assert dominated.tolist() == [[35, 94]]
    line, own = above.lines
    assert np.allclose(line.get_xydata(), [[48, 99.2], [50, 99]])
    assert np.allclose(own.get_xydata(), [[48, 99.2]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "not dominated",
        "dominated",
        "trained separately",
    ]


def test_without_separate_ones_the_legend_has_none() -> None:
    """What is not there is not named."""
    figure = pareto_figure(settings().query("trained == 'once'"), "digits")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["not dominated", "dominated"]
