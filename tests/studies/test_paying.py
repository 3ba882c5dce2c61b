"""Who is owed what, and that each is paid once; what only the platform knows is asked, never guessed.

One long file, since its tests share the ways to bring a submission to where money is owed for it.
"""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store, now
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import PaymentError, PlatformRefusedError, PlatformUnsureError, StudyError
from crowdloom.studies.fair_pay import fair_pay, owe_top_ups
from crowdloom.studies.ledger import cancel, claim, owe, payments, record_by_hand, settle, spent
from crowdloom.studies.paying import CLAIM, check_spending, owe_rewards, pay, resolve
from crowdloom.studies.paylist import write_list
from crowdloom.studies.polling import poll
from crowdloom.studies.publishing import add_listing, put_up
from crowdloom.studies.reconciling import reconcile
from crowdloom.studies.review import approve_passing, completed, reject, review
from crowdloom.studies.tables import Event, Submission
from tests.studies.conftest import Publish
from tests.studies.published import REWARD, Comer, Faulty, OnLink, OnProlific, Published

pytestmark = pytest.mark.slow

BONUS = Money(amount=41, currency="USD")
LONG = "The answers were given faster than the images can be looked at, and all of them name the same class of animal."


def ready(study: Published) -> Comer:
    """Somebody who handed in and is approved here, whose reward stands in the ledger."""
    comer = study.take()
    study.poll()
    study.approve_all()
    with study.store.write() as connection:
        owe_rewards(connection, study.posted)
    return comer


def give_bonus(study: Published, comer: Comer, amount: Money = BONUS) -> bool:
    """Owe somebody a bonus."""
    return owe_it(study, comer, "bonus", amount)


def owe_it(study: Published, comer: Comer, purpose: str, amount: Money) -> bool:
    """Owe somebody something."""
    submission = study.submission(comer.token).id
    with study.store.write() as connection:
        return owe(connection, submission, purpose, amount)  # type: ignore[arg-type]


def states(study: Published) -> dict[str, str]:
    """The ledger: states by purpose."""
    return {due.purpose: due.state for due in study.ledger()}


def settled(study: Published) -> None:
    """What the platform does later, it does now; and we ask it."""
    if isinstance(study, OnProlific):
        study.prolific.settle()
    study.poll()
    resolve(study.store, study.posted, study.account)


def test_reward_and_bonus_are_paid_once_however_often_it_is_tried(store: Store, on_paying: Publish) -> None:
    """Paying again and again, and owing again, pays nothing more."""
    study = on_paying(store)
    comer = ready(study)
    assert give_bonus(study, comer)
    assert not give_bonus(study, comer, Money(amount=99, currency="USD"))
    for _ in range(3):
        pay(store, study.posted, study.account)
        settled(study)
    with store.write() as connection:
        assert owe_rewards(connection, study.posted) == 0
    assert study.paid(comer) == [("reward", 120), ("bonus", 41)]  # type: ignore[attr-defined]
    assert states(study) == {"reward": "confirmed", "bonus": "confirmed"}
    assert not [one for one in reconcile(store, study.posted, study.account).differences if "bonus" in one.kind]


def test_of_two_who_pay_at_once_only_one_calls(store: Store, on_paying: Publish) -> None:
    """A payment is claimed before the platform is asked: the second finds nothing to claim."""
    study = on_paying(store)
    comer = ready(study)
    give_bonus(study, comer)
    with store.read() as connection:
        seen = payments(connection, study.posted, states=("pending",))
    with store.write() as connection:
        assert [due.purpose for due in claim(connection, seen, now())] == ["reward", "bonus"]
    with store.write() as connection:
        assert claim(connection, seen, now()) == []
    done = pay(store, study.posted, study.account, ("bonus",))
    assert (done.under_way, study.paid(comer)) == (1, [])  # type: ignore[attr-defined]
    later = lambda: now() + CLAIM + timedelta(seconds=1)  # noqa: E731
    resolve(store, study.posted, study.account, moment=later)
    assert states(study)["bonus"] == "pending"


