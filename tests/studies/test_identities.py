"""Platform ids: sealed with a key, known again, and forgotten once nobody needs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.entry import find_entry, find_submission
from crowdloom.studies.errors import IdentityError, PlaceError, StudyError
from crowdloom.studies.identities import (
    MARK,
    VARIABLE,
    Forgotten,
    encrypt_identities,
    forget_identities,
    new_key,
    reveal,
    seal,
    spellings,
)
from crowdloom.studies.ledger import owe, record_by_hand
from crowdloom.studies.paying import owe_rewards
from crowdloom.studies.posting import invite
from crowdloom.studies.reconciling import reconcile
from crowdloom.studies.review import review
from crowdloom.studies.tables import Invitation, Participant, RemoteSubmission, Submission
from tests.studies.conftest import Publish
from tests.studies.published import REWARD, OnLink

VOLUNTEERS = {"minutes": 2, "hold_minutes": 30}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key, in the environment."""
    made = new_key()
    monkeypatch.setenv(VARIABLE, made)
    return made


def ids(store: Store) -> list[str | None]:
    """The platform ids as they are stored."""
    with store.read() as connection:
        return list(connection.scalars(select(Participant.platform_id).order_by(Participant.id)))


def forget(study: OnLink) -> Forgotten:
    """Forget a study's people."""
    with study.store.write() as connection:
        return forget_identities(connection, study.design.name)


def test_a_sealed_id_can_be_read_and_is_always_the_same(key: str) -> None:
    """On another platform the same id is sealed otherwise, so that nobody can tell that they are one person's."""
    sealed = seal("mturk", "AWORKER")
    assert sealed.startswith(MARK)
    assert "AWORKER" not in sealed
    assert (sealed, reveal("mturk", sealed)) == (seal("mturk", "AWORKER"), "AWORKER")
    assert seal("prolific", "AWORKER") != sealed
    assert spellings("mturk", "AWORKER") == [sealed, "AWORKER"]


def test_without_a_key_it_is_stored_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """And read as it is."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (seal("link", "ann"), reveal("link", "ann"), spellings("link", "ann")) == ("ann", "ann", ["ann"])


@pytest.mark.parametrize(
    "written",
    ["short", "x" * 88, "ä" * 88, "=", new_key()[:-8]],
    ids=["short", "no base64 of a key", "no ASCII", "a sign", "cut off"],
)
def test_what_is_no_key_is_refused_without_being_repeated(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """With the advice how to make one."""
    monkeypatch.setenv(VARIABLE, written)
    with pytest.raises(IdentityError, match="is not a key; make one with") as error:
        seal("link", "ann")
    assert len(written) < 6 or written not in str(error.value)


def test_another_key_or_none_reads_nothing(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which of the two it is."""
    sealed = seal("link", "ann")
    monkeypatch.setenv(VARIABLE, new_key())
    with pytest.raises(IdentityError, match="sealed with another key"):
        reveal("link", sealed)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(IdentityError, match="are sealed; set"):
        reveal("link", sealed)


