"""Looking again and again: each thing is said once, when it is new, and again when it is mended; nobody is paid."""

from __future__ import annotations

import pytest

from crowdloom.studies.database import Store
from crowdloom.studies.entry import find_entry, refuse
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.polling import poll_one
from crowdloom.studies.reconciling import reconcile
from crowdloom.studies.review import reject, stray_code
from crowdloom.studies.watching import Watch
from tests.studies.conftest import Publish
from tests.studies.published import Published

pytestmark = pytest.mark.slow

REASON = "Handed in without one answer: the study was never opened, so there is nothing here that could be paid for."


def kinds(study: Published) -> dict[str, str]:
    """What reconciling finds: kinds, with what mends them."""
    return {one.kind: one.mend for one in reconcile(study.store, study.posted, study.account).differences}


def test_each_thing_is_said_once_and_when_it_is_mended(store: Store, on_paying: Publish) -> None:
    """Complete here and not handed in there, then handed in, then nothing new."""
    study = on_paying(store)
    watch = Watch(store, "pets")
    assert list(watch.look()) == ["places: 0 filled, 0 held, 0 overdue, 2 open"]
    comer = study.come()
    study.answer(comer.token)
    first = list(watch.look())
    assert [line for line in first if "not handed in" in line]
    assert "places: 1 filled, 0 held, 0 overdue, 1 open" in first
    assert list(watch.look()) == []
    study.hand_in(comer)
    second = list(watch.look())
    assert [line for line in second if "mended" in line and study.code_of(comer.token) in line]
    assert [line for line in second if "not reviewed" in line]
    assert list(watch.look()) == []
    assert study.paid(comer) == []  # type: ignore[attr-defined]


def test_a_platform_that_is_away_is_said_and_asked_again(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch goes on."""
    study = on_mturk(sqlite_store)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    watch = Watch(sqlite_store, "pets")
    list(watch.look())
    study.market.add_fault("GetHIT", "500", times=9)  # type: ignore[attr-defined]
    assert [line for line in watch.look() if "failed at get hit" in line or "nobody can know" in line]
    study.market.clear_faults()  # type: ignore[attr-defined]
    assert list(watch.look()) == []


def test_an_unknown_study_is_not_watched(sqlite_store: Store) -> None:
    """It is said at once."""
    with pytest.raises(StudyError, match="no study is called"):
        Watch(sqlite_store, "pest")


def test_what_was_decided_there_is_shown_with_what_mends_it(sqlite_store: Store, on_paying: Publish) -> None:
    """Approved or rejected on the platform, by hand or by itself, and not here."""
    study = on_paying(sqlite_store)
    good, bad = study.take(), study.take()
    study.account.approve([good.remote])
    reason = "x" * 120
    study.account.reject(bad.remote, reason, *study.capabilities.rejection_categories[:1])
    found = kinds(study)
    assert found["approved there"].endswith(f"--approve {study.code_of(good.token)}")
    assert f"--reject {study.code_of(bad.token)}" in found["rejected there"]


def test_what_nobody_began_here_is_shown(sqlite_store: Store, on_paying: Publish) -> None:
    """Handed in there without ever having been here: no answers; it is said, and it can be rejected."""
    study = on_paying(sqlite_store)
    stranger = study.accept()
    study.hand_in(stranger)
    study.poll()
    found = reconcile(sqlite_store, study.posted, study.account).differences
    assert [(one.kind, one.who) for one in found if one.kind == "unknown here"] == [
        ("unknown here", stray_code(stranger.remote))
    ]
    category = next(iter(study.capabilities.rejection_categories), None)
    with pytest.raises(OptionError, match="--reason has"):
        reject(sqlite_store, "pets", stray_code(stranger.remote), "", category)
    reject(sqlite_store, "pets", stray_code(stranger.remote), REASON, category)
    assert study.account.submission(stranger.remote).state == "rejected"
    assert study.paid(stranger) == []  # type: ignore[attr-defined]
    with pytest.raises(StudyError, match="has no submission"):
        reject(sqlite_store, "pets", "there-000000000000", REASON, category)


def test_a_wrong_code_and_who_left_are_told_apart(sqlite_store: Store, on_prolific: Publish) -> None:
    """Complete with another code than its own is shown; who refused and came back with the code for it is not."""
    study = on_prolific(sqlite_store)
    wrong = study.come()
    study.answer(wrong.token)
    study.prolific.complete(wrong.remote, "GUESSED")  # type: ignore[attr-defined]
    refuser = study.accept()
    with sqlite_store.write() as connection:
        entry = find_entry(connection, study.posting)
        refuse(connection, entry, refuser.person, PLATFORMS["prolific"].arrive(refuser.query, entry.where))
    study.hand_in(refuser, "no_consent")  # type: ignore[call-arg]
    found = reconcile(sqlite_store, study.posted, study.account).differences
    assert [(one.kind, one.who) for one in found if one.kind != "places lacking"] == [
        ("wrong code", study.code_of(wrong.token))
    ]


def test_one_submission_is_brought_up_to_date_by_itself(sqlite_store: Store, on_paying: Publish) -> None:
    """As after a webhook: twice is once, and one of another posting is not taken."""
    study, other = on_paying(sqlite_store), on_paying(sqlite_store, name="other")
    comer, stranger = study.take(), other.take()
    for _ in range(2):
        assert poll_one(sqlite_store, study.posted, study.account, comer.remote)
    assert not poll_one(sqlite_store, study.posted, study.account, stranger.remote)
    assert study.remotes() == {(comer.remote, comer.person): "submitted"}