@pytest.mark.parametrize("operation", ["prepare_bonuses", "pay_bonuses", "approve"])
def test_a_refusal_leaves_it_owed_with_the_reason(sqlite_store: Store, on_paying: Publish, operation: str) -> None:
    """The vendor's code is kept; the next attempt pays."""
    study = on_paying(sqlite_store)
    comer = ready(study)
    give_bonus(study, comer)
    broken = Faulty(study.account, operation, PlatformRefusedError("not now", code="VENDOR-7"))
    refused = pay(sqlite_store, study.posted, broken).refused
    assert refused == [(study.code_of(comer.token), "not now (VENDOR-7)")]
    kept = {due.purpose: (due.state, due.message) for due in study.ledger()}
    purpose = "reward" if operation == "approve" else "bonus"
    assert kept[purpose] == ("pending", "not now (VENDOR-7)")
    pay(sqlite_store, study.posted, study.account)
    settled(study)
    assert study.paid(comer) == [("reward", 120), ("bonus", 41)] or study.paid(comer)[::-1] == [  # type: ignore[attr-defined]
        ("reward", 120),
        ("bonus", 41),
    ]


@pytest.mark.parametrize(
    ("message", "said"),
    [("worker 33DONOA8 may not", "worker 33DONOA8 may not (NO)"), ("NO: they may not", "NO: they may not")],
)
def test_a_code_is_said_once(sqlite_store: Store, on_mturk: Publish, message: str, said: str) -> None:
    """It is added unless the message names it, as a word of its own and not by chance within an id."""
    study = on_mturk(sqlite_store)
    comer = ready(study)
    broken = Faulty(study.account, "approve", PlatformRefusedError(message, code="NO"))
    assert pay(sqlite_store, study.posted, broken).refused == [(study.code_of(comer.token), said)]


def test_silence_after_paying_is_unknown_until_the_platform_shows_it(sqlite_store: Store, on_prolific: Publish) -> None:
    """It is not paid again, however often it is tried, and confirmed as soon as it shows."""
    study = on_prolific(sqlite_store)
    comer = ready(study)
    give_bonus(study, comer)
    silent = Faulty(study.account, "pay_bonuses", PlatformUnsureError("no answer"), after=True)
    assert len(pay(sqlite_store, study.posted, silent).unknown) == 1
    for _ in range(2):
        found = pay(sqlite_store, study.posted, study.account)
        assert [sentence.split(";")[0] for _, sentence in found.unknown] == ["no answer"]
        assert states(study)["bonus"] == "unknown"
    settled(study)
    assert states(study)["bonus"] == "confirmed"
    assert study.paid(comer).count(("bonus", 41)) == 1  # type: ignore[attr-defined]


def test_what_certainly_did_not_come_is_owed_again(sqlite_store: Store, on_prolific: Publish) -> None:
    """Once the time is over within which it could still have come."""
    study = on_prolific(sqlite_store)
    comer = ready(study)
    give_bonus(study, comer)
    lost = Faulty(study.account, "pay_bonuses", PlatformUnsureError("no answer"))
    pay(sqlite_store, study.posted, lost)
    assert states(study)["bonus"] == "unknown"
    resolve(sqlite_store, study.posted, study.account, moment=lambda: now() + timedelta(minutes=61))
    assert states(study)["bonus"] == "pending"
    pay(sqlite_store, study.posted, study.account)
    settled(study)
    assert study.paid(comer).count(("bonus", 41)) == 1  # type: ignore[attr-defined]


def test_who_handed_in_nothing_waits(sqlite_store: Store, on_paying: Publish) -> None:
    """Complete and approved here: four separate facts, and the platform sets two of them."""
    study = on_paying(sqlite_store)
    comer = study.come()
    study.answer(comer.token)
    study.poll()
    study.approve_all()
    with sqlite_store.write() as connection:
        owe_rewards(connection, study.posted)
    done = pay(sqlite_store, study.posted, study.account)
    assert (done.not_handed_in, study.paid(comer)) == ([study.code_of(comer.token)], [])  # type: ignore[attr-defined]
    assert states(study) == {"reward": "pending"}
    kinds = {one.kind for one in reconcile(sqlite_store, study.posted, study.account).differences}
    assert kinds == {"not handed in", "owed"}
    study.hand_in(comer)
    study.poll()
    pay(sqlite_store, study.posted, study.account)
    settled(study)
    assert study.paid(comer) == [("reward", 120)]  # type: ignore[attr-defined]


