"""Scores, means by condition and figures of questionnaires."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.figure_style import SERIES, WIDTH, NothingToDrawError
from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.questionnaire_figures import scales_figure, tlx_figure
from crowdloom.analysis.questionnaires import (
    COLUMNS,
    check_questionnaires,
    questionnaire_tables,
    questionnaires_of,
    ratings_table,
    scores,
    with_scores,
)
from crowdloom.tasks.questionnaires import Questionnaire, questionnaire
from tests.analysis.test_figures import cut_off

UMUX = questionnaire("umux-lite", system="the tool")
TLX = questionnaire("nasa-tlx")
SCALES = questionnaire("scales", statements=["It helped me.", "It cost $5 and $6."], left="no", right="yes")
ASKED = {1: UMUX, 2: TLX, 3: SCALES}


def answered(condition: str, submission: str, **ratings: Any) -> list[tuple[Any, ...]]:
    """The rows of one submission; `ratings` are those of each instrument, in the order of its items."""
    rows = []
    for number, asked in ASKED.items():
        name = asked.instrument.name
        for item, value in zip(asked.items, ratings.get(name.replace("-", "_"), ()), strict=False):
            about = (submission, f"p {submission}", condition, number, name, asked.about, "item")
            rows.append((*about, item.name, item.text, item.left, item.right, float(value)))
    return rows


def frame(*rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """A long frame of these."""
    return pd.DataFrame([row for part in rows for row in part], columns=list(COLUMNS)).astype({"value": float})


def crowd(conditions: tuple[str, ...] = ("CIFAR-10", "PAMAP2"), n: int = 6) -> pd.DataFrame:
    """n people in each condition who answered everything."""
    rng = np.random.default_rng(4)

    def ratings(asked: Questionnaire) -> list[int]:
        scale = asked.instrument
        return rng.integers(scale.low, scale.high + 1, len(asked.items)).tolist()

    return frame(
        *(
            answered(c, f"{c} {k}", umux_lite=ratings(UMUX), nasa_tlx=ratings(TLX), scales=ratings(SCALES))
            for c in conditions
            for k in range(n)
        )
    )


def test_scores_by_hand() -> None:
    """One of each answer, beside its items; what lacks an item has none, and scales never have one."""
    found = scores(
        frame(
            answered("a", "s1", umux_lite=(6, 7), nasa_tlx=(1, 2, 3, 4, 5, 6), scales=(3, 4)),
            answered("a", "s2", umux_lite=(1,), nasa_tlx=(20,) * 6),
        )
    )
    assert list(zip(found["submission"], found["score"], found["value"], strict=True)) == [
        ("s1", "sus_parity", pytest.approx(0.65 * 11 * 100 / 12 + 22.9)),
        ("s1", "total", 21),
        ("s2", "total", 120),
    ]


def test_scores_are_added_once() -> None:
    """A frame that has them already comes to the same; so does one whose rows are shuffled."""
    whole = with_scores(crowd())
    pd.testing.assert_frame_equal(with_scores(whole), whole)
    assert whole["kind"].value_counts().to_dict() == {"item": 12 * 10, "score": 12 * 2}
    shuffled = scores(whole.sample(frac=1, random_state=1)).set_index(["submission", "score"])["value"].sort_index()
    pd.testing.assert_series_equal(
        shuffled, scores(whole).set_index(["submission", "score"])["value"].sort_index(), check_like=True
    )


def test_means_by_condition() -> None:
    """n, mean and standard deviation, by hand; a single answer has no deviation, and a condition without is 0."""
    given = frame(
        answered("a", "s1", nasa_tlx=(2, 0, 0, 0, 0, 0)),
        answered("a", "s2", nasa_tlx=(4, 0, 0, 0, 0, 0)),
        answered("b", "s3", nasa_tlx=(9, 1, 1, 1, 1, 1)),
        answered("c", "s4", umux_lite=(4, 4)),
    )
    found = dict(questionnaires_of(given))
    assert list(found) == [
        "Questionnaire 1, umux-lite about the tool, 1 to 7",
        "Questionnaire 2, nasa-tlx about the task, 0 to 20",
    ]
    table = ratings_table(list(found.values())[1])
    assert table.index.tolist()[0] == "Mental demand"
    assert table.index.tolist()[-1] == "total (0 to 120)"
    assert table.loc["Mental demand"].tolist()[:4] == [2, 3, pytest.approx(np.sqrt(2)), 1]
    assert table.loc["total (0 to 120)", ["mean a", "mean b"]].tolist() == [3, 14]
    assert np.isnan(table["sd b"]).all()
    assert ratings_table(next(iter(found.values()))).columns.tolist() == ["n", "mean", "sd"]


def test_tables_show_no_nan() -> None:
    """What is not defined is a dash, None in JSON; statements stand there in full."""
    tables = questionnaire_tables(crowd(n=1))
    assert [table.title.split(",")[1].split()[0] for table in tables] == ["umux-lite", "nasa-tlx", "scales"]
    for table in tables:
        assert "nan" not in table.lines().lower()
        assert "–" in table.lines()
        assert all(row["sd PAMAP2"] is None for row in table.records())
    assert "q2: It cost $5 and $6." in tables[2].lines()
    assert "SUS parity (22.9 to 87.9)" in tables[0].lines()


def test_titles_say_what_n_counts() -> None:
    """People, who may come again in another condition; submissions where somebody came twice in one."""
    once = crowd(("a", "b"), 2)
    assert all(": n people, mean and" in table.title for table in questionnaire_tables(once))
    both = once.assign(participant=[f"p {name[-1]}" for name in once["submission"]])
    assert all(": n people, mean and" in table.title for table in questionnaire_tables(both))
    twice = once.assign(participant=["ann" if name[0] == "a" else name for name in once["submission"]])
    for table in questionnaire_tables(twice):
        assert ": n submissions (by 3 people), mean and standard deviation by condition" in table.title
        assert table.frame["n a"].tolist() == [2] * len(table.frame)


def test_versions_that_asked_something_else_are_kept_apart() -> None:
    """The second questionnaire about another task, and another statement, are other rows."""
    one, other = crowd(("a",), 2), crowd(("a",), 2)
    other["submission"] += " later"
    other.loc[other["questionnaire"] == 2, "about"] = "sorting"
    other.loc[other["item"] == "q1", "text"] = "It helped us."
    tables = questionnaire_tables(pd.concat([one, other], ignore_index=True))
    assert [len(table.frame) for table in tables] == [3, 7, 7, 3]
    assert tables[3].frame["n"].tolist() == [2, 4, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns=["text", "left"]), "lacks the columns text, left"),
        (lambda f: f.assign(instrument="sus"), "no instrument is called 'sus'"),
        (lambda f: f.assign(value=np.nan), "column value: every row needs a number"),
        (lambda f: f.assign(value="much"), "column value: every row needs a number"),
        (lambda f: pd.concat([f, f]), "column item: it stands there twice"),
    ],
)
def test_frames_that_break_the_contract(change: Any, message: str) -> None:
    """They are refused with what is wrong."""
    with pytest.raises(FrameError, match=message):
        check_questionnaires(change(crowd(n=1)))


def test_nothing_answered() -> None:
    """No table, no score, and figures that say that there is nothing to draw."""
    empty = frame()
    assert (questionnaire_tables(empty), len(scores(empty))) == ([], 0)
    for draw, name in ((tlx_figure, "nasa-tlx"), (scales_figure, "scales")):
        with pytest.raises(NothingToDrawError, match=f"nobody answered the instrument {name}"):
            draw(empty)
    with pytest.raises(NothingToDrawError, match="nobody answered the instrument scales as questionnaire 2"):
        scales_figure(crowd(), 2)
    with pytest.raises(NothingToDrawError, match="6 conditions are too many"):
        tlx_figure(crowd(tuple("abcdef"), 1))


@pytest.mark.parametrize("conditions", [("a",), ("CIFAR-10", "PAMAP2"), ("$x$", "_b", "c" * 60)])
@pytest.mark.parametrize("draw", [tlx_figure, scales_figure])
@pytest.mark.parametrize("n", [1, 14])
def test_figures_show_every_rating(draw: Any, conditions: tuple[str, ...], n: int) -> None:
    """All ratings are dots, all means symbols, on the instrument's scale; nothing is cut off."""
    given = crowd(conditions, n)
    figure = draw(given)
    (axes,) = figure.axes
    name, high, items = ("nasa-tlx", 20, 6) if draw is tlx_figure else ("scales", 100, 2)
    drawn = np.concatenate([np.asarray(dots.get_offsets())[:, 0] for dots in axes.collections])
    assert sorted(drawn) == sorted(given.loc[given["instrument"] == name, "value"])
    assert axes.get_xticks()[-1] == high
    rows = given[given["instrument"] == name].groupby(["condition", "item"])["value"].mean()
    marks = [
        line.get_xdata()[0] for line in axes.lines if line.get_marker() in ("o", "s", "^") and len(line.get_xdata())
    ]
    assert sorted(marks) == pytest.approx(sorted(rows))
    assert len(marks) == items * len(conditions)
    assert figure.get_size_inches()[0] == WIDTH
    assert not cut_off(figure)
    assert len(conditions) <= len(SERIES)


def test_figures_name_items_and_ends() -> None:
    """Statements in full, in several lines where they are long; ends that differ stand beside their item."""
    texts = [text.get_text() for text in tlx_figure(crowd()).axes[0].texts]
    assert texts == [
        "Mental demand", "Physical demand", "Temporal demand", "Performance (good to poor)", "Effort", "Frustration",
        "very low", "very high",
    ]  # fmt: skip
    given = crowd()
    given.loc[given["item"] == "q1", "text"] = "A statement " + "that goes on and on " * 6
    texts = [text.get_text() for text in scales_figure(given).axes[0].texts]
    assert texts[0].count("\n") >= 2
    assert texts[1:] == [r"q2: It cost \$5 and \$6.", "no", "yes"]
    assert not cut_off(scales_figure(given))


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also the dots, which are spread."""
    for name in ("a.svg", "b.svg"):
        save_figure(tlx_figure(crowd()), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
