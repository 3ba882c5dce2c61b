"""Reviewing and paying on Prolific: exact amounts, one request, no guess."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.platforms.prolific_account import ProlificAccount
from crowdloom.studies.platforms.protocol import Bonus
from tests.prolific import StandIn
from tests.prolific.examples import REASON, bonus, connect, hand_in, make_notice, paid_design
from tests.prolific.scripted import Reply, scripted


@pytest.fixture
def prolific(test_data: Path) -> Iterator[StandIn]:
    """A stand-in with nothing on it."""
    with StandIn(test_data) as started:
        yield started


@pytest.fixture
def account(prolific: StandIn) -> ProlificAccount:
    """The account."""
    return connect(prolific)


@pytest.fixture
def study(account: ProlificAccount) -> str:
    """A study that is open."""
    listing = account.create(make_notice(places=20)).remote_id
    account.open(listing)
    return listing


def test_bonuses_are_exact(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """30 cents are paid as 0.30 and shown as 30; nothing is paid before it is asked for and settled."""
    people = [hand_in(prolific, study) for _ in range(3)]
    amounts = (30, 5, 1_201)
    wanted = [bonus(session, who, amount) for (who, session), amount in zip(people, amounts, strict=True)]
    reference = account.prepare_bonuses(study, wanted)
    sent = prolific.calls("create-bonus-payments")[0]["body"]["csv_bonuses"]
    assert [line.split(",")[1] for line in sent.splitlines()] == ["0.30", "0.05", "12.01"]
    sessions = [session for _, session in people]
    assert account.bonuses(study, sessions) == []
    account.pay_bonuses(reference, wanted)
    assert account.bonuses(study, sessions) == []
    assert prolific.settle() == 1
    assert [(each.submission, each.amount) for each in account.bonuses(study, sessions)] == list(
        zip(sessions, amounts, strict=True)
    )
    assert [prolific.paid(who) for who, _ in people] == [[("bonus", amount)] for amount in amounts]
    assert account.submission(sessions[0]).bonuses == (30,)


@pytest.mark.parametrize("fault", ["500", "drop", "effect-then-500", "effect-then-drop", "effect-then-torn"])
def test_paying_is_one_request_whatever_happens(
    prolific: StandIn, account: ProlificAccount, study: str, fault: str
) -> None:
    """Whatever comes back, `pay` is sent once, and what is not known is said to be unknown."""
    who, session = hand_in(prolific, study)
    wanted = [bonus(session, who, 30)]
    reference = account.prepare_bonuses(study, wanted)
    prolific.fault("pay-bonus-payments", fault)
    with pytest.raises(PlatformUnsureError, match="nobody can know"):
        account.pay_bonuses(reference, wanted)
    assert len(prolific.calls("pay-bonus-payments")) == 1
    prolific.settle()
    shown = [each.amount for each in account.bonuses(study, [session])]
    assert shown == ([30] if fault.startswith("effect") else [])
    assert prolific.paid(who) == [("bonus", amount) for amount in shown]


def test_paying_that_was_throttled_was_refused(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """Being asked too often is a refusal: one request, and nothing is paid."""
    who, session = hand_in(prolific, study)
    wanted = [bonus(session, who, 30)]
    reference = account.prepare_bonuses(study, wanted)
    prolific.fault("pay-bonus-payments", "throttle")
    with pytest.raises(PlatformRefusedError, match="asked too often") as raised:
        account.pay_bonuses(reference, wanted)
    assert raised.value.code == "140429"
    assert len(prolific.calls("pay-bonus-payments")) == 1
    assert (prolific.settle(), prolific.paid(who)) == (0, [])


def test_paying_where_nothing_listens_was_refused() -> None:
    """A connection that never came about paid nobody, and that is certain."""
    with scripted([Reply(500)]) as server:
        gone = server.url
    account = connect(_At(gone))
    with pytest.raises(PlatformRefusedError, match="nothing was sent"):
        account.pay_bonuses("5f0000000000000000000001", [])


@pytest.mark.parametrize("count", [0, 201])
def test_number_of_bonuses_is_checked_before_any_request(
    prolific: StandIn, account: ProlificAccount, count: int
) -> None:
    """No bonus at all, and more than 200 at once, are refused without a request."""
    with pytest.raises(PlatformRefusedError, match="1 to 200"):
        account.prepare_bonuses("5f0", [bonus(f"{number:024x}", "5f1", 30) for number in range(count)])
    assert prolific.records("call") == []


def test_two_bonuses_for_one_submission_are_refused(prolific: StandIn, account: ProlificAccount) -> None:
    """What two rows for one submission would come to is not said anywhere, so they are not sent."""
    with pytest.raises(PlatformRefusedError, match="twice"):
        account.prepare_bonuses("5f0", [bonus("5f1", "5f2", 30, "one"), bonus("5f1", "5f2", 40, "two")])
    assert prolific.records("call") == []


def test_other_currency_is_refused(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """Pounds are not paid out of a workspace in dollars, neither as reward nor as bonus."""
    who, session = hand_in(prolific, study)
    pounds = Bonus("one", session, who, Money(amount=30, currency="GBP"), "Well done.")
    with pytest.raises(PlatformRefusedError, match="pays in USD"):
        account.prepare_bonuses(study, [pounds])
    with pytest.raises(PlatformRefusedError, match="pays in USD"):
        account.create(make_notice("pounds", design=paid_design("0.60 GBP")))
    assert prolific.calls("create-bonus-payments") == []
    assert len(prolific.studies()) == 1


def test_total_of_another_size_is_not_paid() -> None:
    """A service that would take 30 dollars for a bonus of 30 cents is not asked to pay."""
    replies = [
        Reply(200, {"results": [{"id": "w1", "title": "lab"}]}),
        Reply(200, {"currency_code": "USD"}),
        Reply(201, {"id": "b1", "total_amount": 4_200}),
    ]
    with scripted(replies) as server, pytest.raises(PlatformRefusedError, match=r"42\.00 for bonuses of 0\.30"):
        connect(_At(server.url)).prepare_bonuses("5f0", [bonus("5f1", "5f2", 30)])


def test_unreadable_bonuses_are_not_guessed() -> None:
    """A submission that does not say its bonuses, or says half a cent, is unknown."""
    detail = {"id": "5f1", "study_id": "5f0", "participant": "5f2", "status": "APPROVED", "started_at": "2026-01-01"}
    replies = [Reply(200, detail), Reply(200, {**detail, "bonus_payments": [30.5]})]
    with scripted(replies) as server:
        account = connect(_At(server.url))
        with pytest.raises(PlatformUnsureError, match="does not say which bonuses"):
            account.bonuses("5f0", ["5f1"])
        with pytest.raises(PlatformUnsureError, match="no whole number of cents"):
            account.bonuses("5f0", ["5f1"])


@pytest.mark.parametrize("fault", ["500", "drop", "effect-then-500", "effect-then-drop", "throttle"])
def test_approving_pays_the_reward_once(prolific: StandIn, account: ProlificAccount, study: str, fault: str) -> None:
    """A transition may be repeated: the reward comes once, and approving again is a success."""
    who, session = hand_in(prolific, study)
    prolific.fault("transition-submission", fault, 2)
    account.approve([session])
    account.approve([session])
    assert account.submission(session).state == "approved"
    assert prolific.paid(who) == [("reward", 60)]


def test_approving_that_fails_for_good_is_unsure(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """When every attempt fails, approving is unknown, and nothing was paid in this case."""
    who, session = hand_in(prolific, study)
    prolific.fault("transition-submission", "500", 50)
    with pytest.raises(PlatformUnsureError):
        account.approve([session])
    assert len(prolific.calls("transition-submission")) == 5
    assert prolific.paid(who) == []


def test_bulk_approval_is_one_request_and_settles_later(
    prolific: StandIn, account: ProlificAccount, study: str
) -> None:
    """Several are approved by their ids in one request that is worked through later; approved ones stay so."""
    people = [hand_in(prolific, study) for _ in range(3)]
    sessions = [session for _, session in people]
    account.approve(sessions[:1])
    account.approve(sessions)
    assert prolific.calls("bulk-approve-submissions")[0]["body"] == {"submission_ids": sessions}
    assert [each.state for each in account.submissions(study)] == ["approved", "submitted", "submitted"]
    prolific.settle()
    assert {each.state for each in account.submissions(study)} == {"approved"}
    assert [prolific.paid(who) for who, _ in people] == [[("reward", 60)]] * 3


def test_bulk_approval_leaves_out_what_is_approved() -> None:
    """Should Prolific refuse a list for what is approved already, the others are approved all the same."""
    detail = {"study_id": "5f0", "participant": "5f9", "started_at": "2026-01-01T00:00:00Z"}
    replies = [
        Reply(400, {"status": 400, "error_code": 1, "title": "Bad", "detail": "5f1 is approved"}),
        Reply(200, {**detail, "id": "5f1", "status": "APPROVED"}),
        Reply(200, {**detail, "id": "5f2", "status": "AWAITING REVIEW"}),
        Reply(200, "in progress"),
    ]
    with scripted(replies) as server:
        connect(_At(server.url)).approve(["5f1", "5f2"])
        assert [head.split(" HTTP")[0] for head in server.requests] == [
            "POST /api/v1/submissions/bulk-approve/",
            "GET /api/v1/submissions/5f1/",
            "GET /api/v1/submissions/5f2/",
            "POST /api/v1/submissions/bulk-approve/",
        ]
    refused = [replies[0], replies[2]]
    with scripted(refused) as server, pytest.raises(PlatformRefusedError, match="5f1 is approved"):
        connect(_At(server.url)).approve(["5f1", "5f2"])


def test_first_error_is_the_one_that_is_told(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """Where it cannot be read what became of a call, the call's own error is raised, not that of the question."""
    sessions = [hand_in(prolific, study)[1] for _ in range(2)]
    prolific.fault("get-submission", "500", 50)
    for operation in ("bulk-approve-submissions", "transition-submission"):
        prolific.fault(operation, "throttle", 5)
    with pytest.raises(PlatformRefusedError, match="did not approve the submissions"):
        account.approve(sessions)
    with pytest.raises(PlatformRefusedError, match="did not approve the submission;"):
        account.approve(sessions[:1])