def test_what_the_platform_approved_by_itself_is_not_paid_again(sqlite_store: Store, on_paying: Publish) -> None:
    """It is confirmed without a call."""
    study = on_paying(sqlite_store)
    comer = ready(study)
    study.account.approve([comer.remote])
    study.poll()
    unused = Faulty(study.account, "approve", AssertionError("asked again"))
    assert pay(sqlite_store, study.posted, unused).confirmed == 1
    assert study.paid(comer) == [("reward", 120)]  # type: ignore[attr-defined]


def test_the_same_work_handed_in_twice_is_paid_once(sqlite_store: Store, on_mturk: Publish) -> None:
    """Two assignments lead to one submission before we hear of either; the second is shown as such, and not paid."""
    study = on_mturk(sqlite_store)
    with sqlite_store.write() as connection:
        add_listing(connection, study.posted, None, 1)
    put_up(sqlite_store, study.posting)
    one, other = study.listings()
    first = study.come(listing=one)
    study.answer(first.token)
    second = study.come(first.person, other)
    assert second.token == first.token
    for comer in (first, second):
        study.hand_in(comer)
    study.poll()
    study.approve_all()
    with sqlite_store.write() as connection:
        owe_rewards(connection, study.posted)
    for _ in range(2):
        pay(sqlite_store, study.posted, study.account)
        settled(study)
    assert study.paid(first) == [("reward", 120)]  # type: ignore[attr-defined]
    found = reconcile(sqlite_store, study.posted, study.account).differences
    assert second.remote in next(one.what for one in found if one.kind == "handed in twice")


def test_a_second_approval_changes_nothing(sqlite_store: Store, on_paying: Publish) -> None:
    """Neither here nor there; one event, one payment."""
    study = on_paying(sqlite_store)
    comer = ready(study)
    code = study.code_of(comer.token)
    for _ in range(2):
        with sqlite_store.write() as connection:
            review(connection, "pets", code, "approved")
            assert approve_passing(connection, "pets") == []
        study.account.approve([comer.remote])
    settled(study)
    with sqlite_store.read() as connection:
        kinds = list(connection.scalars(select(Event.kind).where(Event.kind == "approved")))
    assert kinds == ["approved"]
    assert study.paid(comer) == [("reward", 120)]  # type: ignore[attr-defined]


def test_what_is_paid_cannot_be_rejected(sqlite_store: Store, on_paying: Publish) -> None:
    """Sent, confirmed, or approved by the platform itself: nothing changes, here or there."""
    study = on_paying(sqlite_store)
    ours, by_itself = ready(study), study.take()
    pay(sqlite_store, study.posted, study.account)
    settled(study)
    study.account.approve([by_itself.remote])
    study.poll()
    for comer, reason in ((ours, "its reward is confirmed"), (by_itself, "its platform has approved it")):
        code = study.code_of(comer.token)
        category = study.capabilities.rejection_categories[:1]
        with pytest.raises(StudyError, match=f"{code} cannot be rejected: {reason}"):
            reject(sqlite_store, "pets", code, LONG, *category)
        with sqlite_store.write() as connection, pytest.raises(StudyError, match=reason):
            review(connection, "pets", code, "rejected", LONG)
        assert study.place(comer.token) == "filled"
        assert study.account.submission(comer.remote).state == "approved"


