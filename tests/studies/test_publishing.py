"""Studies put up on platforms: whatever is interrupted, repeated or refused, there is one listing, or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from crowdloom.studies.database import Store
from crowdloom.studies.errors import (
    OptionError,
    PaymentError,
    PlatformRefusedError,
    PlatformUnsureError,
    StudyError,
)
from crowdloom.studies.marketplace.errors import WorkError
from crowdloom.studies.platforms.mturk import MTurk
from crowdloom.studies.platforms.prolific import Prolific
from crowdloom.studies.publishing import check_balance, plan_posting, preview_cost, put_up
from crowdloom.studies.steering import close, is_paused, pause, resume
from crowdloom.studies.tables import Listing, ParticipantGroup, Posting
from tests.prolific import NotLetInError
from tests.studies.conftest import Publish
from tests.studies.published import REWARD, Faulty, OnLink, OnMTurk, OnProlific, Published

pytestmark = pytest.mark.slow


def count(store: Store, table: Any) -> int:
    """How many rows a table has."""
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def there(study: Published) -> list[str]:
    """The ids of the listings that the platform has for this study, found by our tokens, not by our store."""
    with study.store.read() as connection:
        tokens = list(connection.scalars(select(Listing.token)))
    if isinstance(study, OnProlific):
        return [one["id"] for one in study.prolific.studies() if any(t in one["internal_name"] for t in tokens)]
    with study.market.store.read() as connection:  # type: ignore[attr-defined]
        rows = connection.execute(text("SELECT token, annotation FROM hit"))
        return [row.token for row in rows if row.annotation in tokens]


def break_at(monkeypatch: pytest.MonkeyPatch, operation: str, error: Exception, *, after: bool = False) -> None:
    """From now on this call of every account breaks."""
    for platform in (MTurk, Prolific):
        connect = platform.connect
        monkeypatch.setattr(
            platform, "connect", lambda *args, connect=connect: Faulty(connect(*args), operation, error, after=after)
        )


def test_publishing_twice_makes_one_listing(sqlite_store: Store, on_paying: Publish) -> None:
    """The same command again finds it open and changes nothing."""
    study = on_paying(sqlite_store)
    before = study.listings()
    study.publish()
    assert study.listings() == before
    assert [(one.state, one.places) for one in before] == [("open", 2)]
    assert there(study) == [before[0].remote_id]
    assert study.posted.state == "open"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["ensure_group", "create", "open"])
def test_an_interrupted_publication_goes_on(
    sqlite_store: Store, on_paying: Publish, monkeypatch: pytest.MonkeyPatch, operation: str, after: bool
) -> None:
    """Whatever breaks off, before or after the platform did it: the same command again ends with one open listing."""
    study = on_paying(sqlite_store, put=False)
    with monkeypatch.context() as patch:
        break_at(patch, operation, PlatformUnsureError("the line is dead"), after=after)
        if operation == "open" and isinstance(study, OnMTurk):
            study.publish()  # what is created there is open at once
        else:
            with pytest.raises(PlatformUnsureError):
                study.publish()
    assert len(there(study)) <= 1
    study.publish()
    assert there(study) == [study.listings()[0].remote_id]
    assert study.account.listing(study.listings()[0].remote_id).state == "open"
    assert (count(sqlite_store, Posting), count(sqlite_store, Listing)) == (1, 1)
    assert count(sqlite_store, ParticipantGroup) == 1


def test_a_process_that_dies_between_batches_goes_on(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three HITs the first is there; the next attempt adds the other two and not the first again."""
    study = on_mturk(sqlite_store, items=3, mturk={"delivery": "batches"}, put=False)

    class KilledError(Exception):
        pass

    def die(done: int, total: int) -> None:
        raise KilledError

    with sqlite_store.write() as connection:
        published, _ = plan_posting(connection, "pets", "mturk", "https://lab.example")
    with pytest.raises(KilledError):
        put_up(sqlite_store, published.token, progress=die)
    assert len(there(study)) == 1
    study.publish()
    assert len(set(there(study))) == len(there(study)) == 3
    assert {one.state for one in study.listings()} == {"open"}


