"""The jobs behind the researcher's pages, against a real marketplace and Prolific's stand-in."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from crowdloom.models.live import Context, Refused
from crowdloom.studies import platform_jobs as asked
from crowdloom.studies.database import Store, new_token
from crowdloom.studies.errors import LiveStepError, PaymentError, StudyError
from crowdloom.studies.ledger import payments
from crowdloom.studies.platform_work import do, work
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.mturk_account import MTurkAccount
from crowdloom.studies.posted import find_postings
from crowdloom.studies.review import completed
from crowdloom.studies.tables import Job, Posting, Study, Submission
from crowdloom.studies.web import create_app
from tests.studies.conftest import Publish
from tests.studies.published import REWARD, OnMTurk, OnProlific, Published

sys.path.insert(0, str(Path(__file__).parent))
from live_processes import worker

pytestmark = pytest.mark.slow

BONUS = {"rule": "agreement", "amount": "0.41 USD", "share": 1.0}


def token_of(store: Store) -> str:
    """The token of the one study."""
    with store.read() as connection:
        return str(connection.execute(select(Study.token)).scalar_one())


def carry_out(store: Store, given: asked.Ask) -> asked.Result:
    """Do it here, without a worker."""
    return do(store, given, lambda _fraction, _message: None)


def owing(publish: Publish, store: Store, number: int = 2, **changes: Any) -> tuple[Published, list[Any]]:
    """A study whose people have handed in and are approved."""
    study = publish(store, **changes)
    comers = [study.take() for _ in range(number)]
    study.poll()
    study.approve_all()
    return study, comers


def settle(study: Published) -> None:
    """What Prolific does later, it does now."""
    if isinstance(study, OnProlific):
        study.prolific.settle()


def approved(study: Published, comers: list[Any]) -> list[bool]:
    """Whether the platform has approved, and so paid, what each handed in."""
    settle(study)
    return [study.account.submission(comer.remote).state == "approved" for comer in comers]


def pay(store: Store, study: Published, expected: int) -> asked.Pay:
    """What the button asks for."""
    return asked.Pay(study=token_of(store), posting=study.posting, expected=expected)


def job_row(store: Store, token: str) -> Any:
    """A job as it is stored."""
    with store.read() as connection:
        return connection.execute(select(Job.__table__).where(Job.token == token)).one()


def test_a_worker_pays(store: Store, tmp_path: Path, on_mturk: Publish) -> None:
    """A real worker process carries a job out; neither its row nor its result holds a secret or an id."""
    study, comers = owing(on_mturk, store)
    token = asked.ask(store, pay(store, study, 240), new_token())
    refused = asked.ask(store, asked.GiveBonus(study=token_of(store), expected=1), new_token())
    with worker(store, tmp_path, once=True) as process:
        assert process.wait(30) == 0
    row = job_row(store, token)
    assert row.state == "done", row.error
    assert row.output["lines"] == ["mturk, version 1: 2 payments confirmed, 0 under way."]
    assert [study.paid(comer) for comer in comers] == [[("reward", 120)]] * 2
    assert "promises no bonus" in job_row(store, refused).error
    said = json.dumps([str(value) for value in row])
    for secret in (
        "nobody-is-to-see-this",
        store.url,
        *(one for comer in comers for one in (comer.person, comer.remote)),
    ):
        assert secret not in said


def test_another_amount_pays_nobody(sqlite_store: Store, on_paying: Publish) -> None:
    """Where what would be paid is not what the button said, one sentence says both, and nothing is paid."""
    store = sqlite_store
    study, comers = owing(on_paying, store)
    with pytest.raises(PaymentError, match=r"now come to 2\.40 USD, and the button said 1\.20 USD; nothing was paid"):
        carry_out(store, pay(store, study, 120))
    assert approved(study, comers) == [False, False]
    assert {due.state for due in study.ledger()} <= {"pending"}
    carry_out(store, pay(store, study, 240))
    with pytest.raises(PaymentError):  # the same button from a page that was left open
        carry_out(store, pay(store, study, 240))
    assert approved(study, comers) == [True, True]


def test_a_job_that_died_half_way_goes_on(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt counts what the first had paid as agreed to, and pays the rest, once."""
    study, comers = owing(on_mturk, sqlite_store)
    given, approve, calls = pay(sqlite_store, study, 240), MTurkAccount.approve, []

    def dying(account: MTurkAccount, remote_ids: list[str]) -> None:
        calls.append(remote_ids)
        if len(calls) == 2:
            raise KeyboardInterrupt  # as little as SIGKILL would it write anything down
        approve(account, remote_ids)

    monkeypatch.setattr(MTurkAccount, "approve", dying)
    with pytest.raises(KeyboardInterrupt):
        carry_out(sqlite_store, given)
    assert sorted(len(study.paid(comer)) for comer in comers) == [0, 1]
    for _ in range(2):
        carry_out(sqlite_store, given)
        assert [study.paid(comer) for comer in comers] == [[("reward", 120)]] * 2
    assert {due.state for due in study.ledger()} == {"confirmed"}


