"""Answers that arrive at the same moment, too late, or from people who do not take part."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.entry import find_entry, refuse
from crowdloom.studies.errors import TrialError
from crowdloom.studies.participation import Designs, leave, read_progress, save_answer
from crowdloom.studies.tables import Response, Submission
from tests.studies.takers import ANSWER, Study
from tests.studies.test_allocation import at_once


def send(study: Study, designs: Designs, token: str, position: int, **changes: Any) -> None:
    """One answer, as the page's form sends it."""
    submission = designs.assigned(token)
    with study.store.write() as connection:
        save_answer(connection, designs, submission, position, ANSWER | changes, rt_ms=None, timing=None)


def stored(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        return list(connection.scalars(select(Response.answer).order_by(Response.id)))


def test_of_answers_sent_at_once_the_first_stands_and_the_others_are_events(store: Store, tmp_path: Path) -> None:
    """Four tabs with four probabilities: one response, three events, nothing lost."""
    study, designs = Study(store, tmp_path), Designs(store)
    token = study.arrive("p")
    at_once(*(partial(send, study, designs, token, 0, top1_probability=number) for number in (10, 20, 30, 40)))
    kept = [answer["top1_probability"] for answer in stored(store)]
    others = [values["answer"]["top1_probability"] for kind, values in study.events(token) if kind == "second_answer"]
    assert len(kept) == 1
    assert sorted(kept + others) == [10, 20, 30, 40]


def test_the_last_answer_sent_twice_at_once_completes_once(store: Store, tmp_path: Path) -> None:
    """One event, one filled place."""
    study, designs = Study(store, tmp_path), Designs(store)
    token = study.arrive("p")
    study.answer(token, 1)
    last = partial(send, study, designs, token, 1)
    at_once(last, last, last)
    assert [kind for kind, _ in study.events(token)].count("completed") == 1
    assert (study.submission(token).state, study.place(token), len(stored(store))) == ("completed", "filled", 2)


def test_an_answer_ahead_is_refused(store: Store, tmp_path: Path) -> None:
    """Only the current trial can be answered."""
    study, designs = Study(store, tmp_path), Designs(store)
    token = study.arrive("p")
    with pytest.raises(TrialError, match="comes later"):
        send(study, designs, token, 1)
    assert stored(store) == []


def test_an_answer_after_leaving_is_refused_and_one_from_before_is_known(store: Store, tmp_path: Path) -> None:
    """Whoever left may come back; until then nothing is added."""
    study, designs = Study(store, tmp_path), Designs(store)
    token = study.arrive("p")
    send(study, designs, token, 0)
    with store.write() as connection:
        leave(connection, read_progress(connection, token))
    send(study, designs, token, 0)
    with pytest.raises(TrialError, match="has ended"):
        send(study, designs, token, 1)
    assert len(stored(store)) == 1


def test_who_refused_can_answer_once_they_have_begun(store: Store, tmp_path: Path) -> None:
    """A process that has seen the refusal learns of the batch that they get later."""
    study, designs = Study(store, tmp_path), Designs(store)
    with store.write() as connection:
        refuse(connection, find_entry(connection, study.posting), "p")
    with store.read() as connection:
        token = connection.execute(select(Submission.token)).scalar_one()
    with pytest.raises(TrialError, match="has not begun"):
        send(study, designs, token, 0)
    assert study.arrive("p") == token
    send(study, designs, token, 0)
    assert len(stored(store)) == 1
