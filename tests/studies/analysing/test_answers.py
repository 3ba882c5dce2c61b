"""The report's parts on answers: of every task, and what they say where answers do not allow it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowdloom.analysis.describe import describe, describe_rows
from crowdloom.analysis.frame import check_frame
from crowdloom.analysis.report import Drawing, Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.answers import Answers, answer_sections
from crowdloom.studies.database import Store
from crowdloom.studies.reading import read_frame
from crowdloom.studies.reading_items import read_items
from crowdloom.tasks import TASKS
from tests.studies.analysing.odd import KINDS, Odd


def answers_of(store: Store, kind: str, *people: str) -> Answers:
    """The answers of these people to a small study."""
    study = Odd(store, kind, kind)
    study.come(*people)
    with store.read() as connection:
        frame, items = read_frame(connection, kind), read_items(connection, kind)
    check_frame(frame, TASKS[KINDS[kind].task].columns, study.design.classes)
    return Answers(KINDS[kind].task, frame, items, study.design.classes, None, 1, 20, lambda items: {})


def tables(sections: list[Section]) -> dict[str, Tabular]:
    """All tables, by the stems of their files."""
    return {block.stem: block for one in sections for block in one.blocks if isinstance(block, Tabular)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_has_its_parts(sqlite_store: Store, kind: str) -> None:
    """Each part is exploratory, its numbers are those of `describe`, and no two files have one name."""
    answers = answers_of(sqlite_store, kind, "ann", "ben", "cem")
    sections = answer_sections(answers)
    assert all(one.exploratory and one.blocks for one in sections)
    titles = [one.title for one in sections]
    assert len(set(titles)) == len(titles)
    # a session judges nothing, and neither does a drawing
    judged = set() if kind in ("session", "writing") else {"Agreement between people", "Noise ceiling"}
    assert {"Answers", "Time", "Figures"} | judged <= set(titles)
    assert ("Conditions compared" in titles) == (kind == "wrong")
    assert ("Beside the reference" in titles) == (kind == "soft")
    blocks = [block for one in sections for block in one.blocks]
    [facts] = [block for block in blocks if isinstance(block, Facts)]
    assert facts.rows == describe_rows(describe(answers.task, answers.frame, answers.items, answers.classes))
    for block_kind in (Tabular, Drawing):
        stems = [block.stem for block in blocks if isinstance(block, block_kind)]
        assert len(stems) == len(set(stems)) > 0


def test_times_are_those_of_the_answers(sqlite_store: Store) -> None:
    """Median and mean seconds by hand; the intervals hold them."""
    answers = answers_of(sqlite_store, "wrong", "ann", "ben", "cem", "dan")
    times = tables(answer_sections(answers))["times"].table.frame
    first = answers.frame.loc[~answers.frame["is_repeat"], "rt_ms"].to_numpy() / 1000
    row = times.iloc[[int(number) == len(first) for number in times["answers"]].index(True)]
    assert (row["median"], row["mean"]) == pytest.approx((np.median(first), first.mean()))
    assert row["mean low"] <= row["mean"] <= row["mean high"]


def test_the_same_answers_have_the_same_intervals(sqlite_store: Store) -> None:
    """Whatever was drawn before; another seed draws others."""
    answers = answers_of(sqlite_store, "infer", "ann", "ben", "cem")
    once, again = (tables(answer_sections(answers)) for _ in range(2))
    other = tables(answer_sections(replace(answers, seed=2)))
    assert list(once) == list(again) == list(other)
    assert all(once[stem].table.frame.equals(again[stem].table.frame) for stem in once)
    assert any(not once[stem].table.frame.equals(other[stem].table.frame) for stem in once)


def test_what_cannot_be_said_is_a_sentence(sqlite_store: Store) -> None:
    """Guesses of items without a prediction: the parts that need it say so, the others are there."""
    answers = answers_of(sqlite_store, "wrong", "ann", "ben")
    lacking = replace(answers, items=answers.items.drop(columns="prediction"))
    sections = {one.title: one for one in answer_sections(lacking)}
    for title in ("Answers", "Conditions compared", "Figures"):
        [block] = sections[title].blocks
        assert isinstance(block, Prose)
        assert "prediction" in block.text
    assert any(isinstance(block, Tabular) for block in sections["Agreement between people"].blocks)


@pytest.mark.parametrize("kind", ["soft", "infer", "wrong"])
def test_what_is_pooled_is_said(sqlite_store: Store, kind: str) -> None:
    """Of several conditions, how many; of one, nothing. Labels are those of soft-label studies alone."""
    answers = answers_of(sqlite_store, kind, "ann", "ben", "cem")
    people = sorted(set(answers.frame["participant"]))
    several = answers.frame.assign(condition=answers.frame["participant"].map(dict(zip(people, "aab", strict=True))))
    told = {}
    for name, frame in (("one", several.assign(condition="a")), ("two", several)):
        sections = answer_sections(replace(answers, frame=frame))
        told[name] = {
            one.title: block.text
            for one in sections
            for block in one.blocks
            if isinstance(block, Prose) and "pool" in block.text
        }
    assert told["one"] == {}
    assert set(told["two"]) == ({"Answers", "Labels"} if kind == "soft" else {"Answers"})
    assert "pool 2 conditions; " in told["two"]["Answers"]
    if kind == "soft":
        assert told["two"]["Labels"] == "Labels pool 2 conditions; crowdloom export holds them apart."


def test_no_answers(sqlite_store: Store) -> None:
    """One section says so."""
    [section] = answer_sections(answers_of(sqlite_store, "choose"))
    [block] = section.blocks
    assert isinstance(block, Prose)
    assert section.exploratory


def test_without_times_and_repeats(sqlite_store: Store) -> None:
    """No answer has a time, and none was repeated: no table of times, no ceiling."""
    answers = answers_of(sqlite_store, "soft", "ann", "ben")
    frame = answers.frame[~answers.frame["is_repeat"]].assign(rt_ms=np.nan).reset_index(drop=True)
    sections = answer_sections(replace(answers, frame=frame))
    assert "times" not in tables(sections)
    assert "Noise ceiling" not in {one.title for one in sections}
    assert "Time" in {one.title for one in sections}