def test_a_rejection_cancels_what_is_owed_and_an_approval_owes_it_again(store: Store, on_paying: Publish) -> None:
    """The place is free, the answers stay; nothing that was cancelled is paid."""
    study = on_paying(store)
    comer = ready(study)
    give_bonus(study, comer)
    code = study.code_of(comer.token)
    for _ in range(2):
        reject(store, "pets", code, LONG, *study.capabilities.rejection_categories[:1])
    assert study.account.submission(comer.remote).state == "rejected"
    assert states(study) == {"reward": "cancelled", "bonus": "cancelled"}
    assert (study.place(comer.token), study.freed(comer.token)) == (None, ["rejected"])
    pay(store, study.posted, study.account)
    assert study.paid(comer) == []  # type: ignore[attr-defined]
    with store.write() as connection:
        review(connection, "pets", code, "approved")
        assert owe_rewards(connection, study.posted) == 1
    assert study.place(comer.token) == "filled"
    assert states(study) == {"reward": "pending", "bonus": "cancelled"}
    done = pay(store, study.posted, study.account)
    settled(study)
    if study.capabilities.approves_rejected:
        assert study.paid(comer) == [("reward", 120)]  # type: ignore[attr-defined]
    else:
        assert done.refused == [(code, "the platform has it as rejected")]
        assert states(study)["reward"] == "pending"


def test_a_platform_that_refuses_the_rejection_changes_nothing_here(sqlite_store: Store, on_paying: Publish) -> None:
    """The platform is asked first."""
    study = on_paying(sqlite_store)
    comer = ready(study)
    code = study.code_of(comer.token)
    study.account.approve([comer.remote])  # which we have not heard of
    with pytest.raises(PlatformRefusedError):
        reject(sqlite_store, "pets", code, LONG, *study.capabilities.rejection_categories[:1])
    assert (states(study), study.place(comer.token)) == ({"reward": "pending"}, "filled")
    with sqlite_store.read() as connection:
        assert [row.review for row in completed(connection, "pets")] == ["approved"]


def test_nothing_is_paid_above_the_spending_cap(sqlite_store: Store, on_paying: Publish) -> None:
    """All that the ledger holds counts, fees included, on every posting of the study; what is cancelled does not."""
    study = on_paying(sqlite_store, people=REWARD | {"spending_cap": "3.50 USD"})
    comer = ready(study)
    with sqlite_store.write() as connection:
        check_spending(connection, study.posted)
    give_bonus(study, comer, Money(amount=230, currency="USD"))
    with sqlite_store.write() as connection:
        assert spent(connection, study.posted.study_id) == (120, 230)
        with pytest.raises(PaymentError, match=r"people.spending_cap of 3.50 USD; nothing was written or paid"):
            check_spending(connection, study.posted)
        cancel(connection, study.submission(comer.token).id, "bonus")
        check_spending(connection, study.posted)


def test_the_ledger_owes_no_nothing_and_cancels_no_sent(sqlite_store: Store, tmp_path: Path) -> None:
    """A bonus of zero is none; what was sent is not taken back; what is settled stays."""
    study = OnLink(sqlite_store, tmp_path)
    comer = study.take("ann")
    assert not give_bonus(study, comer, Money(amount=0, currency="USD"))
    give_bonus(study, comer)
    due = study.ledger()[0]
    with sqlite_store.write() as connection:
        claim(connection, [due], now())
        assert not cancel(connection, due.submission_id, "bonus")
        assert settle(connection, [due.id], "confirmed") == 1
        assert settle(connection, [due.id], "pending") == 0
    assert states(study) == {"bonus": "confirmed"}


def test_on_the_direct_link_it_is_paid_by_hand(store: Store, tmp_path: Path) -> None:
    """The list says whom to pay what, once: what was recorded as paid is owed no more."""
    study = OnLink(store, tmp_path)
    ann, ben = study.take("ann"), study.take("ben,b")
    study.approve_all()
    with store.write() as connection:
        assert owe_rewards(connection, study.posted) == 2
        assert owe_rewards(connection, study.posted) == 0
    give_bonus(study, ann)
    with store.read() as connection:
        dues = payments(connection, study.posted, states=("pending",), with_people=True)
    write_list(tmp_path / "pay.csv", dues)
    with (tmp_path / "pay.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["participant"], row["purpose"], row["amount"], row["currency"]) for row in rows} == {
        ("ann", "reward", "1.20", "USD"),
        ("ben,b", "reward", "1.20", "USD"),
        ("ann", "bonus", "0.41", "USD"),
    }
    assert {row["submission"] for row in rows} == {study.code_of(ann.token), study.code_of(ben.token)}
    with store.write() as connection:
        assert record_by_hand(connection, dues) == 3
        assert record_by_hand(connection, dues) == 0
    assert {due.state for due in study.ledger()} == {"confirmed"}