def test_approvals_go_by_the_thousand() -> None:
    """1,001 submissions are two requests; when the second is refused, the first was not in vain, so it is unsure."""
    refused = Reply(400, {"status": 400, "error_code": 7, "title": "Bad", "detail": "unknown"})
    ids = [f"{number:024x}" for number in range(1_001)]
    with scripted([Reply(200, "in progress")]) as server:
        connect(_At(server.url)).approve(ids)
        assert len(server.requests) == 2
    being = pytest.raises(PlatformUnsureError, match="1000 submissions are being approved; then")
    with scripted([Reply(200, "in progress"), refused]) as server, being as raised:
        connect(_At(server.url)).approve(ids)
    assert raised.value.code == "7"


@pytest.mark.parametrize(
    ("vendor", "state"),
    [
        ("RESERVED", "active"),
        ("ACTIVE", "active"),
        ("AWAITING REVIEW", "submitted"),
        ("APPROVED", "approved"),
        ("PARTIALLY APPROVED", "approved"),
        ("REJECTED", "rejected"),
        ("RETURNED", "returned"),
        ("TIMED-OUT", "timed_out"),
        ("SCREENED OUT", "screened_out"),
        ("UNKNOWN", "active"),
        ("SOMETHING NEW", "active"),
    ],
)
def test_every_state_of_a_submission_is_known(vendor: str, state: str) -> None:
    """Each of Prolific's states is one of ours; one that is not known frees no place and pays nobody."""
    started = "2026-11-25T10:00:00+02:00"
    detail = {"id": "5f1", "study_id": "5f0", "participant": "5f9", "status": vendor, "started_at": started}
    with scripted([Reply(200, {**detail, "bonus_payments": [30, 12.0]})]) as server:
        remote = connect(_At(server.url)).submission("5f1")
    assert (remote.state, remote.vendor_state, remote.bonuses) == (state, vendor, (30, 12))
    assert str(remote.started_at) == "2026-11-25 08:00:00+00:00"


