"""The guarantee: with R wanted per item, every item ends with exactly R accepted first responses.

Real people would come over HTTP, many at once, and so they do here: against gunicorn with two
worker processes, on SQLite and on PostgreSQL. What they must end with is asked in plain SQL.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from crowdloom.studies.database import Store
from crowdloom.studies.participation import Designs
from crowdloom.studies.rehearsal import Habits, rehearse, serving
from crowdloom.studies.rehearsal.browser import Browser
from crowdloom.studies.rehearsal.visit import Briefing, Visit
from crowdloom.tasks.protocol import Person
from tests.studies.takers import Study

PEOPLE = 40
WANTED = 5
TRIALS = 4

ACCEPTED = """
    SELECT item.key, (
        SELECT count(*) FROM response
        JOIN submission ON submission.id = response.submission_id
        WHERE response.item_id = item.id AND response.repeat_index = 0
          AND submission.state = 'completed' AND NOT submission.surplus
          AND coalesce(submission.review, '') <> 'rejected'
    ) FROM item
"""


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    """What plain SQL finds."""
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@contextmanager
def watched(store: Store) -> Iterator[list[int]]:
    """Look at the most accepted responses of an item again and again; gives what was seen."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            seen.append(max(count for _, count in rows(store, ACCEPTED)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def small_study(store: Store, folder: Path, batches: int) -> Study:
    """So many batches of three items and one repeat, with everything on the way that a study can have."""
    return Study(
        store,
        folder,
        items=3 * batches,
        batches={"size": 3, "responses_per_item": WANTED, "repeats": [2]},
        instructions=["Look at each image.", "Then judge it."],
        eligibility={"statements": ["I am an adult."]},
        comprehension={
            "questions": [{"question": "What is to be judged?", "options": ["Images", "Sounds"], "correct": "Images"}]
        },
        debrief=[{"question": "Any remarks?"}],
    )


@pytest.mark.slow
def test_every_item_ends_with_exactly_as_many_responses_as_wanted(store: Store, tmp_path: Path) -> None:
    """Forty people at once who drop out, come back, reload, send twice and answer in two tabs."""
    study = small_study(store, tmp_path, batches=8)
    late = study.arrive("rehearsal-late")
    study.answer(late, 1)
    study.let_time_pass(late)
    habits = Habits(drop_out=0.35, careless=0.1, restless=0.3)
    with serving(store.url, workers=2) as address:
        with watched(store) as most_accepted:
            rehearsal = rehearse(
                store, "pets", participants=300, seed=5, habits=habits, at_once=PEOPLE, address=address
            )
        with closing(Browser(address, 2)) as browser:
            truths = {token: {"cat": 0.7, "dog": 0.3} for (token,) in rows(store, "SELECT token FROM item")}
            briefing = Briefing(study.design, Designs(store), truths, 0)
            visit = Visit(Person(), f"/take/{late}", briefing, browser, "late")
            assert visit.come() == "completed"  # the page with the receipt

    people = rehearsal.people
    assert people["arrived"] >= PEOPLE
    assert people["left"] + people["vanished"] > 0
    assert people["came_back"] > 0
    assert len(most_accepted) > 10
    assert max(most_accepted) <= WANTED
    assert {count for _, count in rows(store, ACCEPTED)} == {WANTED}
    check_places(store)
    check_submissions(store)
    assert study.submission(late).surplus
    completed, surplus = rows(store, "SELECT count(*), sum(CASE WHEN surplus THEN 1 ELSE 0 END) FROM submission "
                              "WHERE state = 'completed'")[0]  # fmt: skip
    assert (completed, surplus) == (people["completed"] + 1, people["surplus"] + 1)
    assert rows(store, "SELECT count(*) FROM event WHERE kind = 'second_answer'")[0][0] > 0


def check_places(store: Store) -> None:
    """Every place is filled by one accepted submission to its batch, and was freed once for each loss."""
    assert rows(store, "SELECT DISTINCT state FROM place") == [("filled",)]
    accepted = rows(
        store,
        "SELECT count(*), count(DISTINCT place.submission_id) FROM place JOIN submission "
        "ON submission.id = place.submission_id AND submission.batch_id = place.batch_id "
        "WHERE submission.state = 'completed' AND NOT submission.surplus",
    )
    places = rows(store, "SELECT count(*) FROM place")[0][0]
    assert accepted == [(places, places)]
    losses = rows(
        store,
        "SELECT submission.id, sum(CASE WHEN kind = 'place_freed' THEN 1 ELSE 0 END), "
        "sum(CASE WHEN kind IN ('consent_given', 'place_held_again') THEN 1 ELSE 0 END), "
        "(SELECT count(*) FROM place WHERE place.submission_id = submission.id) "
        "FROM submission JOIN event ON event.submission_id = submission.id GROUP BY submission.id",
    )
    assert sum(freed for _, freed, _, _ in losses) > 0
    for submission, freed, held, has in losses:
        # Whoever fills an open place with the last answer has a place that they never held.
        assert held - has <= freed <= held, f"submission {submission} held {held}, lost {freed}, has {has}"


def check_submissions(store: Store) -> None:
    """Nobody answers an item twice (repeats aside) or takes the study twice, and no answer is missing."""
    twice = rows(
        store,
        "SELECT submission.participant_id, item.key, response.repeat_index FROM response "
        "JOIN submission ON submission.id = response.submission_id JOIN item ON item.id = response.item_id "
        "GROUP BY submission.participant_id, item.key, response.repeat_index HAVING count(*) > 1",
    )
    assert twice == []
    again = rows(store, "SELECT participant_id FROM submission GROUP BY participant_id HAVING count(*) > 1")
    assert again == []
    answers = rows(
        store,
        "SELECT DISTINCT (SELECT count(*) FROM response WHERE response.submission_id = submission.id) "
        "FROM submission WHERE state = 'completed'",
    )
    assert answers == [(TRIALS,)]


def test_those_who_consent_at_the_same_moment_share_the_places(store: Store, tmp_path: Path) -> None:
    """Forty posts at once, eight of them double clicks, for twenty places."""
    study = small_study(store, tmp_path, batches=4)
    names = [f"p{number}" for number in range(32)] + [f"p{number}" for number in range(8)]
    barrier = threading.Barrier(len(names))
    answers: list[tuple[str, int, str]] = []
    with serving(store.url, workers=2) as address:

        def consent(name: str) -> None:
            fields = {"participant": name, "statement": "0", "decision": "agree"}
            with httpx.Client(base_url=address, trust_env=False, verify=False, timeout=60) as client:
                client.get(f"/join/{study.posting}", params={"participant": name})
                barrier.wait()
                response = client.post(f"/join/{study.posting}", data=fields)
            answers.append((name, response.status_code, response.headers.get("location", "")))

        threads = [threading.Thread(target=consent, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(answers) == len(names)
    assert {status for _, status, _ in answers} == {303, 409}
    admitted = {(name, where) for name, status, where in answers if status == 303}
    places = 4 * WANTED
    assert len(admitted) == len({name for name, _ in admitted}) == len({where for _, where in admitted}) == places
    refused = {name for name, status, _ in answers if status == 409}
    assert not refused & {name for name, _ in admitted}
    held = rows(store, "SELECT batch_id, count(*) FROM place WHERE state = 'held' GROUP BY batch_id")
    assert [count for _, count in held] == [WANTED] * 4
