"""Who comes again stays in the condition of their first time."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import select, text

from crowdloom.studies.allocation import choose_batch
from crowdloom.studies.database import Store
from crowdloom.studies.entry import can_begin_another, find_entry, find_submission, join, refuse
from crowdloom.studies.errors import PlaceError
from crowdloom.studies.participation import leave, read_progress
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Batch, Condition, Submission
from tests.studies.conftest import Publish
from tests.studies.designs import load
from tests.studies.published import REWARD
from tests.studies.takers import Study
from tests.studies.test_allocation import at_once, design_id

PEOPLE = {"minutes": 2, "hold_minutes": 10, "submissions_per_participant": 4, "one_condition": True}
ARMS: dict[str, Any] = {"people": PEOPLE, "conditions": [{"name": "a"}, {"name": "b"}]}
SPLIT: dict[str, Any] = {"batches": {"size": 1, "responses_per_item": 1, "split_items": True}}


def condition(study: Study, token: str) -> str:
    """The condition of a submission."""
    with study.store.read() as connection:
        return connection.execute(
            select(Condition.name)
            .join(Batch, Batch.condition_id == Condition.id)
            .join(Submission, Submission.batch_id == Batch.id)
            .where(Submission.token == token)
        ).scalar_one()


def test_who_comes_again_stays_in_their_condition(store: Store, tmp_path: Path) -> None:
    """Over many people and visits, whichever condition has more open places."""
    study = Study(store, tmp_path, items=6, **ARMS | {"batches": {"size": 2, "responses_per_item": 12}})
    first = {}
    for number in range(8):
        token = study.arrive(f"p{number}")
        study.answer(token)
        first[number] = condition(study, token)
    assert set(first.values()) == {"a", "b"}
    for _ in range(2):
        for number in range(8):
            token = study.arrive(f"p{number}")
            study.answer(token)
            assert condition(study, token) == first[number]


def test_one_who_does_much_keeps_nobody_from_their_condition(store: Store, tmp_path: Path) -> None:
    """Conditions get as many people each: who has done all they can leaves places that only others can fill."""
    study = Study(store, tmp_path, items=4, **ARMS | {"batches": {"size": 1, "responses_per_item": 3}})
    for _ in range(4):
        eager = study.arrive("eager")
        study.answer(eager)
    others = [condition(study, study.arrive(f"p{number}")) for number in range(5)]
    together = [condition(study, eager), *others]
    assert together.count("a") == together.count("b") == 3


def test_people_are_counted_once_for_a_condition(store: Store, tmp_path: Path) -> None:
    """And not for each of its batches: arrivals take turns, so one that takes long holds up all others."""
    study = Study(store, tmp_path, items=250, **ARMS | {"batches": {"size": 1, "responses_per_item": 5}})
    study.arrive("p")
    with store.write() as connection:  # as PostgreSQL does by itself in time; until then it may think the tables empty
        connection.execute(text("ANALYZE"))
    took: dict[bool, list[float]] = {False: [], True: []}
    with store.read() as connection:
        for one_condition in [False, True] * 5:
            began = time.perf_counter()
            choose_batch(connection, design_id(study), 0, one_condition=one_condition)
            took[one_condition].append(time.perf_counter() - began)
    assert median(took[True]) < 10 * median(took[False])


def test_who_left_is_not_counted_for_a_condition(store: Store, tmp_path: Path) -> None:
    """The next to come takes their place there."""
    study = Study(store, tmp_path, items=4, **ARMS | {"batches": {"size": 1, "responses_per_item": 3}})
    tokens = [study.arrive(f"p{number}") for number in range(4)]
    left = condition(study, tokens[0])
    with store.write() as connection:
        leave(connection, read_progress(connection, tokens[0]))
    assert condition(study, study.arrive("next")) == left


def test_without_it_a_person_may_meet_both(store: Store, tmp_path: Path) -> None:
    """The batch that most needs responses comes first, whatever its condition."""
    people = PEOPLE | {"one_condition": False}
    study = Study(store, tmp_path, **ARMS | SPLIT | {"people": people})
    met = set()
    for _ in range(4):
        token = study.arrive("p")
        study.answer(token)
        met.add(condition(study, token))
    assert met == {"a", "b"}


def test_also_where_many_come_at_once(store: Store, tmp_path: Path) -> None:
    """People who begin their second part at the same moment, each twice: one submission, and their own condition."""
    study = Study(store, tmp_path, items=6, **ARMS | {"batches": {"size": 2, "responses_per_item": 4}})
    first = {}
    for name in "pqrs":
        token = study.arrive(name)
        study.answer(token)
        first[name] = condition(study, token)
    tokens = at_once(*(partial(study.arrive, name) for name in "ppqqrrss"))
    for name, one, other in zip("pqrs", tokens[::2], tokens[1::2], strict=True):
        assert one == other
        assert condition(study, one) == first[name]


def test_the_same_person_by_two_postings_at_once(store: Store, tmp_path: Path) -> None:
    """Two versions of the study are open: whichever lets them in first decides for both."""
    study = Study(store, tmp_path, items=6, **ARMS | {"batches": {"size": 2, "responses_per_item": 4}})
    changed = study.design.model_copy(update={"title": "Again"})
    load(store, tmp_path, changed)
    with store.write() as connection:
        later = publish(connection, "pets", "link").token
    assert later != study.posting

    def arrive(posting: str, person: str) -> str:
        with store.write() as connection:
            return join(connection, find_entry(connection, posting), person)

    for number in range(6):
        one, other = at_once(*(partial(arrive, posting, f"p{number}") for posting in (study.posting, later)))
        assert one != other
        assert condition(study, one) == condition(study, other)


def test_a_full_condition_turns_away_though_the_other_is_open(store: Store, tmp_path: Path) -> None:
    """They are led to what they completed; who left theirs is told that the rest is for others."""
    study = Study(store, tmp_path, items=2, **ARMS | SPLIT)
    token = study.arrive("p")
    study.answer(token)
    with store.write() as connection:
        entry = find_entry(connection, study.posting)
        begun = find_submission(connection, entry, "p")
        assert begun is not None
        assert not can_begin_another(connection, entry, begun)
    assert study.arrive("p") == token

    changed = study.design.model_copy(update={"title": "Again"})
    load(store, tmp_path, changed)  # the same items and conditions, open again
    with store.write() as connection:
        study.posting = publish(connection, "pets", "link").token
    with pytest.raises(PlaceError, match=r"^The images that are still open are for other participants\. Thank you"):
        study.arrive("p")
    other = study.arrive("q")
    assert study.place(other) == "held"


def test_who_refused_has_no_condition_yet(store: Store, tmp_path: Path) -> None:
    """Only a condition that somebody has begun binds them."""
    study = Study(store, tmp_path, items=2, **ARMS | SPLIT)
    taken = study.arrive("p")
    with store.write() as connection:
        refuse(connection, find_entry(connection, study.posting), "q")
    token = study.arrive("q")
    assert {condition(study, taken), condition(study, token)} == {"a", "b"}


def test_a_listing_of_the_other_condition_gives_no_place(sqlite_store: Store, on_mturk: Publish) -> None:
    """The marketplace offers its batch to everybody; who took part in the other condition is asked to return it."""
    people = REWARD | {"submissions_per_participant": 4, "one_condition": True}
    study = on_mturk(
        sqlite_store,
        items=4,
        people=people,
        mturk={"delivery": "batches"},
        conditions=ARMS["conditions"],
        batches={"size": 1, "responses_per_item": 2, "split_items": True},
    )
    listings = study.listings()
    with sqlite_store.read() as connection:
        of_batch = {
            row.id: row.name
            for row in connection.execute(
                select(Batch.id, Condition.name).join(Condition, Condition.id == Batch.condition_id)
            )
        }
    names = [of_batch[listing.batch_id] for listing in listings]
    assert sorted(names) == ["a", "a", "b", "b"]
    first = study.come(listing=listings[0])
    study.answer(first.token)
    for listing, name in list(zip(listings, names, strict=True))[1:]:
        if name == names[0]:
            second = study.come(first.person, listing)
            assert condition(study, second.token) == names[0]
            study.answer(second.token)
        else:
            accepted = study.accept(first.person, listing)
            with pytest.raises(
                PlaceError, match=r"^This part of the study is for other participants\. Please return it"
            ):
                study.arrive_by(accepted.query)
            assert study.place(study.come(listing=listing).token) == "held"
