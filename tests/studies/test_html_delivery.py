"""Answers that come back with the assignment: stored once, dropped with a reason, and everybody can be paid."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.paying import owe_rewards, pay
from crowdloom.studies.reconciling import reconcile
from crowdloom.studies.review import approve_passing, completed, reject, review
from crowdloom.studies.tables import Exclusion, RemoteSubmission, Response, Submission
from crowdloom.tasks import TASKS
from tests.studies.conftest import Publish
from tests.studies.published import Comer, OnLink, Published
from tests.studies.takers import ANSWER

pytestmark = pytest.mark.slow

HTML: dict[str, Any] = {
    "mturk": {"delivery": "html"},
    "comprehension": {
        "attempts": 1,
        "questions": [{"question": "Whose?", "options": ["Mine", "Others'"], "correct": "Mine"}],
    },
}


def hand_in(study: Published, worker: str | None = None, listing: Any = None, **changes: Any) -> Comer:
    """A worker accepts a HIT and hands in what its page posts; `changes` replace fields."""
    comer: Comer = study.accept(worker, listing)  # type: ignore[attr-defined]
    fields = {
        "order": [[0, 0]],
        "classes": [0, 1, 2],
        "checks_failed": 0,
        "consent": {"fields": {}},
        "check": {"fields": {"question-0": ["Mine"]}},
        "trial.0.0": {"fields": TASKS["soft-label"].form(ANSWER), "timing": {"rt_ms": 900}},
    }
    posted = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in (fields | changes).items()
    }
    study.market.submit(comer.remote, posted)  # type: ignore[attr-defined]
    return comer


def submissions(store: Store) -> list[tuple[str, bool]]:
    """State and surplus of every submission, oldest first."""
    with store.read() as connection:
        return [
            tuple(row)
            for row in connection.execute(select(Submission.state, Submission.surplus).order_by(Submission.id))
        ]  # type: ignore[misc]


def reasons(store: Store) -> list[str]:
    """Why submissions are left out."""
    with store.read() as connection:
        return list(connection.scalars(select(Exclusion.reason)))


def answers(store: Store) -> int:
    """How many responses are stored."""
    with store.read() as connection:
        return len(connection.scalars(select(Response.id)).all())


def pay_all(study: Published, *codes: str) -> None:
    """Approve these (else all that pass) and pay."""
    with study.store.write() as connection:
        for code in codes:
            review(connection, study.design.name, code, "approved")
        if not codes:
            approve_passing(connection, study.design.name)
        owe_rewards(connection, study.posted)
    pay(study.store, study.posted, study.account)


def test_answers_are_imported_once_and_fill_a_place(store: Store, on_mturk: Publish) -> None:
    """However often the platform is asked."""
    study = on_mturk(store, **HTML)
    done = hand_in(study)
    assert [study.poll().imported for _ in range(3)] == [1, 0, 0]
    assert (submissions(store), answers(store), reasons(store)) == ([("completed", False)], 1, [])
    assert study.remotes() == {(done.remote, done.person): "submitted"}
    pay_all(study)
    assert study.paid(done) == [("reward", 120)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["duplicate", "excluded"])
def test_who_may_not_answer_is_dropped_and_paid(sqlite_store: Store, on_mturk: Publish, kind: str) -> None:
    """Nobody could be kept out beforehand: their answers are no responses, fill no place, and have their reason."""
    first = on_mturk(sqlite_store, name="first", items=2, **HTML)
    one, other = first.listings()
    person = hand_in(first, listing=one).person
    first.poll()
    if kind == "duplicate":
        study = first
    else:
        study = on_mturk(sqlite_store, eligibility={"exclude_studies": ["first"]}, **HTML)
        other = study.listings()[0]
    first.account.remove_from_group(_group(first), [person])  # as where a grant comes too late
    second = hand_in(study, person, other)
    study.poll()
    said = {
        "duplicate": "the person had taken part already",
        "excluded": "the person had taken part in a related study",
    }
    assert reasons(sqlite_store) == [said[kind]]
    assert (submissions(sqlite_store), answers(sqlite_store)) == ([("completed", False), ("completed", True)], 1)
    pay_all(study)
    assert ("reward", 120) in study.paid(second)  # type: ignore[attr-defined]


def _group(study: Published) -> str:
    """The marketplace's group of a study."""
    from crowdloom.studies.tables import ParticipantGroup

    with study.store.read() as connection:
        return str(
            connection.execute(
                select(ParticipantGroup.remote_id).where(ParticipantGroup.study_id == study.posted.study_id)
            ).scalar_one()
        )