def test_a_refused_first_listing_leaves_nothing(
    store: Store, on_paying: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the platform does not want at all is as if it had never been published."""
    study = on_paying(store, put=False)
    with monkeypatch.context() as patch:
        break_at(patch, "create", PlatformRefusedError("no"))
        with pytest.raises(PlatformRefusedError):
            study.publish()
    assert (count(store, Posting), count(store, Listing)) == (0, 0)
    study.publish()
    assert study.posted.state == "open"


def test_a_refused_second_listing_leaves_the_first(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People may be on the first already, so the posting stays, to be finished or closed."""
    study = on_mturk(sqlite_store, items=2, mturk={"delivery": "batches"}, put=False)
    with sqlite_store.write() as connection:
        published, _ = plan_posting(connection, "pets", "mturk", "https://lab.example")
    study.posting = published.token
    first, second = study.listings()
    put_up(sqlite_store, study.posting, listing_id=first.id)
    with monkeypatch.context() as patch:
        break_at(patch, "create", PlatformRefusedError("no more"))
        with pytest.raises(PlatformRefusedError):
            study.publish()
    assert [one.state for one in study.listings()] == ["open", "planned"]
    close(sqlite_store, study.posted)
    assert (study.listings()[0].state, study.posted.state) == ("closed", "closed")
    assert second.remote_id is None


def test_nothing_is_published_above_the_spending_cap(sqlite_store: Store, on_paying: Publish) -> None:
    """The whole cost counts, fees and bonuses too; nothing is written and nobody is asked."""
    study = on_paying(
        sqlite_store,
        put=False,
        people=REWARD | {"spending_cap": "2.60 USD"},  # two rewards alone are 2.40
    )
    with pytest.raises(
        PaymentError, match=r"above the design's people.spending_cap of 2.60 USD; nothing was published"
    ):
        study.publish()
    with sqlite_store.read() as connection, pytest.raises(PaymentError):
        preview_cost(connection, "pets", study.platform)
    assert (count(sqlite_store, Posting), there(study)) == (0, [])


def test_too_low_a_balance_is_said_before_anything_is_published(
    sqlite_store: Store, on_prolific: Publish, tmp_path: Path
) -> None:
    """With what is lacking; an account whose balance is not told is not refused for it."""
    study = on_prolific(sqlite_store, put=False)
    assert isinstance(study, OnProlific)
    account = Prolific().connect(Prolific().where(study.prolific.environ), study.prolific.environ)
    with sqlite_store.read() as connection:
        cost = preview_cost(connection, "pets", "prolific")
    assert check_balance(account, cost) is not None
    study.prolific.set_wallet(cost.rewards + cost.fee_on_rewards - 1)
    with pytest.raises(PaymentError, match="add money to it first"):
        check_balance(account, cost)
    study.prolific.set_wallet(10_000_000)
    unknown = Faulty(account, "nothing", Exception())
    unknown.info = lambda: replace(account.info(), balance=None)
    assert check_balance(unknown, cost) is None


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://lab.example", True),
        ("http://127.0.0.1:8000", True),  # everything is on this machine here
        ("http://lab.example", False),
        ("ftp://lab.example", False),
        ("lab.example", False),
    ],
)
def test_participants_must_reach_the_address(sqlite_store: Store, on_mturk: Publish, address: str, fine: bool) -> None:
    """Only https, or this machine where the marketplace is on it as well."""
    study = on_mturk(sqlite_store, put=False)
    if fine:
        study.publish(address)
        return
    with pytest.raises(OptionError, match="give the https address"):
        study.publish(address)
    assert count(sqlite_store, Posting) == 0