def test_ids_from_before_the_key_are_known_and_sealed_later(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who came without a key comes again with it as the same person, before and after the sealing."""
    monkeypatch.delenv(VARIABLE, raising=False)
    study = OnLink(store, tmp_path)
    token = study.arrive("ann")
    monkeypatch.setenv(VARIABLE, new_key())
    assert study.arrive("ann") == token
    other = study.arrive("ben")
    assert [MARK in str(one) for one in ids(store)] == [False, True]
    for sealed in (1, 0):
        with store.write() as connection:
            assert encrypt_identities(connection) == sealed
    assert [reveal("link", str(one)) for one in ids(store)] == ["ann", "ben"]
    assert (study.arrive("ann"), study.arrive("ben")) == (token, other)


def test_under_a_wrong_key_or_none_nobody_is_taken_for_new(
    store: Store, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else everybody could come twice, and would be stored in plain text beside their sealed id."""
    study = OnLink(store, tmp_path)
    study.arrive("ann")
    before = ids(store)
    for wrong in (new_key(), ""):
        monkeypatch.setenv(VARIABLE, wrong)
        for person in ("ann", "ben"):
            with pytest.raises(IdentityError, match="sealed"):
                study.arrive(person)
    with store.write() as connection, pytest.raises(IdentityError, match="set CROWDLOOM_IDENTITY_KEY first"):
        encrypt_identities(connection)
    monkeypatch.setenv(VARIABLE, new_key())
    with store.write() as connection, pytest.raises(IdentityError, match="another key"):
        encrypt_identities(connection)
    assert ids(store) == before


def test_nobody_comes_under_a_sealed_name(sqlite_store: Store, tmp_path: Path, key: str) -> None:
    """Who has seen the store does not thereby become somebody in it, nor break the reading of the others."""
    study = OnLink(sqlite_store, tmp_path)
    study.arrive("ann")
    for name in (str(ids(sqlite_store)[0]), f"{MARK}x"):
        with pytest.raises(PlaceError, match="not valid"):
            study.arrive(name)


def test_whom_nobody_needs_any_more_is_forgotten(store: Store, tmp_path: Path) -> None:
    """Ids and invitations go, answers and pseudonyms stay; who comes again is a stranger to a closed study."""
    study = OnLink(store, tmp_path, people=VOLUNTEERS)
    with store.write() as connection:
        invited = invite(connection, study.posted.id, 2)[0]
    done = study.take(invited)
    study.close()
    assert forget(study) == Forgotten(1, 0)
    assert ids(store) == [None]
    with store.read() as connection:
        assert connection.scalars(select(Invitation.token)).all() == []
        assert connection.scalars(select(Submission.state)).all() == ["completed"]
        assert find_submission(connection, find_entry(connection, study.posting), invited) is None
    assert study.place(done.token) == "filled"
    with pytest.raises(PlaceError, match="closed"):
        study.arrive(invited)
    assert forget(study) == Forgotten(0, 0)


def test_an_unknown_study_is_not_forgotten(store: Store) -> None:
    """A slip in its name is said."""
    with store.write() as connection, pytest.raises(StudyError, match="no study is called 'pest'"):
        forget_identities(connection, "pest")


def test_nobody_is_forgotten_who_may_come_or_be_paid(store: Store, tmp_path: Path) -> None:
    """While it is open, while somebody is at work, before it is reviewed, before it is paid: each has its sentence."""
    study = OnLink(store, tmp_path)
    done = study.take("ann")
    working = study.arrive("ben")
    with pytest.raises(IdentityError, match="is not closed yet"):
        forget(study)
    study.close()
    with pytest.raises(IdentityError, match="1 of the people of pets are still at work"):
        forget(study)
    study.let_time_pass(working)
    for decided in (False, True):
        if decided:
            study.approve_all()
        with pytest.raises(IdentityError, match="still has 1 submissions whose payments are not confirmed"):
            forget(study)
    with store.write() as connection:
        owe_rewards(connection, study.posted)
    with pytest.raises(IdentityError, match="still has 1 submissions"):
        forget(study)
    with store.write() as connection:
        record_by_hand(connection, study.ledger())
    assert forget(study) == Forgotten(2, 0)
    assert done.token


def test_a_rejected_submission_keeps_nobody(sqlite_store: Store, tmp_path: Path) -> None:
    """It is owed nothing."""
    study = OnLink(sqlite_store, tmp_path)
    done = study.take("ann")
    study.close()
    with sqlite_store.write() as connection:
        review(connection, "pets", study.code_of(done.token), "rejected", "typed nonsense")
    assert forget(study) == Forgotten(1, 0)


def test_who_is_needed_by_another_study_keeps_their_id(store: Store, tmp_path: Path) -> None:
    """Where that is open, where it is closed and not reviewed yet, and where it owes them money; not after that."""
    first = OnLink(store, tmp_path / "a", name="first", people=VOLUNTEERS)
    second = OnLink(store, tmp_path / "b", name="second")
    both = "both"
    for study in (first, second):
        study.take(both)
    first.take("alone")
    first.close()
    assert forget(first) == Forgotten(1, 1)
    assert sorted(map(str, ids(store))) == ["None", both]
    second.close()
    assert forget(first) == Forgotten(0, 1)  # still to be reviewed there
    second.approve_all()
    with store.write() as connection:
        owe_rewards(connection, second.posted)
    assert forget(first) == Forgotten(0, 1)
    with store.write() as connection:
        record_by_hand(connection, second.ledger())
    assert forget(first) == Forgotten(1, 0)
    assert ids(store) == [None, None]


def test_what_the_platform_waits_to_see_reviewed_keeps_everybody(sqlite_store: Store, on_paying: Publish) -> None:
    """Handed in, and neither approved nor rejected."""
    study = on_paying(sqlite_store)
    study.take()
    study.poll()
    study.close()
    with pytest.raises(IdentityError, match="1 that the platform waits to see reviewed"):
        forget(study)  # type: ignore[arg-type]


def test_the_platform_does_not_bring_back_what_was_forgotten(sqlite_store: Store, on_paying: Publish) -> None:
    """It still knows them; it is asked no more, by no command."""
    study = on_paying(sqlite_store, people=REWARD)
    person = study.take()
    study.account.approve([person.remote])
    study.poll()
    study.close()
    forget(study)  # type: ignore[arg-type]
    found = reconcile(sqlite_store, study.posted, study.account)
    assert (found.polled.seen, found.differences) == (0, [])
    assert ids(sqlite_store) == [None]
    with sqlite_store.read() as connection:
        assert connection.scalars(select(RemoteSubmission.remote_id)).all() == [None]


def test_a_bonus_that_is_owed_keeps_everybody(sqlite_store: Store, tmp_path: Path) -> None:
    """Also of somebody whose reward is paid."""
    study = OnLink(sqlite_store, tmp_path)
    study.take("ann")
    study.close()
    study.approve_all()
    with sqlite_store.write() as connection:
        owe_rewards(connection, study.posted)
        record_by_hand(connection, study.ledger())
        submission = connection.execute(select(Submission.id)).scalar_one()
        owe(connection, submission, "bonus", study.design.people.reward)  # type: ignore[arg-type]
    with pytest.raises(IdentityError, match="still has 1 submissions"):
        forget(study)