def test_who_took_it_by_link_before_is_another_person(sqlite_store: Store, on_mturk: Publish) -> None:
    """A name on a link says nothing of a worker: both count."""
    study = on_mturk(sqlite_store, **HTML)
    done = hand_in(study)
    link = OnLink.__new__(OnLink)
    link.__dict__.update(study.__dict__)
    link.publish()
    assert link.arrive(done.person)
    study.poll()
    assert reasons(sqlite_store) == []


UNFINISHED = {
    "wrong question": ({"question": "of another batch"}, "left"),
    "failed check": ({"check": {"fields": {"question-0": ["Others'"]}}}, "failed_check"),
    "no consent": ({"consent": "null"}, "refused"),
}


def test_what_does_not_count_is_decided_all_the_same(sqlite_store: Store, on_mturk: Publish) -> None:
    """The marketplace waits for a decision, and would pay by itself: it is listed, never approved with the others."""
    study = on_mturk(sqlite_store, batches={"size": 1, "responses_per_item": 6}, **HTML)
    pairs = [[hand_in(study, **changes) for _ in range(2)] for changes, _ in UNFINISHED.values()]
    study.poll()
    assert sorted(submissions(sqlite_store)) == sorted([(state, False) for _, state in UNFINISHED.values()] * 2)
    assert answers(sqlite_store) == 0
    with sqlite_store.write() as connection:
        waiting = approve_passing(connection, "pets")
    assert [(row.review, row.passes) for row in waiting] == [(None, False)] * 6
    found = reconcile(sqlite_store, study.posted, study.account).differences
    assert [one.kind for one in found] == ["places lacking"] + ["handed in unfinished"] * 6
    assert all(f"--approve {one.who}" in one.mend for one in found[1:])
    code = {}
    with sqlite_store.read() as connection:
        for row in connection.execute(
            select(RemoteSubmission.remote_id, Submission.pseudonym).join(
                Submission, Submission.id == RemoteSubmission.submission_id
            )
        ):
            code[row.remote_id] = row.pseudonym
    pay_all(study, *(code[paid.remote] for paid, _ in pairs))
    for paid, rejected in pairs:
        reject(sqlite_store, "pets", code[rejected.remote], "The check was not passed.")
        assert study.paid(paid) == [("reward", 120)]  # type: ignore[attr-defined]
        assert study.account.submission(rejected.remote).state == "rejected"
    kinds = {one.kind for one in reconcile(sqlite_store, study.posted, study.account).differences}
    assert kinds <= {"places lacking"}


def test_unusable_answers_are_left_out_and_paid(sqlite_store: Store, on_mturk: Publish) -> None:
    """What can be used is kept, the submission is surplus, and the place stays open for somebody else."""
    study = on_mturk(sqlite_store, **HTML)
    bad = hand_in(study, **{"trial.0.0": {"fields": {"top1": ["unicorn"]}}})
    study.poll()
    assert (submissions(sqlite_store), answers(sqlite_store)) == ([("completed", True)], 0)
    assert reasons(sqlite_store) == ["1 answers cannot be used"]
    with sqlite_store.read() as connection:
        assert [row.excluded for row in completed(connection, "pets")] == [True]
    pay_all(study)
    assert study.paid(bad) == [("reward", 120)]  # type: ignore[attr-defined]
