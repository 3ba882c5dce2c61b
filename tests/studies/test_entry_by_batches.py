"""Listings that hand out a batch each: the marketplace deals them, our server still decides who may do which."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.entry import check_room, find_entry, find_submission, refuse
from crowdloom.studies.errors import PlaceError, StudyError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.tables import Submission
from tests.studies.conftest import Publish
from tests.studies.published import REWARD, Comer, Published

BATCHES = {"mturk": {"delivery": "batches"}, "items": 2}
TWICE = BATCHES | {"people": REWARD | {"submissions_per_participant": 2}}


def batch_of(study: Published, comer: Comer) -> int:
    """Which batch somebody got."""
    return int(study.submission(comer.token).batch_id)


def decline(study: Published, comer: Comer) -> str | None:
    """Somebody does not agree on this listing's consent page."""
    with study.store.write() as connection:
        entry = find_entry(connection, study.posting, comer.query["listing"])
        arrival = PLATFORMS["mturk"].arrive(comer.query, entry.where)
        return refuse(connection, entry, comer.person, arrival)


def test_a_listing_hands_out_its_own_batch(sqlite_store: Store, on_mturk: Publish) -> None:
    """One HIT for each batch, each with the batch's places, and who takes it gets this batch."""
    study = on_mturk(sqlite_store, **BATCHES)
    first, second = study.listings()
    assert (first.places, second.places) == (2, 2)
    for listing in (first, second, first, second):
        assert batch_of(study, study.come(listing=listing)) == listing.batch_id


def test_a_full_batch_turns_away_though_others_are_open(sqlite_store: Store, on_mturk: Publish) -> None:
    """Nobody gets another batch than the listing's own."""
    study = on_mturk(sqlite_store, **BATCHES)
    first, _ = study.listings()
    for _ in range(2):
        study.answer(study.come(listing=first).token)
    query = study.accept(listing=study.listings()[1]).query | {"listing": first.token}
    with pytest.raises(PlaceError):
        study.arrive_by(query)


def test_who_may_do_one_batch_does_one(sqlite_store: Store, on_mturk: Publish) -> None:
    """While they are at it, the next one is refused with the advice to return it; when it is complete, too."""
    study = on_mturk(sqlite_store, **BATCHES)
    one, other = study.listings()
    person = study.come(listing=one)
    second = study.accept(person.person, other)
    with pytest.raises(PlaceError, match="begun with another part"):
        study.arrive_by(second.query)
    study.answer(person.token)
    with pytest.raises(PlaceError, match="already taken part"):
        study.arrive_by(second.query)  # handed in or not, heard of or not: these answers are one assignment's
    assert study.remotes() == {(person.remote, person.person): "arrived"}
    assert study.arrive_by(person.query) == person.token


def test_who_may_do_two_gets_each_by_its_own_listing(store: Store, on_mturk: Publish) -> None:
    """Back at the first HIT they find what they did there, whatever they do at the second."""
    study = on_mturk(store, **TWICE)
    one, other = study.listings()
    first = study.come(listing=one)
    study.answer(first.token)
    second = study.come(first.person, other)
    assert second.token != first.token
    assert (batch_of(study, first), batch_of(study, second)) == (one.batch_id, other.batch_id)
    assert study.arrive_by(first.query) == first.token
    assert (study.submission(second.token).state, study.place(second.token)) == ("started", "held")
    study.answer(second.token)
    assert study.arrive_by(first.query) == first.token
    assert study.arrive_by(second.query) == second.token
    for comer in (first, second):
        study.hand_in(comer)
    study.poll()
    assert set(study.remotes().values()) == {"submitted"}


def test_who_is_given_another_batch_leaves_the_one_before(sqlite_store: Store, on_mturk: Publish) -> None:
    """The platform gave them another: the place of what they left is free, once."""
    study = on_mturk(sqlite_store, **TWICE)
    one, other = study.listings()
    first = study.come(listing=one)
    study.give_back(first)
    second = study.come(first.person, other)
    assert (study.submission(first.token).state, study.place(first.token)) == ("left", None)
    assert study.place(second.token) == "held"


def test_declining_one_batch_leaves_the_other_as_it_is(sqlite_store: Store, on_mturk: Publish) -> None:
    """Who does not agree on a second HIT's page goes on with the first, complete or not."""
    study = on_mturk(sqlite_store, **TWICE)
    one, other = study.listings()
    first = study.come(listing=one)
    second = study.accept(first.person, other)
    assert decline(study, second) is None
    assert (study.submission(first.token).state, study.place(first.token)) == ("started", "held")
    study.answer(first.token)
    assert decline(study, second) is None
    assert decline(study, first) == first.token
    assert study.submission(first.token).state == "completed"


def test_an_unknown_listing_leads_nowhere(sqlite_store: Store, on_mturk: Publish) -> None:
    """Neither a made-up one nor that of another study."""
    study = on_mturk(sqlite_store, **BATCHES)
    other = on_mturk(sqlite_store, name="other", **BATCHES)
    with sqlite_store.read() as connection:
        for listing in ("nothing", other.listings()[0].token):
            with pytest.raises(StudyError, match="no part of the study"):
                find_entry(connection, study.posting, listing)


def test_there_is_room_for_who_the_platform_lets_in(sqlite_store: Store, on_mturk: Publish) -> None:
    """The consent page is shown though every place is held; who it is for is found out when they agree."""
    study = on_mturk(sqlite_store)
    for _ in range(2):
        study.come()
    with sqlite_store.read() as connection:
        entry = find_entry(connection, study.posting)
        with pytest.raises(PlaceError, match="a little later"):
            check_room(connection, entry)
        arrival = PLATFORMS["mturk"].arrive(
            {"assignmentId": "3A", "hitId": "3H", "workerId": "A1", "turkSubmitTo": entry.where["endpoint"]},
            entry.where,
        )
        check_room(connection, entry, arrival)


def test_who_refused_is_found_by_every_listing(sqlite_store: Store, on_mturk: Publish) -> None:
    """A refusal is no batch's: the same row becomes the submission once they think better of it."""
    study = on_mturk(sqlite_store, **BATCHES)
    one, other = study.listings()
    refused = study.accept(listing=one)
    decline(study, refused)
    with sqlite_store.read() as connection:
        found = find_submission(connection, find_entry(connection, study.posting, other.token), refused.person)
    assert found is not None
    assert found.state == "refused"
    second = study.come(refused.person, other)
    assert batch_of(study, second) == other.batch_id
    with sqlite_store.read() as connection:
        assert connection.scalars(select(Submission.state)).all() == ["started"]
