"""What a design checks of a completed submission, and what the last page makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from crowdloom.studies.checks import check_submissions
from crowdloom.studies.database import Store
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.participation import Designs, finish_instructions, read_progress, save_answer
from crowdloom.studies.review import approve_passing, completed
from crowdloom.studies.tables import Item, Participant, Posting, Response, Submission
from crowdloom.studies.web import create_app
from tests.studies.takers import ANSWER, Study


def taken(store: Store, folder: Path, answers: list[str], seconds: float, **checks: Any) -> tuple[Study, int]:
    """A study of so many cats, whose first two are easy, and a submission that names these classes."""
    study = Study(
        store, folder, items=len(answers), batches={"size": len(answers), "responses_per_item": 2}, checks=checks
    )
    with store.write() as connection:
        ids = connection.scalars(select(Item.id).order_by(Item.key)).all()
        connection.execute(update(Item).values(reference="cat", difficulty=1.0))
        connection.execute(update(Item).where(Item.id.in_(ids[:2])).values(difficulty=0.05))
    with store.write() as connection:
        token = join(connection, find_entry(connection, study.posting), "ann")
        finish_instructions(connection, read_progress(connection, token), study.design)
        progress = read_progress(connection, token)
        for position, (item, _) in enumerate(progress.item_order):
            answer = ANSWER | {"top1": answers[ids.index(item)], "impossible": []}
            save_answer(
                connection, Designs(store), progress, position, answer, rt_ms=round(1000 * seconds), timing=None
            )
    return study, progress.id


def verdict(store: Store, study: Study, submission: int) -> tuple[str, ...]:
    """Why it does not pass."""
    with store.read() as connection:
        return check_submissions(connection, study.design, [submission])[submission].reasons


@pytest.mark.parametrize(
    ("answers", "seconds", "checks", "reasons"),
    [
        (["cat", "cat", "dog"], 4.0, {}, ()),
        (["cat", "cat", "dog"], 4.0, {"seconds_per_answer": 4}, ()),
        (["cat", "cat", "dog"], 3.5, {"seconds_per_answer": 4}, ("3.5 s per answer, at least 4 s wanted",)),
        (["cat", "dog", "dog"], 4.0, {"easy_at_most": 0.1, "easy_right": 1}, ()),
        (["cat", "dog", "cat"], 4.0, {"easy_at_most": 0.1, "easy_right": 2}, ("1 of 2 easy items right, 2 wanted",)),
        (["dog", "dog", "cat"], 4.0, {"easy_at_most": 0.1, "easy_right": 5}, ("0 of 2 easy items right, 2 wanted",)),
        (["dog", "dog", "cat"], 4.0, {"easy_at_most": 0.01, "easy_right": 1}, ()),
        (["dog"] * 4, 4.0, {"same_answer": 0.5}, ()),
        (["dog"] * 4 + ["cat"], 4.0, {"same_answer": 0.8}, ()),
        (["dog"] * 5, 4.0, {"same_answer": 0.8}, ("5 of 5 answers are 'dog', at most 80% wanted",)),
    ],
    ids=str,
)
def test_the_checks(
    sqlite_store: Store,
    tmp_path: Path,
    answers: list[str],
    seconds: float,
    checks: dict[str, Any],
    reasons: tuple[str, ...],
) -> None:
    """Speed, easy items and all the same answers, each only where the design asks, one sentence for each."""
    study, submission = taken(sqlite_store, tmp_path, answers, seconds, **checks)
    assert verdict(sqlite_store, study, submission) == reasons


def test_what_fails_waits_and_what_passes_is_approved(store: Store, tmp_path: Path) -> None:
    """Approving all leaves who fails a check undecided, with the reason; nobody is rejected."""
    study, failing = taken(store, tmp_path, ["dog", "dog", "cat"], 4.0, easy_at_most=0.1, easy_right=1)
    passing = study.arrive("ben")
    with store.write() as connection:
        progress = read_progress(connection, passing)
        for position in range(len(progress.item_order)):
            save_answer(connection, Designs(store), progress, position, ANSWER, rt_ms=900, timing=None)
        waiting = approve_passing(connection, "pets")
        rows = {row.code: row for row in completed(connection, "pets")}
        code = connection.execute(select(Submission.pseudonym).where(Submission.id == failing)).scalar_one()
    assert [row.code for row in waiting] == [code]
    assert rows[code].review is None
    assert rows[code].reasons == ("0 of 2 easy items right, 1 wanted",)
    assert {row.review for row in rows.values()} == {None, "approved"}


def test_answers_without_times_fail_no_check_of_speed(sqlite_store: Store, tmp_path: Path) -> None:
    """Where no clock was there, nothing can be said of speed."""
    study, submission = taken(sqlite_store, tmp_path, ["cat", "cat", "dog"], 0.1, seconds_per_answer=4)
    assert len(verdict(sqlite_store, study, submission)) == 1
    with sqlite_store.read() as connection:
        assert connection.execute(select(Response.rt_ms)).scalars().first() == 100
    no_clock, other = taken_without_clock(sqlite_store, study)
    assert verdict(sqlite_store, no_clock, other) == ()


def taken_without_clock(store: Store, study: Study) -> tuple[Study, int]:
    """Another person's submission, none of whose answers has a time."""
    token = study.arrive("ben")
    with store.write() as connection:
        progress = read_progress(connection, token)
        for position in range(len(progress.item_order)):
            save_answer(connection, Designs(store), progress, position, ANSWER, rt_ms=None, timing=None)
    return study, progress.id


def test_the_receipt_of_who_fails_an_attention_check_has_the_other_code(sqlite_store: Store, tmp_path: Path) -> None:
    """On Prolific the page leads back with the code for a failed attention check, not with the other one."""
    _, submission = taken(sqlite_store, tmp_path, ["dog", "dog", "cat"], 4.0, easy_at_most=0.1, easy_right=1)
    codes = {"completed": "GOOD", "failed_attention_check": "NOTSO"}
    with sqlite_store.write() as connection:
        where = {"where": {"api": "https://api.example", "app": "https://app.example"}, "codes": codes}
        connection.execute(update(Posting).values(platform="prolific", values=where))
        connection.execute(update(Participant).values(platform="prolific"))
        token = connection.execute(select(Submission.token).where(Submission.id == submission)).scalar_one()
    page = create_app(sqlite_store).test_client().get(f"/take/{token}").text
    assert "https://app.example/submissions/complete?cc=NOTSO" in page
    assert "GOOD" not in page
