"""Writings read back from SQLite and PostgreSQL: the server's own records count, and what differs is said."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import insert

from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import StudyError
from crowdloom.studies.reading import read_frame
from crowdloom.studies.reading_writings import read_writings
from crowdloom.studies.tables import Response
from crowdloom.studies.writing_tables import read_writing_table
from tests.studies.analysing.odd import Odd
from tests.studies.coach_studies import CLASSES, NEVER, finished, open_writings
from tests.studies.latent_studies import rows


def test_all_that_was_written_is_read(store: Store, tmp_path: Path) -> None:
    """A row for each trial and two for each drawing, with what the design coaches nobody at."""
    finished(store, tmp_path, 2)
    with store.read() as connection:
        found = read_writings(connection, "writing")
        pd.testing.assert_frame_equal(found.frame, read_frame(connection, "writing"))
    assert len(found.frame) == 16
    assert len(found.attempts) == 32
    assert found.never_coached == list(NEVER)
    assert found.notes == []
    assert found.attempts["attempt"].tolist() == [1, 2] * 16
    coached = found.attempts[found.attempts["coached"]]
    assert set(coached["condition"]) == {"coached"}
    assert set(coached["asked"]) == set(CLASSES) - set(NEVER)
    assert coached["proposal_confidence"].notna().tolist() == [True, False] * (len(coached) // 2)


def changed(writing: dict[str, Any], read: str) -> dict[str, Any]:
    """A writing whose second attempt was read as this class."""
    other = copy.deepcopy(writing)
    sure = [0.0] * len(CLASSES)
    sure[CLASSES.index(read)] = 1.0
    other["attempts"][1]["reading"] |= {"read": read, "probabilities": sure}
    return other


def test_the_server_knows_better_than_the_page(store: Store, tmp_path: Path) -> None:
    """Its last record of both attempts counts; what differs is named, and so is what nobody confirms."""
    study = finished(store, tmp_path, 1)
    same, better, shorter, failed, looked, *_ = given = rows(store, Response)
    said = [one.answer["writing"] for one in given]
    study.read(same, said[0] | {"attempts": said[0]["attempts"][:1]})
    study.read(same, said[0] | {"looks": 3})
    other = next(name for name in CLASSES if name != said[1]["attempts"][1]["reading"]["read"])
    true = changed(said[1], other)
    study.read(better, true)
    study.read(better, changed(said[1], said[1]["asked"]), done=False)
    study.read(shorter, said[2] | {"attempts": said[2]["attempts"][:1]})
    study.read(failed, {}, error="read took longer than its limit of 5 s")
    study.read(looked, {"of": "another version"})
    with store.read() as connection:
        found = read_writings(connection, "writing")
        frame = read_frame(connection, "writing")
    assert found.attempts["replaced"].tolist() == [False, False, True, True] + [False] * 12
    assert found.attempts["looks"].tolist()[:2] == [3, 3]
    assert found.attempts["read"].iloc[3] == other
    assert found.frame["read_after"].iloc[1] == other != frame["read_after"].iloc[1]
    assert found.frame["confidence_after"].iloc[1] == float(other == true["asked"])
    untouched = ["read_before", "similarity", "adopted", "seconds_after"]
    pd.testing.assert_frame_equal(found.frame[untouched], frame[untouched])
    assert [re.sub(r"\w+ in \d-\d", "X", note) for note in found.notes] == [
        "Of 1 writing the page sent something else than the server's own record, which counts: X.",
        "Of 1 writing the server's own record lacks an attempt, so that what the page sent counts: X.",
        "Of 5 writings the server has no record of its own, so that what the page sent counts: X, X, X, X, X.",
    ]


def test_answers_without_a_usable_writing_are_named(store: Store, tmp_path: Path) -> None:
    """Numbers alone count; a record that lacks something is left out with its numbers."""
    study = open_writings(store, tmp_path)
    study.answer(study.arrive("ann"), trials=3)
    ben = study.arrive("ben")
    for given, make in zip(
        rows(store, Response),
        (lambda _: {}, lambda w: {"writing": w | {"asked": "x"}}, lambda w: {"writing": w | {"attempts": []}}),
        strict=True,
    ):
        values = {name: getattr(given, name) for name in ("item_id", "repeat_index", "position", "packed", "rt_ms")}
        values |= {"submission_id": ben.id, "answer": make(given.answer["writing"]), "answered_at": now()}
        with store.write() as connection:
            connection.execute(insert(Response).values(values))
    with store.read() as connection:
        found = read_writings(connection, "writing", "all")
    assert len(found.frame) == 4
    assert len(found.attempts) == 6
    assert [re.sub(r"\w+ in \d-\d", "X", note) for note in found.notes] == [
        "1 answer has no writing beside the numbers, as after the import of a file that had none; their numbers count.",
        "The writing of X is left out: what was asked for is no class of the study.",
        "The writing of X is left out: it has 0 of 2 attempts.",
    ]


def test_tables_to_export(store: Store, tmp_path: Path) -> None:
    """A row for each writing, attempt and point."""
    finished(store, tmp_path, 1)
    with store.read() as connection:
        tables = {
            name: read_writing_table(connection, "writing", name)[0]
            for name in ("writings", "writing-attempts", "writing-points")
        }
    assert [len(tables["writings"]), len(tables["writing-attempts"])] == [8, 16]
    assert tables["writings"]["replaced"].tolist() == [False] * 8
    points = tables["writing-points"]
    answer = rows(store, Response)[0].answer["writing"]
    strokes = answer["attempts"][0]["drawing"]["strokes"]
    first = points[(points["item"] == points["item"].iloc[0]) & (points["attempt"] == 1)]
    assert first[["x", "y", "t_ms"]].to_numpy().tolist() == [point for stroke in strokes for point in stroke]


def test_a_study_of_another_task_has_no_writings(sqlite_store: Store) -> None:
    """Which is said."""
    Odd(sqlite_store, "labels", "soft")
    with sqlite_store.read() as connection, pytest.raises(StudyError, match="soft-label; only coach has writings"):
        read_writings(connection, "labels")
