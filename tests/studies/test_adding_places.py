"""More places: as many as are lacking after what people and researchers did, and not one more."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import func, select

from crowdloom.studies.adding_places import add_places, cost_of_plans, plan_places, want_more
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError, PlatformUnsureError
from crowdloom.studies.publishing import add_listing
from crowdloom.studies.review import reject
from crowdloom.studies.steering import close
from crowdloom.studies.tables import Place
from tests.studies.conftest import Publish
from tests.studies.published import Published
from tests.studies.test_paying import LONG

pytestmark = pytest.mark.slow


def lacking(study: Published) -> list[int]:
    """How many places each plan adds, after asking the platform."""
    study.poll()
    with study.store.read() as connection:
        return [plan.after - plan.before for plan in plan_places(connection, study.posted)]


def top_up(study: Published) -> list[str]:
    """Add what is lacking."""
    with study.store.read() as connection:
        plans = plan_places(connection, study.posted)
    return add_places(study.store, study.posted, plans)


def more(study: Published, responses: int) -> int:
    """Want so many responses per item."""
    with study.store.write() as connection:
        return want_more(connection, study.posted, responses)


def test_nothing_lacks_while_people_are_on_their_way(sqlite_store: Store, on_paying: Publish) -> None:
    """Before anybody came, at work, complete and not handed in, handed in: the listing has their places all along."""
    study = on_paying(sqlite_store)
    assert lacking(study) == []
    people = [study.come(), study.come()]
    assert lacking(study) == []
    for person in people:
        study.answer(person.token)
        assert lacking(study) == []
        study.hand_in(person)
        assert lacking(study) == []


def test_a_rejection_needs_another_place(sqlite_store: Store, on_mturk: Publish) -> None:
    """One for each, added once; what it costs does not count who is not paid."""
    study = on_mturk(sqlite_store)
    bad = study.take()
    study.take()
    study.poll()
    reject(sqlite_store, "pets", study.code_of(bad.token), LONG)
    assert lacking(study) == [1]
    with sqlite_store.read() as connection:
        new, whole = cost_of_plans(connection, study.posted, plan_places(connection, study.posted))
    assert (new.places, whole.places) == (1, 2)
    assert top_up(study) == [f"listing {study.listings()[0].remote_id}: 2 -> 3 places"]
    assert lacking(study) == []
    study.take()
    assert lacking(study) == []


def test_who_gave_one_back_and_took_another_counts_once(sqlite_store: Store, on_mturk: Publish) -> None:
    """The assignment that was given back uses up nothing, whether the other one is handed in or not."""
    study = on_mturk(sqlite_store)
    first = study.come()
    study.give_back(first)
    again = study.come(first.person)
    study.answer(again.token)
    assert lacking(study) == []
    study.hand_in(again)
    assert lacking(study) == []


def test_what_was_given_back_there_needs_no_place(sqlite_store: Store, on_prolific: Publish) -> None:
    """The platform has it again."""
    study = on_prolific(sqlite_store)
    gone = study.come()
    study.give_back(gone)
    assert lacking(study) == []


def test_surplus_uses_up_a_place(sqlite_store: Store, on_mturk: Publish) -> None:
    """Somebody idle who came back after all is paid, and another is needed for the place that they did not fill."""
    study = on_mturk(sqlite_store)
    idle, other = study.come(), study.come()
    study.be_idle(idle.token, 9)
    study.give_back(other)
    new = study.come()
    study.answer(idle.token)
    study.hand_in(idle)
    assert study.submission(idle.token).surplus
    assert lacking(study) == [1]
    assert new.token


def test_more_responses_are_wanted_once(store: Store, on_paying: Publish) -> None:
    """Two more for the item; fewer than there are is refused and changes nothing."""
    study = on_paying(store)
    assert (more(study, 4), more(study, 4)) == (2, 0)
    with pytest.raises(OptionError, match="4 responses are wanted for each item already; 1 is less than that"):
        more(study, 1)
    assert lacking(study) == [2]
    top_up(study)
    assert (lacking(study), study.listings()[0].places) == ([], 4)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Place)).scalar_one() == 4


def test_a_hit_that_cannot_grow_to_ten_gets_another_beside_it(sqlite_store: Store, on_mturk: Publish) -> None:
    """The new one has what is lacking, and people come by it."""
    study = on_mturk(sqlite_store)
    more(study, 11)
    study.poll()
    (said,) = top_up(study)
    assert said.startswith("a new listing with 9 places beside")
    assert [one.places for one in study.listings()] == [2, 9]
    assert lacking(study) == []
    assert study.take(listing=study.listings()[1]).token


def test_a_batch_without_a_listing_gets_one(sqlite_store: Store, on_mturk: Publish) -> None:
    """What was complete when the rest was published again, and of which more is wanted now."""
    study = on_mturk(sqlite_store, items=2, batches={"size": 1, "responses_per_item": 1}, mturk={"delivery": "batches"})
    study.take()
    close(sqlite_store, study.posted)
    study.publish()
    assert len(study.listings()) == 1
    more(study, 2)
    assert sorted(lacking(study)) == [1, 1]
    top_up(study)
    assert lacking(study) == []
    assert len({one.batch_id for one in study.listings()}) == 2


def test_a_listing_that_ended_there_is_opened_again(sqlite_store: Store, on_paying: Publish) -> None:
    """Its time was over, or somebody stopped it there, while the study still needs people."""
    study = on_paying(sqlite_store)
    study.take()
    study.account.close(study.listings()[0].remote_id)
    study.poll()
    assert study.listings()[0].state == "closed"
    with sqlite_store.read() as connection:
        (plan,) = plan_places(connection, study.posted)
    assert plan.is_closed
    top_up(study)
    assert study.account.listing(study.listings()[0].remote_id).state == "open"
    assert study.take().token


def test_what_is_complete_needs_no_listing_opened(sqlite_store: Store, on_paying: Publish) -> None:
    """A listing that ended when everything was there stays as it is."""
    study = on_paying(sqlite_store)
    for _ in range(2):
        study.take()
    study.account.close(study.listings()[0].remote_id)
    assert lacking(study) == []


def test_a_new_listing_that_was_only_planned_is_put_up(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command was interrupted after it had written it down: the next one finishes it, and adds no second one."""
    study = on_mturk(sqlite_store)
    more(study, 11)
    with sqlite_store.write() as connection:
        add_listing(connection, study.posted, None, 9)
    assert lacking(study) == [9]
    top_up(study)
    assert [(one.places, one.state) for one in study.listings()] == [(2, "open"), (9, "open")]
    assert lacking(study) == []


def test_adding_interrupted_after_it_took_effect_adds_no_more(sqlite_store: Store, on_mturk: Publish) -> None:
    """Places are asked for as a sum: the second attempt finds them there."""
    study = on_mturk(sqlite_store)
    more(study, 4)
    study.market.add_fault("CreateAdditionalAssignmentsForHIT", "effect-then-500", times=9)
    with suppress(PlatformUnsureError):
        top_up(study)
    study.market.clear_faults()
    assert lacking(study) == []
    assert study.account.listing(study.listings()[0].remote_id).places == 4
