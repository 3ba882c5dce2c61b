"""Sessions in a latent space and the pictures of their interactions, read back from SQLite and PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.errors import StudyError
from crowdloom.studies.participation import Assigned
from crowdloom.studies.reading_sessions import read_pictures, read_sessions
from crowdloom.studies.tables import Item, Job, Response
from crowdloom.tasks.latent_records import SessionState
from tests.studies.analysing.odd import Odd
from tests.studies.latent_studies import Loops, open_loops, rows


def finish(loops: Loops, *people: str) -> list[Assigned]:
    """These people go through both scenarios; those with one letter through one alone."""
    arrived = []
    for person in people:
        submission = loops.arrive(person)
        for seed in range(1 if len(person) == 1 else 2):
            loops.answer(submission, "compactness", seed)
        arrived.append(submission)
    return arrived


def test_sessions_come_in_the_order_of_their_submissions(store: Store, tmp_path: Path) -> None:
    """Each with its record; of those who have not finished only where all answers are asked for."""
    loops = open_loops(store, tmp_path)
    finish(loops, "ann", "b", "cem")
    with store.read() as connection:
        everything = read_sessions(connection, "loops", "all")
        accepted = read_sessions(connection, "loops")
    assert len(everything.sessions) == 5
    assert len(accepted.sessions) == 4
    assert not everything.unusable
    names = [one.submission for one in everything.sessions]
    assert names[0] == names[1] != names[2] != names[3] == names[4]
    for one in everything.sessions:
        assert one.item == one.record.scenario
        assert len(one.record.interactions) == 2
        assert one.study == "loops"


def test_an_answer_that_is_no_session_is_named_and_left_out(store: Store, tmp_path: Path) -> None:
    """One without a session, one that lacks a field, one that contradicts itself; the others are there."""
    loops = open_loops(store, tmp_path)
    finish(loops, "ann")
    given, _ = rows(store, Response)
    session = given.answer["session"]
    for answer in (
        {},
        {"session": session | {"curve": session["curve"][:-1]}},
        {"session": {name: value for name, value in session.items() if name != "seed"}},
    ):
        values = {name: getattr(given, name) for name in ("item_id", "repeat_index", "position", "packed", "rt_ms")}
        values |= {"submission_id": loops.arrive(new_token()).id, "answer": answer, "answered_at": now()}
        with store.write() as connection:
            connection.execute(insert(Response).values(values))
    with store.read() as connection:
        found = read_sessions(connection, "loops", "all")
    assert len(found.sessions) == 2
    said = [re.sub("The session of .* in (digits|signals)", "One", why) for why in found.unusable]
    assert said == [
        "One is left out: the curve has 34 epochs, and not the 35 that were trained.",
        "One is left out: it lacks what one has.",
        "1 answer has no session beside the numbers, as after the import of a release that had none.",
    ]


def without(session: dict[str, Any], interactions: int) -> dict[str, Any]:
    """A record as it was before the last so many interactions."""
    kept = session["interactions"][: len(session["interactions"]) - interactions]
    reached = kept[-1]["epoch"] + kept[-1]["epochs"] if kept else session["pretraining"]
    return session | {"interactions": kept, "curve": session["curve"][:reached]}


def test_the_server_knows_better_than_the_page(store: Store, tmp_path: Path) -> None:
    """Its last record of a trial counts; what differs is said and named, and so is what nobody trained."""
    loops = open_loops(store, tmp_path)
    finish(loops, "ann", "ben", "cem")
    same, better, shorter, never, unread, alone = rows(store, Response)
    said = [one.answer["session"] for one in (same, better, shorter, never, unread)]
    loops.trained(same, without(said[0], 2), "open")
    loops.trained(same, said[0])
    loops.trained(same, without(said[0], 1), state="failed")
    true = said[1] | {"curve": [*said[1]["curve"][:-1], said[1]["curve"][-1] | {"accuracy": 0.25}]}
    loops.trained(better, true)
    loops.trained(shorter, without(said[2], 1))
    loops.trained(never, without(said[3], 2), "open")
    loops.trained(unread, {"of": "another version"})
    with store.read() as connection:
        found = read_sessions(connection, "loops")
    assert [one.replaced for one in found.sessions] == [False, True, True, False, False]
    assert found.sessions[0].record.model_dump(mode="json") == said[0]
    assert found.sessions[1].record.curve[-1].accuracy == 0.25
    assert len(found.sessions[2].record.interactions) == 1
    notes = [re.sub(r"\S+ in (digits|signals)", "X", note) for note in found.notes()]
    assert notes == [
        "Of 2 sessions the page sent something else than the server's own record, which counts: X, X.",
        "Of 2 sessions the server has no record of its own, so that what the page sent counts: X, X.",
        "The session of X is left out: its page sent 2 interactions, of which the server trained none.",
    ]
    assert found.sessions[1].submission in found.notes()[0]
    assert found.sessions[1].item in found.notes()[0]
    assert alone.answer["session"]["seed"] == found.sessions[4].record.seed


def test_a_study_of_another_task_has_no_sessions(sqlite_store: Store) -> None:
    """Which is said."""
    Odd(sqlite_store, "labels", "soft")
    with sqlite_store.read() as connection, pytest.raises(StudyError, match="soft-label; only latent-session has"):
        read_sessions(connection, "labels")


def state_after(record: Any, number: int) -> SessionState:
    """The output of the training of interaction `number`, of two points."""
    interactions = record.interactions[:number]
    return SessionState(
        scenario=record.scenario, title="", kind="image", classes=record.classes, number=number + 1, interactions=2,
        epoch=25 + 5 * number, epochs=35, epochs_each=5, x=[0.5, number], y=[1, 2], labels=[0, 1], predictions=[0, 0],
        class_accuracy=[None] * 4, confusion=[], seconds_left=9,
        before={"x": [3, 4], "y": [5, 6], "intended_x": [7, 8], "intended_y": [9, 10], "predictions": [1, 1],
                "class_accuracy": [], "confusion": []},
        record=record.model_copy(update={"interactions": interactions}),
    )  # fmt: skip


def test_pictures_are_those_of_the_job_that_trained(store: Store, tmp_path: Path) -> None:
    """Of the session and interaction that is asked for; a failed job and one of another trial do not count."""
    loops = open_loops(store, tmp_path)
    ann, ben = finish(loops, "ann", "ben")
    with store.read() as connection:
        sessions = read_sessions(connection, "loops", "all").sessions
    mine = next(one for one in sessions if one.submission == ann.pseudonym)
    position = 0 if loops_item(loops, ann, 0) == mine.item else 1

    def train(submission: Assigned, number: int, place: int, state: str = "done", **wrong: Any) -> None:
        output = state_after(mine.record, number).model_dump(mode="json") | wrong
        values = {"token": new_token(), "submission_id": submission.id, "task": "latent-session", "step": "train"}
        values |= {"trial": loops.trial_id(submission, place), "input": {}, "time_limit_s": 60.0, "created_at": now()}
        with store.write() as connection:
            connection.execute(insert(Job).values(**values, state=state, output=output))

    train(ann, 1, position)
    train(ann, 2, position, state="failed")
    train(ann, 1, 1 - position, x=[100, 100])
    train(ben, 1, position, x=[200, 200])
    train(ann, 1, position, labels="of another version")
    with store.read() as connection:
        found = read_pictures(connection, mine, 1)
        assert read_pictures(connection, mine, 2) is None
    assert found is not None
    assert found.before.x.tolist() == [3, 4]
    assert found.before.predictions is not None
    assert found.before.predictions.tolist() == [1, 1]
    assert (found.intended.y.tolist(), found.intended.predictions) == ([9, 10], None)
    assert (found.after.x.tolist(), found.labels.tolist()) == ([0.5, 1], [0, 1])
    assert list(found.classes) == mine.record.classes


def loops_item(loops: Loops, submission: Assigned, position: int) -> str:
    """The scenario at a position of a submission."""
    token = loops.trial_id(submission, position).rpartition(".")[0]
    with loops.store.read() as connection:
        return connection.scalars(select(Item.key).where(Item.token == token)).one()
