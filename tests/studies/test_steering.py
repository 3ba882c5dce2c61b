"""A posting that is closed though it was half published, and one that is taken off its platform for good."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from crowdloom.studies.cli.close import command as close_command
from crowdloom.studies.database import Store
from crowdloom.studies.errors import PaymentError, PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.paying import check_spending, owe_rewards, pay
from crowdloom.studies.steering import close, delete_listings
from crowdloom.studies.tables import Listing
from tests.studies.conftest import Publish
from tests.studies.published import REWARD
from tests.studies.test_publishing import break_at, there


def test_what_was_created_and_not_noted_is_closed_too(
    sqlite_store: Store, on_paying: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`publish` died between the platform's answer and our note of it; closing finds the listing by its token."""
    study = on_paying(sqlite_store, put=False)
    with monkeypatch.context() as patch:
        break_at(patch, "create", PlatformUnsureError("the line is dead"), after=True)
        with pytest.raises(PlatformUnsureError):
            study.publish()
    assert [one.remote_id for one in study.listings()] == [None]
    (listing,) = there(study)
    close(sqlite_store, study.posted)
    assert study.posted.state == "closed"
    assert study.listings()[0].state == "closed"
    if study.capabilities.drafts:
        assert there(study) == []  # a draft that is closed is deleted
    else:
        assert study.account.listing(listing).state == "closed"


def test_what_was_never_created_is_just_closed(
    sqlite_store: Store, on_paying: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made on the platform in order to close it."""
    study = on_paying(sqlite_store, put=False)
    with monkeypatch.context() as patch:
        break_at(patch, "create", PlatformUnsureError("the line is dead"))
        with pytest.raises(PlatformUnsureError):
            study.publish()
    close(sqlite_store, study.posted)
    assert study.posted.state == "closed"
    assert there(study) == []


def test_a_posting_is_taken_off_the_marketplace(sqlite_store: Store, on_mturk: Publish) -> None:
    """Only when everything is paid; the data and the ledger stay, and asking the platform still works."""
    study = on_mturk(sqlite_store)
    study.take()
    study.poll()
    close(sqlite_store, study.posted)
    study.approve_all()
    with sqlite_store.write() as connection:
        owe_rewards(connection, study.posted)
    with pytest.raises(PaymentError, match="1 payments that are not confirmed"):
        delete_listings(sqlite_store, study.posted)
    pay(sqlite_store, study.posted, study.account)
    arguments = ["pets", "--delete", "--yes", "--database", sqlite_store.url]
    said = CliRunner().invoke(close_command, arguments)
    assert (said.exit_code, said.output) == (0, "pets on mturk: 1 listing deleted there.\n")
    with sqlite_store.read() as connection:
        assert connection.execute(Listing.__table__.select()).one().remote_id is None
    assert study.poll().seen == 0
    assert [due.state for due in study.ledger()] == ["confirmed"]


def test_prolific_keeps_what_was_published(sqlite_store: Store, on_prolific: Publish) -> None:
    """It says so, and nothing changes."""
    study = on_prolific(sqlite_store)
    close(sqlite_store, study.posted)
    with pytest.raises(PlatformRefusedError, match="keeps what was published"):
        delete_listings(sqlite_store, study.posted)
    assert len(there(study)) == 1


def test_the_cap_knows_the_second_fee_of_large_hits(sqlite_store: Store, on_mturk: Publish) -> None:
    """A reward on a HIT of ten places costs 40 %, and the spending cap counts that."""
    one = {"size": 1, "responses_per_item": 1}
    study = on_mturk(sqlite_store, batches=one, people=REWARD | {"spending_cap": "100.00 USD"})
    study.take()
    study.poll()
    study.approve_all()
    with sqlite_store.write() as connection:
        owe_rewards(connection, study.posted)
        posted = study.posted
        tight = posted.design.people.model_copy(
            update={"spending_cap": posted.design.people.reward.model_copy(update={"amount": 144})}
        )
        object.__setattr__(posted, "design", posted.design.model_copy(update={"people": tight}))
        check_spending(connection, posted)  # 1.20 and 20 %
        connection.execute(update(Listing).values(places=10))
        with pytest.raises(PaymentError, match=r"could cost 1\.68 USD"):
            check_spending(connection, posted)