def slow(study: Published, minutes: float, *comers: Comer) -> None:
    """These people took so long."""
    with study.store.write() as connection:
        for comer in comers:
            row = study.submission(comer.token)
            connection.execute(
                Submission.__table__.update()
                .where(Submission.id == row.id)
                .values(started_at=row.completed_at - timedelta(minutes=minutes))
            )


def test_an_addition_lifts_the_median_person_to_the_floor_once(store: Store, tmp_path: Path) -> None:
    """At 8 USD an hour 12 minutes are 1.60: 0.40 for each, and for who completes later, and never again."""
    study = OnLink(
        store, tmp_path, people=REWARD | {"hourly_floor": "8.00 USD"}, batches={"size": 1, "responses_per_item": 3}
    )
    ann, ben = study.take("ann"), study.take("ben")
    slow(study, 12, ann, ben)
    with store.write() as connection:
        found = fair_pay(connection, study.posted)
        assert (found.median_minutes, str(found.per_hour), str(found.top_up)) == (12.0, "6.00 USD", "0.40 USD")
        assert "below the floor of 8.00 USD. An addition of 0.40 USD" in found.sentence()
        assert owe_top_ups(connection, study.posted) == 2
        found = fair_pay(connection, study.posted)
        assert (str(found.per_hour), found.top_up) == ("8.00 USD", None)
        with pytest.raises(PaymentError, match="needs no addition"):
            owe_top_ups(connection, study.posted)
    late = study.take("cem")
    slow(study, 12, late)
    with store.write() as connection:
        assert owe_top_ups(connection, study.posted) == 1
        with pytest.raises(PaymentError, match="needs no addition"):
            owe_top_ups(connection, study.posted)
    assert [(due.purpose, due.amount.amount) for due in study.ledger()] == [("top_up", 40)] * 3


def test_fair_pay_without_people_reward_or_floor(sqlite_store: Store, tmp_path: Path) -> None:
    """Each is said as it is, and nothing is added."""
    nobody = OnLink(sqlite_store, tmp_path / "a", name="nobody")
    volunteers = OnLink(sqlite_store, tmp_path / "b", name="volunteers", people={"minutes": 2, "hold_minutes": 9})
    slow(volunteers, 3, volunteers.take("v"))
    unbounded = OnLink(sqlite_store, tmp_path / "c", name="unbounded")
    slow(unbounded, 12, unbounded.take("u"))
    rejected = OnLink(sqlite_store, tmp_path / "d", name="rejected", people=REWARD | {"hourly_floor": "9.00 USD"})
    out = rejected.take("r")
    slow(rejected, 60, out)
    with sqlite_store.write() as connection:
        said = [fair_pay(connection, one.posted).sentence() for one in (nobody, volunteers, unbounded)]
        assert said[0] == "nobody has completed yet"
        assert said[1] == "the median person took 3.0 minutes"
        assert said[2] == "the median person took 12.0 minutes, which makes 6.00 USD an hour"
        review(connection, "rejected", rejected.code_of(out.token), "rejected", "nonsense")
        assert owe_top_ups(connection, rejected.posted) == 0


def test_a_poll_pays_nobody(sqlite_store: Store, on_paying: Publish) -> None:
    """Asking, reconciling and approving here move no money."""
    study = on_paying(sqlite_store)
    comer = ready(study)
    give_bonus(study, comer)
    for _ in range(2):
        poll(sqlite_store, study.posted, study.account)
        reconcile(sqlite_store, study.posted, study.account)
    assert study.paid(comer) == []  # type: ignore[attr-defined]
