"""Seconds per answer by the kind of information, against NumPy on the resampled answers themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.bootstrap import draw_counts
from crowdloom.analysis.figure_style import WIDTH, NothingToDrawError
from crowdloom.analysis.times import KINDS, time_spent, times_table
from crowdloom.analysis.times_figures import times_figure
from tests.analysis.frames import frame_of, response
from tests.analysis.mixed_frames import answered, task_frame
from tests.analysis.test_figures import cut_off

Rng = np.random.default_rng


def random_frame(people: int, seed: int) -> pd.DataFrame:
    """Each person answers 1 to 9 items at a speed of their own; ties are common."""
    rng, rows = Rng(seed), []
    for person in range(people):
        speed = rng.lognormal(1, 0.5)
        for item in range(rng.integers(1, 10)):
            rows.append(response(f"s{person}", f"i{item}", "ant", rt_ms=1000 * round(speed * rng.lognormal(0, 0.6))))
    return frame_of(rows)


def test_kinds_of_soft_labels() -> None:
    """A second class counts as soon as it is named; ticks count from the first; repeats are a kind of their own."""
    frame = frame_of(
        [
            response("s", "v", "ant", rt_ms=1000),
            response("t", "v", "ant", rt_ms=5000),
            response("s", "w", "ant", "bee", rt_ms=2000),
            response("s", "x", "ant", impossible=("cow",), rt_ms=3000),
            response("s", "y", "ant", "bee", p2=10, impossible=("cow",), rt_ms=4000),
            response("s", "z", "ant"),
            response("s", "v", "ant", repeat=1, rt_ms=500),
        ]
    )
    found = {one.kind: one for one in time_spent("soft-label", frame, Rng(0), 20)}
    assert {kind: (one.answers, one.median) for kind, one in found.items()} == {
        "most probable class only": (2, 3.0),
        "most probable and second class": (1, 2.0),
        "most probable and impossible classes": (1, 3.0),
        "most probable, second and impossible classes": (1, 4.0),
        "all first answers": (5, 3.0),
        "all repeats": (1, 0.5),
        "all answers": (6, 2.5),
    }
    assert found["all answers"].mean == pytest.approx(15.5 / 6)
    assert found["most probable and second class"].median_low is None
    assert "One person" in str(found["most probable and second class"].problem)
    assert found["all first answers"].problem is None


@pytest.mark.parametrize("people", [2, 30, 300])
def test_intervals_are_those_of_the_answers_of_the_people_drawn(people: int) -> None:
    """Median and mean of each resample, with all answers written out as often as their person was drawn."""
    frame = random_frame(people, seed=people)
    (one, *_) = time_spent("soft-label", frame, Rng(4), 100)
    person, seconds = pd.factorize(frame["participant"])[0], frame["rt_ms"].to_numpy() / 1000
    resampled = [np.repeat(seconds, counts.astype(int)[person]) for counts in draw_counts(people, 100, Rng(4))]
    medians, means = np.array([(np.median(some), some.mean()) for some in resampled]).T
    assert (one.median, one.mean) == pytest.approx((np.median(seconds), seconds.mean()))
    assert (one.median_low, one.median_high) == pytest.approx(tuple(np.quantile(medians, [0.025, 0.975])))
    assert (one.mean_low, one.mean_high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_medians_far_from_the_middle_are_found_too() -> None:
    """One of a hundred people gave half of the answers, all slow: how often they are drawn moves the median far."""
    rows = [response("slow", f"i{item}", "ant", rt_ms=9000 + item) for item in range(99)]
    frame = frame_of([*rows, *(response(f"s{n}", "i0", "ant", rt_ms=1000 + n) for n in range(99))])
    (one, *_) = time_spent("soft-label", frame, Rng(4), 100)
    person, seconds = pd.factorize(frame["participant"])[0], frame["rt_ms"].to_numpy() / 1000
    resampled = [np.repeat(seconds, counts.astype(int)[person]) for counts in draw_counts(100, 100, Rng(4))]
    medians = [np.median(some) for some in resampled]
    ranks = [np.mean(seconds < median) for median in medians]
    assert min(ranks) < 0.3  # below the middle two fifths, in which they are looked for first
    assert (one.median_low, one.median_high) == pytest.approx(tuple(np.quantile(medians, [0.025, 0.975])))


def test_kinds_of_the_other_tasks() -> None:
    """What was asked for of a mix; of a wrong label, what was shown."""
    mixing = task_frame(
        "mixing-coefficient",
        [
            answered("a", "x", inferred=0.5, rt_ms=1000),
            answered("b", "x", inferred=0.5, confidence=70, rt_ms=3000),
            answered("c", "x", midpoint=0.4, rt_ms=9000),
        ],
    )
    kinds = [one.kind for one in time_spent("mixing-coefficient", mixing, Rng(0), 10)]
    assert kinds[:3] == ["inferred coefficient only", "inferred coefficient and confidence", "midpoint"]
    wrong = task_frame("wrong-label", [answered(c, "x", choice="ant", condition=c, rt_ms=1000) for c in ("Int", "No")])
    assert [one.kind for one in time_spent("wrong-label", wrong, Rng(0), 10)][:2] == ["choice, Int", "choice, No"]


@pytest.mark.parametrize("task", list(KINDS))
def test_without_answers_or_times_there_is_a_sentence(task: str) -> None:
    """No number, no NaN, no figure."""
    empty = frame_of([]) if task == "soft-label" else task_frame(task, [])
    found = time_spent(task, empty, Rng(0), 10)
    assert [one.kind for one in found] == ["all first answers", "all repeats", "all answers"]
    assert all(one.median is None and one.problem for one in found)
    assert "nan" not in times_table(found).lines().lower()
    with pytest.raises(NothingToDrawError, match="no answer says how long"):
        times_figure(found)


def test_an_answer_without_a_time() -> None:
    """It is there, but it does not count."""
    (only, *_) = time_spent("soft-label", frame_of([response("s", "x", "ant")]), Rng(0), 10)
    assert (only.answers, only.median, only.problem) == (0, None, "No such answer says how long it took.")


def test_the_figure_shows_every_kind() -> None:
    """Two markers for each, no text cut off."""
    figure = times_figure(time_spent("soft-label", random_frame(8, 1), Rng(0), 30))
    (axes,) = figure.axes
    assert figure.get_figwidth() == WIDTH
    assert not cut_off(figure)
    named = [text.get_text().split("\n")[0] for text in axes.get_yticklabels()]
    assert named == ["most probable class only", "all first answers", "all answers"]
    assert len(axes.containers) == 2