def test_this_machine_is_no_address_for_a_service_elsewhere(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A marketplace on another machine cannot send its workers to ours by http."""
    study = on_mturk(sqlite_store, put=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", "https://market.example")
    with sqlite_store.write() as connection, pytest.raises(OptionError, match="give the https address"):
        plan_posting(connection, study.design.name, "mturk", "http://127.0.0.1:8000")


def test_a_draft_is_there_and_lets_nobody_in(sqlite_store: Store, on_prolific: Publish) -> None:
    """It is published by the same command without `--draft`, once."""
    study = on_prolific(sqlite_store, put=False)
    study.publish(draft=True)
    assert (study.posted.state, study.listings()[0].state) == ("draft", "draft")
    assert [study.account.listing(one).state for one in there(study)] == ["draft"]
    study.publish()
    assert (study.posted.state, study.listings()[0].state, len(there(study))) == ("open", "open", 1)


def test_a_draft_on_the_marketplace_is_refused_and_leaves_nothing(sqlite_store: Store, on_mturk: Publish) -> None:
    """It has none: what is created there is public."""
    study = on_mturk(sqlite_store)
    with pytest.raises(OptionError, match="has no drafts"):
        put_up(sqlite_store, study.posting, draft=True)
    assert len(there(study)) == 1


def test_pausing_and_going_on(sqlite_store: Store, on_prolific: Publish) -> None:
    """Both can be repeated; while it is paused nobody new is let in here."""
    study = on_prolific(sqlite_store)
    for _ in range(2):
        pause(sqlite_store, study.posted)
        assert (study.posted.state, study.listings()[0].state) == ("paused", "paused")
    for _ in range(2):
        resume(sqlite_store, study.posted)
        assert (study.posted.state, study.listings()[0].state) == ("open", "open")


def test_an_interrupted_resumption_can_be_repeated(
    sqlite_store: Store, on_prolific: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door here is open before the platform is asked; that it did not open there is not lost."""
    study = on_prolific(sqlite_store)
    pause(sqlite_store, study.posted)
    with monkeypatch.context() as patch:
        break_at(patch, "open", PlatformUnsureError("the line is dead"))
        with pytest.raises(PlatformUnsureError):
            resume(sqlite_store, study.posted)
    with sqlite_store.read() as connection:
        assert is_paused(connection, study.posted)
    resume(sqlite_store, study.posted)
    assert study.listings()[0].state == "open"
    with sqlite_store.read() as connection:
        assert not is_paused(connection, study.posted)


def test_the_marketplace_has_no_pause(sqlite_store: Store, on_mturk: Publish) -> None:
    """It says so, and nothing changes."""
    study = on_mturk(sqlite_store)
    with pytest.raises(PlatformRefusedError, match="has no pause"):
        pause(sqlite_store, study.posted)
    assert study.posted.state == "open"


def test_closing_can_be_interrupted_and_repeated(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed here once it is closed there; the second time nothing happens."""
    study = on_mturk(sqlite_store, items=2, mturk={"delivery": "batches"})
    with monkeypatch.context() as patch:
        break_at(patch, "close", PlatformUnsureError("the line is dead"), after=True)
        with pytest.raises(PlatformUnsureError):
            close(sqlite_store, study.posted)
    assert study.posted.state == "open"
    for _ in range(2):
        close(sqlite_store, study.posted)
        assert (study.posted.state, {one.state for one in study.listings()}) == ("closed", {"closed"})
    assert [study.account.listing(one).state for one in there(study)] == ["closed", "closed"]


def test_after_closing_the_rest_can_be_published_anew(sqlite_store: Store, on_paying: Publish) -> None:
    """A second posting asks only for what is still open, and the first one's people are the same people."""
    study = on_paying(sqlite_store)
    done = study.take()
    close(sqlite_store, study.posted)
    first = study.posting
    study.publish()
    assert study.posting != first
    assert [one.places for one in study.listings()] == [1]
    assert done.token


def test_what_is_complete_is_not_published_again(sqlite_store: Store, on_prolific: Publish) -> None:
    """Nobody is asked for where nothing is open."""
    study = on_prolific(sqlite_store)
    for _ in range(2):
        study.take()
    close(sqlite_store, study.posted)
    with pytest.raises(StudyError, match="has all the answers it needs"):
        study.publish()
    assert count(sqlite_store, Posting) == 1


def test_people_of_an_excluded_study_are_kept_out_there_too(sqlite_store: Store, on_paying: Publish) -> None:
    """The listing names the other study's group; who began it was put there by the next poll."""
    pilot = on_paying(sqlite_store, name="pilot")
    begun = pilot.come()
    pilot.poll()
    study = on_paying(sqlite_store, eligibility={"exclude_studies": ["pilot"]})
    with pytest.raises((WorkError, NotLetInError)):
        study.accept(begun.person)
    assert study.come().token


def test_by_the_direct_link_it_is_open_at_once(store: Store, tmp_path: Path) -> None:
    """Without any listing; a pause turns new people away until it is over."""
    study = OnLink(store, tmp_path)
    assert (study.posted.state, study.listings(), put_up(store, study.posting)) == ("open", [], [])
    pause(store, study.posted)
    assert study.posted.state == "paused"
    resume(store, study.posted)
    assert study.arrive_by({"participant": "p"})