def test_setting_up_bonuses_may_be_lost(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """Setting up pays nobody, so a lost answer is made good by setting up again."""
    who, session = hand_in(prolific, study)
    wanted = [bonus(session, who, 30)]
    prolific.fault("create-bonus-payments", "effect-then-500")
    account.pay_bonuses(account.prepare_bonuses(study, wanted), wanted)
    prolific.settle()
    assert prolific.paid(who) == [("bonus", 30)]


def test_bulk_approval_with_a_lost_answer_is_unsure(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """Bulk approval is sent once; the submissions themselves tell whether it was taken."""
    sessions = [hand_in(prolific, study)[1] for _ in range(2)]
    prolific.fault("bulk-approve-submissions", "effect-then-drop")
    with pytest.raises(PlatformUnsureError):
        account.approve(sessions)
    assert len(prolific.calls("bulk-approve-submissions")) == 1
    prolific.settle()
    assert {each.state for each in account.submissions(study)} == {"approved"}


def test_rejection_is_checked_before_any_request(prolific: StandIn, account: ProlificAccount) -> None:
    """A reason of 99 characters, blanks around it not counted, or no known category: nothing is sent."""
    with pytest.raises(PlatformRefusedError, match="at least 100 characters"):
        account.reject("5f1", f"   {REASON[:99]}   ", "FAILED_CHECK")
    with pytest.raises(PlatformRefusedError, match="categories: TOO_QUICKLY"):
        account.reject("5f1", REASON, None)
    assert prolific.records("call") == []


def test_rejecting_pays_nothing_and_may_be_repeated(prolific: StandIn, account: ProlificAccount, study: str) -> None:
    """A rejection with its category is a success twice; it cannot be approved afterwards, and pays nothing."""
    who, session = hand_in(prolific, study, "failed_attention_check")
    prolific.fault("transition-submission", "effect-then-500")
    account.reject(session, REASON, "FAILED_CHECK")
    account.reject(session, REASON, "FAILED_CHECK")
    assert account.submission(session).state == "rejected"
    with pytest.raises(PlatformRefusedError, match="not possible from REJECTED") as raised:
        account.approve([session])
    assert raised.value.code == "140305"
    assert prolific.paid(who) == []


class _At:
    """Where an account is connected to a server that is no stand-in."""

    def __init__(self, url: str) -> None:
        self.url = self.app_url = url
        self.token = "another-token"