def test_one_unfinished_job_of_each_kind(store: Store, on_mturk: Publish) -> None:
    """Two tabs make one job; another amount is refused while it waits; other people's rejections wait beside it."""
    study = on_mturk(store)
    first = asked.ask(store, pay(store, study, 120), "first")
    assert asked.ask(store, pay(store, study, 120), "second") == first
    assert asked.ask(store, pay(store, study, 999), "first") == first
    with pytest.raises(LiveStepError, match="still busy with an earlier request"):
        asked.ask(store, pay(store, study, 999), "third")
    rejections = [asked.Reject(study=token_of(store), code=code, reason="Random answers.") for code in ("a", "b", "a")]
    tokens = [asked.ask(store, one, f"reject-{number}") for number, one in enumerate(rejections)]
    assert tokens == ["reject-0", "reject-1", "reject-0"]
    asked.withdraw(store, first)
    assert job_row(store, first).state == "cancelled"
    assert asked.ask(store, pay(store, study, 999), "fourth") == "fourth"
    with store.read() as connection:
        assert [job.action for job in asked.history(connection, token_of(store))] == ["pay", "reject", "reject", "pay"]
        assert asked.find_job(connection, "another-study", first) is None


def test_errors_are_one_sentence(
    sqlite_store: Store, tmp_path: Path, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an account, with a broken one, or for a study that is gone: no traceback, no secret, no id."""
    study, comers = owing(on_mturk, sqlite_store, 1)
    monkeypatch.setenv(asked.STORE_VARIABLE, sqlite_store.url)
    context = Context(tmp_path)
    OnMTurk.market.add_fault("ListAssignmentsForHIT", "throttle", times=50)
    with pytest.raises(Refused) as said:
        work(pay(sqlite_store, study, 120), context)
    OnMTurk.market.clear_faults()
    assert "\n" not in str(said.value)
    assert "nobody-is-to-see-this" not in str(said.value)
    assert comers[0].remote not in str(said.value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Refused, match="credentials"):
        work(pay(sqlite_store, study, 120), context)
    with pytest.raises(Refused, match="no such study"):
        work(asked.Pause(study="gone"), context)
    with pytest.raises(LiveStepError, match="another version"):
        asked.declared_platform_step("fly")


def test_publishing(store: Store, tmp_path: Path, mturk_environ: Any) -> None:
    """At another price nothing is published; at the right one it is, and again changes nothing."""
    OnMTurk.market, OnMTurk.address = mturk_environ
    study = OnMTurk(store, tmp_path, put=False)
    right = asked.Publish(study=token_of(store), platform="mturk", address="https://lab.example", expected=288)
    for wrong in ({"expected": 289}, {"draft": True}, {"address": "http://lab.example"}):
        with pytest.raises(Exception, match=r"nothing was published|no drafts|https address"):
            carry_out(store, right.model_copy(update=wrong))
    with store.read() as connection:
        assert connection.execute(select(Posting.id)).first() is None
    result = carry_out(store, right)
    assert result.lines[0] == "Version 1 is now open on mturk, 2 places."
    assert carry_out(store, right).lines[0] == "Version 1 is already open on mturk, 2 places."
    with store.read() as connection:
        study.posting = find_postings(connection, "pets")[0].token
    assert len(study.listings()) == 1
    assert any("has no pause" in line for line in carry_out(store, asked.Pause(study=token_of(store))).lines)


def test_steering(sqlite_store: Store, on_prolific: Publish) -> None:
    """Pause, resume and close reach the platform; each a second time finds nothing to do."""
    store = sqlite_store
    study = on_prolific(store)
    for action, state in ((asked.Pause, "paused"), (asked.Resume, "open"), (asked.Close, "closed")):
        assert carry_out(store, action(study=token_of(store))).lines == [f"prolific, version 1, is {state}."]
        assert study.posted.state == state
        assert study.account.listing(study.listings()[0].remote_id).state == state
        assert "Nothing to do" in carry_out(store, action(study=token_of(store))).lines[0]


def test_reconciling_names_nobody(sqlite_store: Store, on_paying: Publish) -> None:
    """Differences come with what mends them, and without the platform's ids of people and of what they handed in."""
    store = sqlite_store
    study = on_paying(store)
    begun, gone = study.take(), study.accept()
    study.hand_in(gone)
    result = carry_out(store, asked.Reconcile(study=token_of(store)))
    assert {one.kind for one in result.differences or []} >= {"not reviewed", "unknown here"}
    said = result.model_dump_json()
    for secret in (begun.person, begun.remote, gone.person, gone.remote):
        assert secret not in said
    assert "crowdloom review pets" in said
    assert result.lines[-1].endswith("differences.")


def test_bonuses_by_rule(store: Store, on_mturk: Publish) -> None:
    """First shown, then given: at another sum nothing is written, at the right one each is paid once."""
    study, comers = owing(on_mturk, store, bonus=BONUS)
    preview = carry_out(store, asked.PreviewBonus(study=token_of(store)))
    assert (preview.lines, preview.expected) == (["2 of 2 submissions, 0.82 USD in all."], 82)
    assert [row.bonus for row in preview.bonuses or []] == ["0.41 USD"] * 2
    assert study.ledger() == []
    with pytest.raises(PaymentError, match=r"now come to 0\.82 USD"):
        carry_out(store, asked.GiveBonus(study=token_of(store), expected=41))
    assert study.ledger() == []
    given = asked.GiveBonus(study=token_of(store), expected=82)
    assert carry_out(store, given).lines[0] == "2 payments written to the ledger."
    assert carry_out(store, given).lines[0] == "0 payments written to the ledger."  # the same job once more
    settle(study)
    assert [[amount for kind, amount in study.paid(comer) if kind == "bonus"] for comer in comers] == [[41], [41]]
    assert carry_out(store, asked.PreviewBonus(study=token_of(store))).expected == 0


def test_additions(sqlite_store: Store, on_mturk: Publish) -> None:
    """Everybody gets what the median person lacks, once; the job run again pays nobody more."""
    store = sqlite_store
    study, comers = owing(on_mturk, store, people=REWARD | {"hourly_floor": "9 USD"})
    token, posting = token_of(store), study.posting
    with pytest.raises(PaymentError, match="nothing is lacking"):
        carry_out(store, asked.TopUp(study=token, posting=posting, expected=0))
    with store.write() as connection:
        for row in connection.execute(select(Submission.id, Submission.completed_at)).all():
            began = row.completed_at - timedelta(minutes=10)
            connection.execute(update(Submission).where(Submission.id == row.id).values(started_at=began))
    with pytest.raises(PaymentError, match=r"now come to 0\.60 USD"):
        carry_out(store, asked.TopUp(study=token, posting=posting, expected=61))
    given = asked.TopUp(study=token, posting=posting, expected=60)
    carry_out(store, given)
    carry_out(store, given)
    assert [study.paid(comer) for comer in comers] == [[("bonus", 30)]] * 2


def test_rejecting_and_asking_to_return(sqlite_store: Store, on_prolific: Publish) -> None:
    """Both reach the platform; a rejection frees the place and stands here too."""
    store = sqlite_store
    study = on_prolific(store)
    bad, doubtful = study.take(), study.take()
    study.poll()
    token = token_of(store)
    category = PLATFORMS["prolific"].capabilities.rejection_categories[0]
    code = study.code_of(bad.token)
    carry_out(store, asked.Reject(study=token, code=code, reason="x" * 100, category=category))
    assert study.account.submission(bad.remote).state == "rejected"
    carry_out(store, asked.RequestReturn(study=token, code=study.code_of(doubtful.token), reason="Please."))
    assert ("return_requested", {"reason": "Please."}) in study.events(doubtful.token)
    with store.read() as connection:
        assert {row.code: row.review for row in completed(connection, "pets")}[code] == "rejected"
    with pytest.raises(StudyError):
        carry_out(store, asked.Reject(study=token, code="nobody", reason="x" * 100, category=category))


def test_more_places(sqlite_store: Store, on_paying: Publish) -> None:
    """More are asked for only up to the price on the button; again adds none."""
    store = sqlite_store
    study = on_paying(store)
    token = token_of(store)
    given = asked.AddPlaces(study=token, posting=study.posting, expected=100_000, responses=3)
    with pytest.raises(PaymentError, match="1 place would now be added"):
        carry_out(store, given.model_copy(update={"expected": 100}))
    assert study.listings()[0].places == 2
    for _ in range(2):
        carry_out(store, given)
        assert study.listings()[0].places == 3
    with store.read() as connection:
        assert len(payments(connection, study.posted)) == 0


def test_somebody_may_hand_in_after_all(sqlite_store: Store, on_mturk: Publish) -> None:
    """One person who completed and could not hand in gets a listing of their own, once."""
    store = sqlite_store
    study = on_mturk(store)
    comer = study.come()
    study.answer(comer.token)
    given = asked.LetHandIn(study=token_of(store), code=study.code_of(comer.token))
    for _ in range(2):
        carry_out(store, given)
    assert [listing.submission_id is not None for listing in study.listings()] == [False, True]


def test_participants_cannot_ask_for_any_of_it(sqlite_store: Store, on_mturk: Publish) -> None:
    """A participant's address knows neither the actions nor the researcher's jobs."""
    study = on_mturk(sqlite_store)
    comer = study.come()
    job = asked.ask(sqlite_store, pay(sqlite_store, study, 120), new_token())
    client = create_app(sqlite_store).test_client()
    assert client.post(f"/take/{comer.token}/live/publish", json={}).status_code == 404
    assert client.get(f"/take/{comer.token}/live/jobs/{job}").status_code == 404
    assert client.post(f"/take/{comer.token}/live/jobs/{job}/cancel").status_code == 404
    assert job_row(sqlite_store, job).state == "queued"
