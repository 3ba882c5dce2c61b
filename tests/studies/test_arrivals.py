"""Who comes by a platform's link, and what its ids have to do with our submissions and places."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.entry import find_entry, refuse
from crowdloom.studies.errors import PlaceError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.tables import Event, Job, RemoteSubmission, Submission
from tests.studies.conftest import Publish
from tests.studies.published import OnLink


def test_the_same_link_again_changes_nothing(sqlite_store: Store, on_paying: Publish) -> None:
    """Somebody who reloads, answers, and comes again has one submission here and one there."""
    study = on_paying(sqlite_store)
    person = study.come()
    assert study.arrive_by(person.query) == person.token
    study.answer(person.token)
    assert study.arrive_by(person.query) == person.token
    assert study.remotes() == {(person.remote, person.person): "arrived"}


def test_who_gives_an_assignment_back_and_takes_another_goes_on(sqlite_store: Store, on_mturk: Publish) -> None:
    """Their answers, their place and their submission are the same; the newest assignment is the one they hand in."""
    study = on_mturk(sqlite_store, batches={"size": 2, "responses_per_item": 2}, items=2)
    first = study.come()
    study.answer(first.token, 1)
    study.give_back(first)
    second = study.come(first.person)
    assert second.token == first.token
    assert second.remote != first.remote
    study.answer(second.token)
    study.hand_in(second)
    study.poll()
    assert study.remotes() == {(first.remote, first.person): "arrived", (second.remote, first.person): "submitted"}
    assert (study.place(first.token), study.freed(first.token)) == ("filled", [])
    with sqlite_store.read() as connection:
        assert len(set(connection.scalars(select(RemoteSubmission.submission_id)))) == 1


def test_an_assignment_given_out_anew_is_another_persons(store: Store, on_mturk: Publish) -> None:
    """MTurk gives a returned assignment's id to somebody else: the first one's place is free, once, at once."""
    study = on_mturk(store)
    gone = study.come()
    study.market.add_fault("accept", "reissue-assignment-id")
    study.give_back(gone)
    new = study.accept()
    assert new.remote == gone.remote
    for _ in range(2):
        new.token = study.arrive_by(new.query)
    assert (study.submission(gone.token).state, study.place(gone.token)) == ("left", None)
    assert (study.freed(gone.token), study.place(new.token)) == (["returned"], "held")
    assert study.remotes() == {(gone.remote, gone.person): "returned", (new.remote, new.person): "arrived"}
    study.answer(new.token)
    study.hand_in(new)
    study.poll()
    assert study.remotes() == {(gone.remote, gone.person): "returned", (new.remote, new.person): "submitted"}


def test_an_id_that_comes_to_somebody_under_way_frees_the_first_ones_place(
    sqlite_store: Store, on_mturk: Publish
) -> None:
    """Also where the second person has begun by another assignment before."""
    study = on_mturk(sqlite_store)
    gone, other = study.come(), study.come()
    study.give_back(other)
    study.market.add_fault("accept", "reissue-assignment-id")
    study.give_back(gone)
    again = study.accept(other.person)
    assert again.remote == gone.remote
    assert study.arrive_by(again.query) == other.token
    assert (study.place(gone.token), study.place(other.token)) == (None, "held")


def test_who_handed_in_is_not_paid_for_the_same_answers_again(sqlite_store: Store, on_mturk: Publish) -> None:
    """Somebody complete who comes with a second assignment is asked to return it; by the first they see the receipt."""
    study = on_mturk(sqlite_store)
    done = study.take()
    study.poll()
    with sqlite_store.read() as connection:
        entry = find_entry(connection, study.posting)
    second = {**done.query, "assignmentId": "3ANOTHERASSIGNMENT"}
    with pytest.raises(PlaceError, match="can be paid only once"):
        study.arrive_by(second)
    assert study.arrive_by(done.query) == done.token
    assert [key[0] for key in study.remotes()] == [done.remote]
    assert entry.platform == "mturk"


def test_who_completed_and_lost_their_assignment_hands_in_by_the_next(sqlite_store: Store, on_mturk: Publish) -> None:
    """Complete here, given back there: what they come with next leads to the same receipt."""
    study = on_mturk(sqlite_store)
    lost = study.come()
    study.answer(lost.token)
    study.give_back(lost)
    next_one = study.come(lost.person)
    assert next_one.token == lost.token
    study.hand_in(next_one)
    study.poll()
    assert study.remotes()[(next_one.remote, next_one.person)] == "submitted"


def test_the_place_of_somebody_idle_is_given_to_who_the_platform_lets_in(store: Store, on_mturk: Publish) -> None:
    """Every place is held and somebody new was let in there, so one was given back: that of who is idle longest."""
    study = on_mturk(store)
    idle, idler = study.come(), study.come()
    study.be_idle(idle.token, 6)
    study.be_idle(idler.token, 9)
    study.give_back(idler)
    new = study.come()
    assert (study.place(new.token), study.place(idle.token), study.place(idler.token)) == ("held", "held", None)
    assert study.freed(idler.token) == ["idle"]
    study.answer(idler.token)
    assert study.submission(idler.token).surplus


def test_nobody_at_work_loses_a_place_to_a_newcomer(sqlite_store: Store, on_mturk: Publish) -> None:
    """Where everybody has answered or begun within minutes, the newcomer is told so, and nothing changes."""
    study = on_mturk(sqlite_store)
    people = [study.come(), study.come()]
    study.be_idle(people[0].token, 4)
    study.give_back(people[1])
    new = study.accept()
    with pytest.raises(PlaceError, match="try again a little later"):
        study.arrive_by(new.query)
    assert [study.place(one.token) for one in people] == ["held", "held"]
    assert len(study.remotes()) == 2


@pytest.mark.parametrize("by", ["a step", "a job", "a job that runs"])
def test_who_calls_live_steps_is_not_idle(store: Store, on_mturk: Publish, by: str) -> None:
    """A session may take half an hour before its answer: what it asked the server for shows that somebody is there."""
    study = on_mturk(store)
    busy, idle = study.come(), study.come()
    study.be_idle(busy.token, 30)
    study.be_idle(idle.token, 9)
    number, lately = study.submission(busy.token).id, now() - timedelta(minutes=1)
    with store.write() as connection:
        if by == "a step":
            connection.execute(insert(Event).values(submission_id=number, kind="live_step", values={}, at=lately))
        else:
            runs = by == "a job that runs"
            values = {"task": "t", "step": "s", "token": "x", "input": {}, "time_limit_s": 1.0, "submission_id": number}
            values |= {"state": "running", "created_at": now() - timedelta(minutes=20)} if runs else {
                "state": "done", "created_at": lately, "finished_at": lately}  # fmt: skip
            connection.execute(insert(Job).values(values))
    study.give_back(idle)
    new = study.come()
    assert [study.place(one.token) for one in (new, busy, idle)] == ["held", "held", None]


def test_idle_people_keep_their_place_where_the_platform_tells_who_leaves(
    sqlite_store: Store, on_prolific: Publish
) -> None:
    """On Prolific, and on the direct link, nobody is taken for gone before their time is over."""
    for study in (on_prolific(sqlite_store), OnLink(sqlite_store, on_prolific.args[1], name="linked")):  # type: ignore[attr-defined]
        query = {"PROLIFIC_PID": "a" * 24, "STUDY_ID": "b" * 24, "SESSION_ID": "", "participant": ""}
        tokens = []
        for number in range(2):
            one = {"SESSION_ID": f"{number}" * 24, "participant": f"p{number}", "PROLIFIC_PID": f"{number}" * 24}
            tokens.append(study.arrive_by(query | one))
            study.be_idle(tokens[-1], 9)
        with pytest.raises(PlaceError):
            study.arrive_by(query | {"SESSION_ID": "9" * 24, "participant": "p9", "PROLIFIC_PID": "9" * 24})
        assert [study.place(token) for token in tokens] == ["held", "held"]


def test_who_returns_it_on_prolific_frees_the_place_once_at_the_next_poll(store: Store, on_prolific: Publish) -> None:
    """Polling again, and the same news by a webhook, free nothing more; the answers stay."""
    study = on_prolific(store, items=2, batches={"size": 2, "responses_per_item": 2})
    gone = study.come()
    study.answer(gone.token, 1)
    study.give_back(gone)
    assert study.poll().freed == 1
    assert study.poll().freed == 0
    assert (study.place(gone.token), study.freed(gone.token)) == (None, ["returned"])
    assert study.submission(gone.token).state == "left"
    assert study.remotes() == {(gone.remote, gone.person): "returned"}


def test_who_refuses_by_a_platform_holds_nothing(sqlite_store: Store, on_paying: Publish) -> None:
    """Their submission there is known, so that what they hand in with the code for it is not a stranger's."""
    study = on_paying(sqlite_store)
    person = study.accept()
    with sqlite_store.write() as connection:
        entry = find_entry(connection, study.posting, person.query.get("listing"))
        arrival = PLATFORMS[entry.platform].arrive(person.query, entry.where)
        assert refuse(connection, entry, str(arrival.participant), arrival) is None
    with sqlite_store.read() as connection:
        assert connection.scalars(select(Submission.state)).all() == ["refused"]
    assert study.remotes() == {(person.remote, person.person): "arrived"}
    assert study.arrive_by(person.query)
